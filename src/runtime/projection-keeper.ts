// Keeps the stored projection of one job behind its session: refreshed when the last invocation
// leaves, at most every two seconds while the job moves, and whenever running attempts renew their
// leases. It never goes back to a lower seq, and watches merge by maximum. A refresh that fails is
// left to the sweeper: `wake_at` brings it.
import { attemptKey } from "../core/effect.ts";
import type { Watch } from "../core/effect.ts";
import { errorText } from "./error-text.ts";
import type { Workflow } from "../core/graph.ts";
import { WorkflowError } from "../core/error.ts";
import { addSeconds, secondsBetween } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import { isTerminalJob } from "../core/job.ts";
import type { JobState } from "../core/job.ts";
import { graceSeconds, isWanted, mergeWatch, pruneWatch, wakeAt } from "../core/watch.ts";
import type { Engine } from "./engine.ts";
import type { JobDocument, JobStore, Stored } from "./ports.ts";
import { mustLowerWake, parseProjection, projectionOf } from "./projection.ts";
import { smaller, watchOf } from "./projection.ts";

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
  /** The same where the projection has no state: folds up to this entry. */
  readonly reach: (seq: number) => Promise<boolean>;
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
  #renewalDue: Instant;
  #isClosed = false;
  /** What some invocation of this process is sending again at this moment. */
  readonly #resending = new Set<string>();

  constructor(given: {
    readonly engine: Engine;
    readonly stored: StoredProjection;
    readonly watch: Watch;
    readonly source: ProjectionSource;
  }) {
    this.#engine = given.engine;
    this.#stored = given.stored;
    this.#seenAt = given.engine.clock.now();
    this.#renewalDue = this.#seenAt;
    this.#watch = given.watch;
    this.#source = given.source;
  }

  get watch(): Watch {
    return this.#watch;
  }

  /** Whether the stored projection says all that is known here, its wake included. */
  get isCurrent(): boolean {
    const { seq } = this.#source.job();
    if (this.#isEndStored) return true;
    if (this.#isWatchDirty || this.#stored.seq < seq) return false;
    return this.#stored.seq > seq || this.#stored.wake_at === this.#wakeAt();
  }

  /** Then nothing is left to say, of leases neither: an end is stored once, and counted once. */
  get #isEndStored(): boolean {
    const job = this.#source.job();
    const { seq, wake_at } = this.#stored;
    return isTerminalJob(job) && seq === job.seq && wake_at === undefined;
  }

  /** The job has a new entry: it will be projected within the refresh time. */
  moved(): void {
    if (this.#cancelRefresh !== undefined || this.#isClosed) return;
    this.#cancelRefresh = this.#after(this.#engine.timing.refresh_seconds, () => {
      this.#cancelRefresh = undefined;
      void this.refresh();
    });
  }

  /** This process runs attempts, one of them since `since`: renew their leases while it does. */
  watchAttempts(since: Instant, seconds = this.#engine.timing.renew_seconds): void {
    const due = addSeconds(since, seconds);
    if (this.#cancelRenewal !== undefined && this.#renewalDue <= due) return;
    this.#renewIn(Math.max(0, secondsBetween(this.#engine.clock.now(), due)));
  }

  #renewIn(seconds: number): void {
    this.#cancelRenewal?.();
    this.#cancelRenewal = undefined;
    if (this.#isClosed) return;
    this.#renewalDue = addSeconds(this.#engine.clock.now(), seconds);
    this.#cancelRenewal = this.#after(seconds, () => {
      this.#cancelRenewal = undefined;
      void this.#renew();
    });
  }

  noteLease(key: string, at: Instant): void {
    this.#merge({ renewals: { [key]: at }, resends: {} });
  }

  /**
   * Takes the turn to send this again, until `endResend`. False where another invocation of this
   * process has it or just had it: all of them decided by the same watch, and it is one turn.
   */
  takeResend(key: string): boolean {
    const { clock, timing } = this.#engine;
    const last = this.#watch.resends[key]?.at;
    // No gap between two turns is shorter.
    const isTaken =
      this.#resending.has(key)
      || (last !== undefined && secondsBetween(last, clock.now()) < timing.resend_seconds);
    if (!isTaken) this.#resending.add(key);
    return !isTaken;
  }

  /** Only what was sent moves the next turn: a queue that is down must not use up the patience. */
  endResend(key: string, isSent: boolean): void {
    this.#resending.delete(key);
    if (!isSent) return;
    const n = (this.#watch.resends[key]?.n ?? 0) + 1;
    this.#merge({ renewals: {}, resends: { [key]: { at: this.#engine.clock.now(), n } } });
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
    const { clock, timing } = this.#engine;
    // Nor may a suspicion be judged by what was seen when it was written.
    const fresh = Math.min(FRESH_SECONDS, graceSeconds(timing) / 2);
    if (secondsBetween(this.#seenAt, clock.now()) < fresh) return;
    await this.#adopt();
  }

  /**
   * Before an entry that needs an earlier wake than the stored one: lowers it. Looks at the store,
   * for others may have moved the wake since this process saw it. Rejects where the store fails,
   * for the entry must not be written then.
   */
  async lowerWake(needed: Instant): Promise<void> {
    const { jobs } = this.#engine;
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      const stored = await this.#adopt();
      // It may have ended meanwhile: then nobody needs to look at it again.
      if (stored === undefined || isTerminalJob(this.#source.job())) return;
      if (!mustLowerWake(stored.document.wake_at, needed)) return;
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

  /** Notes that the attempts of this process are at work now; how many they are. */
  vouch(): number {
    const job = this.#source.job();
    const running = this.#source.attempts().filter((attempt) => isWanted(job, attempt));
    const now = this.#engine.clock.now();
    for (const { node_id, chunk, attempt } of running) {
      this.noteLease(attemptKey(node_id, attempt, chunk), now);
    }
    return running.length;
  }

  async #renew(): Promise<void> {
    const attempts = this.vouch();
    if (attempts === 0) return;
    const { clock, log, timing } = this.#engine;
    this.watchAttempts(clock.now());
    log.write("info", "lease.renewed", { job_id: this.#source.job().job_id, attempts });
    if (await this.refresh()) return;
    // The lease must not run out because one write failed, nor a suspicion stand after an outage.
    const { lease_seconds, renew_seconds } = timing;
    this.#renewIn(Math.min((lease_seconds - renew_seconds) / 4, graceSeconds(timing) / 4));
  }

  /**
   * Stores that these attempts seem to have no worker. Only what is stored counts: a suspicion
   * proves that renewals could be written after it. Never rejects; whether it is stored.
   */
  suspect(keys: readonly string[]): Promise<boolean> {
    this.#refreshing = this.#refreshing.then(() => this.#suspect(keys));
    return this.#refreshing;
  }

  async #suspect(keys: readonly string[]): Promise<boolean> {
    return this.#trying(async () => {
      const now = this.#engine.clock.now();
      const suspects = Object.fromEntries(keys.map((key) => [key, now]));
      return this.#replace(mergeWatch(this.#watch, { renewals: {}, resends: {}, suspects }));
    });
  }

  async #write(): Promise<boolean> {
    await this.#trying(async () => this.isCurrent || this.#replace(this.#watch));
    return this.isCurrent;
  }

  /** Tries `write` until it is done, with what others have written in between. Never rejects. */
  async #trying(write: () => Promise<boolean>): Promise<boolean> {
    try {
      for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
        if (await write()) return true;
        await this.#adopt();
      }
    } catch (error) {
      const text = errorText(error);
      const fields = { job_id: this.#source.job().job_id, error: text };
      this.#engine.log.write("warn", "projection.failed", fields);
    }
    return false;
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
  async #replace(watch: Watch): Promise<boolean> {
    const job = this.#source.job();
    if (this.#isEndStored) return true;
    if (this.#stored.seq > job.seq) return false;
    const before = this.#watch;
    const document = projectionOf(this.#engine, { job, watch }, this.#source.workflow());
    const replaced = await this.#put(document, job);
    if (replaced === "conflict") return false;
    this.#note({ etag: replaced.etag, seq: job.seq, wake_at: document.wake_at });
    // What was noted while the write was under way is for the next one.
    if (this.#watch === before) {
      this.#watch = watch;
      this.#isWatchDirty = false;
    } else this.#watch = mergeWatch(this.#watch, watch);
    return true;
  }

  /** Nothing hangs on the state's size: what does not fit is folded by whoever needs it. */
  async #put(document: JobDocument, job: JobState): ReturnType<JobStore["replace"]> {
    const { jobs, log } = this.#engine;
    const others = smaller(document, job);
    for (let tried = document; ; ) {
      try {
        return await jobs.replace(tried, this.#stored.etag);
      } catch (error) {
        const isTooLarge = error instanceof WorkflowError && error.code === "LIMIT_EXCEEDED";
        const next = isTooLarge ? others.next() : undefined;
        if (next?.done !== false) throw error;
        tried = next.value;
        if (tried["state"] !== undefined) continue;
        log.write("warn", "projection.cut", { job_id: job.job_id, error: errorText(error) });
      }
    }
  }

  /** Another process wrote the projection: take what it knows, and never undo it. */
  async #adopt(): Promise<Stored<JobDocument> | undefined> {
    const stored = await this.#engine.jobs.read(this.#source.job().job_id);
    if (stored === undefined) return undefined;
    const { document, etag } = stored;
    const { seq, state, wake_at } = document;
    const job = state === undefined ? undefined : parseProjection(document).job;
    this.#note({ etag, seq, wake_at });
    this.#watch = mergeWatch(this.#watch, watchOf(document));
    if (seq > this.#source.job().seq) {
      await (job === undefined ? this.#source.reach(seq) : this.#source.behind(job));
    }
    return stored;
  }
}
