// Fan_out: expansion, claims, hand-ins, retries of items, lost and given-up chunks, endings.
import { expect, test } from "vitest";
import { emptyWorkflow } from "../../../src/core/create-job.ts";
import type { ItemOutcome, Outcome } from "../../../src/core/effect.ts";
import { addSeconds } from "../../../src/core/instant.ts";
import type { Json } from "../../../src/core/json.ts";
import { aborted, completed, definition, failed, fanIn, fanOut } from "../../support/build.ts";
import { numbers, start, task, text, timedOut } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";
import type { EngineOptions, Handler, RunItems } from "../../support/engine.ts";

interface Given extends EngineOptions {
  readonly items?: Json;
  readonly item?: Handler;
}

function fan(more: Readonly<Record<string, unknown>> = {}, given: Given = {}): TestEngine {
  const { items = numbers(3), item, ...options } = given;
  const handlers = item === undefined ? {} : { item };
  const nodes = { s: start("f"), f: fanOut({ next: "i", ...more }), i: fanIn() };
  return new TestEngine(definition(nodes), { inputs: { items }, handlers, ...options });
}

/** Received up to its claims: one piece of running work for each chunk that has a message. */
function claimed(more: Readonly<Record<string, unknown>> = {}, given: Given = {}): TestEngine {
  const engine = fan(more, given);
  engine.receiveAt(0);
  while (engine.queue.length > 0) engine.receiveAt(0);
  return engine;
}

function work(engine: TestEngine, index: number): RunItems {
  const found = engine.running[index];
  if (found?.type !== "run_items") throw new Error(`no chunk ${index} runs`);
  return found;
}

/** Hands in some outcomes of a chunk's work, which goes on. */
function handIn(
  engine: TestEngine,
  { chunk, attempt }: RunItems,
  outcomes: readonly ItemOutcome[],
) {
  const part = engine.entries.length;
  return engine.commit({ type: "items_ended", node_id: "f", chunk, attempt, part, outcomes });
}

const out = (index: number, outcome: Outcome = completed(index)) => ({ index, outcome });
const results = (engine: TestEngine) => engine.output("i");
const state = (engine: TestEngine, chunk: number) => engine.node("f").fan?.chunks[chunk];
const types = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type);

test.each([0, 1, 8, 9, 100, 255, 256, 257])("a fan_out of %i items ends with all", (count) => {
  const engine = fan({}, { items: numbers(count) }).run();
  expect(engine.job.status).toBe("completed");
  expect(engine.node("f").fan).toMatchObject({ count, completed: count, failed: 0 });
  expect(results(engine)).toMatchObject({ count, failed: [] });
});

test.each([1000, 10_000])(
  "a fan_out of %i items ends with all",
  (count) => {
    const item: Handler = ({ index = -1 }) => completed(index);
    const engine = fan({}, { items: numbers(count), item, refold: false }).run();
    expect(results(engine)).toEqual({ results: numbers(count), count, failed: [] });
    expect(engine.entries.length).toBeLessThanOrEqual(3 + Math.ceil(count / 32));
  },
  60_000,
);

// Defect 11 of peers.md 3.7: an empty source failed the job.
test("an empty source completes at once, in one entry", () => {
  const engine = fan({}, { items: [] }).run();
  expect(engine.entries).toHaveLength(2);
  expect(results(engine)).toEqual({ results: [], count: 0, failed: [] });
});

test.each([
  ["a text", "abc", "EXPRESSION_FAILED", "source: expected a list, got a string"],
  ["a map", { a: 1 }, "EXPRESSION_FAILED", "source: expected a list, got a map"],
  ["nothing", null, "EXPRESSION_FAILED", "source: expected a list, got null"],
  ["too long a list", numbers(10_001), "LIMIT_EXCEEDED", "source: 10001 items, more than 10000"],
])("a source that is %s fails the fan_out", (...row) => {
  const [, items, code, message] = row;
  const engine = fan({}, { items });
  engine.step();
  expect(engine.node("f").error).toEqual({ code, message });
  expect(engine.job.status).toBe("failed");
});

test("a source that does not evaluate fails the fan_out", () => {
  const engine = fan({ source: "{{ inputs.nothing }}" });
  engine.step();
  expect(engine.job.error?.message).toMatch(/^source: /);
});

// Defect 10 of peers.md 3.7: items were put in as text, and only in one spelling.
test("an item keeps its type, at any depth, alone or inside text", () => {
  const items = [{ a: [1, 2] }, [3], "x", null, 4.5, true];
  const params = { deep: [{ it: "{{item}}" }], text: "#{{ index }}", sum: "{{ index + 1 }}" };
  const engine = fan({ task: { handler: "item", params } }, { items }).run();
  expect(results(engine)).toMatchObject({
    results: items.map((item, index) => ({
      deep: [{ it: item }],
      text: `#${index}`,
      sum: index + 1,
    })),
  });
});

// Defect 18 of peers.md 3.7: children stood as sent before they were.
test("a crash after the expansion, before any message, is found by the wake", () => {
  const engine = fan();
  engine.receiveAt(0);
  engine.queue = [];
  engine.wake();
  expect(engine.queue).toHaveLength(3);
  expect(engine.queue.every(({ resend }) => resend)).toBe(true);
  expect(engine.run().job.status).toBe("completed");
});

test("results stand in item order, whatever the order of completion", () => {
  const engine = claimed({}, { items: numbers(20), item: ({ index = 0 }) => completed(index) });
  while (engine.running.length > 0) engine.finish(engine.running.at(-1));
  expect(results(engine)).toMatchObject({ results: numbers(20) });
});

test("a chunk hands in what it has; a slow item holds nobody back", () => {
  const engine = claimed({}, { items: numbers(20) });
  const chunk = work(engine, 0);
  expect(chunk.items.map(({ index }) => index)).toEqual([0, 1, 2]);
  handIn(engine, chunk, [out(2)]);
  expect(state(engine, 0)).toMatchObject({ status: "queued", items: [0, 1] });
  expect(handIn(engine, chunk, [out(2, completed("again"))])).toEqual([]);
  handIn(engine, chunk, [out(0), out(1), out(7)]);
  expect(state(engine, 0)).toMatchObject({ status: "completed", items: [] });
  expect(engine.node("f").fan?.completed).toBe(3);
  expect(types(handIn(engine, chunk, [out(1)]))).toEqual(["outcome_orphaned"]);
});

test("failed items are retried in a new chunk, numbered on, with their own count", () => {
  const retry = { max_attempts: 3, initial_delay_seconds: 10, jitter: 0 };
  const engine = claimed({ retry }, { items: numbers(10) });
  const chunk = work(engine, 1);
  handIn(engine, chunk, [out(2, failed()), out(3, timedOut)]);
  expect(engine.of("chunk_completed")[0]).toMatchObject({
    chunk: 1,
    done: 0,
    failed: 0,
    remaining: [],
    retry: { chunk: 5, items: [2, 3], attempt: 2, failures: 1 },
    queue: [5],
  });
  expect(state(engine, 5)).toMatchObject({ status: "queued", attempt: 2, lost: 0 });
  expect(state(engine, 5)?.not_before).toBe(addSeconds(engine.now, 10));
  expect(engine.queue).toMatchObject([{ message: { chunk: 5, attempt: 2 } }]);
  engine.run();
  expect(engine.job.status).toBe("completed");
});

test("an item fails for good after max_attempts tries, and fails the fan_out", () => {
  let calls = 0;
  const item: Handler = ({ index }) => {
    if (index === 1) calls += 1;
    return index === 1 ? failed() : completed(1);
  };
  const engine = fan({ retry: { max_attempts: 4, initial_delay_seconds: 1 } }, { item }).run();
  expect(calls).toBe(4);
  expect(engine.job.error).toEqual({
    code: "ITEM_FAILED",
    message: "item 1: BROKEN: it said BROKEN",
    node_id: "f",
  });
});

test("an item that fails for good stops the chunks not yet begun", () => {
  const engine = claimed({ max_parallel: 1 });
  engine.finish(work(engine, 0), failed("NO", false));
  expect(engine.job.status).toBe("failed");
  expect(engine.queue.filter(({ message }) => message.kind === "chunk")).toEqual([]);
  expect(state(engine, 1)?.status).toBe("pending");
});

test("with on_error: continue all items run on, and failed ones are told apart", () => {
  const item: Handler = ({ index = 0 }) => (index % 2 === 0 ? completed(index) : failed());
  const engine = fan({ on_error: "continue" }, { items: numbers(5), item }).run();
  expect(engine.job.status).toBe("completed");
  expect(engine.node("f")).toMatchObject({ status: "completed", fan: { completed: 3, failed: 2 } });
  expect(results(engine)).toMatchObject({ results: [0, null, 2, null, 4], count: 5 });
});

test("with a rescue node a failed item hands over, and late items are orphans", () => {
  const engine = new TestEngine(
    definition({ s: start("f"), f: fanOut({ on_error: "r" }), r: task() }),
    { inputs: { items: numbers(2) } },
  );
  engine.receiveAt(0);
  engine.receiveAt(0);
  engine.receiveAt(0);
  engine.finish(work(engine, 0), failed("NO", false));
  expect(engine.statuses()).toMatchObject({ f: "failed", r: "running" });
  expect(types(engine.finish(work(engine, 0)))).toEqual(["outcome_orphaned"]);
  engine.run();
  expect(engine.job.status).toBe("completed");
});

test("a chunk lost three times fails its items with WORKER_LOST", () => {
  for (const on_error of ["continue", undefined]) {
    const engine = claimed(on_error === undefined ? {} : { on_error }, { items: numbers(2) });
    engine.finish(work(engine, 1));
    for (const lost of [1, 2]) {
      engine.running = [];
      engine.wake();
      expect(state(engine, 0)).toMatchObject({ status: "queued", attempt: lost + 1, lost });
      while (engine.queue.length > 0) engine.receiveAt(0);
    }
    engine.running = [];
    engine.wake();
    const message = "3 attempts ended without an outcome";
    if (on_error === undefined) {
      expect(engine.job.error?.message).toBe(`item 0: WORKER_LOST: ${message}`);
    } else {
      expect(results(engine)).toMatchObject({ failed: [{ index: 0, code: "WORKER_LOST" }] });
    }
  }
});

test("a chunk whose process goes away is tried again with what it had not handed in", () => {
  const engine = claimed({}, { items: numbers(20) });
  const chunk = work(engine, 0);
  const [event, lost] = handIn(engine, chunk, [out(0), out(1, aborted)]);
  expect(event).toMatchObject({ type: "chunk_completed", done: 1, remaining: [1, 2] });
  expect(lost).toMatchObject({ type: "chunk_lost", attempt: 1 });
  expect(state(engine, 0)).toMatchObject({ attempt: 2, lost: 1, items: [1, 2] });
  expect(types(handIn(engine, work(engine, 1), [out(3, aborted)]))).toEqual(["chunk_lost"]);
});

test("in an ending job one aborted item does not end its chunk", () => {
  const engine = claimed({}, { items: numbers(20) });
  engine.running = [work(engine, 0)];
  engine.cancel();
  const chunk = work(engine, 0);
  handIn(engine, chunk, [out(0, aborted)]);
  expect(state(engine, 0)).toMatchObject({ status: "queued", items: [1, 2] });
  handIn(engine, chunk, [out(1), out(2, aborted)]);
  expect(state(engine, 0)).toMatchObject({ status: "completed", items: [] });
  expect(engine.node("f").fan).toMatchObject({ completed: 1, failed: 0 });
});

test("in an ending job a chunk whose items were all aborted is cancelled", () => {
  const engine = claimed({}, { items: numbers(2) });
  engine.cancel();
  expect(types(engine.finish(work(engine, 0), aborted))).toEqual(["chunk_cancelled"]);
  expect(engine.job.status).toBe("cancelling");
  const events = engine.finish(work(engine, 0), aborted);
  expect(types(events)).toEqual(["chunk_cancelled", "node_cancelled", "job_cancelled"]);
  expect(events[1]).toHaveProperty("chunks_root");
});

test("in an ending job failed items are not tried again", () => {
  const retry = { max_attempts: 5, initial_delay_seconds: 0 };
  const engine = claimed({ retry }, { items: [1] });
  engine.cancel();
  engine.finish(work(engine, 0), failed());
  expect(engine.job.status).toBe("cancelled");
  expect(engine.node("f").status).toBe("failed");
});

test("a claim made after the job began to end runs nothing", () => {
  const engine = fan();
  engine.receiveAt(0);
  engine.cancel();
  expect(engine.receiveAt(0)).toEqual([]);
  expect(engine.effects).toEqual([]);
  engine.claim({ node_id: "f", chunk: 0, attempt: 1 });
  expect(engine.running).toEqual([]);
  expect(state(engine, 0)?.status).toBe("cancelled");
  engine.workflow = emptyWorkflow(engine.job);
  engine.claim({ node_id: "f", chunk: 1, attempt: 1 });
  engine.claim({ node_id: "f", chunk: 2, attempt: 1 });
  expect(engine.job.status).toBe("cancelled");
});

test("a stale claim, or one for a chunk that does not exist, runs nothing", () => {
  const engine = claimed();
  for (const at of [
    { node_id: "f", chunk: 0, attempt: 2 },
    { node_id: "f", chunk: 9, attempt: 1 },
    { node_id: "s", chunk: 0, attempt: 1 },
  ]) {
    expect(engine.commit({ type: "chunk_claimed", ...at })).toEqual([]);
    expect(engine.effects).toEqual([]);
  }
});

test("a second worker that takes the same chunk message does not run it", () => {
  const engine = fan();
  engine.receiveAt(0);
  const [message] = engine.queue;
  engine.receiveAt(0);
  if (message !== undefined) engine.receive(message);
  expect(engine.running).toHaveLength(1);
});

test("a chunk message that comes early is sent again with the rest of its delay", () => {
  const retry = { initial_delay_seconds: 10, jitter: 0 };
  const engine = claimed({ retry }, { items: [1] });
  engine.finish(work(engine, 0), failed());
  const [message] = engine.queue;
  engine.tick(3);
  if (message !== undefined) engine.receive(message);
  expect(engine.effects).toMatchObject([{ delay_seconds: 7, message: { chunk: 1, attempt: 2 } }]);
});

test("a missing handler is noted once for all chunks, and a hand-in proves it is there", () => {
  const engine = fan({ task: { handler: "new", params: {} } }, { items: numbers(3) });
  engine.receiveAt(0);
  engine.receiveAt(0);
  engine.receiveAt(0);
  expect(engine.of("handler_missing")).toHaveLength(1);
  engine.handlers["new"] = () => completed(1);
  engine.receiveAt(0);
  engine.finish();
  expect(engine.node("f").missing_since).toBeUndefined();
  delete engine.handlers["new"];
  engine.tick(4000);
  engine.run();
  expect(engine.job.error?.code).toBe("HANDLER_MISSING");
});

test("params of an item that do not render fail that item alone", () => {
  const params = { half: "{{ 10 / item }}" };
  const more = { task: { handler: "item", params }, on_error: "continue" };
  const engine = fan(more, { items: [0, 5] }).run();
  expect(results(engine)).toMatchObject({
    results: [null, { half: 2 }],
    failed: [{ index: 0, code: "EXPRESSION_FAILED" }],
  });
});

test("large outputs of items become objects; many small ones a document of the chunk", () => {
  const item: Handler = ({ index = 0 }) => completed(text(index === 0 ? 9000 : 6000));
  const engine = fan({}, { items: numbers(100), item }).run();
  const ids = [...engine.documents.keys()];
  expect(ids.filter((id) => id.startsWith("out:sha256:"))).not.toEqual([]);
  expect(ids.filter((id) => /^chunk:f:\d+:1:1:[0-9a-f]{16}$/.test(id))).toHaveLength(7);
  expect(engine.job.status).toBe("completed");
});

test("a worker that hands in under a refused snapshot lets the job end", () => {
  const engine = claimed({}, { items: numbers(2) });
  engine.workflow = emptyWorkflow(engine.job);
  const error = { code: "SNAPSHOT_INVALID", message: "no" };
  engine.commit({ type: "snapshot_refused", error });
  engine.finish(work(engine, 0), timedOut);
  engine.finish(work(engine, 0));
  expect(engine.job).toMatchObject({ status: "failed", error: { code: "SNAPSHOT_INVALID" } });
});

test("under a snapshot that lost the node or its expressions a chunk still comes to an end", () => {
  const engine = fan();
  engine.receiveAt(0);
  const { pinned } = engine;
  engine.workflow = { ...pinned, nodes: new Map() };
  engine.receiveAt(0);
  expect(work(engine, 0).items[0]).toMatchObject({ error: { code: "SNAPSHOT_INVALID" } });
  engine.finish();
  engine.run();
  expect(engine.job.error?.message).toContain("item 0: SNAPSHOT_INVALID");
  const other = fan();
  other.receiveAt(0);
  other.workflow = emptyWorkflow(other.job);
  other.claim({ node_id: "f", chunk: 0, attempt: 1 });
  expect(other.running).toEqual([]);
  const ending = { error: { code: "INTERNAL" } };
  expect(other.job).toMatchObject({ status: "cancelling", ending });
});

test("params of items that read a stored output ask for it", () => {
  const params = { all: "{{ size(nodes.big.output) + item }}" };
  const engine = new TestEngine(
    definition({
      s: start("big"),
      big: task({ handler: "big", next: "f" }),
      f: fanOut({ task: { handler: "item", params }, next: "i" }),
      i: fanIn({ select: "value.all", aggregation: "sum" }),
    }),
    { inputs: { items: [1, 2] }, handlers: { big: () => completed(text(9000)) } },
  ).run();
  expect(results(engine)).toEqual({ total: 18_003, count: 2 });
});

test("items whose source is gone fail one by one, with a code", () => {
  const engine = fan({ on_error: "continue" }, { items: [text(9000), "b"] });
  engine.receiveAt(0);
  engine.documents.delete("0");
  engine.run();
  const code = "EXPRESSION_FAILED";
  expect(results(engine)).toMatchObject({ results: [null, null], failed: [{ code }, { code }] });
});
