// What is told of a job: one trace with the right parents, whichever processes worked on it, and
// the numbers. Switched off nothing is told and nothing is stored.
import { describe, expect, test } from "vitest";
import { jobSpan, spanContextOf, traceIdOf, traceparentOf } from "../../../src/core/trace.ts";
import { sha256 } from "../../../src/runtime/hash.ts";
import { METRICS } from "../../../src/runtime/telemetry-names.ts";
import { Telemetry, traced } from "../../../src/runtime/telemetry.ts";
import { RecordingSink } from "../../support/recording-sink.ts";
import { TestRuntime } from "../../support/runtime.ts";
import type { RuntimeOptions } from "../../support/runtime.ts";
import { chain, echo, flaky, task, workflow } from "../../support/shapes.ts";

const retry = { max_attempts: 3, initial_delay_seconds: 1, jitter: 0 };

const PIPELINE = workflow("pipeline", {
  start: { type: "start", next: "shaky" },
  shaky: task("spread", { handler: "flaky", retry }),
  spread: {
    type: "fan_out",
    source: "{{ ['a', 'b', 'c'] }}",
    task: { handler: "echo", params: { item: "{{ item }}" } },
    next: "gather",
  },
  gather: { type: "fan_in", aggregation: "collect", next: "end" },
  end: { type: "end" },
});

async function ran(
  given: { readonly processes?: number; readonly shape?: object } & RuntimeOptions = {},
) {
  const sink = new RecordingSink();
  const runtime = new TestRuntime({ handlers: [echo, flaky], sink, ...given });
  for (let n = 1; n < (given.processes ?? 1); n += 1) runtime.addProcess();
  const { workflow_id } = runtime.catalog.put(given.shape ?? PIPELINE).definition;
  const { job } = await runtime.submit({ workflow_id });
  const status = await runtime.runToEnd(job.job_id);
  return { sink, runtime, job_id: job.job_id, status };
}

describe.each([1, 3])("a job with a retry and a fan_out in %d processes", (processes) => {
  test("is one trace under one root", async () => {
    const { sink, job_id, status } = await ran({ processes });
    expect(status).toBe("completed");
    const root = jobSpan(job_id, 1, sha256);
    expect(new Set(sink.spans.map(({ context }) => context.trace_id))).toEqual(
      new Set([traceIdOf(job_id)]),
    );
    expect(sink.of("job").map(({ context, parent }) => [context, parent])).toEqual([
      [root, undefined],
    ]);
    const lost = sink.spans.filter((span) => span.sort !== "job" && !sink.parentOf(span));
    expect(lost).toEqual([]);
    const ids = sink.spans.map(({ context }) => context.span_id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("has each span beneath the one that led to it", async () => {
    const { sink } = await ran({ processes });
    const parents = (sort: Parameters<typeof sink.of>[0]) =>
      new Set(sink.of(sort).map((span) => sink.parentOf(span)?.sort));
    expect(parents("submit")).toEqual(new Set(["job"]));
    expect(parents("queue")).toEqual(new Set(["submit", "process"]));
    expect(parents("process")).toEqual(new Set(["queue"]));
    expect(parents("attempt")).toEqual(new Set(["process"]));
    expect(parents("chunk")).toEqual(new Set(["process"]));
    expect(parents("item")).toEqual(new Set(["chunk"]));
    for (const span of sink.of("process")) {
      const sent = sink.parentOf(span);
      expect(span.attributes).toMatchObject({ kind: sent?.attributes["kind"] });
      expect(span.attributes["node_id"]).toBe(sent?.attributes["node_id"]);
      expect(span.attributes["attempt"]).toBe(sent?.attributes["attempt"]);
    }
  });

  test("names workflow, version, digest, job, node and attempt", async () => {
    const { sink, job_id } = await ran({ processes });
    const workflow_digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string;
    const pinned = { job_id, workflow_id: "pipeline", workflow_version: 1, workflow_digest };
    expect(sink.of("job")[0]?.attributes).toEqual({ ...pinned, status: "completed" });
    const attempts = sink.of("attempt").map(({ attributes, error }) => ({ ...attributes, error }));
    const shaky = { ...pinned, node_id: "shaky", handler: "flaky" };
    const failed = { outcome: "failed", code: "HANDLER_FAILED", error: "HANDLER_FAILED" };
    expect(attempts).toMatchObject([
      { ...shaky, attempt: 1, ...failed },
      { ...shaky, attempt: 2, ...failed },
      { ...shaky, attempt: 3, outcome: "completed", error: undefined },
    ]);
    const items = sink.of("item").map(({ attributes }) => attributes);
    expect(new Set(items.map(({ index }) => index))).toEqual(new Set([0, 1, 2]));
    for (const item of items) {
      expect(item).toMatchObject({ ...pinned, node_id: "spread", handler: "echo", attempt: 1 });
    }
  });

  test("is counted by workflow and version", async () => {
    const { sink } = await ran({ processes });
    const version = { workflow_id: "pipeline", workflow_version: 1 };
    const values = (name: string) => sink.values.filter(({ metric }) => metric === name);
    for (const metric of ["holdfast.jobs.accepted", "holdfast.jobs.started"]) {
      expect(values(metric)).toEqual([{ metric, value: 1, attributes: version }]);
    }
    const ended = { ...version, status: "completed" };
    expect(values("holdfast.jobs.ended")).toMatchObject([{ value: 1, attributes: ended }]);
    // Two pauses of a second between three attempts.
    expect(sink.total("holdfast.job.duration")).toBeGreaterThanOrEqual(2);
    const outcomes = values("holdfast.attempt.duration").map(({ attributes }) => [
      attributes["node_id"],
      attributes["handler"],
      attributes["outcome"],
    ]);
    expect(outcomes).toEqual([
      ["shaky", "flaky", "failed"],
      ["shaky", "flaky", "failed"],
      ["shaky", "flaky", "completed"],
      ...[1, 2, 3].map(() => ["spread", "echo", "completed"]),
    ]);
    expect(sink.total("holdfast.messages.resent")).toBe(0);
  });
});

test("every value has the attributes of its metric, and no other", async () => {
  const { sink } = await ran({ processes: 2 });
  expect(sink.values.length).toBeGreaterThan(10);
  for (const { metric, attributes } of sink.values) {
    const expected = METRICS[metric as keyof typeof METRICS].attributes;
    expect(Object.keys(attributes).toSorted(), metric).toEqual([...expected].toSorted());
  }
});

test("entry 0 has the root's traceparent, messages have their sender's", async () => {
  const sink = new RecordingSink();
  const runtime = new TestRuntime({ handlers: [echo], sink });
  runtime.catalog.put(chain(2));
  const { job } = await runtime.submit({ workflow_id: "chain" });
  const stored = traceparentOf(jobSpan(job.job_id, 1, sha256));
  expect(job.traceparent).toBe(stored);
  const [entry] = runtime.entries(job.job_id);
  expect(entry).toMatchObject({ events: [{ type: "job_created", traceparent: stored }] });
  const [message] = runtime.queue.receive(1, 1);
  const { traceparent } = JSON.parse(message?.text ?? "{}") as { traceparent?: string };
  const [sent] = sink.of("queue");
  expect(spanContextOf(traceparent)).toEqual(sent?.context);
});

test("without telemetry nothing is stored or sent about a trace", async () => {
  const runtime = new TestRuntime({ handlers: [echo] });
  runtime.catalog.put(chain(2));
  const { job } = await runtime.submit({ workflow_id: "chain" });
  const [message] = runtime.queue.receive(1, 1);
  expect(message?.text).toContain(job.job_id);
  expect(message?.text).not.toContain("traceparent");
  expect(JSON.stringify(runtime.entries(job.job_id))).not.toContain("traceparent");
});

test("a job of the share that is not traced is counted, and tells no span", async () => {
  const { sink, status } = await ran({ traceRatio: 0 });
  expect(status).toBe("completed");
  expect(sink.spans).toEqual([]);
  expect(sink.total("holdfast.jobs.ended")).toBe(1);
});

test("the decision of the process that accepted a job holds in every other", async () => {
  const sink = new RecordingSink();
  const runtime = new TestRuntime({ handlers: [echo], sink, traceRatio: 0 });
  const telemetry = new Telemetry({ sink, clock: runtime.clock, traceRatio: 1 });
  runtime.catalog.put(chain(3));
  const { job } = await runtime.submit({ workflow_id: "chain" });
  runtime.first.die();
  runtime.addProcess({ telemetry });
  await runtime.runToEnd(job.job_id);
  expect(sink.spans).toEqual([]);
});

test.each(["nonsense", `00-${"a".repeat(32)}-${"b".repeat(16)}-01`])(
  "a message that names another trace is handled beneath the job: %s",
  async (traceparent) => {
    const sink = new RecordingSink();
    const runtime = new TestRuntime({ handlers: [echo], sink });
    runtime.catalog.put(chain(2));
    const { job } = await runtime.submit({ workflow_id: "chain" });
    const [message] = runtime.queue.receive(1, 1);
    if (message === undefined) throw new Error("no message");
    runtime.queue.complete(message);
    const changed = { ...(JSON.parse(message.text) as object), traceparent };
    await runtime.queue.send(changed as Parameters<typeof runtime.queue.send>[0], 0);
    await runtime.runToEnd(job.job_id);
    const [process] = sink.of("process");
    expect(process?.context.trace_id).toBe(traceIdOf(job.job_id));
    expect(process && sink.parentOf(process)?.sort).toBe("job");
  },
);

test("an attempt whose worker died is told by whoever found it lost", async () => {
  const sink = new RecordingSink();
  const runtime = new TestRuntime({ handlers: [{ ...echo, run: () => hang() }], sink });
  const hang = (): Promise<never> => {
    runtime.first.die();
    return new Promise(() => undefined);
  };
  const answering = { ...echo };
  runtime.catalog.put(chain(1));
  const { job } = await runtime.submit({ workflow_id: "chain" });
  runtime.dispatch();
  await runtime.clock.advance(0);
  expect(runtime.first.isAlive).toBe(false);
  const { HandlerRegistry } = await import("../../../src/runtime/handlers.ts");
  runtime.addProcess({ handlers: new HandlerRegistry([answering]) });
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  const [lost, done] = sink.of("attempt");
  expect(lost).toMatchObject({
    name: "attempt t1",
    error: "WORKER_LOST",
    attributes: { attempt: 1, outcome: "lost", handler: "echo", node_id: "t1" },
  });
  expect(lost && sink.parentOf(lost)?.sort).toBe("job");
  expect(Number(lost?.ended_at_ms) - Number(lost?.started_at_ms)).toBeGreaterThanOrEqual(60_000);
  expect(done?.attributes).toMatchObject({ attempt: 2, outcome: "completed" });
  const outcomes = sink.values.filter(({ metric }) => metric === "holdfast.attempt.duration");
  expect(outcomes.map(({ attributes }) => attributes["outcome"])).toEqual(["lost", "completed"]);
  expect(sink.of("sweep").length).toBeGreaterThan(0);
});

test("a second copy of a message counts as a duplicate", async () => {
  const { sink, runtime, job_id } = await ran({ shape: chain(2) });
  expect(sink.total("holdfast.messages.duplicate")).toBe(0);
  const message = {
    v: 1,
    kind: "task",
    job_id,
    node_id: "t1",
    attempt: 1,
    rev: 1,
    first_sent_at: runtime.clock.now(),
    deferrals: 0,
  } as const;
  await runtime.queue.send(message, 0);
  runtime.dispatch();
  await runtime.clock.advance(0);
  expect(sink.values.at(-1)).toEqual({
    metric: "holdfast.messages.duplicate",
    value: 1,
    attributes: { kind: "task" },
  });
});

test("a message that waits for the world counts as put back, its age once", async () => {
  const sink = new RecordingSink();
  const runtime = new TestRuntime({ handlers: [echo], sink });
  const job_id = "01a202b2-0d8f-7c31-9d3f-5a1b2c3d4e5f";
  const first_sent_at = runtime.clock.now();
  const early = { v: 1, kind: "start", job_id, rev: 0, first_sent_at, deferrals: 0 } as const;
  await runtime.queue.send(early, 0);
  for (let n = 0; n < 3; n += 1) {
    runtime.dispatch();
    await runtime.clock.advance(1000);
  }
  expect(sink.total("holdfast.messages.deferred")).toBe(3);
  expect(sink.values.filter(({ metric }) => metric === "holdfast.message.age")).toHaveLength(1);
});

test("poisoned messages and what is cancelled are told beneath the job", async () => {
  const sink = new RecordingSink();
  const runtime = new TestRuntime({ handlers: [echo], sink });
  runtime.catalog.put(chain(2));
  const { job } = await runtime.submit({ workflow_id: "chain" });
  const [message] = runtime.queue.receive(1, 600);
  await runtime.poison(message?.text ?? "");
  await runtime.poison("not one of ours");
  await runtime.cancel(job.job_id);
  await runtime.runToEnd(job.job_id);
  const poisoned = sink.values.filter(({ metric }) => metric === "holdfast.messages.poisoned");
  expect(poisoned.map(({ attributes }) => attributes["kind"])).toEqual(["start", "unknown"]);
  const [poison] = sink.of("poison");
  expect(poison && sink.parentOf(poison)?.sort).toBe("queue");
  const [cancel] = sink.of("cancel");
  expect(cancel && sink.parentOf(cancel)?.sort).toBe("job");
  expect(sink.of("job")[0]).toMatchObject({
    error: "JOB_CANCELLED",
    attributes: { status: "cancelled", code: "JOB_CANCELLED" },
  });
});

describe("Telemetry", () => {
  const clock = new TestRuntime().clock;
  const HOST = `00-${"c".repeat(32)}-${"d".repeat(16)}-01`;

  test("what happens in somebody else's span is beneath it", async () => {
    const sink = new RecordingSink();
    const telemetry = new Telemetry({ sink, clock, traceRatio: 1 });
    telemetry.under(HOST, () => telemetry.past({ sort: "store", name: "jobs.query" }, 5));
    expect(sink.spans[0]).toMatchObject({
      parent: { trace_id: "c".repeat(32), span_id: "d".repeat(16) },
      context: { trace_id: "c".repeat(32), sampled: true },
    });
    const { started_at_ms = 0, ended_at_ms = 0 } = sink.spans[0] ?? {};
    expect(ended_at_ms - started_at_ms).toBe(5);
  });

  test("a span of another trace links to the one it was made in", async () => {
    const sink = new RecordingSink();
    const telemetry = new Telemetry({ sink, clock, traceRatio: 1 });
    const parent = telemetry.job("01a202b2-0d8f-7c31-9d3f-5a1b2c3d4e5f");
    const start = { sort: "submit", name: "submit x", parent } as const;
    await telemetry.under(HOST, () => telemetry.span(start, async () => undefined));
    await telemetry.span(start, async () => undefined);
    expect(sink.spans.map(({ links }) => links)).toEqual([[spanContextOf(HOST)], []]);
  });

  test("an invocation that the host does not trace tells no span of its own", () => {
    const sink = new RecordingSink();
    const telemetry = new Telemetry({ sink, clock, traceRatio: 1 });
    const untraced = HOST.replace(/01$/, "00");
    telemetry.under(untraced, () => telemetry.past({ sort: "store", name: "jobs.query" }, 1));
    expect(sink.spans).toEqual([]);
  });

  test("what is thrown in a span ends it with the error, and goes on", async () => {
    const sink = new RecordingSink();
    const telemetry = new Telemetry({ sink, clock, traceRatio: 1 });
    const start = { sort: "cancel", name: "cancel job" } as const;
    const thrown = new Error("no");
    const failing = telemetry.span(start, () => Promise.reject(thrown));
    await expect(failing).rejects.toBe(thrown);
    expect(sink.spans[0]?.error).toBe("Error: no");
  });

  test("a log line belongs to its span, or to the job that it names, or to nothing", async () => {
    const sink = new RecordingSink();
    const telemetry = new Telemetry({ sink, clock, traceRatio: 1 });
    const job_id = "01a202b2-0d8f-7c31-9d3f-5a1b2c3d4e5f";
    telemetry.under(HOST, () => telemetry.log("info", "job.accepted", { job_id }));
    telemetry.log("info", "job.accepted", { job_id });
    telemetry.log("warn", "sweep.failed", {});
    expect(sink.logs.map(({ context }) => context)).toEqual([
      spanContextOf(HOST),
      jobSpan(job_id, 1, sha256),
      undefined,
    ]);
  });

  test("without telemetry work is done as it is", async () => {
    const start = (): never => {
      throw new Error("asked");
    };
    expect(await traced(undefined, start, async (span) => [span])).toEqual([undefined]);
  });
});
