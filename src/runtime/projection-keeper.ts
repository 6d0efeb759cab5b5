// Keeps the stored projection of one job behind its session: refreshed when the last invocation
// leaves, at most every two seconds while the job moves, and whenever running attempts renew their
// leases. It never goes back to a lower seq, and watches merge by maximum. A refresh that fails is
// left to the sweeper: `wake_at` brings it.
import { attemptKey } from "../core/effect.ts";
import type { Watch } from "../core/effect.ts";
import { errorText } from "./error-text.ts";
import type { Workflow } from "../core/graph.ts";
import { WorkflowError } from "../core/error.ts";
import { secondsBetween } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import type { JobState } from "../core/job.ts";
import { isWanted, mergeWatch, pruneWatch, wakeAt } from "../core/watch.ts";
import type { Engine } from "./engine.ts";
import type { JobDocument, Stored } from "./ports.ts";
import { mustLowerWake, parseProjection, projectionOf } from "./projection.ts";

/** Writers of one projection are few: the processes that work on one job. */
const MAX_CONFLICTS = 8;
/** What was read or written so recently need not be read again. */
const FRESH_SECONDS = 1;

export interface ProjectionSource {
  readonly job: () => JobState;
  readonly workflow: () => Workflow;
  /** Attempts that this process runs. */
  readonly attempts: () => readonly {
    readonly node_id: string;
    readonly chunk?: number;
    readonly attempt: number;
  }[];
  /** Called where another process is further, with the state that it projected. */
  readonly behind: (job: JobState) => Promise<void>;
}

interface StoredProjection {
  readonly etag: string;
  readonly seq: number;
  readonly wake_at?: Instant;
}

export class ProjectionKeeper {
  readonly #engine: Engine;
  readonly #source: ProjectionSource;
  #stored: StoredProjection;
  #watch: Watch;
  #isWatchDirty = false;
  #seenAt: Instant;
  #refreshing: Promise<boolean> = Promise.resolve(true);
  #cancelRefresh: (() => void) | undefined;
  #cancelRenewal: (() => void) | undefined;
  #isClosed = false;

  constructor(given: {
    readonly engine: Engine;
    readonly stored: StoredProjection;
    readonly watch: Watch;
    readonly source: ProjectionSource;
  }) {
    this.#engine = given.engine;
    this.#stored = given.stored;
    this.#seenAt = given.engine.clock.now();
    this.#watch = given.watch;
    this.#source = given.source;
  }

  get watch(): Watch {
    return this.#watch;
  }

  /** Whether the stored projection says all that is known here, its wake included. */
  get isCurrent(): boolean {
    const { seq } = this.#source.job();
    if (this.#isWatchDirty || this.#stored.seq < seq) return false;
    return this.#stored.seq > seq || this.#stored.wake_at === this.#wakeAt();
  }

  /** The job has a new entry: it will be projected within the refresh time. */
  moved(): void {
    if (this.#cancelRefresh !== undefined || this.#isClosed) return;
    this.#cancelRefresh = this.#after(this.#engine.timing.refresh_seconds, () => {
      this.#cancelRefresh = undefined;
      void this.refresh();
    });
  }

  /** This process runs attempts: renew their leases while it does. */
  watchAttempts(): void {
    if (this.#cancelRenewal === undefined) this.#renewIn(this.#engine.timing.renew_seconds);
  }

  #renewIn(seconds: number): void {
    this.#cancelRenewal?.();
    this.#cancelRenewal = undefined;
    if (this.#isClosed) return;
    this.#cancelRenewal = this.#after(seconds, () => {
      this.#cancelRenewal = undefined;
      void this.#renew();
    });
  }

  noteLease(key: string, at: Instant): void {
    this.#merge({ renewals: { [key]: at }, resends: {} });
  }

  noteResend(key: string, at: Instant): void {
    const n = (this.#watch.resends[key]?.n ?? 0) + 1;
    this.#merge({ renewals: {}, resends: { [key]: { at, n } } });
  }

  /**
   * Writes what the stored projection lacks; whether it lacks nothing now. Never rejects: the
   * sweeper repairs what is missed.
   */
  refresh(): Promise<boolean> {
    this.#refreshing = this.#refreshing.then(() => this.#write());
    return this.#refreshing;
  }

  /** Reads the stored projection, unless it has just been seen. Rejects where the store fails. */
  async lookAgain(): Promise<void> {
    const { clock } = this.#engine;
    if (secondsBetween(this.#seenAt, clock.now()) < FRESH_SECONDS) return;
    await this.#adopt();
  }

  /**
   * Before an entry that needs an earlier wake than the stored one: lowers it. Rejects where the
   * store fails, for the entry must not be written then.
   */
  async lowerWake(needed: Instant): Promise<void> {
    if (!mustLowerWake(this.#stored.wake_at, needed)) return;
    const { jobs } = this.#engine;
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      const stored = await this.#adopt();
      if (stored === undefined || !mustLowerWake(stored.document.wake_at, needed)) return;
      const write_id = this.#engine.randomness.writeId();
      const document = { ...stored.document, wake_at: needed, write_id };
      const replaced = await jobs.replace(document, stored.etag);
      if (replaced === "conflict") continue;
      this.#note({ etag: replaced.etag, seq: document.seq, wake_at: needed });
      return;
    }
    const message = `job ${this.#source.job().job_id}: its wake could not be lowered`;
    throw new WorkflowError("STORE_CONFLICT", message, { retryable: true });
  }

  /** Stops the timers; the last invocation has left. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRefresh?.();
    this.#cancelRenewal?.();
  }

  #after(seconds: number, callback: () => void): () => void {
    return this.#engine.clock.after(seconds * 1000, callback);
  }

  #merge(other: Watch): void {
    this.#watch = mergeWatch(this.#watch, other);
    this.#isWatchDirty = true;
  }

  async #renew(): Promise<void> {
    const job = this.#source.job();
    const running = this.#source.attempts().filter((attempt) => isWanted(job, attempt));
    if (running.length === 0) return;
    const now = this.#engine.clock.now();
    for (const { node_id, chunk, attempt } of running) {
      this.noteLease(attemptKey(node_id, attempt, chunk), now);
    }
    this.watchAttempts();
    this.#engine.log.write("info", "lease.renewed", {
      job_id: job.job_id,
      attempts: running.length,
    });
    if (await this.refresh()) return;
    // The lease must not run out because one write failed.
    const { lease_seconds, renew_seconds } = this.#engine.timing;
    this.#renewIn((lease_seconds - renew_seconds) / 4);
  }

  async #write(): Promise<boolean> {
    const job = this.#source.job();
    try {
      for (let conflicts = 0; conflicts < MAX_CONFLICTS && !this.isCurrent; conflicts += 1) {
        if (!(await this.#replace())) await this.#adopt();
      }
    } catch (error) {
      const text = errorText(error);
      const fields = { job_id: job.job_id, error: text };
      this.#engine.log.write("warn", "projection.failed", fields);
    }
    return this.isCurrent;
  }

  #wakeAt(): Instant | undefined {
    const job = this.#source.job();
    return wakeAt(job, { watch: pruneWatch(job, this.#watch), timing: this.#engine.timing });
  }

  #note(stored: {
    readonly etag: string;
    readonly seq: number;
    readonly wake_at: Instant | undefined;
  }): void {
    const { etag, seq, wake_at } = stored;
    this.#stored = { etag, seq, ...(wake_at === undefined ? {} : { wake_at }) };
    this.#seenAt = this.#engine.clock.now();
  }

  /** False where another process has written since, or is further: nothing goes back. */
  async #replace(): Promise<boolean> {
    const job = this.#source.job();
    if (this.#stored.seq > job.seq) return false;
    const watch = this.#watch;
    const document = projectionOf(this.#engine, { job, watch }, this.#source.workflow());
    const replaced = await this.#engine.jobs.replace(document, this.#stored.etag);
    if (replaced === "conflict") return false;
    this.#note({ etag: replaced.etag, seq: job.seq, wake_at: document.wake_at });
    if (this.#watch === watch) this.#isWatchDirty = false;
    return true;
  }

  /** Another process wrote the projection: take what it knows, and never undo it. */
  async #adopt(): Promise<Stored<JobDocument> | undefined> {
    const stored = await this.#engine.jobs.read(this.#source.job().job_id);
    if (stored === undefined) return undefined;
    const { job, watch } = parseProjection(stored.document);
    this.#note({ etag: stored.etag, seq: job.seq, wake_at: stored.document.wake_at });
    this.#watch = mergeWatch(this.#watch, watch);
    if (job.seq > this.#source.job().seq) await this.#source.behind(job);
    return stored;
  }
}
