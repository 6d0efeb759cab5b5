// An invocation's place in a job's session. A message that cannot be committed is put back, but an
// outcome is worth holding on to: while the store is down the seat waits, enters a fresh session
// and commits again. A commit that got no answer may stand; the seat looks before it tries again,
// so that what was claimed is run and no outcome is taken for a late one.
import type { Occurrence } from "../core/effect.ts";
import { secondsBetween } from "../core/instant.ts";
import { UnansweredCommit } from "./commit.ts";
import type { Committed } from "./commit.ts";
import { isRetryable } from "./error-text.ts";
import type { JobSession } from "./job-session.ts";
import { readEntry } from "./journal.ts";
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

  /**
   * Commits; an outcome outlasts a store that fails for up to `yield_seconds`, a commit without an
   * answer is looked for during half a lease.
   */
  async commit(occurrence: Occurrence, canContinue: boolean): Promise<Committed> {
    const { clock, timing } = this.#session.engine;
    const began = clock.now();
    let unanswered: UnansweredCommit | undefined;
    for (let wait = FIRST_WAIT_SECONDS; ; wait = Math.min(wait * 2, MAX_WAIT_SECONDS)) {
      try {
        if (this.#session.isSpent) await this.#moveOn();
        if (unanswered !== undefined && (await this.#stands(unanswered))) {
          return { ...unanswered.committed, job: this.#session.job };
        }
        unanswered = undefined;
        return await this.#session.commit(occurrence, { canContinue });
      } catch (error) {
        if (error instanceof UnansweredCommit) unanswered = error;
        const held = secondsBetween(began, clock.now());
        const hold = unanswered === undefined ? 0 : timing.lease_seconds / 2;
        const patience = isOutcome(occurrence) ? timing.yield_seconds : hold;
        if (!isRetryable(error) || held >= patience) throw error;
        await new Promise<void>((resume) => clock.after(wait * 1000, resume));
      }
    }
  }

  async #stands({ seq, write_id }: UnansweredCommit): Promise<boolean> {
    const { engine, job } = this.#session;
    const entry = await readEntry(engine.journal, job.job_id, seq);
    return entry?.write_id === write_id;
  }

  /** Leaves a spent session for a fresh one; keeps the old seat where that fails. */
  async #moveOn(): Promise<void> {
    const spent = this.#session;
    const entered = await this.#sessions.enter(spent.job.job_id, 0);
    if (entered.kind !== "session") return;
    try {
      await entered.session.catchUp();
    } catch (error) {
      await this.#sessions.leave(entered.session);
      throw error;
    }
    this.#session = entered.session;
    await this.#sessions.leave(spent);
  }
}

function isOutcome({ type }: Occurrence): boolean {
  return type === "attempt_ended" || type === "items_ended" || type === "chunk_claimed";
}
