// Totality: whatever is written and whatever the data, there is a value, a refusal or an
// ExpressionError, within the steps. Seeded, so a failure is the same each time.
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonical } from "../../../../src/core/canonical.ts";
import { evaluate, ExpressionError } from "../../../../src/core/expression/evaluate.ts";
import { parseCondition, parseExpression } from "../../../../src/core/expression/parse.ts";
import { dynamicNodeAccess, references } from "../../../../src/core/expression/references.ts";
import { type Json, jsonProblem } from "../../../../src/core/json.ts";
import { parseSingle, parseTemplate } from "../../../../src/core/template.ts";

const settings = { seed: 20_261_122, numRuns: 300 };

/** Words of the language in any order: far more of them parse than of random characters. */
const WORDS =
  "a b a.b a[0] a['b'] l l.map(x, l.filter(x, x ) ( [ ] { } , : ? . 'k' \"t\" 0 1 2.5 - true " +
  "null + * / % == != < <= > >= in && || ! size( has( default( join( {{ }}";
const word = fc.constantFrom(...WORDS.split(" "));
const source = fc.array(word, { maxLength: 14 }).map((words) => words.join(" "));

/** Expressions that always parse, built from the inside out. */
const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const inner = tie("expression");
  const both = fc.tuple(inner, inner);
  return {
    expression: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(..."a l m t x 0 1 -2.5 'k' true false null []".split(" ")),
      both.chain(([one, other]) =>
        fc
          .constantFrom("+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||")
          .map((operator) => `(${one} ${operator} ${other})`),
      ),
      both.chain(([one, other]) =>
        fc.constantFrom("map", "filter", "exists", "all").map((m) => `${one}.${m}(x, ${other})`),
      ),
      both.map(([one, other]) => `${one}[${other}]`),
      both.map(([one, other]) => `default(${one}, ${other})`),
      both.map(([one, other]) => `[${one}, ${other}]`),
      both.map(([one, other]) => `{'k': ${one}, 'p': ${other}}`),
      both.map(([one, other]) => `${one}.split(${other})`),
      both.map(([one, other]) => `(${one} ? ${other} : ${one})`),
      inner.chain((one) =>
        fc.constantFrom("size", "string", "int", "double", "lower").map((f) => `${f}(${one})`),
      ),
      inner.map((one) => `has(${one}.k)`),
      inner.map((one) => `(!${one})`),
    ),
  };
});

const STEPS = 5000;

/** The promises that evaluating `text` breaks. */
function broken(text: string, data: Json): readonly string[] {
  const parsed = parseExpression(text);
  if (!parsed.ok) {
    return parsed.offset >= 0 && parsed.offset <= text.length ? [] : ["offset is outside"];
  }
  const promises: string[] = [];
  const read = references(parsed.expression);
  if (!read.every(({ offset }) => offset < text.length)) promises.push("reference is outside");
  dynamicNodeAccess(parsed.expression);
  const scope = { a: data, b: 1, l: [3, "k", [1]], m: { k: data, p: null }, t: "k\u{1f600}" };
  const before = canonical(scope);
  const budget = { steps: STEPS };
  try {
    const value = evaluate(parsed.expression, scope, budget);
    if (jsonProblem(value) !== undefined) promises.push("value is no JSON");
  } catch (error) {
    if (!(error instanceof ExpressionError)) promises.push(String(error));
  }
  if (budget.steps < 0) promises.push("more steps than allowed");
  if (canonical(scope) !== before) promises.push("scope was changed");
  return promises;
}

const data = fc.jsonValue({ maxDepth: 3 }).map((value) => value as Json);

test("any words give a value, a refusal or an ExpressionError", () => {
  const holds = (text: string, any: Json): void => {
    expect(broken(text, any)).toEqual([]);
  };
  fc.assert(fc.property(source, data, holds), settings);
});

test("any well-formed expression gives a JSON value or an ExpressionError", () => {
  const holds = (text: string, any: Json): void => {
    expect(broken(text, any)).toEqual([]);
  };
  fc.assert(fc.property(expression, data, holds), settings);
});

test("no text whatever makes parsing throw", () => {
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), source);
  const holds = (any: string): void => {
    expect(broken(any, null)).toEqual([]);
    parseCondition(any);
    parseSingle(`{{${any}}}`);
    parseTemplate([`${any}{{${any}}}`, any]);
  };
  fc.assert(fc.property(text, holds), settings);
});

test("many of the expressions built here have a value", () => {
  const scope = { a: 1, l: [1], m: {}, t: "" };
  const hasValue = (text: string): boolean => {
    const parsed = parseExpression(text);
    if (!parsed.ok) return false;
    try {
      evaluate(parsed.expression, scope, { steps: STEPS });
      return true;
    } catch {
      return false;
    }
  };
  const { seed, numRuns } = settings;
  const some = fc.sample(expression, { seed, numRuns }).filter(hasValue);
  expect(some.length).toBeGreaterThan(numRuns / 10);
});
