// Edges of a definition, and what a job made of them.
import { describe, expect, test } from "vitest";
import { readDefinition } from "../../../src/web/definition.ts";
import { edgeState, edgesOf } from "../../../src/web/graph-model.ts";
import type { NodeFacts } from "../../../src/web/graph-model.ts";

const NODES = readDefinition({
  nodes: {
    start: { type: "start", next: ["try"] },
    try: { type: "task", handler: "echo", next: ["pick"], on_error: "rescue" },
    pick: {
      type: "conditional",
      branches: [
        { name: "left", condition: "value > 1", next: ["a"] },
        { name: "right", default: true, next: ["b", "end"] },
      ],
    },
    a: { type: "task", on_error: "continue", next: ["end"] },
    b: { type: "fan_out", task: { handler: "check" }, next: ["nowhere"] },
    rescue: { type: "task" },
    end: { type: "end", depends_on: { all_of: ["a", "rescue"], any_of: ["b"] } },
  },
}).nodes;
const EDGES = edgesOf(NODES);

test("every way of a definition is an edge, once, and only between its nodes", () => {
  const shown = EDGES.map(({ from, to, kind, label }) => `${from} ${to} ${kind} ${label ?? ""}`);
  expect(shown).toEqual([
    "start try next ",
    "try pick next ",
    "try rescue error on error",
    "pick a branch left",
    "pick b branch right",
    "pick end branch right",
    "a end next ",
    "rescue end depends ",
    "b end depends ",
  ]);
});

test("the handler of a fan_out is that of its items", () => {
  expect(NODES.find(({ id }) => id === "b")?.handler).toBe("check");
});

test("what is no definition has no nodes, and what is unknown is left out", () => {
  expect(readDefinition({}).nodes).toEqual([]);
  const odd = readDefinition({ nodes: { x: { type: 7, next: "y", branches: [1] } }, inputs: [] });
  expect(odd.nodes).toMatchObject([{ id: "x", type: "unknown", next: [] }]);
});

describe("the state of an edge", () => {
  function check(ends: string, facts: Readonly<Record<string, NodeFacts>>): string {
    const edge = EDGES.find(({ from, to }) => `${from} ${to}` === ends);
    if (edge === undefined) throw new Error(`no edge ${ends}`);
    return edgeState(edge, (id) => facts[id]);
  }
  const done: NodeFacts = { status: "completed" };
  const pending: NodeFacts = { status: "pending" };
  const failed: NodeFacts = { status: "failed" };
  const skipped: NodeFacts = { status: "skipped" };
  const right: NodeFacts = { status: "completed", branch: "right" };

  test.each([
    ["start try", {}, "open"],
    ["start try", { start: { status: "running" }, try: pending }, "open"],
    ["start try", { start: done, try: pending }, "taken"],
    ["try rescue", { try: done, rescue: skipped }, "dead"],
    ["try rescue", { try: failed, rescue: pending }, "taken"],
    ["try pick", { try: failed, pick: skipped }, "dead"],
    ["try pick", { try: failed, pick: pending }, "dead"],
    ["pick a", { pick: right, a: skipped }, "dead"],
    ["pick b", { pick: right, b: pending }, "taken"],
    ["pick b", { pick: { status: "completed", branch: "left" }, b: pending }, "dead"],
    ["a end", { a: failed, end: done }, "taken"],
    ["a end", { a: skipped, end: done }, "dead"],
    ["a end", { a: { status: "cancelled" }, end: pending }, "dead"],
    ["b end", { b: pending, end: skipped }, "dead"],
  ] as const)("%s of %j is %s", (ends, facts, state) => {
    expect(check(ends, facts)).toBe(state);
  });
});
