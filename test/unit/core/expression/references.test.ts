// Which paths an expression reads, which of them are guarded, and when `nodes` is used freely.
import { expect, test } from "vitest";
import { parseExpression } from "../../../../src/core/expression/parse.ts";
import { dynamicNodeAccess, references } from "../../../../src/core/expression/references.ts";

function parsed(source: string) {
  const result = parseExpression(source);
  if (!result.ok) throw new Error(result.message);
  return result.expression;
}

/** `root.step.0` for each reference, with a `?` behind guarded ones. */
function read(source: string): readonly string[] {
  return references(parsed(source)).map(
    ({ root, path, guarded }) => [root, ...path].join(".") + (guarded ? "?" : ""),
  );
}

test.each([
  ["1 + 2", []],
  ["inputs", ["inputs"]],
  ["inputs.a + inputs['b'][0]", ["inputs.a", "inputs.b.0"]],
  ["-inputs.a == !inputs.b", ["inputs.a", "inputs.b"]],
  ["inputs.a ? item.b : [index, {'k': vars.c}]", ["inputs.a", "item.b", "index", "vars.c"]],
  ["{inputs.k + '': 1}", ["inputs.k"]],
  ["a && b || c", ["a", "b", "c"]],
  ["size(inputs.a)", ["inputs.a"]],
  ["inputs.a.contains(job.id)", ["inputs.a", "job.id"]],
  ["nodes.a.output.rows[0].x", ["nodes.a.output.rows.0.x"]],
  ["inputs.a[-1]", ["inputs.a.-1"]],
  ["inputs.a[index].b", ["inputs.a", "index"]],
  ["inputs.a[nodes.b.output.i].c[vars.d]", ["inputs.a", "nodes.b.output.i", "vars.d"]],
  ["inputs[null].a", ["inputs"]],
  ["[inputs.a][0].b", ["inputs.a"]],
  ["(inputs.a).b", ["inputs.a.b"]],
  ["inputs.a.map(x, x.b + x[inputs.c] + y)", ["inputs.a", "inputs.c", "y"]],
  ["inputs.a.map(x, x).filter(x, x) == x", ["inputs.a", "x"]],
  ["inputs.a.map(x, inputs.b.all(y, x == y))", ["inputs.a", "inputs.b"]],
  ["inputs.a.map(inputs, inputs.b)", ["inputs.a"]],
  ["has(nodes.a.output)", ["nodes.a.output?"]],
  ["has(nodes.a.output[inputs.k])", ["nodes.a.output?", "inputs.k?"]],
  ["default(nodes.a.output.x, nodes.b.output.y)", ["nodes.a.output.x?", "nodes.b.output.y"]],
  ["default(default(a.b, c.d), e.f)", ["a.b?", "c.d?", "e.f"]],
  ["default(nodes.a.output.map(x, x + inputs.b), [])", ["nodes.a.output?", "inputs.b?"]],
  ["has(a.b) ? a.b : 0", ["a.b?", "a.b"]],
])("%s reads %j", (source, expected) => {
  expect(read(source)).toEqual(expected);
});

test("offsets point at the root of each path", () => {
  expect(references(parsed("1 + inputs.a[item.b]"))).toEqual([
    { root: "inputs", path: ["a"], guarded: false, offset: 4 },
    { root: "item", path: ["b"], guarded: false, offset: 13 },
  ]);
});

test.each([
  ["nodes.a.output", undefined],
  ["nodes['a'].output", undefined],
  ["nodes.a[inputs.k]", undefined],
  ["inputs[inputs.a]", undefined],
  ["inputs.nodes", undefined],
  ["[1].map(nodes, nodes)", undefined],
  ["1", undefined],
  ["nodes", 0],
  ["size(nodes)", 5],
  ["'a' in nodes", 7],
  ["nodes[inputs.a].output", 5],
  ["nodes[0]", 5],
  ["has(nodes[inputs.a])", 9],
  ["nodes.map(n, nodes[n])", 0],
  ["inputs[nodes]", 7],
])("the free use of nodes in %s is at %s", (source, offset) => {
  expect(dynamicNodeAccess(parsed(source))).toBe(offset);
});
