// The wake: re-sends, leases and claims, each judged by stored instants.
import { expect, test } from "vitest";
import { advance } from "../../../src/core/advance.ts";
import { emptyWorkflow } from "../../../src/core/create-job.ts";
import { attemptKey } from "../../../src/core/effect.ts";
import { addSeconds, secondsBetween } from "../../../src/core/instant.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { completed, definition, fanOut, numbers, start, task } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";
import type { EngineOptions } from "../../support/engine.ts";

function queued(options: EngineOptions = {}): TestEngine {
  const engine = new TestEngine(definition({ s: start("a"), a: task() }), {
    can_continue: false,
    ...options,
  });
  engine.receiveAt(0);
  engine.queue = [];
  return engine;
}

function chunks(options: EngineOptions = {}): TestEngine {
  const engine = new TestEngine(definition({ s: start("f"), f: fanOut() }), {
    inputs: { items: numbers(2) },
    ...options,
  });
  engine.receiveAt(0);
  return engine;
}

test("a lost start message is found one gap after the submission", () => {
  const engine = new TestEngine(definition({ s: start("a"), a: task() }));
  engine.queue = [];
  expect(engine.wakeAt()).toBe(addSeconds(engine.job.created_at, 60));
  engine.wake();
  expect(engine.job.status).toBe("running");
});

test("a start message that is still in line is left there, to the deadline", () => {
  const engine = new TestEngine(definition({ s: start("a"), a: task() }, { timeout_seconds: 900 }));
  const oldest_message_at = addSeconds(engine.job.created_at, -1);
  engine.tick(600);
  expect(engine.commit({ type: "wake_due" }, { oldest_message_at })).toEqual([]);
  expect(engine.effects).toEqual([]);
  engine.tick(300);
  engine.commit({ type: "wake_due" }, { oldest_message_at });
  expect(engine.job).toMatchObject({ status: "failed", error: { code: "DEADLINE_EXCEEDED" } });
  const lost = new TestEngine(definition({ s: start("a"), a: task() }));
  lost.tick(60);
  lost.commit({ type: "wake_due" }, { oldest_message_at: lost.job.created_at });
  expect(lost.job.status).toBe("running");
});

test("a lost message is sent again, the gap doubling up to its cap", () => {
  const engine = queued();
  const gaps: number[] = [];
  for (let n = 0; n < 7; n += 1) {
    const last = engine.now;
    engine.wake();
    gaps.push(secondsBetween(last, engine.now));
    expect(engine.effects).toMatchObject([{ message: { attempt: 1 }, resend: "a:1" }]);
  }
  expect(gaps).toEqual([60, 120, 240, 480, 480, 480, 480]);
});

test("a wake before its time sends nothing", () => {
  const engine = queued();
  engine.tick(59);
  expect(engine.commit({ type: "wake_due" })).toEqual([]);
  expect(engine.effects).toEqual([]);
});

test("a message that is still in line is not sent again", () => {
  for (const make of [queued, chunks]) {
    const inLine = make({ oldest_message_at: "2025-12-31T23:59:59.000Z" });
    inLine.queue = [];
    inLine.tick(600);
    inLine.commit({ type: "wake_due" });
    expect(inLine.effects).toEqual([]);
    const passed = make({ oldest_message_at: "2026-01-01T00:00:00.000Z" });
    passed.queue = [];
    passed.tick(600);
    passed.commit({ type: "wake_due" });
    expect(passed.effects.length).toBeGreaterThan(0);
  }
});

test("a running attempt is lost when its lease has ended, counted from the last renewal", () => {
  const engine = queued({ can_continue: true });
  engine.running = [];
  const renewed = addSeconds(engine.now, 40);
  engine.note(attemptKey("a", 1), renewed);
  expect(engine.wakeAt()).toBe(addSeconds(renewed, 50));
  engine.tick(89);
  expect(engine.commit({ type: "wake_due" })).toEqual([]);
  expect(engine.effects).toEqual([]);
  engine.tick(1);
  expect(engine.commit({ type: "wake_due" })).toEqual([]);
  expect(engine.effects).toEqual([
    { type: "suspect_lease", key: "a:1" },
    { type: "send_message", message: { kind: "wake" }, delay_seconds: 10 },
    { type: "send_message", message: { kind: "wake" }, delay_seconds: 20 },
  ]);
  engine.tick(9);
  expect(engine.commit({ type: "wake_due" })).toEqual([]);
  engine.tick(1);
  const types = engine.commit({ type: "wake_due" }).map(({ type }) => type);
  expect(types).toEqual(["node_lost", "node_retried"]);
});

test("however late a worker is suspected, it has the time of grace to show that it lives", () => {
  for (const isAlive of [true, false]) {
    const engine = queued({ can_continue: true });
    engine.tick(3600);
    expect(engine.commit({ type: "wake_due" })).toEqual([]);
    expect(engine.wakeAt()).toBe(addSeconds(engine.now, 10));
    if (isAlive) engine.note(attemptKey("a", 1), addSeconds(engine.now, 9));
    engine.tick(10);
    const types = engine.commit({ type: "wake_due" }).map(({ type }) => type);
    expect(types).toEqual(isAlive ? [] : ["node_lost", "node_retried"]);
  }
});

test("a suspicion that could not be stored judges nobody", () => {
  const engine = queued({ can_continue: true });
  for (let n = 0; n < 5; n += 1) {
    engine.tick(600);
    expect(engine.commit({ type: "wake_due" })).toEqual([]);
    expect(engine.effects).toContainEqual({ type: "suspect_lease", key: "a:1" });
    engine.watch = { renewals: {}, resends: {} };
  }
});

test("the worker of a chunk is suspected before it is lost", () => {
  const engine = chunks();
  engine.receiveAt(0);
  engine.running = [];
  engine.queue = [];
  engine.tick(600);
  expect(engine.commit({ type: "wake_due" })).toEqual([]);
  expect(engine.effects).toContainEqual({ type: "suspect_lease", key: "f#0:1" });
  engine.tick(10);
  const lost = engine.commit({ type: "wake_due" }).map(({ type }) => type);
  expect(lost).toEqual(["chunk_lost"]);
});

test("what was sent again or delayed is in line from then on", () => {
  const engine = queued();
  const first = engine.now;
  engine.wake();
  expect(engine.effects).toMatchObject([{ message: { attempt: 1 }, resend: "a:1" }]);
  const resent = engine.now;
  engine.tick(3600);
  for (const [oldest, count] of [
    [first, 0],
    [addSeconds(resent, -1), 0],
    [resent, 1],
  ] as const) {
    engine.commit({ type: "wake_due" }, { oldest_message_at: oldest });
    expect(engine.effects).toHaveLength(count);
  }
});

test("a renewal older than the claim does not shorten the lease", () => {
  const engine = queued();
  engine.wake();
  engine.receiveAt(0);
  engine.note(attemptKey("a", 1), engine.job.created_at);
  expect(engine.wakeAt()).toBe(addSeconds(engine.now, 50));
  engine.tick(30);
  expect(engine.commit({ type: "wake_due" })).toEqual([]);
});

test("a young claim only notes its lease; the wake comes again when that ends", () => {
  const engine = chunks();
  engine.tick(50);
  engine.receiveAt(0);
  engine.running = [];
  engine.queue = [];
  const claimed = engine.now;
  engine.watch = { renewals: {}, resends: {} };
  engine.wake();
  expect(engine.effects).toContainEqual({ type: "note_lease", key: "f#0:1", at: claimed });
  expect(engine.of("chunk_lost")).toEqual([]);
  engine.queue = [];
  engine.tick(49);
  engine.wake();
  expect(engine.of("chunk_lost")).toMatchObject([{ chunk: 0, attempt: 1 }]);
});

test("a claim without a readable time counts from the job's creation", () => {
  for (const at of [7, "yesterday", undefined]) {
    const engine = chunks();
    engine.queue = [];
    engine.documents.set("claim:f:0:1", at === undefined ? {} : { at });
    engine.wake();
    expect(engine.of("chunk_lost")).toMatchObject([{ chunk: 0 }]);
  }
});

test("in an ending job an unclaimed chunk is cancelled, a claimed one waited for", () => {
  const engine = chunks();
  engine.tick(30);
  engine.receiveAt(0);
  engine.running = [];
  engine.queue = [];
  engine.cancel();
  expect(engine.queue).toMatchObject([{ message: { kind: "wake" } }]);
  engine.receiveAt(0);
  expect(engine.of("chunk_cancelled")).toMatchObject([{ chunks: [1] }]);
  expect(engine.job.status).toBe("cancelling");
  engine.wake();
  expect(engine.of("chunk_cancelled")).toMatchObject([{ chunks: [1] }, { chunks: [0] }]);
  expect(engine.job.status).toBe("cancelled");
});

test("claims looked up before the ending stands in the journal prove nothing", () => {
  const engine = chunks();
  const loaded = new Map<string, JsonObject | null>([
    ["claim:f:0:1", null],
    ["claim:f:1:1", null],
  ]);
  const context = engine.context({ loaded });
  const cancel = { type: "cancel_requested", requested_by: "ada" } as const;
  const ending = advance(engine.job, cancel, context);
  if (ending.kind !== "decided") throw new Error("a cancel needs nothing");
  const same = advance(ending.job, { type: "wake_due" }, context);
  expect(same).toMatchObject({ kind: "decided", events: [] });
  const late = chunks();
  late.now = late.job.deadline_at;
  const overdue = advance(late.job, { type: "wake_due" }, late.context({ loaded }));
  const types = overdue.kind === "decided" ? overdue.events.map(({ type }) => type) : [];
  expect(types).toEqual(["job_cancelling"]);
});

test("when one chunk given up fails the fan_out, the others have no turn in that wake", () => {
  const engine = chunks();
  for (let lost = 0; lost < 3; lost += 1) {
    engine.queue = [];
    engine.documents.set(`claim:f:0:${lost + 1}`, { at: engine.now });
    engine.documents.set(`claim:f:1:${lost + 1}`, { at: engine.now });
    engine.tick(130);
    engine.wake();
  }
  expect(engine.node("f").status).toBe("failed");
  expect(engine.of("chunk_lost").map(({ chunk }) => chunk)).toEqual([0, 1, 0, 1]);
  expect(engine.job.status).toBe("cancelling");
  engine.run();
  expect(engine.job.error?.code).toBe("ITEM_FAILED");
});

test("a wake that loses the last attempt of one node ends the job and stops there", () => {
  const engine = new TestEngine(definition({ s: start("a", "b"), a: task(), b: task() }), {
    can_continue: false,
  });
  engine.receiveAt(0);
  engine.receiveAt(0);
  for (let lost = 0; lost < 3; lost += 1) {
    engine.running = [];
    for (const seconds of [60, 10]) {
      engine.tick(seconds);
      engine.commit({ type: "wake_due" });
    }
    while (lost < 2 && engine.running.length === 0) {
      const index = engine.queue.findIndex(({ message }) => message.node_id === "a");
      engine.receiveAt(index);
    }
  }
  expect(engine.job).toMatchObject({ status: "failed", error: { code: "WORKER_LOST" } });
  expect(engine.node("b").status).toBe("cancelled");
});

test("a node that has ended is passed by", () => {
  const engine = new TestEngine(
    definition({ s: start("a", "b"), a: task(), b: task() }),
    { handlers: { echo: () => completed(1) } },
  );
  engine.receiveAt(0);
  engine.finish();
  engine.queue = [];
  engine.wake();
  expect(engine.effects).toMatchObject([{ message: { node_id: "b" } }]);
});

test("a wake under a snapshot without nodes still ends the job", () => {
  const engine = queued();
  engine.workflow = emptyWorkflow(engine.job);
  engine.wake();
  expect(engine.job).toMatchObject({ status: "failed", error: { code: "INTERNAL" } });
});
