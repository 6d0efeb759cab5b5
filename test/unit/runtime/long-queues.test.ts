// What only many jobs, many values or long waits show: a sweep behind a long queue, decisions that
// read many stored outputs, wakes while nothing can be stored, and work that waited for a store.
import { describe, expect, test } from "vitest";
import { addSeconds, epochMs } from "../../../src/core/instant.ts";
import { defineHandler } from "../../../src/runtime/handlers.ts";
import type { Handler } from "../../../src/runtime/handlers.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { echo, fan, large, parallel, task, workflow } from "../../support/shapes.ts";

/** Answers after so many seconds, or never. */
function waiting(runtime: () => TestRuntime, seconds: number): Handler {
  return defineHandler({
    name: "waiting",
    version: "1",
    params: echo.params,
    output: echo.output,
    run: () =>
      new Promise((resolve) => {
        if (!Number.isFinite(seconds)) return;
        runtime().clock.after(seconds * 1000, () => resolve({ v: 1 }));
      }),
  });
}

const WAIT = { handler: "waiting", params: {} };
const ONE = workflow("one", {
  start: { type: "start", next: "a" },
  a: task("end", { handler: "waiting", timeout_seconds: 540 }),
  end: { type: "end" },
});

describe("a sweep behind a long queue", () => {
  /** Jobs that wait in line, then one whose process died. */
  async function behind(count: number): Promise<[TestRuntime, string]> {
    const runtime: TestRuntime = new TestRuntime({
      handlers: [echo, waiting(() => runtime, Infinity)],
    });
    runtime.isSweeping = false;
    runtime.catalog.put({ ...ONE, timeout_seconds: 300 });
    const plain = { start: { type: "start", next: "a" }, a: task("end"), end: { type: "end" } };
    runtime.catalog.put(workflow("plain", plain));
    const { job } = await runtime.submit({ workflow_id: "one" });
    runtime.dispatch();
    await runtime.clock.advance(1_000);
    const process = runtime.addProcess();
    for (let n = 0; n < count; n += 1) {
      await runtime.submit({ workflow_id: "plain" }, { process });
      if (n % 100 === 0) await runtime.clock.advance(1);
    }
    await runtime.clock.advance(100_000);
    runtime.first.die();
    return [runtime, job.job_id];
  }

  test("finds who is due later, though a thousand stay due", async () => {
    const [runtime, jobId] = await behind(1_050);
    await runtime.clock.advance(120_000);
    await runtime.sweep();
    await runtime.clock.advance(15_000);
    await runtime.sweep();
    expect(runtime.sweeps.at(-1)?.jobs).toBeGreaterThanOrEqual(1_050);
    expect(runtime.entries(jobId).length).toBeGreaterThan(2);
  });

  test("goes on the next time where it ran out of time", async () => {
    const [runtime] = await behind(300);
    await runtime.clock.advance(120_000);
    // Each look at a job takes seconds: 40 s are over before all have been looked at.
    runtime.gate.latencyMs = ({ operation }) => (operation === "jobs.read" ? 2_000 : 0);
    let seen = 0;
    for (let turn = 1; turn <= 3; turn += 1) {
      void runtime.sweep();
      await runtime.clock.advance(120_000);
      expect(runtime.sweeps).toHaveLength(turn);
      const { jobs = 0 } = runtime.sweeps.at(-1) ?? {};
      expect(jobs).toBeLessThan(200);
      seen += jobs;
    }
    expect(seen).toBeGreaterThanOrEqual(301);
  });
});

test("a decision may read as many stored outputs as there are nodes", async () => {
  const count = 24;
  const nodes: Record<string, unknown> = { start: { type: "start", next: "t1" } };
  for (let n = 1; n <= count; n += 1) {
    const next = n === count ? "c1" : `t${n + 1}`;
    nodes[`t${n}`] = { type: "task", handler: "large", params: { bytes: 9_000 + n }, next };
    nodes[`c${n}`] = {
      type: "conditional",
      condition_field: `{{ size(nodes.t${n}.output) }}`,
      branches: [
        { name: "big", condition: "> 100", next: n === count ? "end" : `c${n + 1}` },
        { name: "other", default: true, next: "end" },
      ],
    };
  }
  const runtime = new TestRuntime({ handlers: [large] });
  runtime.catalog.put(workflow("loads", { ...nodes, end: { type: "end" } }));
  const { job } = await runtime.submit({ workflow_id: "loads" });
  expect(await runtime.runToEnd(job.job_id, 60)).toBe("completed");
  const started = runtime.logs.filter(({ name }) => name === "node.started");
  expect(started).toHaveLength(count);
});

test("while no suspicion can be stored, wakes beget no wakes", async () => {
  const runtime: TestRuntime = new TestRuntime({
    handlers: [waiting(() => runtime, Infinity)],
  });
  runtime.catalog.put(ONE);
  const { job } = await runtime.submit({ workflow_id: "one" });
  await runtime.run(() => runtime.entries(job.job_id).length > 1, 10);
  runtime.first.die();
  runtime.addProcess();
  runtime.gate.rule = ({ operation }) => (operation === "jobs.replace" ? "refused" : undefined);
  const before = runtime.queue.requests.get("queue.send") ?? 0;
  const until = epochMs(runtime.clock.now()) + 20 * 60_000;
  await runtime.run(() => epochMs(runtime.clock.now()) >= until, 1_300);
  expect((runtime.queue.requests.get("queue.send") ?? 0) - before).toBeLessThan(10);
});

describe("an invocation whose store was down for minutes", () => {
  const shapes: readonly [string, ReturnType<typeof workflow>, object][] = [
    ["task", ONE, {}],
    ["chunk", fan({ task: WAIT, timeout_seconds: 540 }), { list: [1] }],
  ];
  test.each(shapes)("hands a %s back that no longer fits", async (kind, shape, input) => {
    const runtime: TestRuntime = new TestRuntime({ handlers: [waiting(() => runtime, 480)] });
    const { workflow_id } = runtime.catalog.put(shape).definition;
    const { job } = await runtime.submit({ workflow_id, input_params: { ...input } });
    let since: number | undefined;
    runtime.gate.rule = ({ operation, id }) => {
      const now = epochMs(runtime.clock.now());
      const isClaim = kind === "task" ? id === "1" : id.startsWith("claim:");
      if (since === undefined && operation === "journal.create" && isClaim) {
        since = now;
        return kind === "task" ? "unanswered" : "refused";
      }
      const isDown = since !== undefined && now - since < 180_000;
      return isDown && !operation.startsWith("queue") ? "refused" : undefined;
    };
    expect(await runtime.runToEnd(job.job_id, 3_600)).toBe("completed");
    const lost = runtime.entries(job.job_id).filter((entry) =>
      JSON.stringify(entry["events"]).includes(kind === "task" ? "node_lost" : "chunk_lost"),
    );
    // At once when the store is back, not when the handler would have ended.
    expect(lost).toHaveLength(1);
    expect(epochMs(String(lost[0]?.["at"])) - (since ?? 0)).toBeLessThan(200_000);
  });
});

test("whoever finds that a commit without an answer stands logs it once", async () => {
  for (let entry = 1; entry <= 3; entry += 1) {
    const runtime = new TestRuntime({ handlers: [echo] });
    runtime.catalog.put(parallel(3));
    const { job } = await runtime.submit({ workflow_id: "parallel" });
    let created = 0;
    runtime.gate.rule = ({ operation }) => {
      if (operation !== "journal.create") return undefined;
      created += 1;
      return created === entry ? "unanswered" : undefined;
    };
    expect(await runtime.runToEnd(job.job_id, 600)).toBe("completed");
    // Whoever waited for the answer looks after others ended the job.
    const end = addSeconds(runtime.clock.now(), 60);
    await runtime.run(() => runtime.clock.now() >= end);
    const told = (event: string): string[] => {
      const lines = runtime.logs.filter(({ name }) => name === event);
      return lines.map(({ fields }) => String(fields["node_id"]));
    };
    expect(told("job.started")).toHaveLength(1);
    expect(told("job.ended")).toHaveLength(1);
    expect(told("node.ended").toSorted()).toEqual(["p1", "p2", "p3"]);
  }
});
