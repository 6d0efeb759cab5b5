// What goes into the reducer and what comes out of it: occurrences (what happened outside the job),
// the context of a decision, and effects (what the shell is asked to do once the entry stands).
import type { HashBytes } from "./merkle.ts";
import type { Sha256 } from "./canonical.ts";
import type { ItemRecord, JournalEvent } from "./event.ts";
import type { Workflow } from "./graph.ts";
import type { Instant } from "./instant.ts";
import type { Json, JsonObject } from "./json.ts";
import type { FailureReason, JobState } from "./job.ts";
import type { Message, MessageKind } from "./message.ts";
import type { Sealed } from "./secret.ts";

/** How an attempt at a node, or at one item, ended. */
export type Outcome =
  | { readonly kind: "completed"; readonly output: Json; readonly log: readonly string[] }
  | {
      readonly kind: "failed";
      readonly error: FailureReason;
      readonly retryable: boolean;
      readonly log: readonly string[];
    }
  | { readonly kind: "timed_out"; readonly log: readonly string[] }
  | { readonly kind: "aborted"; readonly log: readonly string[] };

export interface ItemOutcome {
  readonly index: number;
  readonly outcome: Outcome;
}

export interface MessageTarget {
  readonly kind: MessageKind;
  readonly node_id?: string;
  readonly chunk?: number;
  readonly attempt?: number;
}

/** One line each: what the shell has seen. */
export type Occurrence =
  /** A message arrived; `redelivered` when the queue had handed it out before. */
  | {
      readonly type: "message_received";
      readonly message: MessageTarget;
      readonly redelivered: boolean;
    }
  /** A handler ended, timed out, or was aborted. */
  | {
      readonly type: "attempt_ended";
      readonly node_id: string;
      readonly attempt: number;
      readonly outcome: Outcome;
    }
  /** The chunk's claim document is ours, and the state is the journal's end after that. */
  | {
      readonly type: "chunk_claimed";
      readonly node_id: string;
      readonly chunk: number;
      readonly attempt: number;
    }
  /** Items of a claimed chunk ended; `part` counts the hand-ins of this attempt from 1. */
  | {
      readonly type: "items_ended";
      readonly node_id: string;
      readonly chunk: number;
      readonly attempt: number;
      readonly part: number;
      readonly outcomes: readonly ItemOutcome[];
    }
  /** The sweeper or a wake message: the state is the journal's end. */
  | { readonly type: "wake_due" }
  /** A person asked for a cancel. */
  | {
      readonly type: "cancel_requested";
      readonly requested_by: string;
      readonly reason?: string;
    }
  /** The platform gave up on a message. */
  | {
      readonly type: "message_poisoned";
      readonly message?: MessageTarget;
      readonly text: string;
    }
  /** The snapshot does not match its digest or does not compile. */
  | { readonly type: "snapshot_refused"; readonly error: FailureReason };

/** What a message is about, without what it says of its own travel. */
export function targetOf({ kind, node_id, chunk, attempt }: Message): MessageTarget {
  return {
    kind,
    ...(node_id === undefined ? {} : { node_id }),
    ...(chunk === undefined ? {} : { chunk }),
    ...(attempt === undefined ? {} : { attempt }),
  };
}

export type Effect =
  /** Send after the entry stands. Sending twice is harmless. */
  | {
      readonly type: "send_message";
      readonly message: MessageTarget;
      readonly delay_seconds: number;
      /** A re-send of something that already had a message: counted and remembered. */
      readonly resend?: string;
    }
  /** Remember that somebody was at work on this attempt at that instant. */
  | { readonly type: "note_lease"; readonly key: string; readonly at: Instant }
  /** Store, where the worker's renewals go, that this attempt seems to have no worker. */
  | { readonly type: "suspect_lease"; readonly key: string }
  /** Put the message that is being handled back with a delay; acknowledge it. */
  | { readonly type: "defer_message" }
  /** Run this attempt here, now; its outcome is the next occurrence. */
  | {
      readonly type: "run_task";
      readonly node_id: string;
      readonly attempt: number;
      readonly handler: string;
      readonly params: Json;
      readonly sealed?: Sealed;
      readonly timeout_seconds: number;
    }
  /** Create the claim document; if it is ours read to the journal's end and say chunk_claimed. */
  | {
      readonly type: "claim_chunk";
      readonly node_id: string;
      readonly chunk: number;
      readonly attempt: number;
    }
  /** Run these items here, now, side by side. */
  | {
      readonly type: "run_items";
      readonly node_id: string;
      readonly chunk: number;
      readonly attempt: number;
      readonly handler: string;
      readonly timeout_seconds: number;
      readonly items: readonly ItemWork[];
    };

/** `sealed`: the params with their secrets open, where they have any; `params` has their marks. */
export type ItemWork =
  | { readonly index: number; readonly params: Json; readonly sealed?: Sealed }
  | { readonly index: number; readonly error: FailureReason };

/** A document to create before the entry that names it. */
export interface NewObject {
  readonly id: string;
  readonly body: { readonly value: Json } | { readonly items: readonly ItemRecord[] };
}

/** What the shell knows beside the journal; merged by maximum, kept in the projection. */
export interface Watch {
  /** Attempt key → the instant of its last lease renewal. */
  readonly renewals: Readonly<Record<string, Instant>>;
  /** Attempt key → when and how often it was sent again. */
  readonly resends: Readonly<Record<string, { readonly at: Instant; readonly n: number }>>;
  /** Attempt key → when its worker was last suspected; absent where nobody is. */
  readonly suspects?: Readonly<Record<string, Instant>>;
}

export interface Timing {
  /** Length of a lease from its claim or last renewal. */
  readonly lease_seconds: number;
  /** First gap before a queued node is sent again; doubles up to MAX_RESEND_GAP_SECONDS. */
  readonly resend_seconds: number;
}

export interface AdvanceContext {
  readonly workflow: Workflow;
  readonly now: Instant;
  /** In [0, 1). */
  readonly jitter: number;
  /** `holdfast@<version>+<hash>`. */
  readonly build: string;
  readonly sha256: Sha256;
  readonly hashBytes: HashBytes;
  /** Handlers of this build: name → declared version. */
  readonly handlers: ReadonlyMap<string, string>;
  /** Whether this invocation may go on with a task itself. */
  readonly can_continue: boolean;
  /** The longest `timeout_seconds` of a task that it may go on with; absent: any. */
  readonly continue_seconds?: number;
  readonly timing: Timing;
  readonly watch: Watch;
  /** Stored documents that were asked for: id → document, null where there is none. */
  readonly loaded: ReadonlyMap<string, JsonObject | null>;
  /** When the message at the queue's head was sent: older work is still in line. */
  readonly oldest_message_at?: Instant;
  /** Bytes of payload that earlier occurrences put into the same entry. */
  readonly entry_bytes: number;
}

export type Decision =
  | { readonly kind: "needs"; readonly needs: readonly string[] }
  | {
      readonly kind: "decided";
      readonly job: JobState;
      readonly events: readonly JournalEvent[];
      readonly objects: readonly NewObject[];
      readonly effects: readonly Effect[];
      /** Set when this decision ends the job. */
      readonly result_data?: JsonObject;
      readonly entry_bytes: number;
    };

/** Names an attempt in `Watch`: `node:attempt` or `node#chunk:attempt`. */
export function attemptKey(nodeId: string, attempt: number, chunk?: number): string {
  return chunk === undefined ? `${nodeId}:${attempt}` : `${nodeId}#${chunk}:${attempt}`;
}

export function claimId(nodeId: string, chunk: number, attempt: number): string {
  return `claim:${nodeId}:${chunk}:${attempt}`;
}
