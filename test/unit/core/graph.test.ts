// Edges, order and compiled expressions of a definition; what cannot be compiled is refused.
import { expect, test } from "vitest";
import { edgesOf, rescueNode } from "../../../src/core/graph.ts";
import { definition, end, fanIn, fanOut, start, task, workflowOf } from "../../support/build.ts";

const choose = (...next: readonly string[]) => ({
  type: "conditional",
  condition_field: "{{ 1 }}",
  branches: [
    { name: "a", condition: "> 1", next: [...next] },
    { name: "b", default: true, next: [...next] },
  ],
});

test("every way from node to node is an edge of its kind, each once", () => {
  const edges = edgesOf(
    definition({
      s: start("a", "a"),
      a: task({ next: ["c"], on_error: "r" }),
      c: choose("e"),
      f: fanOut({ next: "i", on_error: "continue", depends_on: { any_of: ["a", "c"] } }),
      i: fanIn({ next: "e" }),
      r: task({ on_error: "continue" }),
      e: end({ depends_on: { all_of: ["r"] } }),
    }),
  );
  const shown = edges.map(({ from, to, kind, branch }) => [from, to, kind, branch ?? ""].join(" "));
  expect(shown.sort()).toEqual(
    [
      "s a next ",
      "a c next ",
      "a r on_error ",
      "c e branch a",
      "c e branch b",
      "a f any_of ",
      "c f any_of ",
      "f i next ",
      "i e next ",
      "r e all_of ",
    ].sort(),
  );
  expect([rescueNode(undefined), rescueNode("continue"), rescueNode("r")]).toEqual([
    undefined,
    undefined,
    "r",
  ]);
});

test("sources stand before targets, nodes of one depth in the order of the file", () => {
  const workflow = workflowOf(
    definition({ z: end(), b: task({ next: "z" }), a: task({ next: "z" }), s: start("a", "b") }),
  );
  expect(workflow.order).toEqual(["s", "b", "a", "z"]);
  expect(workflow.incoming.get("s")).toEqual([]);
});

test("what a cycle holds comes last, in the order of the file", () => {
  const nodes = { y: task({ next: "x" }), x: task({ next: "y" }), s: start("e"), e: end() };
  expect(workflowOf(definition(nodes)).order).toEqual(["s", "e", "y", "x"]);
});

test.each([
  ["next", { s: start("ghost") }, 's": there is no node "ghost"'],
  ["on_error", { s: start("a"), a: task({ on_error: "ghost" }) }, 'a": there is no node "ghost"'],
  ["a branch", { s: start("c"), c: choose("ghost") }, 'c": there is no node "ghost"'],
  ["all_of", { s: start(), e: end({ depends_on: { all_of: ["ghost"] } }) }, 'e": there is no'],
  ["any_of", { s: start(), e: end({ depends_on: { any_of: ["ghost"] } }) }, 'e": there is no'],
  ["an inherited name", { s: start("toString") }, 's": there is no node "toString"'],
])("a snapshot whose %s leads to no node is refused", (_what, nodes, message) => {
  const parsed = definition(nodes);
  expect(() => workflowOf(parsed)).toThrow(
    expect.objectContaining({
      code: "SNAPSHOT_INVALID",
      message: expect.stringContaining(message),
    }),
  );
  expect(edgesOf(parsed).every(({ to }) => to in nodes)).toBe(true);
});

test("a node may have the name of an inherited member", () => {
  const workflow = workflowOf(definition({ s: start("toString"), toString: end() }));
  expect(workflow.order).toEqual(["s", "toString"]);
});

test.each([
  ["params", task({ params: { a: ["{{ 1 + }}"], b: "{{ ) }}" } })],
  ["condition_field", { ...choose(), condition_field: "bare" }],
  ["a condition", { ...choose(), branches: [{ name: "a", condition: "> >", next: [] }] }],
  ["source", fanOut({ source: "{{ 1 }} and more" })],
  ["params of items", fanOut({ task: { handler: "h", params: { a: "{{" } } })],
  ["select", fanIn({ select: "value +" })],
])("a snapshot whose %s does not parse is refused", (_what, node) => {
  expect(() => workflowOf(definition({ s: start("x"), x: node }))).toThrow(
    expect.objectContaining({
      code: "SNAPSHOT_INVALID",
      message: expect.stringMatching(/^node "x": /),
    }),
  );
});

test("every expression comes with what it reads", () => {
  const { nodes } = workflowOf(
    definition({
      s: start("f"),
      f: fanOut({ source: "{{ inputs.l }}", next: "i" }),
      i: fanIn({ select: "value + nodes.f.error.code" }),
      j: fanIn(),
    }),
  );
  expect(nodes.get("f")?.source?.reads).toMatchObject([{ root: "inputs", path: ["l"] }]);
  expect(nodes.get("i")?.select?.reads.map(({ root }) => root)).toContain("nodes");
  expect([nodes.get("s"), nodes.get("j")]).toEqual([{}, {}]);
});
