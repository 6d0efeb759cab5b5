// Handlers that recorded jobs name, made from a build's own functions: a handler throws errors of
// its build. They are part of the fixtures: none may change what it answers, new ones may come.
import { z } from "zod";
import type { Handler } from "../../src/runtime/handlers.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import type { ReleaseKit } from "./release-load.ts";

// Made once: every process of a simulated world asks for its handlers anew.
const anything = z.record(z.string(), z.json());
const largeParams = z.object({ bytes: z.number(), letter: z.string().default("x") });
const sizeParams = z.object({ value: z.string() });
const COMMON = { version: "1", params: anything, output: z.json() };

type Define = Pick<ReleaseKit, "defineHandler" | "RetryableError" | "TerminalError">;

export function handlersOf(kit: Define, clock: Clock): readonly Handler[] {
  return [...quickHandlers(kit), ...itemHandlers(kit), ...slowHandlers(kit, clock)];
}

function quickHandlers(kit: Define): readonly Handler[] {
  const { defineHandler, RetryableError, TerminalError } = kit;
  return [
    /** Answers what it was given. */
    defineHandler({ ...COMMON, name: "echo", run: ({ params }) => params }),
    /** Answers what it was given and which attempt it was: an unfenced outcome would show. */
    defineHandler({
      ...COMMON,
      name: "stamp",
      run: ({ params, attempt }) => ({ ...params, attempt }),
    }),
    defineHandler({
      ...COMMON,
      name: "flaky",
      run: ({ attempt, log }) => {
        log(`attempt ${attempt}`);
        if (attempt < 3) throw new RetryableError("not yet", "BUSY");
        return { attempt };
      },
    }),
    defineHandler({
      ...COMMON,
      name: "fail",
      run: () => {
        throw new TerminalError("it cannot be done", "REFUSED");
      },
    }),
    defineHandler({
      ...COMMON,
      name: "busy",
      run: () => {
        throw new RetryableError("never", "BUSY");
      },
    }),
    defineHandler({
      ...COMMON,
      name: "large",
      params: largeParams,
      run: ({ params }) => params.letter.repeat(params.bytes),
    }),
    defineHandler({
      ...COMMON,
      name: "size_of",
      params: sizeParams,
      run: ({ params }) => params.value.length,
    }),
  ];
}

function itemHandlers(kit: Define): readonly Handler[] {
  const { defineHandler, RetryableError, TerminalError } = kit;
  return [
    /** Every fifth item fails for good. */
    defineHandler({
      ...COMMON,
      name: "fifth_fails",
      run: ({ params, job }) => {
        if ((job.index ?? 0) % 5 === 0) throw new TerminalError("it cannot be done", "REFUSED");
        return params;
      },
    }),
    /** Every fifth item fails on every attempt. */
    defineHandler({
      ...COMMON,
      name: "fifth_is_busy",
      run: ({ params, job }) => {
        if ((job.index ?? 0) % 5 === 0) throw new RetryableError("never", "BUSY");
        return params;
      },
    }),
    /** Only the third item is refused at first. */
    defineHandler({
      ...COMMON,
      name: "third_is_flaky",
      run: ({ params, attempt, job }) => {
        if (job.index === 2 && attempt < 2) throw new RetryableError("not yet", "BUSY");
        return params;
      },
    }),
  ];
}

function slowHandlers({ defineHandler }: Define, clock: Clock): readonly Handler[] {
  const wait = (seconds: number): Promise<void> =>
    new Promise((resolve) => {
      clock.after(seconds * 1000, resolve);
    });
  return [
    /** Answers after 100 s and hears no abort. */
    defineHandler({
      ...COMMON,
      name: "slow",
      run: async ({ params }) => {
        await wait(100);
        return params;
      },
    }),
    /** Odd items take half a minute. */
    defineHandler({
      ...COMMON,
      name: "odd_is_slow",
      run: async ({ params, job }) => {
        if ((job.index ?? 0) % 2 === 1) await wait(30);
        return params;
      },
    }),
  ];
}
