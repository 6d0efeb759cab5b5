// What the parser refuses, with which hint and where; precedence; limits.
import { describe, expect, test } from "vitest";
import { evaluate } from "../../../../src/core/expression/evaluate.ts";
import {
  parseCondition,
  type Parsed,
  parseExpression,
} from "../../../../src/core/expression/parse.ts";
import { MAX_EXPRESSION_CHARS, MAX_EXPRESSION_DEPTH } from "../../../../src/core/limits.ts";
import type { Json } from "../../../../src/core/json.ts";

function refused(parsed: Parsed): Exclude<Parsed, { ok: true }> {
  if (parsed.ok) throw new Error(`parsed: ${parsed.expression.source}`);
  return parsed;
}

const refuse = (source: string) => refused(parseExpression(source));

const NO_REGEX = "there are no regular expressions: use startsWith, endsWith or contains";
const NO_FILTER =
  "there are no filters: write default(x, 1) for x | default(1), and || for or";
const NO_BRACES =
  "an expression has no braces around it inside another one: leave {{ and }} out";
const NUMBER_FORM =
  "numbers are written 12, 1.5 or 1e3; there is no hexadecimal form, no suffix";
const UNCLOSED = "close it on the same line; a quote inside is written with a backslash";

const hints: readonly (readonly [source: string, offset: number, hint: string | undefined])[] = [
  ["a = 1", 2, "write == to compare; nothing can be assigned"],
  ["a === 1", 2, "write =="],
  ["a !== 1", 2, "write !="],
  ["a <> 1", 2, "write !="],
  ["a =~ 'x'", 2, NO_REGEX],
  ["a and b", 2, "write &&"],
  ["a or b", 2, "write ||"],
  ["not a", 0, "write !x, or !(x in list)"],
  ["not(a)", 0, "write !x"],
  ["a not in b", 2, "write !(x in list)"],
  ["a not_in b", 2, "write !(x in list)"],
  ["not_in(a, b)", 0, "write !(x in list)"],
  ["in(a, b)", 0, "write x in list"],
  ["a is null", 2, "write == to compare, such as x == null"],
  ["is_null(a)", 0, "write x == null"],
  ["a if b else c", 2, "write condition ? yes : no"],
  ["a matches 'x'", 2, NO_REGEX],
  ["a.matches('x')", 2, NO_REGEX],
  ["a & b", 2, "write &&"],
  ["a | default(1)", 2, NO_FILTER],
  ["$.inputs", 0, "write the path without $: inputs.name"],
  ["a ?? 1", 2, "write default(x, fallback)"],
  ["a?.b", 1, "write default(a.b, fallback) or has(a.b)"],
  ["a.?b", 1, "write default(a.b, fallback) or has(a.b)"],
  ["a ** 2", 2, "there are no powers: multiply"],
  ["a // b", 2, "there are no comments here: use YAML comments"],
  ["# a", 0, "there are no comments here: use YAML comments"],
  ["a.map(x => x)", 8, "a macro names its variable first: list.map(x, x.name)"],
  ["{{ a }}", 0, NO_BRACES],
  ["a + {{ b }}", 4, NO_BRACES],
  ["\u201ca\u201d", 0, "use straight quotes"],
  ["a\u00a0+ 1", 1, "use an ordinary space"],
  ["'it''s'", 4, "join texts with +; a quote inside a text needs a backslash"],
  ["'it", 0, UNCLOSED],
  ["'a\nb'", 0, UNCLOSED],
  ['"a\rb"', 0, UNCLOSED],
  ["'a\\", 0, UNCLOSED],
  ["a)", 1, 'nothing is open that ")" could close'],
  ["a]", 1, 'nothing is open that "]" could close'],
  ["a}", 1, 'nothing is open that "}" could close'],
  ["True", 0, "write true"],
  ["None", 0, "write null"],
  ["undefined", 0, "write null, or has(a.b) to ask whether a key is there"],
  ["if", 0, "as a key it is written after a dot"],
  ["a in", 4, undefined],
  ["in [1]", 0, "write x in list"],
  ["a.in", 2, 'write ["in"]'],
  ["a.true", 2, 'write ["true"]'],
  ["a.false", 2, 'write ["false"]'],
  ["a.null", 2, 'write ["null"]'],
  ["a.0", 2, 'write a["b c"] or a[0] for keys that are no plain names'],
  ["0 < a < 9", 6, "join two comparisons with &&, such as 0 < x && x < 9"],
  ["a == b in c", 7, "join two comparisons with &&, such as 0 < x && x < 9"],
  ["a && > 5", 5, "a comparison has a value on both sides, such as value > 5"],
  [".5", 0, "write a zero in front: 0.5"],
  ["a ? 1", 5, "write condition ? yes : no"],
  ["{a: 1}", 1, 'write "a" in quotes, or (a) for the variable'],
  ["{1: 2}", 1, "put it in quotes"],
  ["{'a' 1}", 5, 'a map is written {"key": value}'],
  ["010", 0, "leave the zeros out"],
  ["0x1F", 1, NUMBER_FORM],
  ["1u", 1, NUMBER_FORM],
  ["1.", 1, NUMBER_FORM],
  ["1e", 1, NUMBER_FORM],
  ["1e+", 1, NUMBER_FORM],
  ["1E-x", 1, NUMBER_FORM],
  ["9007199254740993", 0, "write it as a text"],
  ["1e999", 0, "write it as a text"],
  ["'\\q'", 1, "known are \\n \\t \\r \\\\ \\' \\\" \\xHH \\uHHHH \\UHHHHHHHH"],
  ["len(a)", 0, "write size(x)"],
  ["map(a, x, x)", 0, "write list.map(x, x.name)"],
  ["all(a, x, x)", 0, "write list.all(x, x > 0)"],
  ["now()", 0, "there is no clock: pass a time in as an input"],
  ["random()", 0, "there is no randomness: a pinned job must compute the same again"],
  ["a.default(1)", 2, "write default(inputs.name, fallback)"],
  ["a.has()", 2, "write has(inputs.name)"],
  ["a.string()", 2, "write string(x)"],
  ["has(a)", 0, "write has(inputs.name); compare with null by x == null"],
  ["has(1)", 0, "write has(inputs.name); compare with null by x == null"],
  ["has()", 0, "write has(inputs.name)"],
  ["default(a.b)", 0, "write default(inputs.name, fallback)"],
  ["size()", 0, "write size(x)"],
  ["a.lower(1)", 2, "write text.lower()"],
  ["a.map(x)", 6, "write list.map(x, x.name)"],
  ["a.filter(x.y, z)", 9, "write list.filter(x, x > 0)"],
  ["a.exists(1, z)", 9, "write list.exists(x, x > 0)"],
  ["a.map(if, 1)", 6, "as a key it is written after a dot"],
  ["a.map(x, y, z)", 10, "to leave elements out write list.filter(x, condition).map(x, value)"],
];

test.each(hints)("the mistake in %s gets its hint", (source, offset, hint) => {
  expect({ offset: refuse(source).offset, hint: refuse(source).hint }).toEqual({ offset, hint });
});

describe("other texts are refused where they go wrong", () => {
  test.each([
    ["", 0, "the expression is empty"],
    ["  ", 0, "the expression is empty"],
    ["1 +", 3, "expected a value, got the end"],
    ["* 1", 0, 'expected a value, got "*"'],
    ["1 2", 2, "expected an operator or the end, got the number 2"],
    ["a b", 2, 'expected an operator or the end, got "b"'],
    ["a : b", 2, 'expected an operator or the end, got ":"'],
    ["(1 + 2", 6, 'expected ")" to close what begins at character 1, got the end'],
    ["[1, 2", 5, 'expected "]" to close what begins at character 1, got the end'],
    ["a[1", 3, 'expected "]" to close what begins at character 2, got the end'],
    ["size(a, ", 8, "expected a value, got the end"],
    ["(1]", 2, 'expected ")" to close what begins at character 1, got "]"'],
    ["size(1 'a')", 7, 'expected ")" to close what begins at character 5, got a text'],
    ["[1,]", 3, 'expected a value, got "]"'],
    ["a.", 2, "expected a name after the dot, got the end"],
    ["a.map(", 6, "map takes a variable and an expression, got the end"],
    ["a.map(x, 1", 10, 'expected ")" to close what begins at character 6, got the end'],
    ["{'a': 1, 'a': 2}", 9, 'the key "a" stands twice in this map'],
    ["a @ b", 2, 'unexpected "@"'],
    ["a \u{1f600}", 2, "unexpected character U+1F600"],
    ["\u0007", 0, "unexpected character U+0007"],
    ["'\\u12'", 1, "\\u takes 4 hexadecimal digits of a character"],
    ["'\\xzz'", 1, "\\x takes 2 hexadecimal digits of a character"],
    ["'\\U00110000'", 1, "\\U takes 8 hexadecimal digits of a character"],
    ["'\\ud83d\\ude00 \\ud83d'", 0, "the text holds a lone surrogate"],
    ["a.nothing(1)", 2, "there is no method nothing"],
    ["nothing(1)", 0, "there is no function nothing"],
    ["join(a, b, c)", 0, "join takes 1 or 2 values, got 3"],
    ["contains(a)", 0, "contains takes 2 values, got 1"],
    ["constructor(1)", 0, "there is no function constructor"],
    ["'a'.__proto__()", 4, "there is no method __proto__"],
  ])("%s", (source, offset, message) => {
    expect({ offset: refuse(source).offset, message: refuse(source).message }).toEqual({
      offset,
      message,
    });
  });
});

test("an unknown function's hint lists those that exist", () => {
  expect(refuse("nothing(1)").hint).toContain("size, has, default, startsWith");
});

test("two halves of one character in escapes make that character", () => {
  expect(valueOf(parseExpression("'\\ud83d\\ude00'"))).toBe("\u{1f600}");
});

function valueOf(parsed: Parsed, scope: Record<string, Json> = {}): Json {
  if (!parsed.ok) throw new Error(parsed.message);
  return evaluate(parsed.expression, scope, { steps: 1000 });
}

test.each([
  ["< 100", 99, true],
  ["< 100", 100, false],
  ["<= 100", 100, true],
  [">= 1000", 2000, true],
  ["> 5 && value < 7", 6, true],
  ["== 'a' || value == 'b'", "b", true],
  ["!= null", null, false],
  ["in [1, 2]", 2, true],
  ["in [1, 2] ? 'few' : 'many'", 3, "many"],
  [" > 1 + 1 ", 3, true],
  ["value < 100", 5, true],
  ["size(value) == 0", [], true],
  ["-1", 7, -1],
  ["{{ < 100 }}", 5, true],
  [" {{ value > 100 }} ", 5, false],
])("the condition %s over %j is %j", (source, value, expected) => {
  expect(valueOf(parseCondition(source), { value })).toBe(expected);
});

test.each([
  ["< 100 && > 5", 9],
  ["< ", 2],
  ["< 1 < 2", 4],
  ["< 1 2", 4],
  ["not in [1]", 0],
  ["{{ < 100 && > 5 }}", 12],
  ["{{ value > 1", 0],
  ["{{ value }} > 1", 0],
  [" {{ value = 1 }}", 10],
])("the condition %s is refused at %i", (source, offset) => {
  expect(refused(parseCondition(source)).offset).toBe(offset);
});

test("the short form is no expression elsewhere", () => {
  expect(refuse("< 100").offset).toBe(0);
});

test("a bug inside is thrown on, not taken for an author's mistake", () => {
  expect(() => parseExpression(undefined as unknown as string)).toThrow(TypeError);
});

test("an expression may have 1,024 characters and not one more", () => {
  const most = `'${"a".repeat(MAX_EXPRESSION_CHARS - 2)}'`;
  expect(parseExpression(most).ok).toBe(true);
  expect(refuse(`${most} `).message).toBe("an expression has at most 1024 characters, got 1025");
});

test("parentheses nest to the limit and no deeper", () => {
  const inside = (levels: number): string => `${"(".repeat(levels)}1${")".repeat(levels)}`;
  expect(parseExpression(inside(MAX_EXPRESSION_DEPTH - 1)).ok).toBe(true);
  expect(refuse(inside(MAX_EXPRESSION_DEPTH)).message).toBe("nested deeper than 32 levels");
  expect(refuse("(".repeat(1024)).message).toBe("nested deeper than 32 levels");
  expect(refuse("[".repeat(1024)).message).toBe("nested deeper than 32 levels");
  expect(refuse("!".repeat(1024)).message).toBe("nested deeper than 32 levels");
  expect(refuse("-".repeat(1023)).message).toBe("nested deeper than 32 levels");
  expect(refuse(`${"a?".repeat(300)}1`).message).toBe("nested deeper than 32 levels");
});

test("a run of methods nests, a run of steps or operators does not", () => {
  expect(parseExpression(`a${".lower()".repeat(31)}`).ok).toBe(true);
  expect(refuse(`a${".lower()".repeat(32)}`).message).toBe("nested deeper than 32 levels");
  expect(parseExpression(`a${".b".repeat(300)}`).ok).toBe(true);
  expect(parseExpression(`1${" + 1".repeat(200)}`).ok).toBe(true);
  expect(parseExpression(`a${" || a".repeat(190)}`).ok).toBe(true);
});

test("an expression may have 400 parts and not one more", () => {
  const list = (items: number): string => `[${Array(items).fill("1").join(",")}]`;
  expect(parseExpression(list(399)).ok).toBe(true);
  expect(refuse(list(400)).message).toBe("the expression has 401 parts, at most 400");
});
