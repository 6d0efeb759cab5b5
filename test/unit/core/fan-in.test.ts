// Aggregation in item order: every mode, failed items, select, empty and missing forms.
import { expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import { completed, definition, failed, fanIn, fanOut, start, text } from "../../support/build.ts";
import { numbers, task } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";

/** Items come back as they are; the text "fail" fails. */
function gather(items: Json, more: Readonly<Record<string, unknown>>): TestEngine {
  const params = { v: "{{ item }}" };
  return new TestEngine(
    definition({
      s: start("f"),
      f: fanOut({ next: "i", on_error: "continue", task: { handler: "give", params } }),
      i: fanIn(more),
    }),
    {
      inputs: { items },
      handlers: {
        give: ({ params }) => {
          const { v } = params as { readonly v: Json };
          return v === "fail" ? failed() : completed(v);
        },
      },
    },
  ).run();
}

const BROKEN = { code: "BROKEN", message: "it said BROKEN" };

test.each<readonly [string, Json, Json]>([
  [
    "collect",
    [1, "fail", 3],
    { results: [1, null, 3], count: 3, failed: [{ index: 1, ...BROKEN }] },
  ],
  ["concat", [[1, 2], "fail", 3, [], [[4]]], { results: [1, 2, 3, [4]], count: 4 }],
  ["sum", [1, 2.5, "fail", -4], { total: -0.5, count: 3 }],
  ["first", ["fail", 7, 8], { result: 7, count: 2 }],
  ["last", [7, 8, "fail"], { result: 8, count: 2 }],
  ["collect", [], { results: [], count: 0, failed: [] }],
  ["concat", [], { results: [], count: 0 }],
  ["sum", [], { total: 0, count: 0 }],
  ["first", [], { result: null, count: 0 }],
  ["last", [], { result: null, count: 0 }],
  ["first", ["fail"], { result: null, count: 0 }],
  ["concat", ["fail", "fail"], { results: [], count: 0 }],
])("%s of %j", (aggregation, items, expected) => {
  const engine = gather(items, { aggregation });
  expect(engine.job.status).toBe("completed");
  expect(engine.output("i")).toEqual(expected);
});

test.each([
  ["x", "a string"],
  [[1], "a list"],
  [{ a: 1 }, "a map"],
  [null, "null"],
  [true, "a boolean"],
])("a sum over %j fails the node", (value, kind) => {
  const engine = gather([1, value], { aggregation: "sum" });
  expect(engine.node("i").error).toEqual({
    code: "EXPRESSION_FAILED",
    message: `sum: expected numbers, got ${kind}`,
  });
  expect(engine.job.status).toBe("failed");
});

test("a sum that leaves the numbers fails the node", () => {
  const engine = gather([1.7e308, 1.7e308], { aggregation: "sum" });
  expect(engine.node("i").error?.message).toBe("sum: the total is not a finite number");
});

test("select picks what is aggregated, and passes failed items by", () => {
  const items = [{ n: 1 }, "fail", { n: 5 }];
  const sum = gather(items, { aggregation: "sum", select: "value.n + 1" });
  expect(sum.output("i")).toEqual({ total: 8, count: 2 });
  const all = gather(items, { select: "value.n" });
  expect(all.output("i")).toMatchObject({ results: [1, null, 5], failed: [{ index: 1 }] });
});

test("a select that fails names its item", () => {
  const engine = gather([{ n: 1 }, { m: 1 }], { select: "value.n" });
  expect(engine.node("i").error?.code).toBe("EXPRESSION_FAILED");
  expect(engine.node("i").error?.message).toMatch(/^select of item 1: /);
});

test("a select has one step budget for all items", () => {
  const engine = new TestEngine(
    definition({
      s: start("f"),
      f: fanOut({ next: "i" }),
      i: fanIn({ select: "size(inputs.l.map(x, x))" }),
    }),
    { inputs: { items: numbers(120), l: numbers(9000) } },
  ).run();
  expect(engine.node("i").error).toEqual({
    code: "LIMIT_EXCEEDED",
    message: "select took more than 1000000 steps for all items",
  });
});

test("a select that reads a document asks for it", () => {
  const engine = new TestEngine(
    definition({
      s: start("big"),
      big: task({ handler: "big", next: "f" }),
      f: fanOut({ next: "i" }),
      i: fanIn({ select: "value.index + size(nodes.big.output)", aggregation: "sum" }),
    }),
    { inputs: { items: [1, 2] }, handlers: { big: () => completed(text(9000)) } },
  ).run();
  expect(engine.output("i")).toEqual({ total: 18_001, count: 2 });
});

test("two fan_ins of one fan_out see the same items", () => {
  const engine = new TestEngine(
    definition({
      s: start("f"),
      f: fanOut({ next: ["i", "j"] }),
      i: fanIn({ select: "value.value" }),
      j: fanIn({ select: "value.value", aggregation: "sum" }),
    }),
    { inputs: { items: [4, 5, 6] } },
  ).run();
  expect(engine.output("i")).toMatchObject({ results: [4, 5, 6] });
  expect(engine.output("j")).toEqual({ total: 15, count: 3 });
});

function lossy(size: number, drop: (id: string) => boolean): TestEngine {
  const engine = new TestEngine(
    definition({ s: start("f"), f: fanOut({ next: "i" }), i: fanIn() }),
    { inputs: { items: numbers(20) }, handlers: { item: () => completed(text(size)) } },
  );
  while (engine.node("f").fan?.chunks.filter((c) => c.status !== "completed").length !== 1) {
    engine.step();
  }
  for (const id of engine.documents.keys()) if (drop(id)) engine.documents.delete(id);
  return engine.run();
}

test("items whose part or object is gone count as failed, with a code", () => {
  const lost = { code: "DOCUMENT_INVALID", message: "the item's outcome is not in the journal" };
  const objects = lossy(9000, (id) => id.startsWith("out:"));
  expect(objects.output("i")).toMatchObject({ failed: [] });
  const parts = lossy(5, (id) => id === "2");
  expect(parts.output("i")).toMatchObject({
    failed: [0, 1, 2].map((index) => ({ index, ...lost })),
  });
});

test("an object that is gone makes its item a failed one", () => {
  const items = [0, 1];
  const engine = new TestEngine(
    definition({ s: start("f"), f: fanOut({ next: "i" }), i: fanIn() }),
    {
      inputs: { items },
      handlers: { item: ({ index = 0 }) => completed(text(9000 + index)) },
    },
  );
  engine.receiveAt(0);
  engine.receiveAt(0);
  engine.finish();
  for (const id of engine.documents.keys()) {
    if (id.startsWith("out:")) engine.documents.delete(id);
  }
  engine.run();
  expect(engine.output("i")).toMatchObject({ failed: [{ index: 0, code: "DOCUMENT_INVALID" }] });
});

test("a part that is no list of events or items gives nothing", () => {
  const engine = lossy(5, () => false);
  expect(engine.job.status).toBe("completed");
  const odd = new TestEngine(definition({ s: start("f"), f: fanOut({ next: "i" }), i: fanIn() }), {
    inputs: { items: [0, 1, 2, 3] },
  });
  for (let step = 0; step < 8; step += 1) odd.step();
  const entry = odd.documents.get("2") ?? {};
  odd.documents.set("2", { ...entry, events: "none" });
  odd.documents.set("3", { events: [1, { node_id: "x" }, { node_id: "f", type: "node_failed" }] });
  odd.documents.set("4", { events: [{ node_id: "f", type: "chunk_completed" }] });
  odd.run();
  expect(odd.output("i")).toMatchObject({ failed: [{ index: 0 }, { index: 1 }, { index: 2 }] });
});

test("a fan_in without a fan_out fails, and one of a fan_out without items is empty", () => {
  const alone = new TestEngine(definition({ s: start("i"), i: fanIn() })).run();
  expect(alone.job.error).toMatchObject({ code: "SNAPSHOT_INVALID", node_id: "i" });
  const empty = new TestEngine(
    definition({ s: start("f"), f: fanOut({ next: "i", on_error: "continue" }), i: fanIn() }),
    { inputs: { items: "no list" } },
  ).run();
  expect(empty.statuses()).toMatchObject({ f: "failed", i: "completed" });
  expect(empty.output("i")).toEqual({ results: [], count: 0, failed: [] });
});

test("items that a failed fan_out never finished carry its own error", () => {
  const engine = new TestEngine(
    definition({
      s: start("f"),
      f: fanOut({ next: "i", on_error: "continue", task: { handler: "gone", params: {} } }),
      i: fanIn(),
    }),
    { inputs: { items: [1] } },
  ).run();
  expect(engine.output("i")).toMatchObject({ failed: [{ index: 0, code: "HANDLER_MISSING" }] });
});
