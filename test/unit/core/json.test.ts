// What is JSON and what is not, byte counts, and that the check itself never throws.
import fc from "fast-check";
import { expect, test } from "vitest";
import { isForbiddenKey, isJsonObject, jsonBytes } from "../../../src/core/json.ts";
import { copyJson, jsonProblem, kindOf, utf8Bytes } from "../../../src/core/json.ts";
import { MAX_JSON_VALUES, MAX_MAP_KEYS } from "../../../src/core/limits.ts";

class Thing {}
class Unnamed {}
Object.defineProperty(Unnamed, "name", { value: "" });

const cycle: Record<string, unknown> = {};
cycle["me"] = cycle;

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

test.each<readonly [unknown, string, string]>([
  [undefined, "", "expected JSON, got undefined"],
  [{ a: [1, undefined] }, "/a/1", "expected JSON, got undefined"],
  [[1n], "/0", "expected JSON, got bigint"],
  [{ f: () => 1 }, "/f", "expected JSON, got function"],
  [{ "a/b~c": Symbol("x") }, "/a~1b~0c", "expected JSON, got symbol"],
  [new Date(0), "", "expected JSON, got a Date"],
  [[new Map()], "/0", "expected JSON, got a Map"],
  [new Thing(), "", "expected JSON, got a Thing"],
  [new Unnamed(), "", "expected JSON, got an object"],
  [Object.create({ constructor: 1 }), "", "expected JSON, got an object"],
  [Number.NaN, "", "expected a finite number, got NaN"],
  [[-Infinity], "/0", "expected a finite number, got -Infinity"],
  ["\ud800", "", "expected well-formed Unicode, got a lone surrogate"],
  [{ "\udc00": 1 }, "/\udc00", "expected well-formed Unicode, got a lone surrogate"],
  [JSON.parse('{"x":{"__proto__":1}}'), "/x/__proto__", 'the key "__proto__" is not allowed'],
  [{ constructor: 1 }, "/constructor", 'the key "constructor" is not allowed'],
  [nested(65), "/0".repeat(64), "nested deeper than 64 levels"],
  [cycle, "/me".repeat(64), "nested deeper than 64 levels"],
])("case %#: what is not JSON is named with its place", (value, pointer, message) => {
  expect(jsonProblem(value)).toEqual({ pointer, message });
});

test("a value that throws when it is read is a problem, not a throw", () => {
  const getter = {
    get a(): never {
      throw new Error("no");
    },
  };
  const proxy = new Proxy({}, { getPrototypeOf: () => { throw new Error("no"); } });
  for (const value of [getter, [proxy], Array(1)]) {
    expect(jsonProblem(value)?.message).toMatch(/^expected JSON, got /);
  }
});

test("parts that are shared count as often as they stand there", () => {
  const message = `expected at most ${MAX_JSON_VALUES} values, got more`;
  let shared: unknown = 0;
  for (let level = 0; level < 60; level += 1) shared = [shared, shared];
  const knot: unknown[] = [];
  knot.push(knot, knot);
  const many = Array.from({ length: MAX_JSON_VALUES }, () => 0);
  // A walk of 2^60 values would never end.
  for (const value of [shared, many]) expect(jsonProblem(value)).toEqual({ pointer: "", message });
  expect(jsonProblem(knot)?.message).toBe("nested deeper than 64 levels");
  expect(jsonProblem(many.slice(1))).toBeUndefined();
});

test("a map has a bounded number of keys", () => {
  const keys = Array.from({ length: MAX_MAP_KEYS + 1 }, (_, index) => [`k${index}`, 0]);
  const message = `expected at most ${MAX_MAP_KEYS} keys in one map, got ${MAX_MAP_KEYS + 1}`;
  expect(jsonProblem([Object.fromEntries(keys)])).toEqual({ pointer: "/0", message });
  expect(jsonProblem(Object.fromEntries(keys.slice(1)))).toBeUndefined();
});

test("a copy is equal and shares nothing", () => {
  const inner = { a: [1, "x", null] };
  const value = { inner, list: [inner, true] };
  const copy = copyJson(value) as unknown as typeof value;
  expect(copy).toEqual(value);
  expect([copy.inner === inner, copy.list[0] === inner, copy.list === value.list]).toEqual([
    false,
    false,
    false,
  ]);
});

test("all JSON is JSON, at any depth allowed, with or without a prototype", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
    fc.pre(!JSON.stringify(value).match(/"(__proto__|constructor|prototype)":|\\ud/));
    expect(jsonProblem(value)).toBeUndefined();
  }));
  expect(jsonProblem(nested(64))).toBeUndefined();
  expect(jsonProblem(Object.assign(Object.create(null), { a: null, b: true }))).toBeUndefined();
});

test("bytes are counted as UTF-8 has them", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
  }));
  expect(["a", "ü", "€", "😀"].map(utf8Bytes)).toEqual([1, 2, 3, 4]);
  expect(jsonBytes({ a: ["ü"] })).toBe(12);
});

test("objects, keys and kinds are told apart", () => {
  expect([{}, Object.create(null)].map(isJsonObject)).toEqual([true, true]);
  expect([[], null, "x", new Thing()].some(isJsonObject)).toBe(false);
  expect(["__proto__", "constructor", "prototype", "proto"].map(isForbiddenKey)).toEqual([
    true,
    true,
    true,
    false,
  ]);
  const kinds = [null, [], {}, "x", 1, true].map(kindOf);
  expect(kinds).toEqual(["null", "a list", "a map", "a string", "a number", "a boolean"]);
});
