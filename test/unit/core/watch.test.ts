// Due times and what is kept beside the journal: functions of stored instants alone.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Watch } from "../../../src/core/effect.ts";
import { addSeconds, instantOf } from "../../../src/core/instant.ts";
import { isWanted, leaseDue, mergeWatch, pruneWatch, sendDue } from "../../../src/core/watch.ts";
import { definition, fanOut, numbers, start, task } from "../../support/build.ts";
import { TestEngine, TIMING } from "../../support/engine.ts";

const T = "2026-01-01T00:00:00.000Z";
const EMPTY: Watch = { renewals: {}, resends: {} };

test("a due time counts from the latest of queueing, delay and last re-send", () => {
  const context = { watch: EMPTY, timing: TIMING };
  expect(sendDue({ queued_at: T }, "a:1", context)).toBe(addSeconds(T, 60));
  const not_before = addSeconds(T, 100);
  expect(sendDue({ queued_at: T, not_before }, "a:1", context)).toBe(addSeconds(T, 160));
  const resends = { "a:1": { at: addSeconds(T, 500), n: 2 } };
  const watch = { ...EMPTY, resends };
  expect(sendDue({ queued_at: T, not_before }, "a:1", { watch, timing: TIMING })).toBe(
    addSeconds(T, 740),
  );
  expect(sendDue({}, "a:1", context)).toBe("1970-01-01T00:01:00.000Z");
  const often = { ...EMPTY, resends: { "a:1": { at: T, n: 99_999 } } };
  expect(sendDue({ queued_at: T }, "a:1", { watch: often, timing: TIMING })).toBe(
    addSeconds(T, 480),
  );
});

test("a lease is looked at before its end, and again once its worker was suspected", () => {
  const due = (suspected?: string): string => {
    const suspects = suspected === undefined ? {} : { suspects: { "a:1": suspected } };
    return leaseDue(T, "a:1", { watch: { ...EMPTY, ...suspects }, timing: TIMING });
  };
  expect(due()).toBe(addSeconds(T, 50));
  // Cleared by a later sign of life.
  expect(due(addSeconds(T, -0.001))).toBe(addSeconds(T, 50));
  expect(due(T)).toBe(addSeconds(T, 60));
  expect(due(addSeconds(T, 50))).toBe(addSeconds(T, 60));
  expect(due(addSeconds(T, 55))).toBe(addSeconds(T, 65));
});

const key = fc.constantFrom("a:1", "b:2", "f#0:1");
const at = fc.integer({ min: 0, max: 1000 }).map(instantOf);
const watches: fc.Arbitrary<Watch> = fc.record({
  renewals: fc.dictionary(key, at),
  resends: fc.dictionary(key, fc.record({ at, n: fc.integer({ min: 1, max: 3 }) })),
  suspects: fc.dictionary(key, at, { minKeys: 1 }),
});
const plain = (watch: Watch) => JSON.parse(JSON.stringify(watch)) as Watch;

test("merging watches does not depend on order or repetition", () => {
  fc.assert(
    fc.property(watches, watches, watches, (a, b, c) => {
      expect(mergeWatch(a, b)).toEqual(mergeWatch(b, a));
      expect(mergeWatch(a, a)).toEqual(plain(a));
      expect(mergeWatch(mergeWatch(a, b), c)).toEqual(mergeWatch(a, mergeWatch(b, c)));
      expect(mergeWatch(mergeWatch(a, b), b)).toEqual(mergeWatch(a, b));
    }),
  );
});

function busy(): TestEngine {
  const engine = new TestEngine(
    definition({ s: start("a", "b", "f"), a: task(), b: task(), f: fanOut() }),
    { inputs: { items: numbers(2) } },
  );
  engine.receiveAt(0);
  return engine;
}

test("a watch keeps the attempts that live, and nothing of a job that has ended", () => {
  const engine = busy();
  const keys = ["a:1", "a:2", "a:3", "b:1", "f#0:1", "f#0:2", "f#1:1", "f#9:1", "ghost:1"];
  const watch: Watch = {
    renewals: Object.fromEntries(keys.map((one) => [one, T])),
    resends: Object.fromEntries(keys.map((one) => [one, { at: T, n: 1 }])),
  };
  const kept = pruneWatch(engine.job, watch);
  const left = ["a:1", "a:2", "b:1", "f#0:1", "f#1:1"];
  expect(Object.keys(kept.renewals)).toEqual(left);
  expect(Object.keys(kept.resends)).toEqual(left);
  expect(kept.suspects).toBeUndefined();
  const suspects = Object.fromEntries(keys.map((one) => [one, T]));
  expect(Object.keys(pruneWatch(engine.job, { ...watch, suspects }).suspects ?? {})).toEqual(left);
  expect(pruneWatch(engine.run().job, watch)).toEqual(EMPTY);
});

test("only the current attempt of a running job is wanted", () => {
  const engine = busy();
  expect(isWanted(engine.job, { node_id: "a", attempt: 1 })).toBe(true);
  expect(isWanted(engine.job, { node_id: "a", attempt: 2 })).toBe(false);
  expect(isWanted(engine.job, { node_id: "b", attempt: 1 })).toBe(false);
  expect(isWanted(engine.job, { node_id: "f", chunk: 0, attempt: 1 })).toBe(true);
  expect(isWanted(engine.job, { node_id: "f", chunk: 0, attempt: 2 })).toBe(false);
  expect(isWanted(engine.job, { node_id: "f", chunk: 7, attempt: 1 })).toBe(false);
  engine.cancel();
  expect(isWanted(engine.job, { node_id: "a", attempt: 1 })).toBe(false);
});

test("wake_at is the earliest due time or the deadline, and none for a job that has ended", () => {
  const nodes = { s: start("a"), a: task() };
  const short = new TestEngine(definition(nodes, { timeout_seconds: 10 }));
  expect(short.wakeAt()).toBe(addSeconds(T, 10));
  const long = new TestEngine(definition(nodes));
  long.step();
  expect(long.wakeAt()).toBe(addSeconds(T, 50));
  expect(long.run().wakeAt()).toBeUndefined();
});

test("an ending job wakes for its claims after one gap, a renewed one before its end", () => {
  const engine = busy();
  engine.running = [];
  engine.note("a:1", addSeconds(T, 20));
  engine.cancel();
  expect(engine.wakeAt()).toBe(addSeconds(T, 60));
  engine.note("a:1", addSeconds(T, 90));
  engine.note("f#0:1", addSeconds(T, 70));
  engine.note("f#1:1", addSeconds(T, 80));
  expect(engine.wakeAt()).toBe(addSeconds(T, 120));
});

test("a fan_out that failed has no due time of its own while the job goes on", () => {
  const engine = new TestEngine(
    definition({ s: start("f"), f: fanOut({ on_error: "r" }), r: task() }),
    { inputs: { items: numbers(2) } },
  );
  engine.receiveAt(0);
  engine.receiveAt(0);
  const failed = { kind: "failed", retryable: false, log: [] } as const;
  engine.finish(engine.running[0], { ...failed, error: { code: "X", message: "x" } });
  expect(engine.node("f").status).toBe("failed");
  engine.finish();
  expect(engine.job.status).toBe("completed");
});

test("a job left without due times, its step budget spent, wakes one gap after its entry", () => {
  const engine = new TestEngine(definition({ s: start("a"), a: task() }));
  const job = { ...engine.job, status: "cancelling" as const, at: addSeconds(T, 5) };
  engine.job = job;
  expect(engine.wakeAt()).toBe(addSeconds(T, 65));
});
