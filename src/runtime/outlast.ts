// Holding on while the world fails: tries again, soon enough after an outage that whoever is
// suspected to be dead shows that it lives, and no longer than the caller is patient.
import { secondsBetween } from "../core/instant.ts";
import { graceSeconds } from "../core/watch.ts";
import type { Engine } from "./engine.ts";
import { isRetryable } from "./error-text.ts";

const FIRST_WAIT_SECONDS = 1;

/**
 * The first answer of `work` that is not a failure of the world, or its last such failure once
 * `patience` seconds have passed. Other errors come through at once.
 */
export async function outlast<T>(
  { clock, timing }: Pick<Engine, "clock" | "timing">,
  patience: (error: unknown) => number,
  work: () => Promise<T>,
): Promise<T> {
  const began = clock.now();
  const most = graceSeconds(timing) / 4;
  for (let wait = Math.min(FIRST_WAIT_SECONDS, most); ; wait = Math.min(wait * 2, most)) {
    try {
      return await work();
    } catch (error) {
      const held = secondsBetween(began, clock.now());
      if (!isRetryable(error) || held + wait > patience(error)) throw error;
      await new Promise<void>((resume) => clock.after(wait * 1000, resume));
    }
  }
}
