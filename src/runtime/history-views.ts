// The history of a job as it is shown: its entries page by page, and the attempts that follow from
// them. Read from the journal alone, by number.
import type { EventData, JournalEntry, JournalEvent } from "../core/event.ts";
import type { JobState } from "../core/job.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { jsonBytes } from "../core/json.ts";
import { laneOf } from "../core/lane.ts";
import { MAX_RESULT_BYTES } from "../core/limits.ts";
import { withBuilds } from "../core/stored.ts";
import { READ_AHEAD, readEntries } from "./journal.ts";
import type { Reader } from "./read-job.ts";

/** One event as it is shown: where it stands, and what it says. */
export function shownEvent({ seq, at }: JournalEntry, event: JournalEvent): JsonObject {
  const { type, hash, ...members } = event;
  const data = members as unknown as JsonObject;
  return { seq, at, lane: laneOf(event), type, ...data, hash };
}

/** Every entry of the job, each with the build that wrote it. */
export async function wholeHistory(
  engine: Pick<Reader, "journal">,
  job: JobState,
): Promise<readonly JournalEntry[]> {
  return withBuilds(await readEntries(engine.journal, job.job_id, { from: 0, to: job.seq }));
}

export interface HistoryPage {
  /** Only entries above this one. */
  readonly after?: number;
  /** Entries at most; a page also ends at MAX_RESULT_BYTES. */
  readonly limit: number;
}

/** `GET /jobs/{id}/events`: a page of the history, in order. */
export async function eventsPage(
  engine: Pick<Reader, "journal">,
  job: JobState,
  { after = -1, limit }: HistoryPage,
): Promise<JsonObject> {
  const to = Math.min(job.seq, after + limit);
  const events: JsonObject[] = [];
  let seq = after;
  let bytes = 0;
  while (seq < to && bytes <= MAX_RESULT_BYTES) {
    const range = { from: seq + 1, to: Math.min(to, seq + READ_AHEAD) };
    const entries = await readEntries(engine.journal, job.job_id, range);
    if (entries.length === 0) break;
    for (const entry of entries) {
      const shown = entry.events.map((event) => shownEvent(entry, event));
      bytes += shown.reduce((sum, event) => sum + jsonBytes(event), 0);
      if (bytes > MAX_RESULT_BYTES && seq > after) break;
      events.push(...shown);
      seq = entry.seq;
    }
  }
  const has_more = events.length > 0 && seq < job.seq;
  return { seq: Math.max(0, seq), has_more, count: events.length, events };
}

/** The logs that an event brought: of a task's attempt, or of the items of a chunk. */
export function logsOf(event: JournalEvent): readonly (readonly string[])[] {
  if (event.type === "chunk_completed") {
    return (event.items ?? []).flatMap(({ log }) => (log === undefined ? [] : [log]));
  }
  return "log" in event && event.log !== undefined ? [event.log] : [];
}

export interface Found {
  readonly entry: JournalEntry;
  readonly event: JournalEvent;
}

/** The attempts at a task node, each with how it ended. */
export function attemptsOf(found: readonly Found[]): readonly JsonObject[] {
  const attempts = new Map<number, Record<string, Json>>();
  for (const { entry, event } of found) {
    if (event.type === "node_started") {
      attempts.set(event.attempt, {
        attempt: event.attempt,
        status: "running",
        started_at: entry.at,
        build: entry.build,
        handler_version: event.handler_version,
        params_digest: event.params_digest,
      });
    }
    const ended = endOf(event);
    const attempt = ended === undefined ? undefined : attempts.get(ended.attempt);
    if (ended === undefined || attempt === undefined) continue;
    // A time-out or a loss is followed by the retry or the failure it led to.
    if (attempt["status"] === "running") attempt["status"] = ended.status;
    attempt["ended_at"] = entry.at;
    if (ended.error !== undefined) attempt["error"] = { ...ended.error };
    if (ended.log !== undefined) attempt["log"] = [...ended.log];
  }
  return [...attempts.values()];
}

interface End {
  readonly attempt: number;
  readonly status: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly log?: readonly string[];
}

export function endOf(event: EventData): End | undefined {
  if (!("attempt" in event) || event.attempt === undefined) return undefined;
  const { attempt } = event;
  const log = "log" in event && event.log !== undefined ? { log: event.log } : {};
  switch (event.type) {
    case "node_completed":
      return { attempt, status: "completed", ...log };
    case "node_failed":
    case "node_retried":
      return { attempt, status: "failed", error: event.error, ...log };
    case "node_timed_out":
      return { attempt, status: "timed_out", ...log };
    case "node_lost":
      return { attempt, status: "lost" };
    case "node_cancelled":
      return { attempt, status: "cancelled", ...log };
    case "node_started":
    case "chunk_completed":
    case "chunk_lost":
    case "message_poisoned":
    case "outcome_orphaned":
      return undefined;
  }
}

export function nodeIdOf(event: EventData): readonly string[] {
  return "node_id" in event && event.node_id !== undefined ? [event.node_id] : [];
}
