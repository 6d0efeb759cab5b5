// The only place of the chaos runs that waits for a time: a kill loop, a client's back-off and a
// slow network are about time itself. Everything else waits for a condition.
import { setTimeout as sleep } from "node:timers/promises";

/** Ends early, and without an error, when `signal` is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}

/** The time on the wall, as every process of this machine sees it. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
