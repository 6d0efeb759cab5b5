// What an expression of a job sees, and what is asked for before it may look.
import { expect, test } from "vitest";
import { storedValue } from "../../../src/core/scope.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { completed, definition, failed, start, task, text } from "../../support/build.ts";
import { plain, TestEngine } from "../../support/engine.ts";

function shown(expression: string, done: TestEngine["options"] = {}): unknown {
  const engine = new TestEngine(
    definition({
      s: start("a", "bad"),
      a: task({ handler: "a", next: "x" }),
      bad: task({ handler: "bad", on_error: "continue", next: "x" }),
      x: task({ params: { v: expression } }),
    }),
    {
      inputs: { n: 3 },
      vars: { w: "v" },
      ...done,
      handlers: { a: () => completed({ big: text(9000), k: 1 }), bad: () => failed("NO", false) },
    },
  ).run();
  return engine.output("x") ?? engine.node("x").error?.code;
}

test.each([
  ["{{ inputs.n }}", 3],
  ["{{ vars.w }}", "v"],
  ["{{ nodes.a.status }}", "completed"],
  ["{{ nodes.a.output.k }}", 1],
  ["{{ size(nodes.a.output.big) }}", 9000],
  ["{{ nodes.bad.status + ' ' + nodes.bad.error.code }}", "failed NO"],
  ["{{ has(nodes.bad.output) }}", false],
  ["{{ default(nodes.bad.output, 7) }}", 7],
  ["{{ has(nodes.a.error) }}", false],
  ["{{ nodes.a }}", expect.objectContaining({ status: "completed" })],
  ["{{ job.workflow_id }}", "test"],
  ["{{ job.workflow_version }}", 1],
  ["{{ job.created_at }}", "2026-01-01T00:00:00.000Z"],
  ["{{ has(job.correlation_id) }}", false],
])("%s", (expression, v) => {
  expect(shown(expression)).toEqual({ v });
});

test.each(["{{ nodes.bad.output }}", "{{ inputs.m }}", "{{ item }}", "{{ nodes.ghost.output }}"])(
  "%s fails its node",
  (expression) => {
    expect(shown(expression)).toBe("EXPRESSION_FAILED");
  },
);

test("a whole node read through another name still has its stored output", () => {
  expect(shown("{{ [nodes.a].map(n, size(n.output.big))[0] }}")).toEqual({ v: 9000 });
});

test("a correlation id is seen where there is one", () => {
  const engine = new TestEngine(
    definition({ s: start("x"), x: task({ params: { c: "{{ job.correlation_id }}" } }) }),
    { correlation_id: "c-9" },
  ).run();
  expect(engine.output("x")).toEqual({ c: "c-9" });
});

test("a stored value is found inside, in its object, in its entry, or nowhere", () => {
  const entry = plain({
    events: [
      7,
      { type: "node_failed", node_id: "a" },
      { type: "node_completed", node_id: "a", output: 5 },
    ],
  });
  const loaded = new Map<string, JsonObject | null>([
    ["out:x", { value: 4 }],
    ["out:odd", {}],
    ["9", entry],
    ["8", { events: "none" }],
    ["gone", null],
  ]);
  const find = (object: string, id = "a") =>
    storedValue(loaded, { object, digest: "d", bytes: 1 }, id);
  expect(storedValue(loaded, { value: 3, entry: 1 }, "a")).toEqual({ kind: "value", value: 3 });
  expect(find("out:x")).toEqual({ kind: "value", value: 4 });
  expect(find("9")).toEqual({ kind: "value", value: 5 });
  expect(find("out:new")).toEqual({ kind: "needs", id: "out:new" });
  for (const object of ["gone", "8", "out:odd"]) expect(find(object)).toEqual({ kind: "absent" });
  expect(find("9", "b")).toEqual({ kind: "absent" });
});
