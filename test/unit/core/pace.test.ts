// Decisions that rest: wherever a workflow makes the reducer work long, somebody else gets a turn
// after each expression and each large value. Counted, not timed.
import { expect, test } from "vitest";
import { advancing } from "../../../src/core/advance.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { jsonBytes } from "../../../src/core/json.ts";
import { MAX_EVALUATION_STEPS, MAX_FAN_IN_BYTES } from "../../../src/core/limits.ts";
import { finish } from "../../../src/core/pace.ts";
import { BYTES_PER_STEP, REST_STEPS } from "../../../src/core/transition.ts";
import type { Nodes } from "../../support/build.ts";
import { completed, definition, fanIn, fanOut, numbers, start, text } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";

/** Takes four steps for each of 15,000 numbers, three times what a rest is due after. */
const LONG = "inputs.big.exists(n, n < 0)";

/** The most rests of one decision while the job runs to its end. */
function mostRests(nodes: Nodes, given: { readonly items: Json; readonly gives?: Json }): number {
  const inputs = { big: numbers(15_000), items: given.items };
  const handlers = { item: () => completed(given.gives ?? null) };
  const engine = new TestEngine(definition(nodes), { inputs, handlers });
  let most = 0;
  while (engine.job.completed_at === undefined) {
    const { job } = engine;
    const before = engine.decided.length;
    engine.step();
    // What was decided last; a claim before it changes nothing.
    const decided = engine.decided.slice(before).at(-1);
    if (decided === undefined) continue;
    const work = advancing(job, decided.occurrence, decided.context);
    let rests = 0;
    while (work.next().done !== true) rests += 1;
    most = Math.max(most, rests);
  }
  expect(engine.job.status).toBe("completed");
  return most;
}

const branch = (index: number) => ({ name: `b${index}`, condition: LONG, next: [] });

test("a decision rests after each branch that took long", () => {
  const branches = [...numbers(10).map(branch), { name: "else", default: true, next: "e" }];
  const nodes = {
    s: start("c"),
    c: { type: "conditional", condition_field: "{{ 1 }}", branches },
    e: { type: "end" },
  };
  expect(mostRests(nodes, { items: [] })).toBe(10);
});

test("a decision rests after the params of each item that took long", () => {
  const params = { v: `{{ ${LONG} }}`, item: "{{ item }}" };
  const fan = fanOut({ task: { handler: "item", params }, next: "i" });
  const nodes = { s: start("f"), f: fan, i: fanIn() };
  // Chunks of five items.
  expect(mostRests(nodes, { items: numbers(40) })).toBe(5);
});

test("a decision rests after each selected item that took long", () => {
  const nodes = { s: start("f"), f: fanOut({ next: "i" }), i: fanIn({ select: LONG }) };
  expect(mostRests(nodes, { items: numbers(16) })).toBe(16);
});

test("a decision rests after each large outcome", () => {
  const nodes = { s: start("f"), f: fanOut({ next: "i" }), i: fanIn({ aggregation: "first" }) };
  const gives = text(REST_STEPS * BYTES_PER_STEP);
  expect(mostRests(nodes, { items: numbers(40), gives })).toBeGreaterThanOrEqual(4);
});

test("what a rest is due after is a part of the largest evaluation", () => {
  expect(REST_STEPS).toBeLessThan(MAX_EVALUATION_STEPS);
});

test("work that rests comes to the same when it is done at once", () => {
  const seen: number[] = [];
  function* work() {
    for (const one of [1, 2, 3]) {
      seen.push(one);
      yield;
    }
    return seen.length;
  }
  expect(finish(work())).toBe(3);
});

/** A fan_out of items with large outputs, and a fan_in after it. */
function largeItems(count: number, bytes: number, aggregation: string): TestEngine {
  const nodes = { s: start("f"), f: fanOut({ next: "i" }), i: fanIn({ aggregation }) };
  const inputs = { items: numbers(count) };
  const handlers = { item: () => completed(text(bytes)) };
  return new TestEngine(definition(nodes), { inputs, handlers });
}

test("items together larger than the memory for them fail the fan_in, unread", () => {
  const engine = largeItems(3, 10_000, "last");
  const entries = () => [...engine.documents.values()] as readonly JsonObject[];
  while (!JSON.stringify(entries()).includes("chunk_completed")) engine.step();
  for (const [id, document] of engine.documents) {
    const larger = JSON.stringify(document).replaceAll('"bytes":10002', '"bytes":67108864');
    engine.documents.set(id, JSON.parse(larger) as JsonObject);
  }
  expect(engine.run().node("i").error).toEqual({
    code: "OUTPUT_TOO_LARGE",
    message: `the large items have 67128868 bytes, more than ${MAX_FAN_IN_BYTES}`,
  });
});

test("the size of an aggregate is told to the byte", () => {
  const results = numbers(3).map(() => text(400_000));
  const bytes = jsonBytes({ results, count: 3, failed: [] });
  expect(largeItems(3, 400_000, "collect").run().node("i").error?.message).toBe(
    `the aggregate has ${bytes} bytes, more than 1048576`,
  );
});
