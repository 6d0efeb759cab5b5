// How a command follows a job for as long as it takes: answers that are held, no question sooner
// than the last one allows, and an app that is away for a while, for jobs outlive its restarts.
import { ApiError } from "../client/client.ts";
import type { Call } from "./command.ts";
import { safe } from "./terminal.ts";

export const WAIT_SECONDS = 20;
/** An app that holds as many requests as it may answers at once: nobody asks faster than this. */
const LEAST_MS = 1_000;
/** After news: a job of a thousand items moves more often than anybody can read. */
export const NEWS_MS = 250;
const AWAY_MS = 60_000;
const AWAY_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** What is left of the least time between two questions. */
export async function restSince(
  { terminal }: Call,
  began: number,
  leastMs = LEAST_MS,
): Promise<void> {
  const left = began + leastMs - terminal.nowMs();
  if (left > 0) await terminal.pause(left);
}

/** Whether there was no answer, or one that broke off. */
export function isUnreached(error: unknown): error is TypeError {
  return error instanceof TypeError && /fetch|network|redirect|terminated/i.test(error.message);
}

/** Why it is asked again; undefined for what a repetition does not help. */
function awayText(error: unknown): string | undefined {
  const again = "asking again for a minute";
  if (isUnreached(error)) return `the app is not reached; ${again}`;
  if (!(error instanceof ApiError) || !AWAY_STATUSES.has(error.status)) return undefined;
  return `the app answers ${safe(error.problem?.code ?? String(error.status))}; ${again}`;
}

/** What the app asks for, or the least. */
function restMs(error: unknown): number {
  const asked = error instanceof ApiError ? error.problem?.["retry_after_seconds"] : undefined;
  return typeof asked === "number" ? Math.max(LEAST_MS, asked * 1_000) : LEAST_MS;
}

/**
 * Asks again each second while the app is away, for a minute at most; `tell` hears why, and
 * undefined when it is back.
 * Errors: whatever `ask` fails with for another reason, or at last.
 */
export async function patiently<T>(
  call: Call,
  ask: () => Promise<T>,
  tell = (away: string | undefined): void => call.terminal.err(away ?? "the app is back"),
): Promise<T> {
  const { terminal } = call;
  const since = terminal.nowMs();
  let told: string | undefined;
  for (;;) {
    const began = terminal.nowMs();
    try {
      const answer = await ask();
      if (told !== undefined) tell(undefined);
      return answer;
    } catch (error) {
      const away = awayText(error);
      const isLate = began - since >= AWAY_MS;
      if (away === undefined || terminal.signal.aborted || isLate) throw error;
      if (away !== told) tell(away);
      told = away;
      await restSince(call, began, restMs(error));
    }
  }
}
