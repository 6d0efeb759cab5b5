// What a session keeps of its job's documents is bounded in bytes, and so are the reads that one
// decision sets off at once.
import { expect, test } from "vitest";
import type { JobState } from "../../../src/core/job.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { JobDocuments } from "../../../src/runtime/job-documents.ts";
import type { JournalDocument, JournalStore } from "../../../src/runtime/ports.ts";

const MEGABYTE = 1024 * 1024;

function documents(read: JournalStore["read"] = async () => undefined): JobDocuments {
  const create = async (): Promise<"exists"> => "exists";
  return new JobDocuments({ create, read }, () => ({ job_id: "j" }) as JobState);
}

function text(bytes: number): JsonObject {
  return { value: "x".repeat(bytes) };
}

test("the oldest documents go once more than 16 MB are kept", () => {
  const kept = documents();
  for (let n = 0; n < 100; n += 1) kept.keep(`d${n}`, text(MEGABYTE));
  const known = [...kept.known().keys()];
  expect(known).toEqual(Array.from({ length: 15 }, (_, index) => `d${85 + index}`));
});

test("many small documents are kept, and one kept again counts once", () => {
  const kept = documents();
  for (let n = 0; n < 5000; n += 1) kept.keep(`d${n}`, text(1000));
  for (let n = 0; n < 5000; n += 1) kept.keep("again", text(MEGABYTE));
  expect(kept.known().size).toBe(5001);
});

test("thousands of documents are read 64 at a time, each once", async () => {
  let now = 0;
  let most = 0;
  const asked: string[] = [];
  const kept = documents(async (_jobId, id): Promise<JournalDocument | undefined> => {
    asked.push(id);
    now += 1;
    most = Math.max(most, now);
    await Promise.resolve();
    now -= 1;
    return undefined;
  });
  const ids = Array.from({ length: 3000 }, (_, index) => `claim:f:${index}:1`);
  const loaded = new Map<string, JsonObject | null>();
  await kept.load(ids, loaded);
  expect(most).toBe(64);
  expect(asked.toSorted()).toEqual(ids.toSorted());
  expect(loaded.size).toBe(3000);
});
