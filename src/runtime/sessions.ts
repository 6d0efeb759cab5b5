// The sessions of this process: at most one live session per job. The first invocation loads it,
// the last one to leave refreshes the projection. Users are counted without a gap between finding
// a session and entering it, so nobody enters one that its last user is closing.
import { WorkflowError } from "../core/error.ts";
import { addSeconds } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import type { Workflow } from "../core/graph.ts";
import type { FailureReason, JobState } from "../core/job.ts";
import { deliver } from "./deliver.ts";
import type { Engine } from "./engine.ts";
import { JobSession } from "./job-session.ts";
import { LocalAttempts } from "./local-attempts.ts";
import { loadWorkflow } from "./journal.ts";
import { projectedOf } from "./projected-state.ts";

export type Entered =
  | { readonly kind: "session"; readonly session: JobSession }
  /** No projection: not yet visible, or past its retention. */
  | { readonly kind: "absent" }
  /** An entry that the message knows of is not visible yet. */
  | { readonly kind: "stale" };

/** The platform ends a worker five seconds after it told it to stop. */
const DRAIN_SECONDS = 4;
const DRAIN_POLL_MS = 50;

interface Slot {
  readonly loading: Promise<JobSession | undefined>;
  /** Set once loaded. */
  session?: JobSession | undefined;
}

export class Sessions {
  readonly #engine: Engine;
  readonly #open = new Map<string, Slot>();
  /** What this process runs of each job, shared by its sessions: spent ones and a live one. */
  readonly #running = new Map<string, LocalAttempts>();
  #isDraining = false;
  /** The `wake_at` at which the last sweep of this process ran out of time. */
  sweptTo: Instant | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The process is going away: whoever asks begins nothing more. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * Begins nothing more, tells what runs to stop, and waits a few seconds until its outcomes are
   * recorded: attempts that are handed back run elsewhere at once, not after their lease. What is
   * not done by then is lost as in a crash. Never rejects.
   */
  async drain(): Promise<void> {
    const { clock } = this.#engine;
    this.#isDraining = true;
    const until = addSeconds(clock.now(), DRAIN_SECONDS);
    while (this.size > 0 && clock.now() < until) {
      // Again and again: a claim may have been on its way.
      for (const running of this.#running.values()) running.abortAll();
      await new Promise<void>((resume) => clock.after(DRAIN_POLL_MS, resume));
    }
  }

  /** Jobs that invocations of this process are working on. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Enters the job's session, loading it if this process has none, and folds up to entry `rev`.
   * Whoever gets a session must leave it. Errors: those of the store; SCHEMA_TOO_NEW.
   */
  async enter(jobId: string, rev: number): Promise<Entered> {
    const session = await this.#entered(jobId);
    if (session === undefined) return { kind: "absent" };
    try {
      if (await session.reach(rev)) return { kind: "session", session };
    } catch (error) {
      await this.leave(session);
      throw error;
    }
    await this.leave(session);
    return { kind: "stale" };
  }

  /** Leaves a session; the last one refreshes the projection. Never rejects. */
  async leave(session: JobSession): Promise<void> {
    // Others may come, commit and go while the projection is being written.
    while (session.users === 1 && !session.isSpent && !session.isProjected) {
      if (!(await session.keeper.refresh())) break;
    }
    session.users -= 1;
    if (session.users > 0) return;
    session.close();
    const { job_id: jobId } = session.job;
    this.#part(jobId);
    if (this.#open.get(jobId)?.session === session) this.#open.delete(jobId);
  }

  /** A session with this user counted in; undefined where the job has no projection. */
  async #entered(jobId: string): Promise<JobSession | undefined> {
    for (;;) {
      const slot = this.#open.get(jobId) ?? this.#opened(jobId);
      try {
        const session = await slot.loading;
        if (session !== undefined && !session.isSpent && session.isOpen) {
          if (session.users === 0) session.open(this.#share(jobId));
          session.users += 1;
          return session;
        }
        this.#drop(jobId, slot);
        if (session === undefined) return undefined;
      } catch (error) {
        this.#drop(jobId, slot);
        throw error;
      }
    }
  }

  #share(jobId: string): LocalAttempts {
    const running = this.#running.get(jobId) ?? new LocalAttempts();
    running.sessions += 1;
    this.#running.set(jobId, running);
    return running;
  }

  #part(jobId: string): void {
    const running = this.#running.get(jobId);
    if (running === undefined) return;
    running.sessions -= 1;
    if (running.sessions === 0) this.#running.delete(jobId);
  }

  #opened(jobId: string): Slot {
    const slot: Slot = {
      loading: this.#load(jobId).then((session) => {
        slot.session = session;
        return session;
      }),
    };
    this.#open.set(jobId, slot);
    return slot;
  }

  #drop(jobId: string, slot: Slot): void {
    if (this.#open.get(jobId) === slot) this.#open.delete(jobId);
  }

  async #load(jobId: string): Promise<JobSession | undefined> {
    const engine = this.#engine;
    const stored = await engine.jobs.read(jobId);
    if (stored === undefined) return undefined;
    const projected = await projectedOf(engine, stored.document);
    const { wake_at } = stored.document;
    const loaded = { projected, etag: stored.etag, ...(wake_at === undefined ? {} : { wake_at }) };
    const found = await this.#workflow(projected.job);
    if ("workflow" in found) return new JobSession(engine, loaded, found.workflow);
    const session = new JobSession(engine, loaded, undefined);
    const refused = { type: "snapshot_refused", error: found.refused } as const;
    const { effects } = await session.commit(refused, { canContinue: false });
    await deliver(session, effects);
    return session;
  }

  /** A snapshot that does not hold ends its job; a store that fails does not. */
  async #workflow(
    job: JobState,
  ): Promise<{ readonly workflow: Workflow } | { readonly refused: FailureReason }> {
    try {
      return { workflow: await loadWorkflow(this.#engine, job) };
    } catch (error) {
      if (!(error instanceof WorkflowError) || !isSnapshotFault(error)) throw error;
      return { refused: { code: error.code, message: error.message } };
    }
  }
}

function isSnapshotFault({ code }: WorkflowError): boolean {
  return code === "SNAPSHOT_INVALID" || code === "SNAPSHOT_TAMPERED";
}
