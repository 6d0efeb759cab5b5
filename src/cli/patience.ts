// How a command follows a job for as long as it takes: answers that are held, no question sooner
// than the last one allows, and an app that is away for a while, for jobs outlive its restarts.
import { ApiError } from "../client/client.ts";
import type { Call } from "./command.ts";

export const WAIT_SECONDS = 20;
/** An app that holds as many requests as it may answers at once: nobody asks faster than this. */
const LEAST_MS = 1_000;
export const AWAY = "the app is not reached; asking again for a minute";
const AWAY_MS = 60_000;
const AWAY_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** What is left of the least time between two questions. */
export async function restSince({ terminal }: Call, began: number): Promise<void> {
  const left = began + LEAST_MS - terminal.nowMs();
  if (left > 0) await terminal.pause(left);
}

/** Whether `fetch` failed before there was an answer. */
export function isUnreached(error: unknown): error is TypeError {
  return error instanceof TypeError && /fetch|network|redirect/i.test(error.message);
}

/**
 * Asks again each second while the app is away, for a minute at most; `tell` hears when it went
 * and when it is back.
 * Errors: whatever `ask` fails with for another reason, or at last.
 */
export async function patiently<T>(
  call: Call,
  ask: () => Promise<T>,
  tell = (isAway: boolean): void => call.terminal.err(isAway ? AWAY : "the app is back"),
): Promise<T> {
  const { terminal } = call;
  const since = terminal.nowMs();
  for (let tries = 0; ; tries += 1) {
    const began = terminal.nowMs();
    try {
      const answer = await ask();
      if (tries > 0) tell(false);
      return answer;
    } catch (error) {
      const isAway =
        isUnreached(error) || (error instanceof ApiError && AWAY_STATUSES.has(error.status));
      if (!isAway || terminal.signal.aborted || began - since >= AWAY_MS) throw error;
    }
    if (tries === 0) tell(true);
    await restSince(call, began);
  }
}
