// An invocation's place in a job's session. A message that cannot be committed is put back, but an
// outcome is worth holding on to: while the store is down the seat waits, enters a fresh session
// and commits again. The attempt number keeps that safe; the lease only decides who comes first.
import type { Occurrence } from "../core/effect.ts";
import { secondsBetween } from "../core/instant.ts";
import { isRetryable } from "./error-text.ts";
import type { Committed, JobSession } from "./job-session.ts";
import type { Sessions } from "./sessions.ts";

const FIRST_WAIT_SECONDS = 1;
const MAX_WAIT_SECONDS = 30;

export class Seat {
  readonly #sessions: Sessions;
  #session: JobSession;

  constructor(sessions: Sessions, session: JobSession) {
    this.#sessions = sessions;
    this.#session = session;
  }

  get session(): JobSession {
    return this.#session;
  }

  /** Commits; an outcome outlasts a store that fails for up to `yield_seconds`. */
  async commit(occurrence: Occurrence, canContinue: boolean): Promise<Committed> {
    const { clock, timing } = this.#session.engine;
    const began = clock.now();
    for (let wait = FIRST_WAIT_SECONDS; ; wait = Math.min(wait * 2, MAX_WAIT_SECONDS)) {
      try {
        if (this.#session.isSpent) await this.#moveOn();
        return await this.#session.commit(occurrence, { canContinue });
      } catch (error) {
        const held = secondsBetween(began, clock.now());
        const isWorthIt = isOutcome(occurrence) && held < timing.yield_seconds;
        if (!isRetryable(error) || !isWorthIt) throw error;
        await new Promise<void>((resume) => clock.after(wait * 1000, resume));
      }
    }
  }

  /** Leaves a spent session for a fresh one; keeps the old seat where that fails. */
  async #moveOn(): Promise<void> {
    const spent = this.#session;
    const entered = await this.#sessions.enter(spent.job.job_id, 0);
    if (entered.kind !== "session") return;
    await entered.session.catchUp();
    this.#session = entered.session;
    await this.#sessions.leave(spent);
  }
}

function isOutcome({ type }: Occurrence): boolean {
  return type === "attempt_ended" || type === "items_ended" || type === "chunk_claimed";
}
