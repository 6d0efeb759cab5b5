// The state of a job, folded from its journal. Stored as it stands in the `job` document, so a
// change here is a change of a stored shape. Absent means "nothing yet": a node without a state is
// pending. Everything is readonly; `apply` builds the next state.
import type { Instant } from "./instant.ts";
import type { Json, JsonObject } from "./json.ts";

/**
 * pending: accepted, no attempt yet → running, cancelling, any ending.
 * running: the first attempt is claimed → suspended, cancelling, completed.
 * suspended: held by an operator → running, cancelling.
 * cancelling: nothing new starts; waits for running attempts → failed, cancelled.
 * completed, failed, cancelled: terminal, for ever.
 */
export const JOB_STATUSES = [
  "pending",
  "running",
  "suspended",
  "cancelling",
  "completed",
  "failed",
  "cancelled",
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** Those in which a job has ended. */
export const TERMINAL_JOB_STATUSES = ["completed", "failed", "cancelled"] as const;
export type TerminalJobStatus = (typeof TERMINAL_JOB_STATUSES)[number];

/**
 * pending: waits for its sources → any other.
 * queued: must get a message, perhaps not before a time → running, failed, cancelled.
 * running: an attempt is claimed, or a fan_out works on its items → queued, terminal ones.
 * waiting: a wait, signal or workflow node waits for the world → terminal ones.
 * completed, failed, skipped, cancelled: terminal.
 */
export const NODE_STATUSES = [
  "pending",
  "queued",
  "running",
  "waiting",
  "completed",
  "failed",
  "skipped",
  "cancelled",
] as const;
export type NodeStatus = (typeof NODE_STATUSES)[number];

export interface FailureReason {
  /** One of ERROR_CODES, or a handler's own. */
  readonly code: string;
  readonly message: string;
}

export interface JobError extends FailureReason {
  /** The node that failed the job; absent for cancel and deadline. */
  readonly node_id?: string;
}

/**
 * A value with the entry it came in, or the journal document that holds it: `out:<digest>`, or the
 * number of an entry.
 */
export type StoredValue =
  | { readonly value: Json; readonly entry: number }
  | { readonly object: string; readonly digest: string; readonly bytes: number };

/**
 * Items that one message handles. pending: held back by max_parallel → queued.
 * queued: has or had a message; whether it is claimed only its claim document tells → completed.
 * completed: every item handed in, or handed on to a later chunk. cancelled: never claimed.
 */
export interface ChunkState {
  readonly status: "pending" | "queued" | "completed" | "cancelled";
  /** Indexes still to be handed in. */
  readonly items: readonly number[];
  /** The fence: outcomes of another attempt are orphans. Raised by chunk_lost only. */
  readonly attempt: number;
  /** Failed and timed-out tries that these items have behind them. */
  readonly failures: number;
  readonly lost: number;
  readonly queued_at?: Instant;
  readonly not_before?: Instant;
  /** The last hash and the length of the chunk's lane. */
  readonly head?: string;
  readonly n: number;
  readonly poisoned?: PoisonCount;
}

export interface FanState {
  readonly count: number;
  readonly chunks: readonly ChunkState[];
  /** Journal documents that hold item outcomes, in the order they were handed in. */
  readonly parts: readonly string[];
  readonly completed: number;
  readonly failed: number;
}

export interface PoisonCount {
  readonly attempt: number;
  readonly count: number;
}

export interface NodeState {
  readonly status: NodeStatus;
  /** The last attempt number used; 0 before the first. Never goes back. */
  readonly attempt: number;
  /** Attempts that ended failed or timed out. */
  readonly failures: number;
  readonly lost: number;
  readonly queued_at?: Instant;
  readonly not_before?: Instant;
  readonly started_at?: Instant;
  readonly ended_at?: Instant;
  readonly output?: StoredValue;
  readonly error?: FailureReason;
  /** The branch that a conditional took. */
  readonly branch?: string;
  readonly fan?: FanState;
  readonly missing_since?: Instant;
  readonly poisoned?: PoisonCount;
  /** The last hash and the length of the node's lane. */
  readonly head: string;
  readonly n: number;
}

export interface JobState {
  readonly job_id: string;
  /** Of every document of the job, where it is not DOCUMENT_SCHEMA. */
  readonly schema?: number;
  readonly workflow_id: string;
  readonly workflow_version: number;
  readonly workflow_digest: string;
  readonly source_digest: string;
  readonly inputs_digest: string;
  readonly decisions_version: number;
  readonly status: JobStatus;
  /** The last entry folded into this state, and its time. */
  readonly seq: number;
  readonly at: Instant;
  /** The build that wrote that entry. */
  readonly build: string;
  readonly created_at: Instant;
  readonly started_at?: Instant;
  readonly completed_at?: Instant;
  readonly deadline_at: Instant;
  /** When the journal goes, as pinned in entry 0; absent in jobs of 0.1.0. */
  readonly expires_at?: Instant;
  readonly submitted_by?: string;
  readonly authenticated_as: string;
  readonly correlation_id?: string;
  readonly idempotency_key?: string;
  readonly tags?: readonly string[];
  /** The same id and version had other content before; allowed by a developer's setting only. */
  readonly redefined?: true;
  /** The root span of the job's trace; absent where it was accepted without telemetry. */
  readonly traceparent?: string;
  /** Absent where they are too large for the projection: read them from entry 0. */
  readonly inputs?: JsonObject;
  readonly vars?: JsonObject;
  /** What a cancelling job will become, and why. */
  readonly ending?: {
    readonly becomes: "failed" | "cancelled";
    readonly error: JobError;
    /** The entry that holds job_cancelling: claims looked up before it stood prove nothing. */
    readonly entry: number;
  };
  readonly error?: JobError;
  readonly nodes: { readonly [nodeId: string]: NodeState };
  /** Bytes of the outputs that stand inside `nodes`. */
  readonly inline_bytes: number;
  /** The last hash and the length of the job's own lane. */
  readonly head: string;
  readonly n: number;
}

export const PENDING_NODE: NodeState = {
  status: "pending",
  attempt: 0,
  failures: 0,
  lost: 0,
  head: "",
  n: 0,
};

export function nodeState(job: JobState, nodeId: string): NodeState {
  return Object.hasOwn(job.nodes, nodeId) ? (job.nodes[nodeId] ?? PENDING_NODE) : PENDING_NODE;
}

export function isTerminalStatus(status: string): status is TerminalJobStatus {
  return status === "completed" || status === "failed" || status === "cancelled";
}

export function isTerminalJob({ status }: Pick<JobState, "status">): boolean {
  return isTerminalStatus(status);
}

export function isTerminalNode(node: NodeState): boolean {
  switch (node.status) {
    case "completed":
    case "failed":
    case "skipped":
    case "cancelled":
      return true;
    case "pending":
    case "queued":
    case "running":
    case "waiting":
      return false;
  }
}

/** How many of `nodeIds` stand in each status; statuses that none has are absent. */
export function countByStatus(
  job: JobState,
  nodeIds: readonly string[],
): { readonly [status: string]: number } {
  const counts: Record<string, number> = {};
  for (const id of nodeIds) {
    const { status } = nodeState(job, id);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}
