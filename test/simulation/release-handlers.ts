// Handlers that recorded jobs name, made from a build's own functions: a handler throws errors of
// its build. They are part of the fixtures: none may change what it answers, new ones may come.
import { z } from "zod";
import type { Handler } from "../../src/runtime/handlers.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import type { ReleaseKit } from "./release-load.ts";

const anything = z.record(z.string(), z.json());
const VERSION = "1";

type Define = Pick<ReleaseKit, "defineHandler" | "RetryableError" | "TerminalError">;

export function handlersOf(kit: Define, clock: Clock): readonly Handler[] {
  return [...quickHandlers(kit), ...slowHandlers(kit, clock)];
}

function quickHandlers(kit: Define): readonly Handler[] {
  const { defineHandler, RetryableError, TerminalError } = kit;
  const common = { version: VERSION, params: anything, output: z.json() };
  return [
    /** Answers what it was given. */
    defineHandler({ ...common, name: "echo", run: ({ params }) => params }),
    /** Answers what it was given and which attempt it was: an unfenced outcome would show. */
    defineHandler({
      ...common,
      name: "stamp",
      run: ({ params, attempt }) => ({ ...params, attempt }),
    }),
    defineHandler({
      ...common,
      name: "flaky",
      run: ({ attempt, log }) => {
        log(`attempt ${attempt}`);
        if (attempt < 3) throw new RetryableError("not yet", "BUSY");
        return { attempt };
      },
    }),
    defineHandler({
      ...common,
      name: "fail",
      run: () => {
        throw new TerminalError("it cannot be done", "REFUSED");
      },
    }),
    defineHandler({
      ...common,
      name: "busy",
      run: () => {
        throw new RetryableError("never", "BUSY");
      },
    }),
    defineHandler({
      ...common,
      name: "large",
      params: z.object({ bytes: z.number(), letter: z.string().default("x") }),
      run: ({ params }) => params.letter.repeat(params.bytes),
    }),
    defineHandler({
      ...common,
      name: "size_of",
      params: z.object({ value: z.string() }),
      run: ({ params }) => params.value.length,
    }),
    /** Only the third item is refused at first. */
    defineHandler({
      ...common,
      name: "third_is_flaky",
      run: ({ params, attempt, job }) => {
        if (job.index === 2 && attempt < 2) throw new RetryableError("not yet", "BUSY");
        return params;
      },
    }),
  ];
}

function slowHandlers({ defineHandler }: Define, clock: Clock): readonly Handler[] {
  const common = { version: VERSION, params: anything, output: z.json() };
  const wait = (seconds: number): Promise<void> =>
    new Promise((resolve) => {
      clock.after(seconds * 1000, resolve);
    });
  return [
    /** Answers after 100 s and hears no abort. */
    defineHandler({
      ...common,
      name: "slow",
      run: async ({ params }) => {
        await wait(100);
        return params;
      },
    }),
    /** Odd items take half a minute. */
    defineHandler({
      ...common,
      name: "odd_is_slow",
      run: async ({ params, job }) => {
        if ((job.index ?? 0) % 2 === 1) await wait(30);
        return params;
      },
    }),
  ];
}
