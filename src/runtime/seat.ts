// An invocation's place in a job's session. A message that cannot be committed is put back, but an
// outcome is worth holding on to: while the store is down the seat waits, enters a fresh session
// and commits again. A commit that got no answer may stand; the seat looks before it tries again,
// so that what was claimed is run and no outcome is taken for a late one.
import type { Occurrence } from "../core/effect.ts";
import { WorkflowError } from "../core/error.ts";
import { secondsBetween } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import { UnansweredCommit } from "./commit.ts";
import type { Committed } from "./commit.ts";
import { MAX_INVOCATION_SECONDS } from "./engine.ts";
import type { JobSession } from "./job-session.ts";
import { readEntry } from "./journal.ts";
import { outlast } from "./outlast.ts";
import type { Sessions } from "./sessions.ts";

export class Seat {
  readonly #sessions: Sessions;
  readonly #began: Instant;
  #session: JobSession;

  /** `began`: when the invocation did. */
  constructor(sessions: Sessions, session: JobSession, began: Instant) {
    this.#sessions = sessions;
    this.#session = session;
    this.#began = began;
  }

  get session(): JobSession {
    return this.#session;
  }

  /** Since the invocation began. */
  get seconds(): number {
    return secondsBetween(this.#began, this.#session.engine.clock.now());
  }

  /** How long the invocation may hold on to what must not get lost. */
  get patience(): number {
    const left = MAX_INVOCATION_SECONDS - this.seconds;
    return Math.min(this.#session.engine.timing.yield_seconds, left);
  }

  /**
   * Whether a handler with this time-out still fits. What was decided may have waited for a store
   * for minutes, and who outstays the host's limit takes the whole worker along.
   */
  hasTimeFor(timeoutSeconds: number): boolean {
    return this.seconds + timeoutSeconds <= MAX_INVOCATION_SECONDS;
  }

  /**
   * Commits. An outcome outlasts a store that fails for up to `yield_seconds`, and so does the
   * question whether a commit without an answer stands.
   */
  async commit(occurrence: Occurrence, canContinue: boolean): Promise<Committed> {
    const { patience } = this;
    const isWorthHolding = isOutcome(occurrence);
    const unanswered: UnansweredCommit[] = [];
    let committed: Committed | undefined;
    const patient = (error: unknown): number => {
      if (error instanceof UnansweredCommit) unanswered.push(error);
      return isWorthHolding || unanswered.length > 0 ? patience : 0;
    };
    return outlast(this.#session.engine, patient, async () => {
      if (this.#session.isSpent) await this.#moveOn();
      const found = await this.#standing(unanswered);
      if (found !== undefined) return found;
      const continueSeconds = MAX_INVOCATION_SECONDS - this.seconds;
      const options = { canContinue, continueSeconds };
      committed ??= await this.#session.commit(occurrence, options);
      // A stale look may have missed an entry of ours; by now the journal is known beyond it.
      return (await this.#standing(unanswered)) ?? committed;
    });
  }

  /** The first of the commits without an answer that stands after all. */
  async #standing(unanswered: readonly UnansweredCommit[]): Promise<Committed | undefined> {
    for (const one of unanswered) {
      if (!(await this.#stands(one))) continue;
      one.found();
      return { ...one.committed, job: this.#session.job };
    }
    return undefined;
  }

  /** Whether the entry is ours; the session knows it then. */
  async #stands({ seq, write_id }: UnansweredCommit): Promise<boolean> {
    const { engine, job } = this.#session;
    const entry = await readEntry(engine.journal, job.job_id, seq);
    // What was folded is there: a read that does not see it is stale and proves nothing.
    if (entry === undefined && job.seq >= seq) throw notVisible(job.job_id, seq);
    if (entry?.write_id !== write_id) return false;
    if (!(await this.#session.reach(seq))) throw notVisible(job.job_id, seq);
    return true;
  }

  /** Leaves a spent session for a fresh one that knows as much; keeps the seat where that fails. */
  async #moveOn(): Promise<void> {
    const spent = this.#session;
    const { job_id, seq } = spent.job;
    const entered = await this.#sessions.enter(job_id, seq);
    if (entered.kind !== "session") throw notVisible(job_id, seq);
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

function notVisible(jobId: string, seq: number): WorkflowError {
  const message = `job ${jobId}: entry ${seq} is not visible yet`;
  return new WorkflowError("STORE_UNAVAILABLE", message, { retryable: true });
}

function isOutcome({ type }: Occurrence): boolean {
  return type === "attempt_ended" || type === "items_ended" || type === "chunk_claimed";
}
