// Inputs: what a declaration may say, and what a caller may give.
import { describe, expect, test } from "vitest";
import type { WorkflowDefinition } from "../../../src/core/definition.ts";
import { definitionSchema } from "../../../src/core/definition.ts";
import { applyInputs, compilePattern, MAX_PATTERN_STEPS } from "../../../src/core/inputs.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { parseDefinition } from "../../../src/core/parse.ts";
import { handlersNamed } from "../../support/parsed.ts";

function definitionOf(inputs: object): WorkflowDefinition {
  return definitionSchema.parse({ workflow_id: "w", version: 1, inputs, nodes: {} });
}

/** Each issue as `pointer message | hint`; the inputs where there is none. */
function apply(inputs: object, given: JsonObject): JsonObject | readonly string[] {
  const applied = applyInputs(definitionOf(inputs), given);
  if (applied.ok) return applied.inputs;
  return applied.issues.map(({ pointer, message, hint }) => {
    return `${pointer} ${message}${hint === undefined ? "" : ` | ${hint}`}`;
  });
}

describe("a caller", () => {
  function check(input: object, good: readonly Json[], bad: readonly (readonly [Json, string])[]) {
    for (const value of good) expect(apply({ x: input }, { x: value })).toEqual({ x: value });
    for (const [value, message] of bad) {
      expect(apply({ x: input }, { x: value })).toEqual([`/input_params/x input "x": ${message}`]);
    }
  }

  test("gives values of the declared type", () => {
    check({ type: "string" }, ["", "a"], [
      [1, "expected a string, got 1"],
      [null, "expected a string, got null"],
    ]);
    check({ type: "integer" }, [3, 3.0, -0, 9007199254740991], [
      [3.5, "expected an integer, got 3.5"],
      [9007199254740992, "expected an integer, got 9007199254740992"],
      ["3", "expected an integer, got a string"],
    ]);
    check({ type: "number" }, [3, 3.5, 1e300], [
      [true, "expected a number, got true"],
      ["1", "expected a number, got a string"],
    ]);
    check({ type: "boolean" }, [true, false], [
      [0, "expected true or false, got 0"],
      ["true", "expected true or false, got a string"],
    ]);
    check({ type: "array" }, [[], [1, null]], [
      [{}, "expected an array, got an object"],
      ["[]", "expected an array, got a string"],
    ]);
    check({ type: "object" }, [{}, { a: [] }], [
      [[], "expected an object, got an array"],
      [null, "expected an object, got null"],
    ]);
  });

  test("keeps numbers inside their bounds and texts and lists inside their lengths", () => {
    check({ type: "number", min: 1, max: 2 }, [1, 1.5, 2], [
      [0.9, "expected at least 1, got 0.9"],
      [2.1, "expected at most 2, got 2.1"],
    ]);
    check({ type: "integer", min: 0 }, [0, 100], [[-1, "expected at least 0, got -1"]]);
    check({ type: "string", min: 2, max: 3 }, ["ab", "abc", "😀😀😀"], [
      ["a", "expected at least 2 characters, got 1"],
      ["😀😀😀😀", "expected at most 3 characters, got 4"],
    ]);
    check({ type: "array", min: 1, max: 2 }, [[1], [1, 2]], [
      [[], "expected at least 1 items, got 0"],
      [[1, 2, 3], "expected at most 2 items, got 3"],
    ]);
  });

  test("chooses among the values of an enum, by value", () => {
    check({ type: "string", enum: ["a", "b"] }, ["a", "b"], [
      ["c", 'expected one of "a", "b"'],
    ]);
    check({ type: "object", enum: [{ a: 1, b: [2] }] }, [{ b: [2], a: 1 }], [
      [{ a: 1 }, 'expected one of {"a":1,"b":[2]}'],
    ]);
  });

  test("matches a pattern with the whole text, without anchors", () => {
    check({ type: "string", pattern: "[a-z]+" }, ["abc"], [
      ["abc1", "expected a text that matches [a-z]+"],
      ["", "expected a text that matches [a-z]+"],
      ["abc\n", "expected a text that matches [a-z]+"],
    ]);
    check({ type: "string", pattern: "a|ab" }, ["a", "ab"], []);
    check({ type: "string", pattern: "(?i)x.y" }, ["X😀Y"], []);
  });

  test("never reads its own text in a message", () => {
    const secret = "hunter2";
    const inputs = {
      a: { type: "integer" },
      b: { type: "string", pattern: "[0-9]*" },
      c: { type: "string", enum: ["x"] },
      d: { type: "string", max: 1 },
    };
    const said = apply(inputs, { a: secret, b: secret, c: secret, d: secret });
    expect(said).toHaveLength(4);
    expect(JSON.stringify(said)).not.toContain(secret);
  });

  test("may leave out what is optional and gets the defaults", () => {
    const inputs = {
      a: { type: "string" },
      b: { type: "integer", default: 3 },
      c: { type: "object", default: { x: [1] } },
      d: { type: "boolean", default: false },
    };
    expect(apply(inputs, {})).toEqual({ b: 3, c: { x: [1] }, d: false });
    expect(apply(inputs, { b: 4, a: "x" })).toEqual({ a: "x", b: 4, c: { x: [1] }, d: false });
  });

  test("gets the inputs in declared order", () => {
    const inputs = { z: { type: "integer" }, a: { type: "integer", default: 1 } };
    const applied = apply(inputs, { z: 2 });
    expect(JSON.stringify(applied)).toBe('{"z":2,"a":1}');
  });

  test("must give what is required", () => {
    expect(apply({ x: { type: "integer", required: true } }, {})).toEqual([
      '/input_params/x input "x": required, expected an integer',
    ]);
  });

  test("must not give what is not declared", () => {
    const inputs = { amount: { type: "integer" }, name: { type: "string" } };
    expect(apply(inputs, { amuont: 3, "a/b": 1, toString: 1 })).toEqual([
      '/input_params/amuont input "amuont": the workflow declares amount, name' +
        ' | did you mean "amount"?',
      '/input_params/a~1b input "a/b": the workflow declares amount, name',
      '/input_params/toString input "toString": the workflow declares amount, name',
    ]);
    expect(apply({}, { a: 1 })).toEqual([
      '/input_params/a input "a": the workflow declares no inputs',
    ]);
  });

  test("is told all problems at once", () => {
    const inputs = {
      a: { type: "integer", required: true },
      b: { type: "string", max: 1 },
      c: { type: "boolean" },
    };
    expect(apply(inputs, { b: "xx", c: 1, d: 2 })).toHaveLength(4);
  });

  test("who gives thousands of unknown names is answered in few words", () => {
    const names = Array.from({ length: 3000 }, (_, index) => [`declared_${index}`, {}] as const);
    const type = { type: "string", required: true };
    const inputs = Object.fromEntries(names.map(([name]) => [name, type]));
    const given = Array.from({ length: 25_000 }, (_, index) => [`declard_${index}`, 1] as const);
    const said = apply(inputs, Object.fromEntries(given));
    expect(said).toHaveLength(101);
    expect(said).toContain("undefined 27900 more problems are not listed");
    expect(JSON.stringify(said)).toContain("declared_19 and 2980 more");
    expect(JSON.stringify(said).length).toBeLessThan(100_000);
  });

  test("a long unknown name is cut", () => {
    const said = apply({}, { ["n".repeat(400_000)]: 1 });
    const name = `${"n".repeat(61)}…`;
    expect(said).toEqual([`undefined input "${name}": the workflow declares no inputs`]);
  });

  test("gives JSON only, and the place inside the value is told", () => {
    const inputs = { x: { type: "array" }, y: { type: "number" } };
    const given = { x: [1, { a: JSON.parse('{"__proto__": 1}') as Json }], y: Number.NaN };
    expect(apply(inputs, given)).toEqual([
      '/input_params/x/1/a/__proto__ input "x": the key "__proto__" is not allowed',
      '/input_params/y input "y": expected a finite number, got NaN',
    ]);
  });

  test("is not helped by members that every object has", () => {
    expect(apply({ toString: { type: "string" }, valueOf: { type: "string", default: "v" } }, {}))
      .toEqual({ valueOf: "v" });
  });

  test("of a pinned definition with a bad pattern is told so", () => {
    // Nothing that was parsed has one; a build with another library might judge otherwise.
    expect(apply({ x: { type: "string", pattern: "(" } }, { x: "a" })).toEqual([
      '/input_params/x input "x": expected a pattern in RE2 syntax: ' +
        "error parsing regexp: missing closing ): `(`",
    ]);
  });
});

describe("a declaration", () => {
  /** Issues of `inputs: {x: {...}}`, whose braces begin at column 4. */
  function check(input: string, expected: readonly string[]): void {
    const source = `workflow_id: w
version: 1
nodes: {s: {type: start, next: e}, e: {type: end}}
inputs:
 x: {${input}}
`;
    const parsed = parseDefinition(source, { file: "w.yaml", handlers: handlersNamed() });
    const issues = parsed.ok ? [] : parsed.issues;
    expect(
      issues.map(({ line, column, message, hint }) => {
        return `${line}:${column} ${message}${hint === undefined ? "" : ` | ${hint}`}`;
      }),
    ).toEqual(expected);
  }

  test("of every kind is fine", () => {
    check('type: string, min: 0, max: 3, pattern: "a*", enum: [a, aa], default: a', []);
    check("type: integer, min: -3, max: 3, enum: [1, 2], default: 2", []);
    check("type: number, min: 0.5, max: 0.5, default: 0.5", []);
    check("type: array, min: 1, default: [1], description: d", []);
    check("type: object, default: {a: 1}", []);
    check("type: boolean, default: false, required: false", []);
    check("type: boolean, required: true", []);
  });

  test("with a default is not required", () => {
    check("type: string, required: true, default: a", [
      '5:30 input "x": an input with a default is never required | leave out one of the two',
    ]);
  });

  test("has bounds only where they mean something", () => {
    check("type: boolean, min: 1, max: 2", [
      '5:26 input "x": min is only for string, integer, number, array',
      '5:34 input "x": max is only for string, integer, number, array',
    ]);
    check("type: integer, min: 3, max: 2", ['5:26 input "x": min 3 is above max 2']);
    check("type: string, min: -1, max: 1.5", [
      '5:25 input "x": min is a length here, expected a whole number from 0',
      '5:34 input "x": max is a length here, expected a whole number from 0',
    ]);
    check("type: array, max: 1e300", [
      '5:24 input "x": max is a length here, expected a whole number from 0',
    ]);
  });

  test("has a pattern only for texts, in RE2 syntax, of bounded size", () => {
    check('type: integer, pattern: "a"', ['5:30 input "x": pattern is only for string']);
    check('type: string, pattern: "a(?=b)"', [
      '5:29 input "x": expected a pattern in RE2 syntax: ' +
        "error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
    ]);
    check('type: string, pattern: ".{0,1000}.{0,999}"', []);
    check('type: string, pattern: ".{0,1000}.{0,1000}"', [
      '5:29 input "x": the pattern takes 4002 instructions, at most 4000 are allowed',
    ]);
  });

  test("has enum values and a default that it accepts itself", () => {
    check("type: integer, enum: [1, a, 2.5], default: 1", [
      '5:31 input "x": expected an integer, got a string',
      '5:34 input "x": expected an integer, got 2.5',
    ]);
    check("type: integer, default: a", [
      '5:30 input "x": default: expected an integer, got a string',
    ]);
    check("type: integer, default: 4, max: 3", [
      '5:30 input "x": default: expected at most 3, got 4',
    ]);
    check("type: string, default: c, enum: [a, b]", [
      '5:29 input "x": default: expected one of "a", "b"',
    ]);
    check('type: string, default: ab, pattern: "a"', [
      '5:29 input "x": default: expected a text that matches a',
    ]);
    check("type: string, default: null", [
      '5:29 input "x": default: expected a string, got null',
    ]);
  });
});

test("a pattern is matched in linear time", () => {
  const compiled = compilePattern("(a+)+b");
  expect(compiled.ok && compiled.matches("a".repeat(50_000))).toBe(false);
});

test("matching is bounded by steps that all inputs of a submission share", () => {
  const input = { type: "string", pattern: ".{0,1000}x*" };
  const compiled = compilePattern(input.pattern);
  const most = Math.floor(MAX_PATTERN_STEPS / (compiled.ok ? compiled.size : 1));
  expect(most).toBeGreaterThan(2000);
  const long = `${"a".repeat(1000)}${"x".repeat(most - 1000)}`;
  const told = (name: string, room: number, got: number) => {
    const message = `expected at most ${room} characters for a pattern of this size, got ${got}`;
    return [`/input_params/${name} input "${name}": ${message}`];
  };
  expect(apply({ a: input }, { a: long })).toEqual({ a: long });
  expect(apply({ a: input }, { a: `${long}x` })).toEqual(told("a", most, most + 1));
  const both = { a: long.slice(0, most - 900), b: "a".repeat(1000) };
  expect(apply({ a: input, b: input }, both)).toEqual(told("b", 900, 1000));
});
