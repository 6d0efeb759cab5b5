// Cost and size of evaluation, counted in steps; hostile expressions; messages.
import { describe, expect, test } from "vitest";
import {
  type Budget,
  evaluate,
  ExpressionError,
  type Scope,
} from "../../../../src/core/expression/evaluate.ts";
import { parseExpression } from "../../../../src/core/expression/parse.ts";
import type { Json } from "../../../../src/core/json.ts";
import { MAX_EVALUATION_STEPS, MAX_RENDERED_BYTES } from "../../../../src/core/limits.ts";

function parsed(source: string) {
  const result = parseExpression(source);
  if (!result.ok) throw new Error(`${source}: ${result.message}`);
  return result.expression;
}

function run(source: string, scope: Scope = {}): Json {
  return evaluate(parsed(source), scope, { steps: MAX_EVALUATION_STEPS });
}

function failureOf(source: string, scope: Scope = {}): ExpressionError {
  try {
    run(source, scope);
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error(`${source} has a value`);
}

/** Steps that an evaluation takes. */
function cost(source: string, scope: Scope = {}): number {
  const budget: Budget = { steps: MAX_EVALUATION_STEPS };
  evaluate(parsed(source), scope, budget);
  return MAX_EVALUATION_STEPS - budget.steps;
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);

describe("what steps are charged for", () => {
  test.each([
    ["1", {}, 1],
    ["1 + 2", {}, 3],
    ["inputs.a.b", { inputs: { a: { b: 1 } } }, 4],
    ["true || inputs.a", {}, 2],
    ["false ? 1 : 2", {}, 3],
    ["'a' + 'b'", {}, 4],
    ["size(t)", { t: "a".repeat(160) }, 12],
    ["t[0]", { t: "a".repeat(160) }, 13],
    ["lower(t)", { t: "a".repeat(160) }, 42],
    ["upper(t)", { t: "a".repeat(160) }, 42],
    ["t < t", { t: "a".repeat(160) }, 13],
    ["t == t", { t: "a".repeat(160) }, 14],
    ["t.startsWith(p)", { t: "a", p: "a".repeat(160) }, 13],
    ["t.split(',')", { t: "a,".repeat(80) }, 3 + 10 + 81],
    ["t.split('')", { t: "a".repeat(160) }, 3 + 10 + 160],
    ["l.join(',')", { l: ["a", "b", "c"] }, 3 + 3 + 1],
    ["size(l)", { l: numbers(100) }, 2],
    ["size(m)", { m: { a: 1, b: 2 } }, 4],
    ["l + l", { l: numbers(100) }, 203],
    ["99 in l", { l: numbers(100) }, 103],
    ["l == l", { l: numbers(100) }, 3 + 101],
    ["m == m", { m: { a: 1, b: 2 } }, 3 + 1 + 4 + 2],
    ["l.map(x, x)", { l: numbers(100) }, 102],
    ["m.map(k, k)", { m: { a: 1, b: 2 } }, 2 + 2 + 8 + 2],
    ["double(t)", { t: "1234567890.12345" }, 2],
    ["double(t)", { t: "1".repeat(15) + "e" + "0".repeat(143) + "1" }, 2 + 9],
    ["int(t)", { t: "0".repeat(160) }, 2 + 9],
    ["default(a.b, 1)", { a: {} }, 1 + 3 + 100 + 1],
    ["a.b || true", { a: {} }, 1 + 3 + 100 + 1],
  ] as const)("%s", (source, scope, steps) => {
    expect(cost(source, scope)).toBe(steps);
  });
});

test("a budget is shared: it counts down over evaluations and stays at zero once used up", () => {
  const budget: Budget = { steps: 5 };
  evaluate(parsed("1 + 2"), {}, budget);
  expect(budget.steps).toBe(2);
  expect(() => evaluate(parsed("1 + 2"), {}, budget)).toThrow("the steps are used up");
  expect(budget.steps).toBe(0);
  expect(() => evaluate(parsed("1"), {}, budget)).toThrow("the steps are used up");
});

test("exactly enough steps are enough", () => {
  expect(evaluate(parsed("1 + 2"), {}, { steps: 3 })).toBe(3);
});

/** `list.map(a, list.map(b, ...))`, `levels` deep. */
function nestedMacros(levels: number, macro: string): string {
  const inner = levels === 0 ? "x0 == -1" : nestedMacros(levels - 1, macro);
  return `l.${macro}(x${levels}, ${inner})`;
}

const decade = { inputs: { l: numbers(10) }, l: numbers(10) };
const long = "a".repeat(200_000);

describe("hostile expressions end with the budget", () => {
  test.each([
    ["nested maps", nestedMacros(12, "map"), decade],
    ["nested exists", nestedMacros(12, "exists"), decade],
    ["300 cubed", "l.map(a, l.map(b, l.map(c, a + b + c)))", { l: numbers(300) }],
    ["a list doubled by a macro", `[l]${".map(x, x + x)".repeat(28)}`, decade],
    ["equality of shared structure", `${tower(20)} == ${tower(20)}`, {}],
    ["a text doubled by a macro", `['${"a".repeat(50)}']${".map(x, x + x)".repeat(28)}`, {}],
    ["a wide map put in order", "m.map(k, 1)", { m: wide(30_000) }],
    ["errors that are outweighed", "l.exists(x, l.exists(y, 1 < 'a'))", { l: numbers(100) }],
    ["texts split into characters", "t.split('')", { t: long }],
    ["texts split into pieces", "t.split('a')", { t: long }],
    ["a text searched by each item", "l.exists(x, t.contains('b'))", { l: numbers(100), t: long }],
    ["lists added by each item", "l.map(x, l + l)", { l: numbers(1000) }],
    ["absorbing the end", "l.map(a, l.map(b, l.map(c, 1))) == 1 || true", { l: numbers(300) }],
    ["defaulting the end", "default(l.map(a, l.map(b, l.map(c, 1))), 1)", { l: numbers(300) }],
  ])("%s", (_name, source, scope) => {
    expect(["budget", "size"]).toContain(failureOf(source, scope).reason);
  });
});

/** A list of lists that shares its parts: small in memory, 2^levels elements as JSON. */
function tower(levels: number): string {
  return `[1]${".map(x, [x, x])".repeat(levels)}`;
}

function wide(keys: number): Record<string, number> {
  return Object.fromEntries(numbers(keys).map((key) => [`key-${key}`, key]));
}

describe("values that would be too large are an error", () => {
  const big = "a".repeat(600 * 1024);
  test.each([
    ["a joined text", "t + t", { t: big }],
    ["a joined list", "[t, t].join('')", { t: big }],
    ["a list of one text", "[t, t]", { t: big }],
    ["a map of one text", "{'a': t, 'b': t}", { t: big }],
    ["a map with large keys", "{t + '1': 1, t + '2': 2}", { t: big }],
    ["a list that shares its parts", tower(25), {}],
    ["a list with no room left for it", "[t, []]", { t: "a".repeat(MAX_RENDERED_BYTES - 6) }],
    ["a map with no room left for it", "[t, {}]", { t: "a".repeat(MAX_RENDERED_BYTES - 6) }],
    ["escapes that make it longer", "t", { t: "\u0001".repeat(200 * 1024) }],
    ["a text to look for", "t.contains(p)", { t: "a", p: "b".repeat(257) }],
    ["a separator", "t.split(p)", { t: "a", p: "b".repeat(257) }],
  ])("%s", (_name, source, scope) => {
    expect(failureOf(source, scope).reason).toBe("size");
  });
});

test("a value may have 64 levels and not one more", () => {
  const d = numbers(63).reduce<Json>((inner) => [inner], 1);
  expect(run("[d]", { d })).toEqual([d]);
  expect(failureOf("[[d]]", { d }).reason).toBe("size");
});

test("a value of exactly the largest size passes", () => {
  const t = "a".repeat(MAX_RENDERED_BYTES - 2);
  expect(run("t", { t })).toBe(t);
  expect(failureOf("t", { t: `${t}a` }).reason).toBe("size");
  expect(failureOf("[t]", { t }).reason).toBe("size");
});

test("a search that native code would do in quadratic time is refused before it begins", () => {
  const scope = { t: "a".repeat(200_000), p: `${"a".repeat(50_000)}b${"a".repeat(49_999)}` };
  expect(failureOf("t.contains(p)", scope).reason).toBe("size");
  expect(run("t.contains(p)", { t: "a".repeat(300), p: "a".repeat(256) })).toBe(true);
});

test("size errors are not outweighed and not defaulted", () => {
  const scope = { t: "a", p: "b".repeat(257) };
  expect(failureOf("t.contains(p) || true", scope).reason).toBe("size");
  expect(failureOf("default(t.contains(p), true)", scope).reason).toBe("size");
});

test.each(["__proto__", "constructor", "prototype"])("the key %s is never there", (key) => {
  const trap = JSON.parse(`{"m": {"${key}": {"x": 1}, "a": 1}}`) as Scope;
  expect(failureOf(`m.${key}`, trap).reason).toBe("missing");
  expect(failureOf(`m["${key}"].x`, trap).reason).toBe("missing");
  expect(run(`has(m.${key})`, trap)).toBe(false);
  expect(run(`"${key}" in m`, trap)).toBe(false);
  expect(run("size(m)", trap)).toBe(1);
  expect(run("m.map(k, k)", trap)).toEqual(["a"]);
  expect(run("m == {'a': 1}", trap)).toBe(true);
  expect(failureOf(`{"${key}": 1}`).reason).toBe("type");
});

test("what a value inherits is never there", () => {
  expect(failureOf("m.toString", { m: {} }).reason).toBe("missing");
  expect(failureOf("l.map", { l: [] }).reason).toBe("missing");
  expect(failureOf("toString").reason).toBe("missing");
  expect(failureOf("hasOwnProperty.call").reason).toBe("missing");
});

test("a member that is undefined counts as missing", () => {
  const scope = { nodes: { a: { output: undefined } } } as unknown as Scope;
  expect(failureOf("nodes.a.output", scope).reason).toBe("missing");
  expect(run("default(nodes.a.output.x, 1)", scope)).toBe(1);
});

test("the scope is read, never changed", () => {
  const scope: Scope = { l: Object.freeze([3, 1]), m: Object.freeze({ b: 1, a: 2 }) };
  expect(run("l + l", scope)).toEqual([3, 1, 3, 1]);
  expect(run("m.map(k, m[k])", scope)).toEqual([2, 1]);
});

test("the error is a WorkflowError of its own class that names place and types, not data", () => {
  const error = failureOf("1 + inputs.secret.x", { inputs: { secret: "s3cret" } });
  expect(error.code).toBe("EXPRESSION_FAILED");
  expect(error.message).toBe(
    'there is no key "x" in a string, at character 19 of the expression 1 + inputs.secret.x',
  );
  expect(failureOf("m[k]", { m: {}, k: "s3cret" }).message).toBe(
    "there is no key in a map, at character 2 of the expression m[k]",
  );
});

test("a long source is cut in the message", () => {
  const { message } = failureOf(`nobody + '${"a".repeat(300)}'`);
  expect(message).toBe(
    `there is no nobody here, at character 1 of the expression nobody + '${"a".repeat(70)}...`,
  );
});

test("both sides wrong: the first error is told", () => {
  expect(failureOf("a.b || 1 < 'x'", { a: {} }).reason).toBe("missing");
  expect(failureOf("1 < 'x' || a.b", { a: {} }).reason).toBe("type");
});

test("a bug inside is thrown on, not taken for an author's error", () => {
  const trap = {
    get a(): Json {
      throw new RangeError("ours");
    },
  };
  expect(() => run("a || true", trap)).toThrow(RangeError);
  expect(() => run("default(a, true)", trap)).toThrow(RangeError);
});
