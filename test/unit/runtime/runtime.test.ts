import { expect, test } from "vitest";
import { z } from "zod";
import { defineHandler, RetryableError } from "../../../src/runtime/handlers.ts";
import { TestRuntime } from "../../support/runtime.ts";

const echo = defineHandler({
  name: "echo",
  version: "1",
  params: z.record(z.string(), z.json()),
  output: z.json(),
  run: ({ params }) => params,
});

const flaky = defineHandler({
  name: "flaky",
  version: "1",
  params: z.record(z.string(), z.json()),
  output: z.json(),
  run: ({ attempt }) => {
    if (attempt < 3) throw new RetryableError("not yet");
    return { attempt };
  },
});

function chain(length: number): unknown {
  const nodes: Record<string, unknown> = { start: { type: "start", next: "t1" } };
  for (let n = 1; n <= length; n += 1) {
    const next = n === length ? "end" : `t${n + 1}`;
    nodes[`t${n}`] = { type: "task", handler: "echo", params: { n }, next };
  }
  nodes["end"] = { type: "end" };
  return { workflow_id: "chain", version: 1, nodes };
}

test("a chain of ten tasks runs in one invocation at the floor of requests", async () => {
  const runtime = new TestRuntime({ handlers: [echo] });
  runtime.catalog.put(chain(10));
  const { job } = await runtime.submit({ workflow_id: "chain" });
  runtime.store.resetRequests();
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  expect(Object.fromEntries(runtime.store.requests)).toEqual({
    "journal.create": 11,
    "jobs.read": 1,
    "jobs.replace": 1,
  });
  expect(runtime.queue.requests.get("queue.send")).toBe(1);
  expect(runtime.result(job.job_id)["t10"]).toEqual({ n: 10 });
});

test("a retried task waits for its delay and ends with the attempt that succeeded", async () => {
  const runtime = new TestRuntime({ handlers: [flaky] });
  runtime.catalog.put({
    workflow_id: "w",
    version: 1,
    nodes: {
      start: { type: "start", next: "a" },
      a: {
        type: "task",
        handler: "flaky",
        retry: { initial_delay_seconds: 5, jitter: 0 },
        next: "end",
      },
      end: { type: "end" },
    },
  });
  const { job } = await runtime.submit({ workflow_id: "w" });
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  expect(runtime.result(job.job_id)["a"]).toEqual({ attempt: 3 });
  expect(runtime.sweeps.every(({ resent, advanced }) => resent + advanced === 0)).toBe(true);
});

test("a fan_out of 1,000 items gives its results in item order", async () => {
  const runtime = new TestRuntime({ handlers: [echo] });
  runtime.catalog.put({
    workflow_id: "fan",
    version: 1,
    inputs: { list: { type: "array", required: true } },
    nodes: {
      start: { type: "start", next: "split" },
      split: {
        type: "fan_out",
        source: "{{ inputs.list }}",
        task: { handler: "echo", params: { v: "{{ item * 2 }}" } },
        next: "join",
      },
      join: { type: "fan_in", select: "value.v", next: "end" },
      end: { type: "end" },
    },
  });
  const list = Array.from({ length: 1000 }, (_, index) => index);
  const { job } = await runtime.submit({ workflow_id: "fan", input_params: { list } });
  runtime.store.resetRequests();
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  const requests = [...runtime.store.requests.values()].reduce((sum, n) => sum + n, 0);
  expect(requests).toBeLessThanOrEqual(6 * 32 + 10);
  const events = runtime.entries(job.job_id).flatMap(
    (entry) => entry["events"] as { type: string; node_id?: string; output?: unknown }[],
  );
  const join = events.find(
    ({ type, node_id }) => type === "node_completed" && node_id === "join",
  );
  expect(join?.output).toEqual({ results: list.map((n) => n * 2), count: 1000, failed: [] });
});
