// The cheap nodes, continuation, step budget, and the job in which nothing can go on.
import { expect, test } from "vitest";
import { definitionSchema } from "../../../src/core/definition.ts";
import type { Workflow } from "../../../src/core/graph.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { completed, definition, end, fanIn, fanOut, numbers } from "../../support/build.ts";
import { start, task, text, workflowOf } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";

function choose(
  branches: readonly (JsonObject & { readonly next: string })[],
  value: JsonObject[string],
  condition_field = "{{ inputs.v }}",
): TestEngine {
  const targets = Object.fromEntries(branches.map(({ next }) => [next, end()]));
  const engine = new TestEngine(
    definition({
      s: start("c"),
      c: { type: "conditional", condition_field, branches },
      ...targets,
    }),
    { inputs: { v: value } },
  );
  engine.step();
  return engine;
}

const branch = (name: string, condition: string) => ({ name, condition, next: name });

test("the first branch whose condition holds is taken; the others are skipped", () => {
  const branches = [branch("a", "< 1"), branch("b", "> 1"), branch("c2", "> 2")];
  const engine = choose(branches, 9);
  expect(engine.node("c")).toMatchObject({ status: "completed", branch: "b" });
  expect(engine.statuses()).toMatchObject({ a: "skipped", b: "completed", c2: "skipped" });
  expect(engine.job.status).toBe("completed");
});

// Defect 1 of peers.md 3.7: <= and >= were read as < and >.
test.each([
  ["<= 100", 100, true],
  ["<= 100", 101, false],
  [">= 1000", 1000, true],
  [">= 1000", 2000, true],
  [">= 1000", 999, false],
  ["== 'x'", "x", true],
  ["!= 'x'", "x", false],
  ["in [1, 2]", 2, true],
  ["in [1, 2]", 3, false],
])("the condition %s with %j: %s", (condition, value, holds) => {
  const engine = choose([branch("a", condition), { name: "b", default: true, next: "b" }], value);
  expect(engine.node("c").branch).toBe(holds ? "a" : "b");
});

test("the default branch is taken last, wherever it stands", () => {
  const branches = [{ name: "b", default: true, next: "b" }, branch("a", "> 1")];
  expect(choose(branches, 5).node("c").branch).toBe("a");
  expect(choose(branches, 0).node("c").branch).toBe("b");
});

test.each([
  ["no branch holds", [branch("a", "> 1")], 0, "no branch's condition holds"],
  ["a condition is no truth value", [branch("a", "value + 1")], 1, 'branch "a": expected true or'],
  ["a condition fails", [branch("a", "> 1")], "x", 'branch "a": '],
])("where %s the conditional fails, and the job with it", (...row) => {
  const [, branches, value, message] = row;
  const engine = choose(branches, value);
  expect(engine.node("c").error?.code).toBe("EXPRESSION_FAILED");
  expect(engine.node("c").error?.message).toContain(message);
  expect(engine.job).toMatchObject({ status: "failed", error: { node_id: "c" } });
});

test("a condition_field that fails says so", () => {
  const engine = choose([branch("a", "> 1")], 1, "{{ inputs.nothing }}");
  expect(engine.job.error?.message).toMatch(/^condition_field: /);
});

test("depends_on a conditional counts as taken, whatever branch it took", () => {
  const engine = new TestEngine(
    definition({
      s: start("c"),
      c: {
        type: "conditional",
        condition_field: "{{ 1 }}",
        branches: [
          { name: "a", condition: "== 1", next: "x" },
          { name: "b", default: true, next: "w" },
        ],
      },
      w: end(),
      x: end(),
      y: end({ depends_on: { all_of: ["c"] } }),
    }),
  ).run();
  expect(engine.statuses()).toMatchObject({ w: "skipped", x: "completed", y: "completed" });
});

const WIDE = definition({ s: start("c", "a", "b"), b: task(), a: task(), c: task() });

test("an invocation goes on with the first ready task of the file and queues the others", () => {
  const engine = new TestEngine(WIDE);
  engine.step();
  expect(engine.running.map(({ node_id }) => node_id)).toEqual(["b"]);
  expect(engine.queue.map(({ message }) => message.node_id)).toEqual(["a", "c"]);
  expect(engine.statuses()).toMatchObject({ a: "queued", b: "running", c: "queued" });
});

test("an invocation that may not go on queues all", () => {
  const engine = new TestEngine(WIDE, { can_continue: false });
  engine.step();
  expect(engine.running).toEqual([]);
  expect(engine.queue.map(({ message }) => message.node_id)).toEqual(["b", "a", "c"]);
});

test("an invocation goes on with the first task that it has time for", () => {
  const nodes = { s: start("a", "b"), a: task({ timeout_seconds: 301 }), b: task() };
  const started = { type: "message_received", message: { kind: "start" } } as const;
  const check = (continue_seconds: number, running: readonly string[]): void => {
    const engine = new TestEngine(definition(nodes));
    engine.commit({ ...started, redelivered: false }, { continue_seconds });
    expect(engine.running.map(({ node_id }) => node_id)).toEqual(running);
  };
  check(301, ["a"]);
  check(300, ["b"]);
  check(299, []);
});

test("a task that this build lacks is queued, and the next one goes on", () => {
  const nodes = { s: start("a", "b"), a: task({ handler: "new" }), b: task() };
  const engine = new TestEngine(definition(nodes));
  engine.step();
  expect(engine.statuses()).toMatchObject({ a: "queued", b: "running" });
});

/** Conditionals that each cost about 90,000 steps. */
function costly(count: number): TestEngine {
  const ids = numbers(count).map((index) => `c${index}`);
  const condition_field = "{{ size(inputs.l.map(x, inputs.l[0] + x)) }}";
  const branches = [{ name: "go", default: true, next: [] }];
  const nodes = ids.map((id) => [id, { type: "conditional", condition_field, branches }]);
  return new TestEngine(definition({ s: start(...ids), ...Object.fromEntries(nodes), z: task() }), {
    inputs: { l: numbers(9000) },
  });
}

test("past the step budget the rest is left to a wake", () => {
  const engine = costly(60);
  engine.receiveAt(0);
  expect(engine.job.status).toBe("pending");
  const done = () => Object.values(engine.statuses()).filter((s) => s === "completed").length;
  expect(done()).toBeGreaterThan(5);
  expect(done()).toBeLessThan(60);
  expect(engine.queue.map(({ message }) => message.kind)).toEqual(["wake"]);
  engine.queue = [];
  engine.wake();
  engine.run();
  expect(engine.job.status).toBe("completed");
});

test("inputs too large for the projection are asked for by the number of their entry", () => {
  const big = text(9000);
  const engine = new TestEngine(
    definition({
      s: start("a"),
      a: task({ params: { v: "{{ inputs.big }}", w: "{{ vars.w }}" } }),
    }),
    { inputs: { big }, vars: { w: 1 } },
  );
  expect(engine.job.inputs).toBeUndefined();
  engine.step();
  expect([...(engine.decided[0]?.context.loaded.keys() ?? [])]).toEqual(["0"]);
  expect(engine.running[0]).toMatchObject({ params: { v: big, w: 1 } });
});

test("where entry 0 is gone its reader fails with a code", () => {
  const engine = new TestEngine(
    definition({ s: start("a"), a: task({ params: { v: "{{ inputs.big }}" } }) }),
    { inputs: { big: text(9000) } },
  );
  engine.documents.delete("0");
  engine.step();
  expect(engine.job.error?.code).toBe("EXPRESSION_FAILED");
});

test("an aggregate above the largest output fails its node", () => {
  const items = numbers(150);
  const engine = new TestEngine(
    definition({ s: start("f"), f: fanOut({ next: "i" }), i: fanIn() }),
    { inputs: { items }, handlers: { item: () => completed(text(7500)) } },
  ).run();
  expect(engine.node("i").error?.code).toBe("OUTPUT_TOO_LARGE");
  expect(engine.job.status).toBe("failed");
});

/** A workflow whose parts are not all there: no snapshot that was checked looks like this. */
function broken(workflow: Workflow, lost: string): Workflow {
  return { ...workflow, nodes: new Map([...workflow.nodes].filter(([id]) => id !== lost)) };
}

test.each([
  ["c", "conditional"],
  ["f", "fan_out"],
  ["a", "task"],
])("a job ends with a code where the expressions of %s (%s) are missing", (lost) => {
  const nodes = {
    s: start(lost),
    a: task(),
    f: fanOut(),
    c: { type: "conditional", condition_field: "{{ 1 }}", branches: [branch("a", "> 1")] },
  };
  const parsed = definition({ ...nodes, a: task() });
  for (const can_continue of [true, false]) {
    const workflow = broken(workflowOf(parsed), lost);
    const engine = new TestEngine(parsed, { workflow, inputs: { items: [1] }, can_continue });
    engine.run();
    expect(engine.job).toMatchObject({
      status: "failed",
      error: { code: "SNAPSHOT_INVALID", node_id: lost },
    });
  }
});

test.each([
  ["no nodes", {}],
  ["no start", { a: task({ next: "b" }), b: end() }],
  ["a cycle", { s: start("a"), a: task({ depends_on: { all_of: ["b"] }, next: "b" }), b: end() }],
  ["only a cycle", { a: task({ next: "b" }), b: task({ next: "a" }) }],
])("a job whose definition has %s fails instead of hanging or having done nothing", (_c, nodes) => {
  const parsed = definitionSchema.parse({ workflow_id: "hostile", version: 1, nodes });
  const engine = new TestEngine(parsed).run(5);
  expect(engine.job.status).toBe("failed");
  expect(engine.job.error).toMatchObject({ code: "INTERNAL" });
});

test("a cycle beside work under way ends the job once that work is done", () => {
  const engine = new TestEngine(
    definition({ s: start("a", "w"), w: task(), a: task({ next: "b" }), b: task({ next: "a" }) }),
  ).run(5);
  expect(engine.job.error?.message).toBe("no node can go on; waiting: a, b");
  expect(engine.node("w").status).toBe("completed");
});

test("500 nodes are decided in one entry", () => {
  const ids = numbers(498).map((index) => `e${index}`);
  const nodes = Object.fromEntries(ids.map((id) => [id, end()]));
  const engine = new TestEngine(definition({ s: start(...ids), ...nodes })).run();
  expect(engine.entries).toHaveLength(2);
});

test("a condition that reads a stored output asks for it", () => {
  const engine = new TestEngine(
    definition({
      s: start("big"),
      big: task({ handler: "big", next: "w" }),
      w: task({ next: "c" }),
      c: {
        type: "conditional",
        condition_field: "{{ 9000 }}",
        branches: [{ name: "a", condition: "value == size(nodes.big.output)", next: "z" }],
      },
      z: end(),
    }),
    { handlers: { big: () => completed(text(9000)) } },
  ).run();
  expect(engine.node("c").branch).toBe("a");
});
