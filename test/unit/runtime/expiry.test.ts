// Documents that go: what each is given to live, and what the app does once some are gone. Stores
// drop documents by themselves; here a test takes them away.
import { expect, test } from "vitest";
import { addSeconds } from "../../../src/core/instant.ts";
import type { Instant } from "../../../src/core/instant.ts";
import type { JobDocument } from "../../../src/runtime/ports.ts";
import { readJob } from "../../../src/runtime/read-job.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, echo } from "../../support/shapes.ts";

const DAY = 24 * 3600;
const SHORT = { completed: DAY, failed: DAY, cancelled: DAY };
const LONG = { completed: 3650 * DAY, failed: 3650 * DAY, cancelled: 3650 * DAY };

interface Timed {
  readonly id: string;
  readonly at: Instant;
  readonly ttl: number;
}

function started(retention_seconds = SHORT): TestRuntime {
  const runtime = new TestRuntime({ handlers: [echo], timing: { retention_seconds } });
  runtime.catalog.put(chain(2));
  return runtime;
}

function projection(runtime: TestRuntime, jobId: string): JobDocument {
  const found = runtime.store.allJobs().find(({ job_id }) => job_id === jobId);
  if (found === undefined) throw new Error("no projection");
  return found as unknown as JobDocument;
}

function goneAt({ updated_at, ttl = 0 }: JobDocument): Instant {
  return addSeconds(updated_at, ttl);
}

async function forget(runtime: TestRuntime, jobId: string): Promise<void> {
  const { archive } = runtime.store;
  const job = await archive.job(jobId);
  await archive.removeJob(jobId, job?.etag ?? "");
}

test("entry 0 pins the journal's end; a build with other settings keeps to it", async () => {
  const runtime = started();
  const { job } = await runtime.submit({ workflow_id: "chain" });
  expect(job.expires_at).toBe(addSeconds(job.deadline_at, 31 * DAY));
  const { timing } = runtime.first.engine;
  runtime.first.die();
  runtime.addProcess({ timing: { ...timing, retention_seconds: LONG } });
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  const documents = runtime.store.journalOf(job.job_id) as unknown as readonly Timed[];
  const ends = documents.map(({ id, at, ttl }) => ({ id, end: addSeconds(at, ttl) }));
  expect(ends.length).toBeGreaterThan(2);
  for (const { id, end } of ends) {
    // Whole seconds, rounded up.
    expect(end >= (job.expires_at ?? ""), `${id} ends ${end}`).toBe(true);
    expect(end < addSeconds(job.expires_at ?? "", 2), `${id} ends ${end}`).toBe(true);
  }
  const last = goneAt(projection(runtime, job.job_id));
  expect(last <= addSeconds(job.expires_at ?? "", -3599), last).toBe(true);
});

test("a job that has ended is kept as long as its status says", async () => {
  const runtime = started({ ...LONG, completed: 2 * DAY });
  const { job } = await runtime.submit({ workflow_id: "chain" });
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  const document = projection(runtime, job.job_id);
  const kept = addSeconds(String(document["completed_at"]), 2 * DAY);
  expect(goneAt(document) >= kept && goneAt(document) < addSeconds(kept, 1.001)).toBe(true);
});

test("a job whose projection has gone is not there", async () => {
  const runtime = started();
  const { job } = await runtime.submit({ workflow_id: "chain" });
  await runtime.runToEnd(job.job_id);
  await forget(runtime, job.job_id);
  const read = readJob(runtime.first.engine, { job_id: job.job_id });
  await expect(read).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
});

test("its key still gives that job, ended, and runs nothing again", async () => {
  const runtime = started();
  const { job } = await runtime.submit({ workflow_id: "chain" }, { key: "k" });
  await runtime.runToEnd(job.job_id);
  const entries = runtime.entries(job.job_id).length;
  await forget(runtime, job.job_id);
  await runtime.clock.advance(3 * DAY * 1000);
  const again = await runtime.submit({ workflow_id: "chain" }, { key: "k" });
  expect(again).toMatchObject({ created: false, job: { job_id: job.job_id, status: "completed" } });
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  expect(runtime.entries(job.job_id)).toHaveLength(entries);
  // Long past its day, but there for whoever asked.
  const document = projection(runtime, job.job_id);
  expect(document.ttl).toBe(3600);
});

test("a new job of a key waits until the purge of the former one is over", async () => {
  const runtime = started();
  const { job } = await runtime.submit({ workflow_id: "chain" }, { key: "k" });
  await runtime.runToEnd(job.job_id);
  const { archive } = runtime.store;
  const old = await archive.job(job.job_id);
  for await (const { id, etag } of archive.journalIds(job.job_id)) {
    await archive.removeFromJournal(job.job_id, id, etag);
  }
  await runtime.clock.advance(1000);
  const early = runtime.submit({ workflow_id: "chain" }, { key: "k" });
  await expect(early).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
  await expect(runtime.submit({ workflow_id: "chain" }, { key: "k" })).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
  expect(await archive.removeJob(job.job_id, old?.etag ?? "")).toBe("removed");
  const { job: fresh } = await runtime.submit({ workflow_id: "chain" }, { key: "k" });
  expect(fresh.created_at > job.created_at).toBe(true);
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
});
