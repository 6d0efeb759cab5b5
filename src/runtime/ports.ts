// The ports: what the runtime asks of a store, a queue, a clock and a log. Vendor-free.
// Correctness rests on three single-item primitives only: create if absent, point read, replace if
// the etag still matches. No port offers an unconditional write, a batch, a patch or a delete.
// An adapter settles a write whose answer was lost (by `write_id`) before it answers; what it
// cannot settle it throws as a retryable WorkflowError (STORE_UNAVAILABLE, STORE_THROTTLED,
// STORE_UNSUPPORTED, ACCESS_DENIED, RESOURCE_MISSING).
import type { Instant } from "../core/instant.ts";
import type { JsonObject } from "../core/json.ts";
import type { Message } from "../core/message.ts";
import type { JobEnd, JobStats } from "../core/stats.ts";

/** A document of the `journal` container. Its id is unique within its job; it is never replaced. */
export interface JournalDocument {
  readonly id: string;
  readonly job_id: string;
  /** The version of the document's shape; code that meets a higher one does not write. */
  readonly schema: number;
  /** Unique per writer and write: tells a lost answer of ours from somebody else's document. */
  readonly write_id: string;
  /** Seconds from this write until the store may drop the document. */
  readonly ttl?: number;
  readonly [member: string]: unknown;
}

/** The `job` document of the `jobs` container: what lists, the sweeper and fast loading use. */
export interface JobDocument {
  readonly id: "job";
  readonly job_id: string;
  readonly schema: number;
  readonly write_id: string;
  readonly seq: number;
  readonly status: string;
  readonly workflow_id: string;
  readonly workflow_version: number;
  readonly workflow_digest: string;
  readonly correlation_id?: string;
  readonly idempotency_key?: string;
  readonly created_at: Instant;
  readonly updated_at: Instant;
  /** When the sweeper must look at the job; absent once the job is terminal. */
  readonly wake_at?: Instant;
  readonly ttl?: number;
  readonly [member: string]: unknown;
}

export interface JournalStore {
  /**
   * Create if absent. "exists" means that somebody else's document has this id.
   * Errors: STORE_UNAVAILABLE, STORE_THROTTLED (retryable), LIMIT_EXCEEDED (over 2 MB).
   */
  create(document: JournalDocument): Promise<"created" | "exists">;
  read(jobId: string, id: string): Promise<JournalDocument | undefined>;
}

export interface Stored<T> {
  readonly document: T;
  readonly etag: string;
}

export interface JobStore {
  create(document: JobDocument): Promise<"created" | "exists">;
  read(jobId: string): Promise<Stored<JobDocument> | undefined>;
  /** Replace if the etag still matches; the new etag, or "conflict". */
  replace(document: JobDocument, etag: string): Promise<{ readonly etag: string } | "conflict">;
  /** Live jobs whose `wake_at` is at or before `now` and not before `from`, in its order. */
  due(now: Instant, limit: number, from?: Instant): Promise<readonly DueJob[]>;
  list(filter: JobFilter): Promise<JobPage>;
  /** How many jobs have not ended, of one caller or of all. May lag as lists do. */
  countOpen(authenticatedAs?: string): Promise<number>;
}

export interface DueJob {
  readonly job_id: string;
  readonly wake_at: Instant;
}

/** Conditions hold together. */
export interface JobFilter {
  /** Any of these; absent or empty for all. */
  readonly status?: readonly string[];
  readonly workflow_id?: string;
  readonly workflow_version?: number;
  readonly workflow_digest?: string;
  readonly correlation_id?: string;
  readonly idempotency_key?: string;
  readonly submitted_by?: string;
  /** Whoever is not an administrator sees the jobs of one caller only. */
  readonly authenticated_as?: string;
  /** Jobs that have this tag. */
  readonly tag?: string;
  readonly created_from?: Instant;
  /** Jobs created at this instant are left out. */
  readonly created_before?: Instant;
  /** By `created_at`; newest first unless it says otherwise. */
  readonly sort?: JobSort;
  /** 1 to 200. */
  readonly limit: number;
  /** Opaque, from the page before of the same filter and order. */
  readonly continuation?: string;
}

export type JobSort = "-created_at" | "created_at";

export interface JobPage {
  /** In the order asked for. The documents come without their `state` member. */
  readonly documents: readonly JsonObject[];
  readonly continuation?: string;
}

/** A document of the `definitions` container, id `version:<n>`, partition key `/workflow_id`. */
export interface DefinitionDocument {
  readonly id: string;
  readonly workflow_id: string;
  readonly version: number;
  readonly schema: number;
  readonly write_id: string;
  readonly workflow_digest: string;
  readonly source_digest: string;
  /** The exact YAML text. */
  readonly source: string;
  readonly created_at: Instant;
}

export interface DefinitionStore {
  /** Create if absent; answers the document that stands there, ours or the first one's. */
  claim(document: DefinitionDocument): Promise<DefinitionDocument>;
  /** The document of a version that was used; undefined for one that nobody used. */
  read(workflowId: string, version: number): Promise<DefinitionDocument | undefined>;
}

/** The numbers over all jobs: one document, replaced by whoever folds. */
export interface StatsStore {
  read(): Promise<Stored<StatsDocument> | undefined>;
  /** Replaces if the etag still matches; creates where none is given. */
  write(document: StatsDocument, etag: string | undefined): Promise<"written" | "conflict">;
  /**
   * At most `limit` of the jobs that have ended and were last written after `from` and up to `to`,
   * in no order: whole seconds since 1970 by the store's own clock.
   */
  ended(from: number, to: number, limit: number): Promise<readonly JobEnd[]>;
  /** How many jobs have this status. May lag as lists do. */
  count(status: string): Promise<number>;
}

export interface StatsDocument {
  readonly id: "stats";
  readonly schema: number;
  readonly write_id: string;
  /** Endings up to this second of the store's clock are in. */
  readonly through: number;
  readonly open: { readonly [status: string]: number };
  readonly stats: JobStats;
}

export interface WorkQueue {
  /** Sends to the work queue: base64 JSON, no expiry, visible after the delay. */
  send(message: Message, delaySeconds: number): Promise<void>;
  /** Since when the message at the queue's head stands in line; undefined for an empty queue. */
  oldest(): Promise<Instant | undefined>;
}

/** For gauges alone; nothing is decided by it. */
export interface QueueLengths {
  /** Queue → messages in it, hidden ones included; approximate. Errors: QUEUE_UNAVAILABLE. */
  read(): Promise<Readonly<Record<string, number>>>;
}

/** One statement of a rebuild or of a first set-up, with what came of it. */
export interface StatementReport {
  readonly statement: string;
  readonly ok: boolean;
  readonly error?: string;
}

export interface StoreAdmin {
  /** Creates database, containers and queues that are missing. Local machines only. */
  prepare(): Promise<readonly StatementReport[]>;
  /** Whether this identity may create containers, tried with a probe container. */
  mayRebuild(): Promise<boolean>;
  /** Clears the queues, drops and creates the containers; goes on after an error. */
  rebuild(): Promise<readonly StatementReport[]>;
  /** What readiness checks: one cheap request to each store and queue; the error text if any. */
  check(): Promise<readonly { readonly name: string; readonly error?: string }[]>;
}

export interface Clock {
  now(): Instant;
  /** Calls back once after `ms`; the answer takes it back. Never keeps a process alive. */
  after(ms: number, callback: () => void): () => void;
}

/** Source of what must not be guessed or repeated. */
export interface Randomness {
  /** In [0, 1). */
  fraction(): number;
  /** A UUIDv7 for `now`. */
  uuid(now: Instant): string;
  /** A short unique id for one write: 72 random bits in 12 characters of base64url. */
  writeId(): string;
}

/** Structured log: `noun.verb` and fields. Never payloads, never secrets. */
export interface Log {
  write(level: "info" | "warn" | "error", name: string, fields: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
