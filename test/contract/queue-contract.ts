// What every implementation of the work queue and of the administration must do.
import { beforeEach, expect, test } from "vitest";
import { messageSchema } from "../../src/core/message.ts";
import type { Adapters } from "./adapters.ts";
import { definition, entry, job, message } from "./documents.ts";
import type { Open } from "./store-contract.ts";

export function queueContract(open: Open): void {
  let adapters: Adapters;
  beforeEach(async () => {
    adapters = await open();
  });

  test("a sent message is received as it was", async () => {
    const sent = message({ kind: "task", node_id: "a", attempt: 2, rev: 3, traceparent: "00-ab" });
    await adapters.queue.send(sent, 0);
    const texts = await adapters.seen.texts();
    expect(texts.map((text) => messageSchema.parse(JSON.parse(text)))).toEqual([sent]);
  });

  test("an empty queue has no oldest message", async () => {
    expect(await adapters.queue.oldest()).toBeUndefined();
  });

  test("the oldest message tells when it was sent", async () => {
    await adapters.queue.send(message(), 0);
    const oldest = await adapters.queue.oldest();
    expect(oldest).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    await adapters.queue.send(message(), 0);
    expect(await adapters.queue.oldest()).toBe(oldest);
  });

  test("a message stands in line since it was due, not since it was sent", async () => {
    const due = "2999-01-01T00:00:00.000Z";
    await adapters.queue.send(message({ first_sent_at: due }), 0);
    expect(await adapters.queue.oldest()).toBe(due);
  });

  test.each([0.2, 3600, 30 * 24 * 3600])(
    "a message with a delay of %d s is not visible yet",
    async (delaySeconds) => {
      await adapters.queue.send(message(), delaySeconds);
      expect(await adapters.queue.oldest()).toBeUndefined();
      expect(await adapters.seen.texts()).toEqual([]);
    },
  );

  test.each([-1, Number.NaN])("a delay of %d is none", async (delaySeconds) => {
    await adapters.queue.send(message(), delaySeconds);
    expect(await adapters.seen.texts()).toHaveLength(1);
  });
}

const QUEUES = ["holdfast-work", "holdfast-work-poison"];
const CONTAINERS = ["journal", "jobs", "stats", "definitions"];

export function adminContract(open: Open): void {
  let adapters: Adapters;
  beforeEach(async () => {
    adapters = await open();
  });

  test("preparing twice reports each statement and loses nothing", async () => {
    const document = entry();
    await adapters.journal.create(document);
    const reports = await adapters.admin.prepare();
    expect(reports.every(({ ok }) => ok)).toBe(true);
    for (const name of [...CONTAINERS, ...QUEUES]) {
      expect(reports.filter(({ statement }) => statement.endsWith(` ${name}`))).toHaveLength(1);
    }
    expect(await adapters.journal.read(document.job_id, document.id)).toEqual(document);
  });

  test("whoever may create containers may rebuild, and trying leaves nothing behind", async () => {
    expect(await adapters.admin.mayRebuild()).toBe(true);
    expect(await adapters.admin.mayRebuild()).toBe(true);
  });

  test("a rebuild empties containers and queues and reports each statement", async () => {
    const document = entry();
    const jobDocument = job();
    const claimed = definition();
    await adapters.journal.create(document);
    await adapters.jobs.create(jobDocument);
    await adapters.definitions.claim(claimed);
    await adapters.queue.send(message(), 0);
    const reports = await adapters.admin.rebuild();
    expect(reports.filter(({ ok }) => !ok)).toEqual([]);
    const statements = reports.map(({ statement }) => statement);
    for (const name of CONTAINERS) {
      expect(statements).toContain(`drop container ${name}`);
      expect(statements).toContain(`create container ${name}`);
    }
    for (const name of QUEUES) expect(statements).toContain(`clear queue ${name}`);
    expect(await adapters.journal.read(document.job_id, document.id)).toBeUndefined();
    expect(await adapters.jobs.read(jobDocument.job_id)).toBeUndefined();
    expect(await adapters.queue.oldest()).toBeUndefined();
    const other = { ...claimed, workflow_digest: "sha256:other" };
    expect(await adapters.definitions.claim(other)).toEqual(other);
  });

  test("readiness checks each container and each queue", async () => {
    expect(await adapters.admin.check()).toEqual(
      [...CONTAINERS, ...QUEUES].map((name) => ({ name })),
    );
  });
}
