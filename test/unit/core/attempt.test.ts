// Attempts: the claim, the fence, every way to end, retries and their delays, missing handlers.
import { expect, test } from "vitest";
import { missHandler } from "../../../src/core/attempt.ts";
import { emptyWorkflow } from "../../../src/core/create-job.ts";
import type { Outcome } from "../../../src/core/effect.ts";
import { secondsBetween } from "../../../src/core/instant.ts";
import { Transition } from "../../../src/core/transition.ts";
import { aborted, completed, definition, end, failed, start, task } from "../../support/build.ts";
import { timedOut } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";
import type { EngineOptions } from "../../support/engine.ts";

const RETRY = { max_attempts: 5, initial_delay_seconds: 10, jitter: 0 };

function one(more: Readonly<Record<string, unknown>> = {}, options: EngineOptions = {}) {
  return new TestEngine(definition({ s: start("a"), a: task({ next: "z", ...more }), z: end() }), {
    ...options,
    handlers: { bad: () => failed(), late: () => timedOut, ...options.handlers },
  });
}

const starts = (engine: TestEngine): number => engine.of("node_started").length;

// Defect 8 of peers.md 3.7: `max_attempts: 5` ran six times.
test("max_attempts: 5 is five tries in all, however they fail", () => {
  for (const handler of ["bad", "late"]) {
    const engine = one({ handler, retry: RETRY }).run();
    expect([engine.job.status, starts(engine)]).toEqual(["failed", 5]);
    expect(engine.node("a")).toMatchObject({ attempt: 5, failures: 4, status: "failed" });
    expect(engine.of("node_retried").map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
  }
});

test("max_attempts: 1, no retry at all, and an error that is final are one try", () => {
  const final = () => failed("FINAL", false);
  for (const more of [{ retry: { max_attempts: 1 } }, {}]) {
    expect(starts(one({ handler: "bad", ...more }).run())).toBe(1);
  }
  const engine = one({ handler: "final", retry: RETRY }, { handlers: { final } }).run();
  expect(starts(engine)).toBe(1);
  expect(engine.job.error).toEqual({ code: "FINAL", message: "it said FINAL", node_id: "a" });
});

// Defect 7 of peers.md 3.7: delays were accepted and never used.
test.each([
  ["fixed", [10, 10, 10, 10]],
  ["linear", [10, 20, 30, 35]],
  ["exponential", [10, 20, 35, 35]],
])("%s delays are really waited for, up to max_delay_seconds", (backoff, expected) => {
  const retry = { ...RETRY, backoff, max_delay_seconds: 35 };
  const engine = one({ handler: "bad", retry }).run();
  const waits = engine.of("node_retried").map(({ not_before, attempt }) => {
    const again = engine.entries.find(({ events }) =>
      events.some((event) => event.type === "node_started" && event.attempt === attempt + 1),
    );
    const entry = engine.entries.find(({ events }) =>
      events.some((event) => event.type === "node_retried" && event.attempt === attempt),
    );
    expect(again !== undefined && again.at >= not_before).toBe(true);
    return secondsBetween(entry?.at ?? "", not_before);
  });
  expect(waits).toEqual(expected);
});

test("a timed-out attempt says so and counts as a failure", () => {
  const engine = one({ handler: "late", timeout_seconds: 7 }).run();
  expect(engine.of("node_timed_out")).toHaveLength(1);
  const message = "the attempt took longer than 7 s";
  expect(engine.node("a").error).toEqual({ code: "TIMED_OUT", message });
});

test("log lines travel with every kind of outcome, and an empty log is left out", () => {
  const log = ["one", "two"];
  const error = { code: "X", message: "x" };
  const outcomes: readonly [Outcome, string][] = [
    [{ kind: "completed", output: 1, log }, "node_completed"],
    [{ kind: "failed", error, retryable: false, log }, "node_failed"],
    [{ kind: "failed", error, retryable: true, log }, "node_retried"],
    [{ kind: "timed_out", log }, "node_timed_out"],
  ];
  for (const [outcome, type] of outcomes) {
    const engine = one({ retry: RETRY });
    engine.step();
    const events = engine.finish(engine.running[0], outcome);
    expect(events.find((event) => event.type === type)).toMatchObject({ log });
  }
  expect(one().run().of("node_completed")[1]).not.toHaveProperty("log");
});

test("three lost attempts end in WORKER_LOST, counted apart from failures", () => {
  const engine = one({ retry: { max_attempts: 2, initial_delay_seconds: 0 } });
  const lose = () => {
    engine.running = [];
    engine.queue = [];
    engine.wake();
    engine.receiveAt(0);
    // The spare.
    engine.receiveAt(0);
  };
  engine.step();
  lose();
  engine.finish(engine.running[0], failed());
  engine.receiveAt(0);
  expect(engine.node("a")).toMatchObject({ attempt: 3, lost: 1, failures: 1 });
  lose();
  expect(engine.node("a")).toMatchObject({ attempt: 4, lost: 2, failures: 1 });
  engine.running = [];
  engine.wake();
  expect(engine.node("a")).toMatchObject({ lost: 3, failures: 1, status: "failed" });
  expect(engine.job.error?.code).toBe("WORKER_LOST");
});

test("a handler that names its own failure WORKER_LOST does not retry for ever", () => {
  const liar = () => failed("WORKER_LOST");
  const engine = one({ handler: "liar", retry: RETRY }, { handlers: { liar } }).run();
  expect(starts(engine)).toBe(5);
});

test("an attempt that its process aborted is lost and tried again at once", () => {
  const engine = one();
  engine.step();
  engine.finish(engine.running[0], aborted);
  expect(engine.node("a")).toMatchObject({ status: "queued", lost: 1, failures: 0 });
  engine.run();
  expect(engine.job.status).toBe("completed");
});

test("a late or foreign outcome is an orphan and changes nothing else", () => {
  const engine = one({ retry: RETRY, next: [] });
  engine.step();
  const [first] = engine.running;
  engine.running = [];
  engine.wake();
  engine.receiveAt(0);
  const before = engine.node("a");
  expect(engine.finish(first, completed("late")).map(({ type }) => type)).toEqual([
    "outcome_orphaned",
  ]);
  const { head: _head, n: _n, ...left } = engine.node("a");
  expect(before).toMatchObject(left);
  expect(engine.of("outcome_orphaned")[0]).toMatchObject({ attempt: 1, kind: "completed" });
});

test("an outcome of a node that never began is dropped: it has no place in the history", () => {
  const engine = one();
  engine.step();
  for (const node_id of ["z", "ghost", "constructor"]) {
    const outcome = completed(1);
    expect(engine.commit({ type: "attempt_ended", node_id, attempt: 1, outcome })).toEqual([]);
  }
  expect(engine.of("outcome_orphaned")).toEqual([]);
  expect(Object.keys(engine.job.nodes)).not.toContain("ghost");
});

test("nothing comes after the terminal entry, not even an orphan", () => {
  const engine = one().run();
  const { length } = engine.entries;
  const outcome = completed(1);
  engine.commit({ type: "attempt_ended", node_id: "a", attempt: 1, outcome });
  engine.commit({ type: "wake_due" });
  engine.cancel();
  engine.commit({ type: "message_poisoned", text: "x" });
  expect(engine.entries).toHaveLength(length);
  expect(engine.effects).toEqual([]);
});

test("a message of the wrong attempt or kind changes nothing", () => {
  const engine = one({}, { can_continue: false });
  engine.step();
  engine.queue = [];
  const messages = [
    { kind: "task", node_id: "a", attempt: 2 },
    { kind: "task", node_id: "s", attempt: 1 },
    { kind: "task", node_id: "ghost", attempt: 1 },
    { kind: "task", node_id: "a" },
    { kind: "task" },
    { kind: "chunk", node_id: "a", attempt: 1 },
    { kind: "chunk", node_id: "a", chunk: 0, attempt: 1 },
  ] as const;
  for (const message of messages) {
    expect(engine.commit({ type: "message_received", message, redelivered: false })).toEqual([]);
    expect(engine.effects).toEqual([]);
  }
});

test("duplicates of start, task and wake messages write nothing", () => {
  const engine = one({}, { can_continue: false });
  const [begin] = engine.queue;
  engine.receiveAt(0);
  const [message] = engine.queue;
  engine.receiveAt(0);
  const { length } = engine.entries;
  for (const again of [begin, message]) {
    if (again !== undefined) engine.receive(again);
    if (again !== undefined) engine.receive(again, true);
  }
  engine.receive({ message: { kind: "wake" }, visible_at: engine.now, resend: false });
  expect(engine.entries).toHaveLength(length);
  expect(engine.running).toHaveLength(1);
});

test("a message that comes early is sent again with the rest of its delay", () => {
  const engine = one({ handler: "bad", retry: RETRY });
  engine.step();
  engine.finish();
  engine.tick(4);
  const [queued] = engine.queue;
  expect(queued === undefined ? [] : engine.receive(queued)).toEqual([]);
  expect(engine.effects).toEqual([
    {
      type: "send_message",
      message: { kind: "task", node_id: "a", attempt: 2 },
      delay_seconds: 6,
    },
  ]);
});

test("a missing handler is noted once, deferred, and fails only after 60 minutes", () => {
  const engine = one({ handler: "new" });
  engine.receiveAt(0);
  expect(engine.node("a").status).toBe("queued");
  engine.receiveAt(0);
  expect(engine.effects).toEqual([{ type: "defer_message" }]);
  const since = engine.now;
  while (engine.job.status !== "failed") {
    expect(secondsBetween(since, engine.now)).toBeLessThan(3600);
    engine.receiveAt(0);
    expect(engine.of("handler_missing")).toHaveLength(1);
  }
  expect(secondsBetween(since, engine.now)).toBe(3600);
  expect(engine.job).toMatchObject({ status: "failed", error: { code: "HANDLER_MISSING" } });
  expect(starts(engine)).toBe(0);
});

test("once a build has the handler it starts, and the next absence counts anew", () => {
  const engine = one({ handler: "new", retry: RETRY });
  engine.receiveAt(0);
  engine.receiveAt(0);
  engine.tick(3000);
  engine.handlers["new"] = () => failed();
  engine.step();
  expect(engine.node("a")).toMatchObject({ status: "running", attempt: 1 });
  expect(engine.node("a").missing_since).toBeUndefined();
  engine.finish();
  delete engine.handlers["new"];
  engine.tick(3000);
  engine.receiveAt(0);
  expect(engine.of("handler_missing")).toHaveLength(2);
  expect(engine.node("a").status).toBe("queued");
});

test("a wake gives up a handler after its hour, and defers no message, for it has none", () => {
  const engine = one({ handler: "new" });
  engine.receiveAt(0);
  engine.receiveAt(0);
  engine.queue = [];
  engine.wake();
  expect(engine.effects.map(({ type }) => type)).toEqual(["send_message"]);
  engine.tick(3600);
  engine.queue = [];
  engine.wake();
  expect(engine.job.error?.code).toBe("HANDLER_MISSING");
});

test("params that do not render fail the node without an attempt", () => {
  const params = { a: "{{ 1 / 0 }}" };
  for (const can_continue of [true, false]) {
    const engine = one({ params }, { can_continue }).run();
    expect(starts(engine)).toBe(0);
    expect(engine.node("a")).toMatchObject({ attempt: 0, error: { code: "EXPRESSION_FAILED" } });
    expect(engine.node("a").error?.message).toMatch(/^params: /);
  }
});

test("handler and params are what the snapshot says, with the handler's declared version", () => {
  const engine = one({ params: { n: "{{ inputs.n }}", t: "n is {{ inputs.n }}" } }, {
    inputs: { n: 3 },
  });
  engine.step();
  expect(engine.running[0]).toMatchObject({
    handler: "echo",
    params: { n: 3, t: "n is 3" },
    timeout_seconds: 300,
  });
  expect(engine.of("node_started")[0]).toMatchObject({ handler_version: "1", attempt: 1 });
});

test("an attempt that times out under a refused snapshot still ends its job", () => {
  const engine = one({ timeout_seconds: 5, retry: RETRY });
  engine.step();
  engine.workflow = emptyWorkflow(engine.job);
  engine.finish(engine.running[0], timedOut);
  expect(engine.job).toMatchObject({ status: "failed", error: { code: "TIMED_OUT" } });
});

test("a node not known to miss its handler is noted first", () => {
  const engine = one({}, { can_continue: false });
  engine.step();
  const transition = new Transition(engine.job, engine.context());
  missHandler(transition, "a", "gone");
  const decision = transition.decision();
  expect(decision.kind === "decided" && decision.events[0]).toMatchObject({
    type: "handler_missing",
    handler: "gone",
  });
});
