// Export and purge: a file is whole or refused, nothing goes before its file is sound, a purge that
// dies anywhere is finished by the next, and never takes a job that was not meant.
import { describe, expect, test } from "vitest";
import { exportJob, purgeJob, readExport } from "../../../src/runtime/job-archive.ts";
import type { ArchivePorts, ArchiveStore } from "../../../src/runtime/job-archive.ts";
import { MemoryFolder } from "../../support/memory-folder.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, echo } from "../../support/shapes.ts";

const HOURS = 3600 * 1000;

interface Ended {
  readonly runtime: TestRuntime;
  readonly jobId: string;
  readonly ports: ArchivePorts;
}

async function ended(shape: object = chain(2), hours = 2): Promise<Ended> {
  const runtime = new TestRuntime({ handlers: [echo] });
  const { definition } = runtime.catalog.put(shape);
  const { workflow_id } = definition;
  const { job } = await runtime.submit({ workflow_id }, { key: "k" });
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  await runtime.clock.advance(hours * HOURS);
  const ports = { store: runtime.store.archive, clock: runtime.clock };
  return { runtime, jobId: job.job_id, ports };
}

function left({ runtime, jobId }: Ended): number {
  const jobs = runtime.store.allJobs().filter(({ job_id }) => job_id === jobId);
  return jobs.length + runtime.store.journalOf(jobId).length;
}

/** Dies in the removal number `at`, after it was made. */
function mortal(store: ArchiveStore, at: number): ArchiveStore {
  let removals = 0;
  const dying = async <T>(removing: Promise<T>): Promise<T> => {
    const outcome = await removing;
    removals += 1;
    if (removals >= at) throw new Error("killed");
    return outcome;
  };
  return {
    ...store,
    removeJob: (jobId, etag) => dying(store.removeJob(jobId, etag)),
    removeFromJournal: (jobId, id, etag) => dying(store.removeFromJournal(jobId, id, etag)),
  };
}

test("an export holds every document, as it is stored", async () => {
  const one = await ended();
  const folder = new MemoryFolder();
  const { documents, file } = await exportJob(one.ports, folder, one.jobId);
  expect(documents).toBe(left(one));
  expect(file).toMatch(new RegExp(`^${one.jobId}\\.\\d{8}T\\d{9}Z\\.jsonl$`));
  const lines = folder.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toMatchObject({ holdfast_export: 1, job_id: one.jobId });
  const stored = lines.slice(1, -1).map(({ document }) => document);
  const { store } = one.runtime;
  expect(stored).toEqual([...store.allJobs(), ...store.journalOf(one.jobId)]);
});

test("an export that stands is taken as it is, one of an earlier state made anew", async () => {
  const runtime = new TestRuntime({ handlers: [echo] });
  runtime.catalog.put(chain(2));
  const { job } = await runtime.submit({ workflow_id: "chain" });
  const ports = { store: runtime.store.archive, clock: runtime.clock };
  const folder = new MemoryFolder();
  expect(await exportJob(ports, folder, job.job_id)).toMatchObject({ was_there: false });
  await runtime.runToEnd(job.job_id);
  expect(await exportJob(ports, folder, job.job_id)).toMatchObject({ was_there: false });
  expect(await exportJob(ports, folder, job.job_id)).toMatchObject({ was_there: true });
  expect(folder.writes).toBe(2);
  expect(folder.files.size).toBe(1);
});

describe("a file that is not whole is refused", () => {
  const spoilt: readonly (readonly [string, (lines: string[]) => string[]])[] = [
    ["empty", () => []],
    ["cut", (lines) => lines.slice(0, -1)],
    ["without a line", (lines) => lines.filter((_, index) => index !== 2)],
    ["with a line twice", (lines) => [...lines.slice(0, 3), ...lines.slice(2)]],
    ["with a changed letter", (lines) => lines.map((line) => line.replace('"end"', '"eNd"'))],
    ["with garbage", (lines) => [...lines.slice(0, 2), "{", ...lines.slice(3)]],
    ["with a list", (lines) => [...lines.slice(0, 2), "[]", ...lines.slice(3)]],
    ["without its head", (lines) => lines.slice(1)],
    ["of another number", (lines) => lines.map((line) => line.replace('"documents":', "$&9"))],
  ];

  test.each(spoilt)("%s", async (_name, spoil) => {
    const one = await ended();
    const folder = new MemoryFolder();
    const { file } = await exportJob(one.ports, folder, one.jobId);
    const before = left(one);
    folder.files.set(file, spoil([...folder.lines]));
    const purging = purgeJob(one.ports, folder, one.jobId);
    await expect(purging).rejects.toMatchObject({ code: "DOCUMENT_INVALID" });
    expect(left(one)).toBe(before);
  });

  test("of another job", async () => {
    const one = await ended();
    const folder = new MemoryFolder();
    await exportJob(one.ports, folder, one.jobId);
    const lines = async function* (): AsyncGenerator<string> {
      yield* folder.lines;
    };
    const reading = readExport(lines(), "another");
    await expect(reading).rejects.toMatchObject({ code: "DOCUMENT_INVALID" });
  });

  test("of a journal with a hole", async () => {
    const one = await ended();
    const { store } = one.ports;
    const third = one.runtime.entries(one.jobId)[2]?.["id"] as string;
    for await (const { id, etag } of store.journalIds(one.jobId)) {
      if (id === third) await store.removeFromJournal(one.jobId, id, etag);
    }
    const before = left(one);
    await expect(purgeJob(one.ports, new MemoryFolder(), one.jobId)).rejects.toMatchObject({
      message: `export of job ${one.jobId}: journal entries ${third} are missing`,
    });
    expect(left(one)).toBe(before);
    // Without an export it is the operator's word.
    await purgeJob(one.ports, undefined, one.jobId);
    expect(left(one)).toBe(0);
  });
});

test("a purge takes the job whole, and its key is free again", async () => {
  const one = await ended(chain(20));
  const count = left(one);
  const folder = new MemoryFolder();
  expect(await purgeJob(one.ports, folder, one.jobId)).toMatchObject({ documents: count });
  expect(left(one)).toBe(0);
  expect(folder.lines).toHaveLength(count + 2);
  await expect(purgeJob(one.ports, folder, one.jobId)).rejects.toMatchObject({
    code: "JOB_NOT_FOUND",
  });
  const again = await one.runtime.submit({ workflow_id: "chain" }, { key: "k" });
  expect(again).toMatchObject({ created: true, job: { job_id: one.jobId } });
  expect(await one.runtime.runToEnd(one.jobId)).toBe("completed");
});

test("a purge that dies after any of its deletes is finished by the next", async () => {
  const { documents } = await (async () => {
    const one = await ended();
    return purgeJob(one.ports, undefined, one.jobId);
  })();
  for (let at = 1; at <= documents; at += 1) {
    const one = await ended();
    const folder = new MemoryFolder();
    const dying = { ...one.ports, store: mortal(one.ports.store, at) };
    await expect(purgeJob(dying, folder, one.jobId)).rejects.toThrow("killed");
    const kept = folder.lines;
    const rest = left(one);
    if (rest > 0) await purgeJob(one.ports, folder, one.jobId);
    expect([at, left(one), folder.writes]).toEqual([at, 0, 1]);
    expect(folder.lines).toEqual(kept);
  }
});

test("a new job that begins in the middle of a purge is not taken with the old one", async () => {
  const one = await ended();
  const documents = left(one);
  // All but the projection is gone.
  const dying = { ...one.ports, store: mortal(one.ports.store, documents - 1) };
  await expect(purgeJob(dying, undefined, one.jobId)).rejects.toThrow("killed");
  const early = one.runtime.submit({ workflow_id: "chain" }, { key: "k" });
  await expect(early).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await purgeJob(one.ports, undefined, one.jobId);
  expect(one.runtime.store.journalOf(one.jobId).map(({ id }) => id)).toEqual(["0"]);
  const again = await one.runtime.submit({ workflow_id: "chain" }, { key: "k" });
  expect(again.job.job_id).toBe(one.jobId);
  expect(await one.runtime.runToEnd(one.jobId)).toBe("completed");
});

test.each([
  ["has not ended", undefined],
  ["ended within the hour", 0.5],
])("a job that %s is left alone", async (_name, hours) => {
  const runtime = new TestRuntime({ handlers: [echo] });
  runtime.catalog.put(chain(2));
  const { job } = await runtime.submit({ workflow_id: "chain" });
  if (hours !== undefined) {
    await runtime.runToEnd(job.job_id);
    await runtime.clock.advance(hours * HOURS);
  }
  const ports = { store: runtime.store.archive, clock: runtime.clock };
  const before = runtime.store.journalOf(job.job_id).length;
  await expect(purgeJob(ports, undefined, job.job_id)).rejects.toMatchObject({
    code: "JOB_NOT_TERMINAL",
  });
  expect(runtime.store.journalOf(job.job_id)).toHaveLength(before);
});

test("a job that somebody writes meanwhile keeps its projection", async () => {
  const one = await ended();
  const { jobs } = one.runtime.store;
  const store: ArchiveStore = {
    ...one.ports.store,
    async removeJob(jobId, etag) {
      const found = await jobs.read(jobId);
      if (found !== undefined) await jobs.replace(found.document, found.etag);
      return one.ports.store.removeJob(jobId, etag);
    },
  };
  await expect(purgeJob({ ...one.ports, store }, undefined, one.jobId)).rejects.toMatchObject({
    code: "STORE_CONFLICT",
  });
  expect(one.runtime.store.allJobs()).toHaveLength(1);
});
