// Canonical JSON against the RFC's vectors, and everything that must not pass as JSON.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { canonical, digest } from "../../../src/core/canonical.ts";
import type { Json } from "../../../src/core/json.ts";
import { MAX_JSON_DEPTH } from "../../../src/core/limits.ts";

const fixtures = new URL("../../fixtures/jcs/", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, fixtures), "utf8");
const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

const files = readdirSync(new URL("input/", fixtures));

test("all six official documents are there", () => {
  expect(files).toHaveLength(6);
});

test.each(files)("the official document %s has its canonical form", (file) => {
  const value = JSON.parse(read(`input/${file}`)) as Json;
  expect(canonical(value)).toBe(read(`output/${file}`).trimEnd());
});

test("numbers are written as the official sequence says", () => {
  const lines = read("es6-numbers-200.txt").trimEnd().split("\n");
  expect(lines).toHaveLength(200);
  const wrong = lines.filter((line) => {
    const [hex = "", expected] = line.split(",");
    return canonical(Buffer.from(hex.padStart(16, "0"), "hex").readDoubleBE()) !== expected;
  });
  expect(wrong).toEqual([]);
});

test("keys are sorted by UTF-16 units and texts keep what they hold", () => {
  const value = { "\ufffd": 1, "\u{1f600}": 2, b: { z: 1, a: [null, true, "\u20ac\n"] } };
  expect(canonical(value)).toBe(
    '{"b":{"a":[null,true,"\u20ac\\n"],"z":1},"\u{1f600}":2,"\ufffd":1}',
  );
});

/** The RFC's rules, written out piece by piece. */
function plainly(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(plainly).join(",")}]`;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, of]) => `${JSON.stringify(key)}:${plainly(of)}`).join(",")}}`;
}

test("any JSON has the form that the rules give, also with keys that are numbers", () => {
  const key = fc.oneof(fc.constantFrom("9", "10", "-1", "a", "b", "__proto__", ""), fc.string());
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, 0, -0, 1.5, "x"),
      fc.array(tie("value")),
      fc.array(fc.tuple(key, tie("value"))).map(Object.fromEntries),
    ),
  }));
  const holds = (one: Json): void => {
    const before = JSON.stringify(one);
    expect(canonical(one)).toBe(plainly(one));
    expect(JSON.stringify(one)).toBe(before);
  };
  fc.assert(fc.property(value, holds), { seed: 20_261_122, numRuns: 1000 });
});

test("a large map has its keys in order as well", () => {
  const keys = Array.from({ length: 1000 }, (_, index) => `k${(index * 7) % 1000}`);
  const large: Json = { z: Object.fromEntries(keys.map((key) => [key, { b: 1, a: [1] }])), a: 1 };
  expect(canonical(large)).toBe(plainly(large));
});

test("zero has one form", () => {
  expect(canonical(-0)).toBe("0");
});

test("a map without a prototype is a map", () => {
  const bare: Record<string, Json> = Object.create(null);
  bare["a"] = 1;
  expect(canonical(bare)).toBe('{"a":1}');
});

test("a digest is sha256 over the UTF-8 bytes of the canonical form", () => {
  expect(digest({ b: "\u00e9", a: 1 }, sha256)).toBe(`sha256:${sha256('{"a":1,"b":"\u00e9"}')}`);
  expect(digest("", sha256)).toMatch(/^sha256:[0-9a-f]{64}$/);
});

const cycle: { self?: unknown } = {};
cycle.self = cycle;

class Point {
  readonly x = 1;
}

const notJson: readonly (readonly [name: string, value: unknown])[] = [
  ["undefined", undefined],
  ["a function", () => 1],
  ["a symbol", Symbol("s")],
  ["a big integer", 1n],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["a Map", new Map([["a", 1]])],
  ["a Set", new Set([1])],
  ["a Date", new Date(0)],
  ["a regular expression", /a/],
  ["a typed array", new Uint8Array(1)],
  ["a boxed string", new String("a")],
  ["a class instance", new Point()],
  ["a sparse list", [1, , 2]], // oxlint-disable-line no-sparse-arrays
  ["a lone surrogate", "\ud800"],
  ["a cycle", cycle],
  ["a map with a symbol as key", { [Symbol("s")]: 1 }],
];

test.each(notJson)("%s throws, alone and inside", (_name, value) => {
  const refuses = expect.objectContaining({ code: "INTERNAL" });
  expect(() => canonical(value as Json)).toThrow(refuses);
  expect(() => canonical([{ a: value }] as unknown as Json)).toThrow(refuses);
});

test("a lone surrogate in a key throws", () => {
  expect(() => canonical({ "\udc00": 1 })).toThrow("lone surrogate");
});

test("a missing member throws instead of being dropped, and the message says where", () => {
  expect(() => canonical({ a: [{ b: undefined }] } as unknown as Json)).toThrow('"/a/0/b"');
});

function nestedLists(depth: number): Json {
  let value: Json = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

test("twice the accepted depth is written, one level more throws", () => {
  const most = MAX_JSON_DEPTH * 2;
  expect(canonical(nestedLists(most))).toBe(`${"[".repeat(most)}1${"]".repeat(most)}`);
  expect(() => canonical(nestedLists(most + 1))).toThrow(`${most} levels`);
  expect(() => canonical(nestedLists(50_000))).toThrow(`${most} levels`);
});
