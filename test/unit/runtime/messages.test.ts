// Messages that come too early, too late, twice, from another build or from a stranger; and the
// poison queue. A message is a hint: none of this changes what a job does.
import { describe, expect, test } from "vitest";
import type { Watch } from "../../../src/core/effect.ts";
import { addSeconds } from "../../../src/core/instant.ts";
import { MAX_DEFERRALS } from "../../../src/core/limits.ts";
import type { Message } from "../../../src/core/message.ts";
import { processMessage } from "../../../src/runtime/process-message.ts";
import { checkEnded } from "../../support/job-checks.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, echo, fan, large, numbers } from "../../support/shapes.ts";
import { parallel, workflow } from "../../support/shapes.ts";

const ABSENT = "01890000-0000-7000-8000-000000000000";

function started(): TestRuntime {
  const runtime = new TestRuntime({ handlers: [echo], restarts: true });
  runtime.catalog.put(chain(2));
  return runtime;
}

function message(runtime: TestRuntime, facts: Partial<Message>): Message {
  const first_sent_at = runtime.clock.now();
  return { v: 1, kind: "start", job_id: ABSENT, rev: 0, first_sent_at, deferrals: 0, ...facts };
}

function named(runtime: TestRuntime, name: string): number {
  return runtime.logs.filter((row) => row.name === name).length;
}

async function handed(runtime: TestRuntime, body: unknown, dequeueCount = 1): Promise<void> {
  const { sessions, engine } = runtime.first;
  const handled = processMessage(sessions, engine, { body, delivery: { dequeueCount } });
  await runtime.clock.advance(0);
  await handled;
}

test("a message for an absent job comes each second and is dropped after 15 minutes", async () => {
  const runtime = started();
  runtime.queue.put(JSON.stringify(message(runtime, {})));
  await runtime.run(() => named(runtime, "message.deferred") === 1, 10);
  expect(runtime.queue.length).toBe(1);
  await runtime.run(() => named(runtime, "message.dropped") === 1, 15 * 60 + 2);
  expect(named(runtime, "message.deferred")).toBe(900);
  expect(runtime.queue.length).toBe(0);
  expect(runtime.first.sessions.size).toBe(0);
  expect(runtime.errors).toEqual([]);
});

test.each([
  ["ten years from now", { ahead: 10 * 365 * 86_400, deferrals: 0 }],
  ["sent in two minutes and a second", { ahead: 121, deferrals: 0 }],
  ["deferred as often as no clock explains", { ahead: 0, deferrals: MAX_DEFERRALS }],
  ["deferred more often than can be counted", { ahead: 0, deferrals: Number.MAX_SAFE_INTEGER }],
  ["of a later shape, years from now", { ahead: 1e8, deferrals: 0, v: 9 }],
])("a message that no honest sender wrote is not put back: %s", async (_what, facts) => {
  const runtime = started();
  const { ahead, ...more } = facts;
  const first_sent_at = addSeconds(runtime.clock.now(), ahead);
  await handed(runtime, message(runtime, { first_sent_at, ...more }));
  expect([named(runtime, "message.dropped"), named(runtime, "message.deferred")]).toEqual([1, 0]);
  expect(runtime.queue.length).toBe(0);
  const dropped = runtime.logs.find(({ name }) => name === "message.dropped");
  const { deferrals } = facts;
  expect(dropped?.fields).toMatchObject({ job_id: ABSENT, age_seconds: 0 - ahead, deferrals });
});

test("a message of a clock that is two minutes ahead waits, and is dropped at last", async () => {
  const runtime = started();
  const first_sent_at = addSeconds(runtime.clock.now(), 120);
  runtime.queue.put(JSON.stringify(message(runtime, { first_sent_at })));
  await runtime.run(() => named(runtime, "message.dropped") === 1, 17 * 60 + 2);
  expect(named(runtime, "message.deferred")).toBe(1020);
  expect(named(runtime, "message.deferred")).toBeLessThan(MAX_DEFERRALS);
  expect(runtime.queue.length).toBe(0);
});

test("a message that is ahead of what its reader sees waits a second", async () => {
  const runtime = started();
  const { job } = await runtime.submit({ workflow_id: "chain" });
  const early = message(runtime, { job_id: job.job_id, rev: 3 });
  await handed(runtime, early);
  expect(runtime.entries(job.job_id)).toHaveLength(1);
  expect(named(runtime, "message.deferred")).toBe(1);
  expect(runtime.first.sessions.size).toBe(0);
});

test("a message of a later shape is put back whole", async () => {
  const runtime = started();
  const { job } = await runtime.submit({ workflow_id: "chain" });
  runtime.queue.receive(10, 600);
  const newer = { ...message(runtime, { job_id: job.job_id }), v: 2, kind: "signal", extra: [1] };
  await handed(runtime, newer);
  expect(runtime.entries(job.job_id)).toHaveLength(1);
  await runtime.clock.advance(30_000);
  const [put] = runtime.queue.receive(1, 1);
  expect(JSON.parse(put?.text ?? "null")).toEqual({ ...newer, deferrals: 1 });
});

test.each([
  ["no object", "hello"],
  ["null", null],
  ["an unknown kind", { ...message(started(), {}), kind: "reboot" }],
  ["a path for an id", { ...message(started(), {}), job_id: "../etc" }],
  ["a map with a length", { ...message(started(), {}), traceparent: { length: { toString: 1 } } }],
  ["no time", { ...message(started(), {}), first_sent_at: "yesterday" }],
])("a message that is %s is acknowledged and logged", async (_name, body) => {
  const runtime = started();
  await handed(runtime, body);
  expect(named(runtime, "message.invalid")).toBe(1);
  expect(runtime.queue.length).toBe(0);
  expect(Object.fromEntries(runtime.store.requests)).toEqual({});
});

test("two processes get the same message and one runs the node", async () => {
  for (let shift = 0; shift < 12; shift += 1) {
    const runtime = started();
    const other = runtime.addProcess();
    runtime.gate.latencyMs = ({ number }) => 1 + ((number * 7919 + shift * 13) % 9);
    const submitting = runtime.submit({ workflow_id: "chain" });
    await runtime.clock.advance(100);
    const { job } = await submitting;
    const body = message(runtime, { job_id: job.job_id });
    void processMessage(other.sessions, other.engine, { body, delivery: { dequeueCount: 1 } });
    expect(await runtime.runToEnd(job.job_id, 30)).toBe("completed");
    await checkEnded(runtime, job.job_id);
    expect(runtime.rescues).toBe(0);
  }
});

test("every message twice, and again after the end, changes nothing", async () => {
  for (const shape of [chain(3), parallel(5), fan()]) {
    const runtime = started();
    runtime.addProcess();
    runtime.catalog.put(shape);
    const sent: Message[] = [];
    runtime.queue.send = async (one, delay) => {
      sent.push(one);
      runtime.queue.put(JSON.stringify(one), delay);
      runtime.queue.put(JSON.stringify(one), delay + 1);
    };
    const input = "inputs" in shape ? { input_params: { list: [...numbers(20)] } } : {};
    const { job } = await runtime.submit({ workflow_id: String(shape["workflow_id"]), ...input });
    expect(await runtime.runToEnd(job.job_id)).toBe("completed");
    await runtime.run(() => runtime.queue.length === 0);
    const entries = runtime.entries(job.job_id).length;
    for (const one of sent) await handed(runtime, one, 2);
    expect(runtime.entries(job.job_id)).toHaveLength(entries);
    await checkEnded(runtime, job.job_id);
    expect(runtime.rescues).toBe(0);
    expect(runtime.processes.map(({ sessions }) => sessions.size)).toEqual([0, 0]);
  }
});

test("a session that failed to commit is not entered again, and none is kept", async () => {
  const runtime = started();
  const { job } = await runtime.submit({ workflow_id: "chain" });
  let failed = 0;
  runtime.gate.rule = ({ operation }) => {
    if (operation !== "journal.create" || failed > 0) return undefined;
    failed += 1;
    return "refused";
  };
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  await runtime.run(() => runtime.first.sessions.size === 0);
  expect(failed).toBe(1);
  const reads = runtime.gate.requests.filter(({ operation }) => operation === "jobs.read");
  expect(reads).toHaveLength(2);
  expect(runtime.clock.pending).toBe(0);
});

test("an entry that stands without an answer is neither lost nor an orphan", async () => {
  for (const shape of [chain(3), parallel(3), fan()]) {
    for (let number = 1; number <= 6; number += 1) {
      const runtime = started();
      runtime.catalog.put(shape);
      const input = "inputs" in shape ? { input_params: { list: [...numbers(9)] } } : {};
      const { job } = await runtime.submit({ workflow_id: String(shape["workflow_id"]), ...input });
      let entries = 0;
      runtime.gate.rule = ({ operation, id }) => {
        if (operation !== "journal.create" || !/^\d+$/.test(id)) return undefined;
        entries += 1;
        return entries === number ? "unanswered" : undefined;
      };
      expect(await runtime.runToEnd(job.job_id, 60)).toBe("completed");
      const text = JSON.stringify(runtime.entries(job.job_id));
      expect(text).not.toContain("outcome_orphaned");
      expect(text).not.toContain("_lost");
      expect(runtime.rescues).toBe(0);
      await checkEnded(runtime, job.job_id);
    }
  }
});

describe("an entry of a later build", () => {
  test.each([
    ["an unknown event", { events: [{ type: "node_paused", hash: "sha256:x" }] }],
    ["a higher schema", { schema: 3, events: [{ type: "job_started", hash: "sha256:x" }] }],
  ])("with %s: the message is put back and nothing is written", async (_name, more) => {
    const runtime = started();
    const { job } = await runtime.submit({ workflow_id: "chain" });
    const entry = { id: "1", job_id: job.job_id, schema: 1, write_id: "w", seq: 1, at: job.at };
    await runtime.store.journal.create({ ...entry, build: "later", ...more });
    const stored = JSON.stringify([runtime.store.allJobs(), runtime.entries(job.job_id)]);
    await handed(runtime, message(runtime, { job_id: job.job_id, rev: 1 }));
    await handed(runtime, message(runtime, { job_id: job.job_id, rev: 0 }));
    await runtime.sweep();
    expect(named(runtime, "message.deferred")).toBe(2);
    expect(JSON.stringify([runtime.store.allJobs(), runtime.entries(job.job_id)])).toBe(stored);
    expect(runtime.first.sessions.size).toBe(0);
  });
});

test("a projection that cannot be read is made anew from the journal", async () => {
  const runtime = started();
  const { job } = await runtime.submit({ workflow_id: "chain" });
  const stored = await runtime.store.jobs.read(job.job_id);
  if (stored === undefined) throw new Error("no projection");
  await runtime.store.jobs.replace({ ...stored.document, state: { broken: true } }, stored.etag);
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  await checkEnded(runtime, job.job_id);
});

test("an item's outcome that is not visible yet is waited for, not lost", async () => {
  const runtime = new TestRuntime({ handlers: [echo, large], restarts: true });
  runtime.addProcess();
  runtime.addProcess();
  runtime.gate.latencyMs = ({ number }) => 5 + ((number * 7919) % 11);
  const big = { handler: "large", params: { bytes: "{{ 9000 + item }}" } };
  runtime.catalog.put(
    workflow("big", {
      start: { type: "start", next: "split" },
      split: { type: "fan_out", source: "{{ [1, 2, 3] }}", task: big, next: "join" },
      join: { type: "fan_in", select: "size(value)", next: "end" },
      end: { type: "end" },
    }),
  );
  const submitting = runtime.submit({ workflow_id: "big" });
  await runtime.clock.advance(100);
  const { job } = await submitting;
  let unseen = 0;
  runtime.gate.rule = ({ operation, id }) => {
    if (operation !== "journal.read" || !id.startsWith("out:") || unseen === 4) return undefined;
    unseen += 1;
    return "unseen";
  };
  expect(await runtime.runToEnd(job.job_id, 240)).toBe("completed");
  expect(unseen).toBe(4);
  const join = { results: [9001, 9002, 9003], count: 3, failed: [] };
  expect(runtime.result(job.job_id)["join"]).toEqual(join);
  await checkEnded(runtime, job.job_id);
});

test("a snapshot that was altered in the store ends its job", async () => {
  const runtime = started();
  const { job } = await runtime.submit({ workflow_id: "chain" });
  const { journal } = runtime.store;
  const before = { ...journal };
  Object.assign(journal, {
    read: async (jobId: string, id: string) => {
      const found = await before.read(jobId, id);
      const text = JSON.stringify(found)?.replace('"echo"', '"evil"');
      return text === undefined ? undefined : (JSON.parse(text) as never);
    },
  });
  runtime.first.die();
  expect(await runtime.runToEnd(job.job_id, 200)).toBe("failed");
  const stamp = runtime.result(job.job_id)["_provenance"];
  expect(stamp).toMatchObject({ status: "failed", workflow_digest: job.workflow_digest });
  const last = JSON.stringify(runtime.entries(job.job_id).at(-1));
  expect(last).toContain("SNAPSHOT_TAMPERED");
});

describe("poison", () => {
  const task = { kind: "task", node_id: "p2", attempt: 1 } as const;

  async function queued(): Promise<[TestRuntime, string]> {
    const runtime = started();
    runtime.catalog.put(parallel(3));
    const { job } = await runtime.submit({ workflow_id: "parallel" });
    // The process dies once the tasks are queued; their messages are lost with the queue.
    runtime.gate.rule = ({ operation }) => (operation === "queue.send" ? "dies_before" : undefined);
    await runtime.run(() => !runtime.first.isAlive, 10);
    runtime.gate.rule = () => undefined;
    runtime.queue.clear();
    runtime.addProcess();
    return [runtime, job.job_id];
  }

  function events(runtime: TestRuntime, jobId: string): readonly { type: string; text?: string }[] {
    return runtime.entries(jobId).flatMap((entry) => entry["events"] as { type: string }[]);
  }

  function resends(runtime: TestRuntime, key: string): number {
    const watch = runtime.store.allJobs()[0]?.["watch"] as unknown as Watch | undefined;
    return watch?.resends[key]?.n ?? 0;
  }

  test("keeps the text, tells the job and sends a wake", async () => {
    const [runtime, jobId] = await queued();
    const text = JSON.stringify(message(runtime, { job_id: jobId, ...task }));
    await runtime.poison(text);
    const kept = runtime.store.journalOf("poison");
    expect(kept).toMatchObject([{ text, message: { ...task, job_id: jobId } }]);
    expect(runtime.store.journalOf(jobId).every((document) => !("text" in document))).toBe(true);
    expect(events(runtime, jobId).at(-1)).toMatchObject({ type: "message_poisoned", text });
    const [sent] = runtime.queue.receive(1, 1);
    expect(JSON.parse(sent?.text ?? "{}")).toMatchObject({ kind: "wake" });
  });

  test("keeps a text that names no job, and never rejects", async () => {
    const runtime = started();
    await runtime.poison("not json");
    runtime.gate.rule = () => "refused";
    await runtime.poison("{}");
    const kept = runtime.store.journalOf("poison");
    expect(kept.map((document) => document["text"])).toEqual(["not json"]);
  });

  test("fails the job with the third report for one attempt, not before", async () => {
    const [runtime, jobId] = await queued();
    const text = JSON.stringify(message(runtime, { job_id: jobId, ...task }));
    // Reports beyond one per re-send count for nothing.
    for (let n = 0; n < 5; n += 1) await runtime.poison(text);
    expect(runtime.status(jobId)).not.toBe("failed");
    runtime.queue.send = async () => undefined;
    for (let round = 1; round <= 2; round += 1) {
      await runtime.run(() => resends(runtime, "p2:1") === round, 900);
      await runtime.poison(text);
      const ended = events(runtime, jobId).some(({ type }) => type === "job_cancelling");
      expect(ended).toBe(round === 2);
    }
    expect(await runtime.runToEnd(jobId, 300)).toBe("failed");
    expect(JSON.stringify(runtime.entries(jobId).at(-1))).toContain("MESSAGE_POISONED");
  });
});
