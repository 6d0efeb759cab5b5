// Requests to the stores as spans and numbers.
import { expect, test } from "vitest";
import { queueRequests, storeRequests } from "../../../src/azure/request-telemetry.ts";
import { MemoryClock } from "../../../src/memory/memory-clock.ts";
import { Telemetry } from "../../../src/runtime/telemetry.ts";
import { RecordingSink } from "../../support/recording-sink.ts";

function made() {
  const sink = new RecordingSink();
  const telemetry = new Telemetry({ sink, clock: new MemoryClock(), traceRatio: 1 });
  return { sink, store: storeRequests(telemetry, "holdfast"), queue: queueRequests(telemetry) };
}

test("a request is a span with container, operation, status and charge", () => {
  const { sink, store } = made();
  store("journal.create", "201", { ms: 7, request_charge: 5.71 });
  expect(sink.spans).toMatchObject([
    {
      sort: "store",
      name: "journal.create",
      attributes: {
        "db.system.name": "azure.cosmosdb",
        "db.namespace": "holdfast",
        "db.collection.name": "journal",
        "db.operation.name": "create",
        status: "201",
        request_charge: 5.71,
      },
    },
  ]);
  expect(sink.spans[0]).not.toHaveProperty("error");
  expect(sink.values).toEqual([
    {
      metric: "holdfast.cosmos.request_charge",
      value: 5.71,
      attributes: { container: "journal", operation: "create", status: "201" },
    },
  ]);
});

test.each([
  ["409", 1, undefined],
  ["412", 1, undefined],
  ["404", 0, undefined],
  ["429", 0, "429"],
  ["503", 0, "503"],
  ["lost", 0, "lost"],
])("status %s: %d conflicts, error %s", (status, conflicts, error) => {
  const { sink, store } = made();
  store("jobs.replace", status, { ms: 1 });
  expect(sink.total("holdfast.store.conflicts")).toBe(conflicts);
  expect(sink.spans[0]?.error).toBe(error);
});

test("a send has its span already, other calls to a queue get one", () => {
  const { sink, queue } = made();
  queue("queue.send", "200", { ms: 1 });
  queue("queue.peek", "503", { ms: 1 });
  expect(sink.spans.map(({ name, error }) => [name, error])).toEqual([["queue.peek", "503"]]);
});
