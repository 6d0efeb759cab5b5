// What the timer looks up once a minute: the largest age, the queue, the lag; each for itself.
import { expect, test } from "vitest";
import { WorkflowError } from "../../../src/core/error.ts";
import { readGauges } from "../../../src/runtime/read-gauges.ts";
import type { GaugeOptions } from "../../../src/runtime/read-gauges.ts";
import { foldStats } from "../../../src/runtime/fold-stats.ts";
import { RecordingSink } from "../../support/recording-sink.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, echo } from "../../support/shapes.ts";

const down = (): Promise<never> =>
  Promise.reject(new WorkflowError("QUEUE_UNAVAILABLE", "down", { retryable: true }));

async function waitingFor(seconds: number) {
  const sink = new RecordingSink();
  const runtime = new TestRuntime({ handlers: [echo], sink });
  runtime.catalog.put(chain(2));
  const { job_id } = (await runtime.submit({ workflow_id: "chain" })).job;
  await runtime.clock.advance(seconds * 1000);
  const { engine } = runtime.first;
  const { stats } = runtime.store;
  await foldStats({ store: stats, engine, delaySeconds: 30 });
  sink.values.length = 0;
  const read = (changes: Partial<GaugeOptions> = {}) =>
    readGauges({
      engine,
      lengths: { read: async () => ({ "holdfast-work": 1, "holdfast-work-poison": 0 }) },
      stats,
      ...changes,
    });
  const values = () =>
    Object.fromEntries(
      sink.values.map(({ metric, value, attributes }) => [
        [metric.replace("holdfast.", ""), ...Object.values(attributes)].join(" "),
        value,
      ]),
    );
  return { runtime, engine, read, values, job_id };
}

test("a job that nobody took shows in every gauge", async () => {
  const { read, values } = await waitingFor(300);
  await read();
  expect(values()).toEqual({
    "queue.length holdfast-work": 1,
    "queue.length holdfast-work-poison": 0,
    "queue.age": 300,
    "jobs.open pending": 1,
    "jobs.open running": 0,
    "jobs.open suspended": 0,
    "jobs.open cancelling": 0,
    "jobs.oldest_age": 300,
    // Due a minute after it was accepted.
    "sweep.lag": 240,
  });
});

test("with nothing to do the ages are zero", async () => {
  const { runtime, read, values, job_id } = await waitingFor(0);
  await runtime.runToEnd(job_id);
  await read();
  const seen = values();
  expect(seen["queue.age"]).toBe(0);
  expect(seen["jobs.oldest_age"]).toBe(0);
  expect(seen["sweep.lag"]).toBe(0);
});

test("a look that fails is logged and hides no other", async () => {
  const { runtime, engine, read, values } = await waitingFor(10);
  const queue = { ...engine.queue, oldest: down };
  await read({ lengths: { read: down }, engine: { ...engine, queue } });
  expect(Object.keys(values())).toContain("jobs.oldest_age");
  expect(Object.keys(values()).filter((name) => name.startsWith("queue"))).toEqual([]);
  const failed = runtime.logs.filter(({ name }) => name === "gauge.failed");
  expect(failed.map(({ fields }) => fields["error"])).toEqual([
    "QUEUE_UNAVAILABLE: down",
    "QUEUE_UNAVAILABLE: down",
  ]);
});

test("without telemetry nothing is looked up", async () => {
  const { engine, read } = await waitingFor(10);
  const { telemetry: _off, ...quiet } = engine;
  const jobs = { ...engine.jobs, list: down, due: down };
  await read({ engine: { ...quiet, jobs }, lengths: { read: down } });
});
