// The one bounded way in which a test may wait: for a condition, never for a time.
// When the bound passes, the error says what did not happen and what the condition last threw.

import { setTimeout as pause } from "node:timers/promises";

export interface WaitOptions {
  readonly timeoutMs?: number;
  /** What is awaited, for the error: "the poison queue holds one message". */
  readonly what: string;
}

const INTERVAL_MS = 20;

/**
 * Resolves with the first value of `condition` that is neither false nor undefined. A condition
 * that throws counts as not met yet.
 */
export async function waitFor<T>(
  condition: () => T | false | undefined | Promise<T | false | undefined>,
  options: WaitOptions,
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 15_000;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== false && value !== undefined) {
        return value;
      }
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`Not within ${timeoutMs} ms: ${options.what}.`, { cause: lastError });
    }
    await pause(INTERVAL_MS);
  }
}
