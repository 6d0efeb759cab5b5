// What only the store in memory offers: counts, frozen answers, a view for invariants.
import { expect, test } from "vitest";
import { MemoryClock } from "../../../src/memory/memory-clock.ts";
import { MemoryQueue } from "../../../src/memory/memory-queue.ts";
import { MemoryStore } from "../../../src/memory/memory-store.ts";
import { definition, entry, job, message } from "../../contract/documents.ts";

test("every request is counted by its operation, refused ones too", async () => {
  const store = new MemoryStore();
  const document = job();
  await store.jobs.create(document);
  await store.jobs.create(document);
  await store.jobs.replace(document, "old");
  await store.jobs.list({ limit: 1 });
  await store.jobs.due("2026-01-01T00:00:00.000Z", 1);
  await store.definitions.claim(definition());
  expect(Object.fromEntries(store.requests)).toEqual({
    "jobs.create": 2,
    "jobs.replace": 1,
    "jobs.query": 2,
    "definitions.read": 1,
    "definitions.create": 1,
  });
  expect(store.requestCount).toBe(7);
  store.resetRequests();
  expect(store.requestCount).toBe(0);
});

test("answers are frozen at every depth", async () => {
  const store = new MemoryStore();
  const document = entry({ deep: { list: [{ a: 1 }] } });
  await store.journal.create(document);
  const found = await store.journal.read(document.job_id, "1");
  const deep = found?.["deep"] as { readonly list: readonly object[] };
  expect([found, deep, deep.list, deep.list[0]].every((value) => Object.isFrozen(value))).toBe(
    true,
  );
});

test("invariants see every document of a job, and no request is counted for it", async () => {
  const store = new MemoryStore();
  const first = entry({ id: "0" });
  const second = entry({ id: "1", job_id: first.job_id });
  for (const document of [first, second, entry()]) await store.journal.create(document);
  await store.jobs.create(job());
  store.resetRequests();
  expect(store.journalOf(first.job_id)).toEqual([first, second]);
  expect(store.allJobs()).toHaveLength(1);
  expect(store.requestCount).toBe(0);
});

test("a rebuild clears its queue, and an identity without the right is told", async () => {
  const queue = new MemoryQueue({ clock: new MemoryClock() });
  const store = new MemoryStore({ queue, mayRebuild: false });
  await queue.send(message(), 60);
  expect(await store.admin.mayRebuild()).toBe(false);
  await store.admin.rebuild();
  expect(queue.length).toBe(0);
});
