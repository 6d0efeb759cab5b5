// When what of a job ran: one bar per attempt, per chunk of a fan_out, and per node that has
// neither. Folded from the journal; when a chunk was claimed stands in no event, so its bar begins
// where it was sent.
import type { EventData, JournalEntry } from "../core/event.ts";
import type { Instant } from "../core/instant.ts";
import type { JobState } from "../core/job.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { endOf, wholeHistory } from "./history-views.ts";
import { pinFacts, present } from "./job-views.ts";
import type { Reader } from "./read-job.ts";

type Bar = Record<string, Json>;

interface Chunk {
  readonly node_id: string;
  readonly chunk: number;
}

/** `GET /jobs/{id}/timeline`. Costs a read of the job's whole history. */
export async function timelineView(engine: Reader, job: JobState): Promise<JsonObject> {
  return {
    ...pinFacts(job),
    status: job.status,
    seq: job.seq,
    created_at: job.created_at,
    ...present({ started_at: job.started_at, completed_at: job.completed_at }),
    as_of: engine.clock.now(),
    bars: barsOf(await wholeHistory(engine, job)),
  };
}

/** In the order in which they were queued or began. */
export function barsOf(entries: readonly JournalEntry[]): readonly JsonObject[] {
  const bars = new Bars();
  for (const { at, events } of entries) for (const event of events) bars.add(event, at);
  return bars.all;
}

class Bars {
  readonly #bars = new Map<string, Bar>();
  /** Since when the next attempt of a node stands in line. */
  readonly #queuedAt = new Map<string, Instant>();
  /** The attempt that a chunk is at. */
  readonly #attempts = new Map<string, number>();

  get all(): readonly JsonObject[] {
    return [...this.#bars.values()];
  }

  add(event: EventData, at: Instant): void {
    switch (event.type) {
      case "node_queued":
        this.#queuedAt.set(event.node_id, at);
        return;
      case "node_started":
        this.#begin(event, at);
        return;
      case "node_expanded":
        this.#open(event.node_id, { node_id: event.node_id, kind: "node", started_at: at });
        for (let chunk = 0; chunk < event.queued; chunk += 1) {
          this.#queue({ node_id: event.node_id, chunk }, at);
        }
        return;
      case "chunk_completed":
        this.#handIn(event, at);
        return;
      case "chunk_lost":
        this.#close(this.#chunkKey(event), "lost", at);
        this.#queue({ ...event, attempt: event.attempt + 1 }, at);
        return;
      case "chunk_cancelled":
        for (const chunk of event.chunks) {
          this.#close(this.#chunkKey({ node_id: event.node_id, chunk }), "cancelled", at);
        }
        return;
      case "node_completed":
      case "node_failed":
      case "node_retried":
      case "node_timed_out":
      case "node_lost":
      case "node_cancelled":
        this.#end(event, at);
        return;
      case "job_created":
      case "job_started":
      case "node_skipped":
      case "message_poisoned":
      case "handler_missing":
      case "outcome_orphaned":
      case "job_cancelling":
        return;
      case "job_completed":
      case "job_failed":
      case "job_cancelled":
        for (const bar of this.#bars.values()) closed(bar, "cancelled", at);
        return;
    }
  }

  #begin(event: Extract<EventData, { type: "node_started" }>, at: Instant): void {
    const { node_id, attempt } = event;
    const queued_at = this.#queuedAt.get(node_id);
    this.#queuedAt.delete(node_id);
    this.#open(attemptKey(node_id, attempt), {
      node_id,
      kind: "attempt",
      attempt,
      ...present({ queued_at }),
      started_at: at,
    });
  }

  /** An outcome: of an attempt that stands open, or of a node that has none. */
  #end(event: Ending, at: Instant): void {
    const { node_id } = event;
    const end = endOf(event);
    const key = end === undefined ? node_id : attemptKey(node_id, end.attempt);
    // A conditional and a fan_in have no attempt; one whose params failed never began.
    if (!this.#bars.has(key)) {
      const kind = end === undefined ? "node" : "attempt";
      this.#open(key, { node_id, kind, ...present({ attempt: end?.attempt }), started_at: at });
    }
    this.#close(key, end?.status ?? statusOf(event), at);
    const bar = this.#bars.get(key);
    const error = "error" in event ? event.error : undefined;
    if (bar !== undefined && error !== undefined) bar["error"] = { ...error };
    if (event.type === "node_retried") this.#queuedAt.set(node_id, event.not_before);
  }

  #handIn(event: Extract<EventData, { type: "chunk_completed" }>, at: Instant): void {
    const { node_id, done, failed, remaining, retry, queue = [] } = event;
    const bar = this.#bars.get(this.#chunkKey(event));
    if (bar !== undefined) {
      bar["items"] = Number(bar["items"] ?? 0) + done + failed;
      bar["failed"] = Number(bar["failed"] ?? 0) + failed;
      if (remaining.length === 0) closed(bar, failed > 0 ? "failed" : "completed", at);
    }
    if (retry !== undefined) this.#queue({ ...retry, node_id }, retry.not_before);
    for (const next of queue) this.#queue({ node_id, chunk: next }, at);
  }

  #queue({ node_id, chunk, attempt = 1 }: Chunk & { readonly attempt?: number }, at: Instant) {
    this.#attempts.set(`${node_id}#${chunk}`, attempt);
    const key = this.#chunkKey({ node_id, chunk });
    this.#open(key, { node_id, kind: "chunk", chunk, attempt, queued_at: at });
  }

  /** Of the attempt that the chunk is at. */
  #chunkKey({ node_id, chunk }: Chunk): string {
    const name = `${node_id}#${chunk}`;
    return `${name} ${this.#attempts.get(name) ?? 1}`;
  }

  #open(key: string, bar: Bar): void {
    this.#bars.set(key, { ...bar, status: "running" });
  }

  #close(key: string, status: string, at: Instant): void {
    const bar = this.#bars.get(key);
    if (bar !== undefined) closed(bar, status, at);
  }
}

type Ending = Extract<
  EventData,
  {
    type:
      | "node_completed"
      | "node_failed"
      | "node_retried"
      | "node_timed_out"
      | "node_lost"
      | "node_cancelled";
  }
>;

function statusOf({ type }: Ending): string {
  return type.replace("node_", "");
}

/** The first ending counts: a time-out is followed by the retry or the failure it led to. */
function closed(bar: Bar, status: string, at: Instant): void {
  if (bar["status"] !== "running") return;
  bar["status"] = status;
  bar["ended_at"] = at;
}

function attemptKey(nodeId: string, attempt: number): string {
  return `${nodeId} ${attempt}`;
}
