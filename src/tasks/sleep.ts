// `sleep`: takes time and nothing else.
// Stops at once when its signal is aborted, and leaves no timer behind.
import * as z from "zod";
import { defineHandler } from "../runtime/handlers.ts";
import type { Handler } from "../runtime/handlers.ts";
import type { Clock } from "../runtime/ports.ts";

/** Below the longest time-out an attempt may have, so that a sleep can end by itself. */
const MAX_SLEEP_SECONDS = 500;

export function sleepHandler(clock: Clock): Handler {
  return defineHandler({
    name: "sleep",
    version: "1",
    description: "Waits inside the attempt. It holds a slot of the process while it waits.",
    params: z.strictObject({
      seconds: z.number().min(0).max(MAX_SLEEP_SECONDS).describe("How long to wait."),
    }),
    output: z.strictObject({ slept_seconds: z.number() }),
    run: async ({ params, signal }) => {
      await pause(clock, params.seconds * 1000, signal);
      return { slept_seconds: params.seconds };
    },
  });
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = (): void => {
      cancel();
      reject(new DOMException("the sleep was interrupted", "AbortError"));
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    signal.addEventListener("abort", stop, { once: true });
  });
}
