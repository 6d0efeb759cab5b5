// A sink that is loaded behind the start: nothing told before is lost, and a failure stops nothing.
import { expect, test } from "vitest";
import { lazySink } from "../../../src/azure/lazy-telemetry.ts";
import type { TelemetrySink } from "../../../src/runtime/telemetry.ts";
import { RecordingSink } from "../../support/recording-sink.ts";

function lazy(load: () => Promise<TelemetrySink>) {
  const failures: unknown[] = [];
  let start = (): void => undefined;
  const sink = lazySink({
    load,
    onFailure: (error) => void failures.push(error),
    later: (work) => {
      start = work;
    },
  });
  return { sink, failures, start: () => start() };
}

const log = { level: "info", name: "host.ready", fields: {}, at_ms: 0 } as const;
const span = {
  sort: "store",
  name: "jobs.read",
  context: { trace_id: "a", span_id: "b", sampled: true },
  links: [],
  started_at_ms: 0,
  ended_at_ms: 1,
  attributes: {},
} as const;

test("what is told before it is loaded is told then, in its order", async () => {
  const target = new RecordingSink();
  const { sink, start } = lazy(async () => target);
  sink.log(log);
  sink.span(span);
  sink.measure("holdfast.queue.age", 1, {});
  expect(target.logs).toEqual([]);
  start();
  await sink.flush();
  sink.measure("holdfast.queue.age", 2, {});
  expect(target.logs).toEqual([log]);
  expect(target.spans).toEqual([span]);
  expect(target.values.map(({ value }) => value)).toEqual([1, 2]);
  expect(target.flushes).toBe(1);
});

test("nothing is loaded before its time", () => {
  const { sink } = lazy(() => {
    throw new Error("too early");
  });
  sink.log(log);
});

test("where loading fails that is said once, and the rest goes nowhere", async () => {
  const { sink, failures, start } = lazy(() => Promise.reject(new Error("no such package")));
  sink.log(log);
  start();
  await sink.flush();
  sink.log(log);
  await sink.flush();
  expect(failures).toEqual([new Error("no such package")]);
});

test("what is kept before the loading has a bound", async () => {
  const target = new RecordingSink();
  const { sink, start } = lazy(async () => target);
  for (let n = 0; n < 3000; n += 1) sink.measure("holdfast.queue.age", n, {});
  start();
  await sink.flush();
  expect(target.values).toHaveLength(2000);
  expect(target.values[0]?.value).toBe(0);
});
