// The sessions of this process: at most one live session per job. The first invocation loads it,
// the last one to leave refreshes the projection.
import { WorkflowError } from "../core/error.ts";
import type { Workflow } from "../core/graph.ts";
import { emptyWorkflow } from "../core/create-job.ts";
import type { FailureReason } from "../core/job.ts";
import type { Engine } from "./engine.ts";
import { JobSession } from "./job-session.ts";
import { loadWorkflow } from "./journal.ts";
import { parseProjection } from "./projection.ts";

/** Refreshes at leaving; one is the rule. */
const MAX_REFRESHES = 3;

export type Entered =
  | { readonly kind: "session"; readonly session: JobSession }
  /** No projection: not yet visible, or past its retention. */
  | { readonly kind: "absent" }
  /** An entry that the message knows of is not visible yet. */
  | { readonly kind: "stale" };

export class Sessions {
  readonly #engine: Engine;
  readonly #open = new Map<string, Promise<JobSession | undefined>>();

  constructor(engine: Engine) {
    this.#engine = engine;
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
    const session = await this.#seat(jobId);
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
    // Somebody may have come and gone while this one refreshed: look again, but not for ever.
    for (let tries = 0; tries < MAX_REFRESHES; tries += 1) {
      if (session.users > 1 || session.isSpent || session.isProjected) break;
      await session.keeper.refresh();
    }
    session.users -= 1;
    if (session.users > 0) return;
    session.close();
    await this.#forget(session);
  }

  /** A session with one more user. */
  async #seat(jobId: string): Promise<JobSession | undefined> {
    for (;;) {
      const session = await this.#session(jobId);
      // Its last user may have left while this one waited.
      if (session?.isOpen === false) continue;
      if (session !== undefined) session.users += 1;
      return session;
    }
  }

  async #forget(session: JobSession): Promise<void> {
    const { job_id: jobId } = session.job;
    const open = this.#open.get(jobId);
    const isIts = open !== undefined && (await open.catch(() => undefined)) === session;
    if (isIts && this.#open.get(jobId) === open) this.#open.delete(jobId);
  }

  async #session(jobId: string): Promise<JobSession | undefined> {
    for (;;) {
      const open = this.#open.get(jobId);
      if (open === undefined) break;
      const session = await open;
      const isUsable = session?.isOpen === true && !session.isSpent;
      if (isUsable && this.#open.get(jobId) === open) return session;
      if (this.#open.get(jobId) === open) this.#open.delete(jobId);
    }
    const loading = this.#load(jobId);
    this.#open.set(jobId, loading);
    try {
      const session = await loading;
      if (session === undefined && this.#open.get(jobId) === loading) this.#open.delete(jobId);
      return session;
    } catch (error) {
      if (this.#open.get(jobId) === loading) this.#open.delete(jobId);
      throw error;
    }
  }

  async #load(jobId: string): Promise<JobSession | undefined> {
    const engine = this.#engine;
    const stored = await engine.jobs.read(jobId);
    if (stored === undefined) return undefined;
    const projected = parseProjection(stored.document);
    const { wake_at } = stored.document;
    const loaded = { projected, etag: stored.etag, ...(wake_at === undefined ? {} : { wake_at }) };
    const found = await this.#workflow(loaded.projected);
    if ("workflow" in found) return new JobSession(engine, loaded, found.workflow);
    const session = new JobSession(engine, loaded, emptyWorkflow(projected.job));
    const refused = { type: "snapshot_refused", error: found.refused } as const;
    await session.commit(refused, { canContinue: false });
    return session;
  }

  /** A snapshot that does not hold ends its job; a store that fails does not. */
  async #workflow({
    job,
  }: ReturnType<typeof parseProjection>): Promise<
    { readonly workflow: Workflow } | { readonly refused: FailureReason }
  > {
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
