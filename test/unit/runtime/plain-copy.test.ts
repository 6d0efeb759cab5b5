// Copies of what handlers hand over: equal for JSON, refused for the rest, and bounded for whatever
// a value shares, repeats or makes up while it is read. Work is counted by reads, not by time.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_JSON_VALUES, MAX_MAP_KEYS } from "../../../src/core/limits.ts";
import { plainCopy } from "../../../src/runtime/plain-copy.ts";

const BYTES = 1024 * 1024;
const THEN = ["th", "en"].join("");

describe("JSON", () => {
  test("is copied as it would be stored, and shares nothing with the original", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        if (/"(?:__proto__|constructor|prototype)":|\\ud[89a-f]/i.test(text)) return;
        const copy = plainCopy(value, BYTES);
        expect(copy.kind).toBe("copied");
        if (copy.kind !== "copied") return;
        expect(JSON.stringify(copy.value)).toBe(text);
        if (typeof value === "object" && value !== null) expect(copy.value).not.toBe(value);
      }),
      { numRuns: 500 },
    );
  });

  test("the bound is the length of the text where nothing is escaped", () => {
    const values = [null, 0, "", "abc", [], [0], [0, [1, 2]], {}, { a: 1 }, { a: 1, b: [{}] }];
    for (const value of values) {
      const { length } = JSON.stringify(value);
      expect(plainCopy(value, length).kind).toBe("copied");
    }
    expect(plainCopy("abc", 4)).toEqual({ kind: "too_large", atLeastBytes: 5 });
    expect(plainCopy({ a: [1, 2] }, 10)).toMatchObject({ kind: "too_large" });
  });

  test("-0 is 0, as in text", () => {
    const copy = plainCopy([-0], 10);
    expect(copy).toEqual({ kind: "copied", value: [0] });
  });
});

describe("what is not JSON", () => {
  const bad: readonly [name: string, value: unknown, pointer: string][] = [
    ["undefined", { a: [undefined] }, "/a/0"],
    ["a hole", { a: Array(2) }, "/a/0"],
    ["a date", [new Date(0)], "/0"],
    ["bytes", { b: Buffer.alloc(9) }, "/b"],
    ["a map", { m: new Map([[1, 2]]) }, "/m"],
    ["a bigint", { n: 1n }, "/n"],
    ["an own toJSON", { a: { toJSON: () => 1 } }, "/a/toJSON"],
    ["a thenable", { a: { [THEN]: () => 1 } }, "/a/then"],
    ["__proto__", JSON.parse('[{"__proto__":{"x":1}}]'), "/0/__proto__"],
    ["constructor", { constructor: { prototype: { x: 1 } } }, "/constructor"],
    ["prototype", { a: { prototype: 1 } }, "/a/prototype"],
    ["a lone surrogate in a key", { "\ud800": 1 }, "/\ud800"],
  ];
  test.each(bad)("%s is refused where it stands", (_name, value, pointer) => {
    expect(plainCopy(value, BYTES)).toMatchObject({ kind: "not_json", problem: { pointer } });
    expect(Object.prototype).not.toHaveProperty("x");
  });
});

describe("what has no end", () => {
  const shared = (): unknown => {
    let value: unknown = [1];
    for (let n = 0; n < 60; n += 1) value = [value, value];
    return value;
  };

  test("parts that are shared stand for 2^60 values and cost what is allowed", () => {
    expect(plainCopy(shared(), BYTES).kind).not.toBe("copied");
  });

  test("one long text, referred to again and again, is counted each time", () => {
    const text = "x".repeat(100_000);
    expect(plainCopy(Array(1_000).fill(text), BYTES)).toMatchObject({ kind: "too_large" });
  });

  test("a text beyond the bound is not even looked at", () => {
    expect(plainCopy("x".repeat(2 ** 28), BYTES)).toMatchObject({ atLeastBytes: 2 ** 28 + 2 });
  });

  test("a list of any length is read up to the bound", () => {
    let reads = 0;
    const endless = new Proxy([], {
      get: (target, key) => {
        if (key === "length") return Number.MAX_SAFE_INTEGER;
        reads += 1;
        return typeof key === "string" ? 7 : Reflect.get(target, key);
      },
    });
    expect(plainCopy(endless, BYTES)).toMatchObject({ kind: "not_json" });
    expect(reads).toBeLessThanOrEqual(MAX_JSON_VALUES);
    reads = 0;
    expect(plainCopy(endless, 100)).toMatchObject({ kind: "too_large" });
    expect(reads).toBeLessThanOrEqual(51);
  });

  test("a getter that makes up a new object each time ends at the depth", () => {
    let reads = 0;
    const deep = (): object => ({
      get next() {
        reads += 1;
        return deep();
      },
    });
    expect(plainCopy(deep(), BYTES)).toMatchObject({ kind: "not_json" });
    expect(reads).toBe(64);
  });

  test("a cycle with two ways around ends at the depth, not when the values run out", () => {
    let reads = 0;
    const knot = {
      get one() {
        reads += 1;
        return this;
      },
      get other() {
        reads += 1;
        return this;
      },
    };
    expect(plainCopy(knot, BYTES)).toMatchObject({
      kind: "not_json",
      problem: { pointer: "/one".repeat(64), message: "nested deeper than 64 levels" },
    });
    expect(reads).toBe(64);
  });

  test("a map of too many keys is refused without its values", () => {
    let reads = 0;
    const map = Object.fromEntries(Array.from({ length: MAX_MAP_KEYS + 1 }, (_, n) => [n, n]));
    const watched = new Proxy(map, {
      get: (target, key) => {
        reads += 1;
        return Reflect.get(target, key) as unknown;
      },
    });
    expect(plainCopy(watched, BYTES)).toMatchObject({ kind: "not_json" });
    expect(reads).toBe(0);
  });

  test("every member is read once: a second reading cannot give another value", () => {
    let reads = 0;
    const value = {
      get a() {
        reads += 1;
        return reads === 1 ? "fine" : shared();
      },
    };
    expect(plainCopy(value, BYTES)).toEqual({ kind: "copied", value: { a: "fine" } });
    expect(reads).toBe(1);
  });

  test("a list with a toJSON of its own class is copied by its elements", () => {
    class Sly extends Array<number> {
      toJSON(): unknown {
        return shared();
      }
    }
    expect(plainCopy({ a: Sly.of(1, 2) }, BYTES)).toEqual({
      kind: "copied",
      value: { a: [1, 2] },
    });
  });
});
