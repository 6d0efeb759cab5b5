// The events of a job: past-tense facts, and nothing else, are what the journal holds.
// `lane` and `prev` are not stored: they follow from the fold (see lane.ts). Members that carry a
// payload (output, items, log, text) enter the hash as their digest, so a payload can be erased
// later without breaking the chain.
import * as z from "zod";
import { wholeDigest } from "./compact.ts";
import { WorkflowError } from "./error.ts";
import type { Instant } from "./instant.ts";
import type { Json, JsonObject } from "./json.ts";
import type { FailureReason, JobError, StoredValue } from "./job.ts";
import { safeParse } from "./safe-parse.ts";

/** Raised when a change of the reducer would alter a history; a pin keeps the rule it has. */
export const DECISIONS_VERSION = 1;
/** The shape of journal entries and of the projection. */
export const DOCUMENT_SCHEMA = 1;
/**
 * The same shape, in the jobs of a definition that has `secrets`: a build that does not know the
 * field would refuse such a snapshot and end the job, so it must not touch it.
 */
export const SECRETS_SCHEMA = 2;
/** The highest that this build reads. */
export const NEWEST_SCHEMA = SECRETS_SCHEMA;

/** The outcome of one item, as it stands in an entry or a chunk document. */
export type ItemRecord = {
  readonly index: number;
  /** Of the attempt that ended the item. */
  readonly log?: readonly string[];
} & (
  | { readonly output: Json }
  | { readonly object: string; readonly digest: string; readonly bytes: number }
  | { readonly error: FailureReason }
);

/** A chunk of items that failed and are tried again, numbered on from the last. */
export interface RetryChunk {
  readonly chunk: number;
  readonly items: readonly number[];
  readonly attempt: number;
  readonly failures: number;
  readonly not_before: Instant;
}

export interface JobCreated {
  readonly type: "job_created";
  readonly workflow_id: string;
  readonly workflow_version: number;
  readonly workflow_digest: string;
  readonly source_digest: string;
  readonly inputs_digest: string;
  readonly vars_digest: string;
  readonly request_digest: string;
  readonly submitted_by?: string;
  readonly authenticated_as: string;
  readonly correlation_id?: string;
  readonly idempotency_key?: string;
  readonly tags?: readonly string[];
  readonly deadline_at: Instant;
  /** When the journal goes; absent in jobs of 0.1.0, which kept 90 days. */
  readonly expires_at?: Instant;
  readonly format: number;
  readonly expressions: number;
  readonly decisions_version: number;
  readonly redefined?: true;
  /** The root span of the job's trace, W3C Trace Context; absent without telemetry. */
  readonly traceparent?: string;
}

/** One line each: who sets it, what follows. */
export type EventData =
  /** Submission; the first of every job. */
  | JobCreated
  /** The first claim of an attempt, or the first expansion of a fan_out. */
  | { readonly type: "job_started" }
  /** A ready task that another message will start → node_started. */
  | { readonly type: "node_queued"; readonly node_id: string }
  /** The claim of an attempt, recorded before the handler runs → one outcome. */
  | {
      readonly type: "node_started";
      readonly node_id: string;
      readonly attempt: number;
      readonly handler_version: string;
      readonly params_digest: string;
    }
  /** A node's good end. Tasks and fan_ins have an output, conditionals a branch. */
  | {
      readonly type: "node_completed";
      readonly node_id: string;
      readonly attempt?: number;
      readonly output?: Json;
      /** Instead of `output`, where it is above the inline limit. */
      readonly stored?: StoredObject;
      readonly branch?: string;
      readonly log?: readonly string[];
      readonly chunks_root?: string;
    }
  /** A node's bad end, when no try is left. */
  | {
      readonly type: "node_failed";
      readonly node_id: string;
      readonly attempt?: number;
      readonly error: FailureReason;
      readonly log?: readonly string[];
      readonly chunks_root?: string;
    }
  /** A failed, timed-out or lost attempt will be followed by another → node_started. */
  | {
      readonly type: "node_retried";
      readonly node_id: string;
      readonly attempt: number;
      readonly error: FailureReason;
      readonly not_before: Instant;
      readonly log?: readonly string[];
    }
  /** The attempt passed its timeout_seconds → node_retried or node_failed. */
  | {
      readonly type: "node_timed_out";
      readonly node_id: string;
      readonly attempt: number;
      readonly log?: readonly string[];
    }
  /** The attempt's lease ended without an outcome → node_retried, node_failed, node_cancelled. */
  | { readonly type: "node_lost"; readonly node_id: string; readonly attempt: number }
  /** No way into the node is live. */
  | { readonly type: "node_skipped"; readonly node_id: string }
  /** The job is ending and the node will do nothing more. */
  | {
      readonly type: "node_cancelled";
      readonly node_id: string;
      readonly attempt?: number;
      readonly log?: readonly string[];
      readonly chunks_root?: string;
    }
  /** A fan_out knows its items; `queued` chunks have messages. */
  | {
      readonly type: "node_expanded";
      readonly node_id: string;
      readonly count: number;
      readonly chunk_size: number;
      readonly queued: number;
      readonly items_digest: string;
    }
  /** A chunk hands in what it has; `remaining` items are still at work, none means it is done. */
  | {
      readonly type: "chunk_completed";
      readonly node_id: string;
      readonly chunk: number;
      readonly attempt: number;
      /** RFC 6962 root over the digests of the item outcomes. */
      readonly root: string;
      readonly done: number;
      readonly failed: number;
      readonly remaining: readonly number[];
      readonly retry?: RetryChunk;
      readonly queue?: readonly number[];
      readonly items?: readonly ItemRecord[];
      /** Instead of `items`, where they are too large for the entry. */
      readonly object?: string;
    }
  /** The chunk's lease ended; its items get a new attempt, or fail with WORKER_LOST. */
  | {
      readonly type: "chunk_lost";
      readonly node_id: string;
      readonly chunk: number;
      readonly attempt: number;
    }
  /** The job is ending and nobody had claimed these chunks. */
  | {
      readonly type: "chunk_cancelled";
      readonly node_id: string;
      readonly chunks: readonly number[];
    }
  /** The platform gave up on a message; `text` is kept for a person. */
  | {
      readonly type: "message_poisoned";
      readonly node_id?: string;
      readonly chunk?: number;
      readonly attempt?: number;
      readonly text: string;
    }
  /** This build lacks the handler; a fact of a rolling deploy. */
  | { readonly type: "handler_missing"; readonly node_id: string; readonly handler: string }
  /** An outcome that came after its attempt was over; it changes nothing. */
  | {
      readonly type: "outcome_orphaned";
      readonly node_id: string;
      readonly chunk?: number;
      readonly attempt: number;
      readonly kind: string;
    }
  /** Failure, cancel or deadline: nothing new starts → job_failed or job_cancelled. */
  | {
      readonly type: "job_cancelling";
      readonly becomes: "failed" | "cancelled";
      readonly error: JobError;
      readonly requested_by?: string;
    }
  | { readonly type: "job_completed"; readonly results_digest: string }
  | { readonly type: "job_failed"; readonly error: JobError; readonly results_digest: string }
  | { readonly type: "job_cancelled"; readonly error: JobError; readonly results_digest: string };

export type StoredObject = Extract<StoredValue, { readonly object: string }>;

export type JournalEvent = EventData & { readonly hash: string };

/** A transition as it is stored: entry n holds the events of transition n. */
export interface JournalEntry {
  readonly id: string;
  readonly job_id: string;
  readonly schema: number;
  readonly write_id: string;
  readonly seq: number;
  readonly at: Instant;
  /** Empty where it was read and the entry before it says it. */
  readonly build: string;
  readonly events: readonly JournalEvent[];
  /** Terminal entries only. */
  readonly result_data?: JsonObject;
}

/** Entry 0: the job's commit point and its pin. */
export interface CreationEntry extends JournalEntry {
  readonly workflow_id: string;
  readonly workflow_version: number;
  readonly workflow_digest: string;
  readonly workflow_snapshot: JsonObject;
  readonly workflow_source: string;
  readonly inputs: JsonObject;
  readonly vars: JsonObject;
}

export const EVENT_TYPES: ReadonlySet<string> = new Set<EventData["type"]>([
  "job_created",
  "job_started",
  "node_queued",
  "node_started",
  "node_completed",
  "node_failed",
  "node_retried",
  "node_timed_out",
  "node_lost",
  "node_skipped",
  "node_cancelled",
  "node_expanded",
  "chunk_completed",
  "chunk_lost",
  "chunk_cancelled",
  "message_poisoned",
  "handler_missing",
  "outcome_orphaned",
  "job_cancelling",
  "job_completed",
  "job_failed",
  "job_cancelled",
]);

const entrySchema = z.looseObject({
  id: z.string().regex(/^\d{1,15}$/),
  job_id: z.string(),
  schema: z.int(),
  write_id: z.string(),
  at: z.string(),
  build: z.string().default(""),
  events: z.array(z.looseObject({ type: z.string(), hash: z.string() })).min(1),
});

/**
 * A stored document as an entry. Throws SCHEMA_TOO_NEW for a later shape or an event this build
 * does not know: the caller must not write then. DOCUMENT_INVALID for anything else amiss.
 */
export function parseEntry(document: unknown): JournalEntry {
  const parsed = safeParse(entrySchema, document);
  if (!parsed.success) {
    throw new WorkflowError("DOCUMENT_INVALID", "journal entry: not of the expected shape", {
      cause: parsed.error,
    });
  }
  const { schema, events, id } = parsed.data;
  const unknown = events.find((event) => !EVENT_TYPES.has(event.type));
  if (schema > NEWEST_SCHEMA || unknown !== undefined) {
    const what = unknown === undefined ? `schema ${schema}` : `event "${unknown.type}"`;
    throw new WorkflowError("SCHEMA_TOO_NEW", `entry ${id}: ${what} is newer than this build`, {
      retryable: true,
    });
  }
  const entry = parsed.data as unknown as JournalEntry;
  const whole = entry.events.map((event) => ({ ...event, hash: wholeDigest(event.hash) }));
  return { ...entry, seq: Number(id), events: whole };
}

export function isCreationEntry(entry: JournalEntry): entry is CreationEntry {
  return entry.seq === 0 && "workflow_snapshot" in entry;
}
