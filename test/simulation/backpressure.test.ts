// More work than the workers can take. A queue with ten thousand older messages delays jobs by an
// hour and ends none wrongly; one job's wide fan_out leaves room for another's single task; a
// handler that hangs holds nobody else; what is over a bound waits in the queue, not in memory.
import { expect, test } from "vitest";
import { addSeconds, epochMs, later } from "../../src/core/instant.ts";
import { defineHandler } from "../../src/runtime/handlers.ts";
import type { Handler } from "../../src/runtime/handlers.ts";
import { checkEnded } from "../support/job-checks.ts";
import { TestRuntime } from "../support/runtime.ts";
import { chain, diamond, echo, fan, flaky, numbers, parallel } from "../support/shapes.ts";
import { retrying, task, workflow } from "../support/shapes.ts";
import { chance } from "./outage-world.ts";

const LONG = { timeout: 120_000 };

/** The host takes so many messages, so often. */
function slowHost(runtime: TestRuntime, pace: { readonly take: number; readonly seconds: number }) {
  const { queue, clock } = runtime;
  const receive = queue.receive.bind(queue);
  const nextVisible = queue.nextVisible.bind(queue);
  let next = clock.now();
  Object.assign(queue, {
    receive: (_limit: number, seconds: number) => {
      if (clock.now() < next) return [];
      next = addSeconds(clock.now(), pace.seconds);
      return receive(pace.take, seconds);
    },
    nextVisible: () => {
      const visible = nextVisible();
      return visible === undefined ? undefined : later(visible, next);
    },
  });
}

function secondsSince(runtime: TestRuntime, began: string): number {
  return (epochMs(runtime.clock.now()) - epochMs(began)) / 1000;
}

function typesOf(runtime: TestRuntime, jobId: string): readonly string[] {
  return runtime
    .entries(jobId)
    .flatMap((entry) => (entry["events"] as { type: string }[]).map(({ type }) => type));
}

test("ten thousand older messages delay jobs by an hour and end none wrongly", LONG, async () => {
  const runtime = new TestRuntime({ handlers: [echo, flaky] });
  runtime.addProcess();
  runtime.addProcess();
  const shapes = [chain(3), diamond(), parallel(5), retrying(), fan()];
  for (const shape of shapes) runtime.catalog.put(shape);
  // An old job's wakes: each is handled, and finds nothing to do.
  const old = await runtime.submit({ workflow_id: "chain" });
  await runtime.runToEnd(old.job.job_id);
  const facts = { v: 1, kind: "wake", job_id: old.job.job_id, rev: 0, deferrals: 0 };
  const text = JSON.stringify({ ...facts, first_sent_at: runtime.clock.now() });
  for (let n = 0; n < 10_000; n += 1) runtime.queue.put(text);
  await runtime.clock.advance(1000);
  slowHost(runtime, { take: 30, seconds: 10.8 });
  const began = runtime.clock.now();
  const jobs: string[] = [];
  for (const shape of shapes) {
    const input_params = "inputs" in shape ? { list: [...numbers(40)] } : {};
    const workflow_id = String(shape["workflow_id"]);
    const { job } = await runtime.submit({ workflow_id, input_params });
    jobs.push(job.job_id);
  }
  runtime.gate.requests = [];
  await runtime.run(() => jobs.every((id) => runtime.status(id) === "completed"), 3 * 3600);
  expect(secondsSince(runtime, began)).toBeGreaterThan(3500);
  expect(secondsSince(runtime, began)).toBeLessThan(3600 + 600);
  for (const jobId of jobs) {
    const types = typesOf(runtime, jobId);
    expect(types).not.toContain("node_lost");
    expect(types).not.toContain("chunk_lost");
    expect(types).not.toContain("message_poisoned");
    await checkEnded(runtime, jobId);
  }
  // Nobody sends again what is in line: a long queue must not grow by being long.
  expect(runtime.rescues).toBe(0);
  expect(runtime.errors).toEqual([]);
});

/** Takes a second of the clock. */
function second(runtime: () => TestRuntime): Handler {
  return defineHandler({
    name: "second",
    version: "1",
    params: echo.params,
    output: echo.output,
    run: () => new Promise((done) => runtime().clock.after(1000, () => done({ v: 1 }))),
  });
}

test("one job's ten thousand items leave room for another job's one task", LONG, async () => {
  const runtime: TestRuntime = new TestRuntime({ handlers: [second(() => runtime), echo] });
  runtime.catalog.put(fan({ task: { handler: "second", params: {} } }));
  runtime.catalog.put(chain(1));
  // As one process of the host: 24 messages at once, each new one in its turn.
  slowHost(runtime, { take: 24, seconds: 1 });
  const wide = await runtime.submit({
    workflow_id: "fan",
    input_params: { list: [...numbers(10_000)] },
  });
  await runtime.run(() => typesOf(runtime, wide.job.job_id).length > 3, 60);
  const waits: number[] = [];
  for (let n = 0; n < 5 && runtime.status(wide.job.job_id) !== "completed"; n += 1) {
    const began = runtime.clock.now();
    const { job } = await runtime.submit({ workflow_id: "chain" });
    expect(await runtime.runToEnd(job.job_id, 120)).toBe("completed");
    waits.push(secondsSince(runtime, began));
  }
  expect(await runtime.runToEnd(wide.job.job_id, 600)).toBe("completed");
  // 313 chunks are in line at most once, 24 a second, and a task waits for its turn but once.
  expect(Math.max(...waits)).toBeLessThanOrEqual(20);
  await checkEnded(runtime, wide.job.job_id);
});

test("a handler that never ends and ignores its signal holds no other job", LONG, async () => {
  const hung = defineHandler({
    name: "hung",
    version: "1",
    params: echo.params,
    output: echo.output,
    run: () => new Promise<null>(() => undefined),
  });
  const runtime = new TestRuntime({ handlers: [hung, echo] });
  const stuck = { handler: "hung", timeout_seconds: 60, on_error: "continue" };
  runtime.catalog.put(
    workflow("stuck", {
      start: { type: "start", next: "a" },
      a: task("end", stuck),
      end: { type: "end" },
    }),
  );
  runtime.catalog.put(chain(3));
  const bad: string[] = [];
  for (let n = 0; n < 20; n += 1) {
    bad.push((await runtime.submit({ workflow_id: "stuck" })).job.job_id);
  }
  await runtime.run(() => bad.every((id) => runtime.entries(id).length > 1), 10);
  const began = runtime.clock.now();
  const { job } = await runtime.submit({ workflow_id: "chain" });
  expect(await runtime.runToEnd(job.job_id, 10)).toBe("completed");
  expect(secondsSince(runtime, began)).toBeLessThan(1);
  await runtime.run(() => bad.every((id) => runtime.status(id) === "completed"), 120);
  for (const id of bad) expect(typesOf(runtime, id)).toContain("node_timed_out");
  // Its slot is free again, and nothing is kept of it.
  expect([runtime.first.sessions.size, runtime.clock.pending]).toEqual([0, 0]);
});

test("a store that throttles two requests of five loses no job", LONG, async () => {
  const runtime = new TestRuntime({ handlers: [echo] });
  runtime.addProcess();
  runtime.catalog.put(chain(3));
  const jobs: string[] = [];
  let refused = 0;
  runtime.gate.rule = ({ number, operation }) => {
    if (operation.startsWith("queue") || chance("throttle", number) > 0.4) return undefined;
    refused += 1;
    return "throttled";
  };
  for (let n = 0; n < 60; n += 1) {
    try {
      jobs.push((await runtime.submit({ workflow_id: "chain" }, { key: `k${n}` })).job.job_id);
    } catch (error) {
      // Surfaces as what the API answers with 503 and Retry-After.
      expect(error).toMatchObject({ code: "STORE_THROTTLED", retryable: true });
    }
  }
  expect(jobs.length).toBeGreaterThan(0);
  await runtime.run(() => jobs.every((id) => runtime.status(id) === "completed"), 3600);
  expect(refused).toBeGreaterThan(100);
  expect(runtime.errors).toEqual([]);
  expect(runtime.processes.map(({ sessions }) => sessions.size)).toEqual([0, 0]);
});
