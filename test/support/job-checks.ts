// What holds for every job, whatever happened: one outcome per node or item, one claim per attempt,
// a whole history that the projection agrees with, and a stored wake that is never too late.
import { expect } from "vitest";
import { WorkflowError } from "../../src/core/error.ts";
import type { JournalEntry } from "../../src/core/event.ts";
import { addSeconds, later } from "../../src/core/instant.ts";
import { wakeAt } from "../../src/core/watch.ts";
import { foldFromStart } from "../../src/runtime/journal.ts";
import { storedState } from "../../src/core/stored.ts";
import { parseProjection } from "../../src/runtime/projection.ts";
import type { JobDocument, JournalDocument } from "../../src/runtime/ports.ts";
import type { TestRuntime } from "./runtime.ts";

const ENDS = new Set(["node_completed", "node_failed", "node_skipped", "node_cancelled"]);

/** One outcome per node or item, a whole history, nothing after the end. */
export async function checkEnded(runtime: TestRuntime, jobId: string): Promise<void> {
  const entries = runtime.entries(jobId) as unknown as readonly JournalEntry[];
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index));
  const events = entries.flatMap(({ events: own }) => own);
  const outcomes = events.flatMap((event) => {
    if (event.type === "chunk_completed") {
      return (event.items ?? []).map(({ index }) => `${event.node_id}[${index}]`);
    }
    return "node_id" in event && ENDS.has(event.type) ? [event.node_id] : [];
  });
  expect(outcomes).toEqual([...new Set(outcomes)]);
  const claims = events.flatMap((event) =>
    event.type === "node_started" ? [`${event.node_id}:${event.attempt}`] : [],
  );
  expect(claims).toEqual([...new Set(claims)]);
  expect(["job_completed", "job_failed", "job_cancelled"]).toContain(events.at(-1)?.type);
  const stored = runtime.store.allJobs().find((job) => job["job_id"] === jobId);
  const { job } = parseProjection(stored as never);
  const folded = await foldFromStart(runtime.store.journal, jobId);
  // The lanes of an ended job are in its journal only.
  expect(storedState(job)).toEqual(folded === undefined ? undefined : storedState(folded));
  // Neither store nor queue: only then may a message be handed back to the host.
  const defects = runtime.errors.filter(
    (error) => !(error instanceof WorkflowError) || error.code !== "QUEUE_UNAVAILABLE",
  );
  expect(defects).toEqual([]);
}

/**
 * After every write: the projection never goes back, and its wake is not later than the journal
 * needs. Up to ten minutes are covered by the message that is being handled: it comes back.
 */
export function watchWrites(runtime: TestRuntime, jobId: string): string[] {
  const wrong: string[] = [];
  const { jobs, journal } = runtime.store;
  const { timing } = runtime.first.engine;
  let last = 0;
  const look = async <T>(written: T): Promise<T> => {
    const stored = runtime.store.allJobs().find((job) => job["job_id"] === jobId);
    const folded = await foldFromStart(journal, jobId);
    const { job, watch } = parseProjection(stored as never);
    if (job.seq < last) wrong.push(`the projection went from ${last} to ${job.seq}`);
    last = job.seq;
    const wake = stored?.["wake_at"];
    const needed = folded === undefined ? undefined : wakeAt(folded, { watch, timing });
    if (needed === undefined || folded === undefined) return written;
    const covered = later(needed, addSeconds(folded.at, 600));
    if (typeof wake !== "string" || wake > covered) {
      wrong.push(`entry ${folded.seq} needs ${needed}, stored is ${JSON.stringify(wake)}`);
    }
    return written;
  };
  const before = { jobs: { ...jobs }, journal: { ...journal } };
  Object.assign(jobs, {
    replace: async (document: JobDocument, etag: string) =>
      look(await before.jobs.replace(document, etag)),
  });
  Object.assign(journal, {
    create: async (document: JournalDocument) => look(await before.journal.create(document)),
  });
  return wrong;
}

/** A lost attempt is followed by another number: what names it may differ. */
export function withoutAttempts(results: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(results).replace(/"(attempt|seen)":\d+/g, '"$1":0'));
}
