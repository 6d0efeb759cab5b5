// What a job costs: store requests, refused ones included, and messages, counted at the stores.
// The table is docs/costs.md; a change that alters a number alters the page, and a change that
// passes a bound is a defect. Write the page anew with `npx vitest run <this file> -u`.
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineHandler } from "../../../src/runtime/handlers.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, echo, fan, large, numbers } from "../../support/shapes.ts";
import { parallel, sizeOf, task, workflow } from "../../support/shapes.ts";

interface Cost {
  readonly requests: Readonly<Record<string, number>>;
  readonly messages: number;
}

interface Row extends Cost {
  readonly name: string;
  readonly bound: string;
}

const rows: Row[] = [];
const bytes: (readonly [name: string, count: number, bound: string])[] = [];

const slow = defineHandler({
  name: "slow",
  version: "1",
  params: z.object({ seconds: z.number() }),
  output: z.json(),
  run: ({ params, job }) =>
    new Promise((resolve) => {
      clocks.get(job.job_id)?.(params.seconds, () => resolve(null));
    }),
});
const clocks = new Map<string, (seconds: number, done: () => void) => void>();

function started(processes = 1): TestRuntime {
  const runtime = new TestRuntime({ handlers: [echo, large, sizeOf, slow] });
  for (let n = 1; n < processes; n += 1) runtime.addProcess();
  return runtime;
}

/** Requests take 5 to 15 ms, differently each time, so that writers meet as they do in life. */
function busy(processes: number): TestRuntime {
  const runtime = started(processes);
  runtime.gate.latencyMs = ({ number }) => 5 + ((number * 7919) % 11);
  return runtime;
}

/** Submits once so that the version is known, then counts a second job. */
async function costOf(
  runtime: TestRuntime,
  shape: { readonly workflow_id?: unknown },
  input?: { readonly list: readonly number[] },
): Promise<{ readonly submit: Cost; readonly run: Cost; readonly jobId: string }> {
  runtime.catalog.put(shape);
  const submission = {
    workflow_id: String(shape.workflow_id),
    ...(input === undefined ? {} : { input_params: { list: [...input.list] } }),
  };
  await ended(runtime, await submitted(runtime, submission));
  const before = countsOf(runtime);
  const jobId = await submitted(runtime, submission);
  const accepted = countsOf(runtime);
  await ended(runtime, jobId);
  expect(runtime.rescues, "rescues").toBe(0);
  expect(runtime.errors).toEqual([]);
  return {
    submit: difference(before, accepted),
    run: difference(accepted, countsOf(runtime)),
    jobId,
  };
}

async function submitted(
  runtime: TestRuntime,
  submission: Parameters<TestRuntime["submit"]>[0],
): Promise<string> {
  const submitting = runtime.submit(submission);
  await runtime.clock.advance(1000);
  const { job } = await submitting;
  clocks.set(job.job_id, (seconds, done) => runtime.clock.after(seconds * 1000, done));
  return job.job_id;
}

async function ended(runtime: TestRuntime, jobId: string): Promise<void> {
  expect(await runtime.runToEnd(jobId)).toBe("completed");
  // Whoever is still leaving refreshes the projection.
  await runtime.run(() => runtime.processes.every(({ sessions }) => sessions.size === 0));
  await runtime.clock.advance(1000);
}

function countsOf(runtime: TestRuntime): Cost {
  return {
    requests: Object.fromEntries(
      [...runtime.store.requests].filter(([operation]) => operation !== "jobs.query"),
    ),
    messages: runtime.queue.requests.get("queue.send") ?? 0,
  };
}

function difference(before: Cost, after: Cost): Cost {
  const requests = Object.entries(after.requests).map(
    ([operation, count]) => [operation, count - (before.requests[operation] ?? 0)] as const,
  );
  return {
    requests: Object.fromEntries(requests.filter(([, count]) => count !== 0)),
    messages: after.messages - before.messages,
  };
}

function total({ requests }: Cost): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

function inProcesses(count: number): string {
  return count === 1 ? "one process" : `${count} processes`;
}

function add(name: string, cost: Cost, bound: string): void {
  rows.push({ name, bound, ...cost });
}

describe("submitting", () => {
  test("costs two creates and one message when the version was seen before", async () => {
    const { submit } = await costOf(started(), chain(1));
    expect(submit).toEqual({ requests: { "journal.create": 1, "jobs.create": 1 }, messages: 1 });
    add("submit, version seen before", submit, "2 creates, 1 message");
  });

  test("costs one read more with an idempotency key", async () => {
    const runtime = started();
    runtime.catalog.put(chain(1));
    await runtime.submit({ workflow_id: "chain" });
    const before = countsOf(runtime);
    await runtime.submit({ workflow_id: "chain" }, { key: "k" });
    const cost = difference(before, countsOf(runtime));
    const requests = { "journal.read": 1, "journal.create": 1, "jobs.create": 1 };
    expect(cost).toEqual({ requests, messages: 1 });
    add("submit with an idempotency key", cost, "+ 1 read");
  });
});

describe("a chain", () => {
  test.each([10, 100])("of %i costs n + 1 creates, one read, one replace", async (n) => {
    const { run } = await costOf(started(), chain(n));
    const requests = { "journal.create": n + 1, "jobs.read": 1, "jobs.replace": 1 };
    expect(run).toEqual({ requests, messages: 0 });
    add(`chain of ${n} tasks`, run, `${n + 1} creates, 1 read, 1 replace, no message`);
  });

  test("that yields after 200 transitions costs one of each and one message more", async () => {
    const { run } = await costOf(started(), chain(300));
    const requests = { "journal.create": 302, "jobs.read": 2, "jobs.replace": 2 };
    expect(run).toEqual({ requests, messages: 1 });
    add("chain of 300 tasks, one yield", run, "as above, + 1 of each per yield");
  });

  test("writes at most 600 bytes per node, however long it is", async () => {
    const [ten, fifty, hundred] = [await bytesOf(10), await bytesOf(50), await bytesOf(100)];
    const journal = [slope(ten, fifty, "journal"), slope(fifty, hundred, "journal")];
    const projection = [slope(ten, fifty, "projection"), slope(fifty, hundred, "projection")];
    expect(journal).toEqual([478, 478]);
    expect(projection).toEqual([119, 119]);
    bytes.push(["entries of the journal", 478, ""]);
    bytes.push(["projection of the ended job", 119, ""]);
    bytes.push(["together", 478 + 119, "600"]);
  });
});

interface Bytes {
  readonly nodes: number;
  readonly journal: number;
  readonly projection: number;
}

function slope(less: Bytes, more: Bytes, of: "journal" | "projection"): number {
  return Math.round((more[of] - less[of]) / (more.nodes - less.nodes));
}

/** Written for a chain, without the snapshot and the user's outputs. */
async function bytesOf(nodes: number): Promise<Bytes> {
  const runtime = started();
  const { jobId } = await costOf(runtime, chain(nodes));
  const without = (value: unknown): number =>
    JSON.stringify(value, (key, member: unknown) =>
      key === "output" || key === "value" || key === "result_data" ? undefined : member,
    ).length;
  const stored = runtime.store.allJobs().find((job) => job["job_id"] === jobId);
  const entries = runtime.entries(jobId).slice(1).map(({ seq: _notStored, ...entry }) => entry);
  return {
    nodes,
    journal: entries.reduce((sum, entry) => sum + without(entry), 0),
    projection: without(stored),
  };
}

describe("parallel tasks", () => {
  test.each([
    { p: 5, processes: 1, bound: 3 * 5 + 10 },
    { p: 5, processes: 3, bound: 6 * 5 + 10 },
    { p: 64, processes: 1, bound: 3 * 64 + 10 },
    { p: 64, processes: 3, bound: 6 * 64 + 10 },
  ])("$p in $processes processes stay within $bound", async ({ p, processes, bound }) => {
    const { run } = await costOf(busy(processes), parallel(p));
    expect(total(run)).toBeLessThanOrEqual(bound);
    expect(run.messages).toBe(p - 1);
    add(`${p} parallel tasks, ${inProcesses(processes)}`, run, `${bound}, ${p - 1} messages`);
  });
});

describe("a fan_out", () => {
  test.each([
    { b: 100, processes: 1 },
    { b: 100, processes: 3 },
    { b: 1000, processes: 1 },
    { b: 1000, processes: 3 },
  ])("of $b items in $processes processes", async ({ b, processes }) => {
    const chunks = Math.ceil(b / Math.min(32, Math.ceil(b / 8)));
    const { run } = await costOf(busy(processes), fan(), { list: numbers(b) });
    const bound = 6 * chunks + 10;
    expect(total(run)).toBeLessThanOrEqual(bound);
    expect(run.messages).toBe(chunks);
    const name = `fan_out of ${b} items, ${inProcesses(processes)}`;
    add(name, run, `${bound}, ${chunks} messages`);
  });
});

describe("a message that was handled before", () => {
  test("costs one read when the job has ended", async () => {
    for (const redelivered of [false, true]) {
      const runtime = started();
      const { jobId } = await costOf(runtime, chain(3));
      const before = countsOf(runtime);
      await repeat(runtime, { job_id: jobId, kind: "start", rev: 0 }, redelivered);
      const cost = difference(before, countsOf(runtime));
      expect(cost).toEqual({ requests: { "jobs.read": 1 }, messages: 0 });
      const name = redelivered ? "redelivery" : "duplicate message";
      add(`${name} after the end`, cost, "1 read, entries since, at most 1 refused create");
    }
  });
});

async function repeat(
  runtime: TestRuntime,
  facts: Readonly<Record<string, unknown>>,
  redelivered: boolean,
): Promise<void> {
  const first_sent_at = runtime.clock.now();
  runtime.queue.put(JSON.stringify({ v: 1, first_sent_at, deferrals: 0, ...facts }));
  if (redelivered) {
    const [message] = runtime.queue.receive(1, 1);
    expect(message).toBeDefined();
    await runtime.clock.advance(1000);
  }
  await runtime.run(() => runtime.queue.length === 0);
}

describe("what comes on top", () => {
  test("a task pays one replace per 40 s", async () => {
    const shape = (seconds: number) =>
      workflow("long", {
        start: { type: "start", next: "a" },
        a: task("end", { handler: "slow", params: { seconds } }),
        end: { type: "end" },
      });
    const short = await costOf(started(), shape(30));
    const long = await costOf(started(), shape(130));
    const more = difference(short.run, long.run);
    expect(more).toEqual({ requests: { "jobs.replace": 3 }, messages: 0 });
    add("task of 130 s instead of 30 s", more, "+ 1 replace per 40 s");
  });

  test("an output above 8 KB pays one create, and one read where it is needed cold", async () => {
    const shape = (bytes: number, isCold: boolean) =>
      workflow("outputs", {
        start: { type: "start", next: "a" },
        a: task("m", { handler: "large", params: { bytes } }),
        m: task("b"),
        b: task("end", {
          handler: "size_of",
          params: { value: isCold ? "{{ nodes.a.output }}" : "x" },
        }),
        end: { type: "end" },
      });
    const small = await costOf(started(), shape(8000, true));
    const unread = await costOf(started(), shape(9000, false));
    const read = await costOf(started(), shape(9000, true));
    expect(difference(small.run, unread.run).requests).toEqual({ "journal.create": 1 });
    expect(difference(unread.run, read.run).requests).toEqual({ "journal.read": 1 });
    add("output above 8 KB", difference(small.run, unread.run), "+ 1 create");
    add("… read by another node", difference(unread.run, read.run), "+ 1 read where it is cold");
  });
});

test("docs/costs.md shows these numbers", async () => {
  expect(rows.length).toBeGreaterThan(15);
  await expect(page()).toMatchFileSnapshot("../../../docs/costs.md");
});

function page(): string {
  const lines = rows.map(
    (row) =>
      `| ${row.name} | ${detail(row)} | ${total(row)} | ${row.messages} | ${row.bound} |`,
  );
  const sizes = bytes.map(([name, count, bound]) => `| ${name} | ${count} | ${bound} |`);
  return `${HEAD}\n${lines.join("\n")}\n\n${SIZES}\n${sizes.join("\n")}\n`;
}

function detail({ requests }: Cost): string {
  return Object.entries(requests)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([operation, count]) => `${operation} ${count}`)
    .join(", ");
}

const HEAD = `# Costs

What a job costs, counted at the stores by \`test/unit/runtime/cost.test.ts\`, which also writes
this page: store requests, refused ones included, and queue messages, after the submit unless the
row says otherwise. Where work is side by side each request takes 5 to 15 ms. Every sum was counted
without faults: the sweeper had nothing to rescue.

| Case | Requests | Sum | Messages | Bound |
|---|---|---|---|---|`;

const SIZES = `Bytes that one more node of a chain writes, without snapshot and user's output:

| What | Bytes | Bound |
|---|---|---|`;
