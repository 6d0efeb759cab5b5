// What a handler gives back: JSON is kept as a copy, everything else is refused with its pointer.
import { describe, expect, test } from "vitest";
import { MAX_OUTPUT_BYTES } from "../../../src/core/limits.ts";
import { failureOf, outputOf, revoked, start, thrower } from "../../support/raw-attempt.ts";

describe("values", () => {
  test("a value is given back as it is", async () => {
    const value = { a: [1, "x", null, true, { b: -0.5 }], _provenance: { mine: true }, "": "" };
    expect(await outputOf(value)).toEqual(value);
  });

  test("no value at all is null", async () => {
    expect(await start(() => undefined)).toEqual({ kind: "completed", output: null, log: [] });
  });

  test("-0 becomes 0, as it would when stored", async () => {
    expect(Object.is(await outputOf({ n: -0 }), -0)).toBe(false);
    expect(await outputOf([-0])).toEqual([0]);
  });

  test("later changes by the handler do not reach the output", async () => {
    const value = { list: [1, 2] };
    const outcome = await start(() => value);
    value.list.push(3);
    expect(outcome).toMatchObject({ output: { list: [1, 2] } });
  });

  const cycle: Record<string, unknown> = {};
  cycle["again"] = cycle;
  const sparse: number[] = [1];
  sparse[2] = 3;
  const invalid: readonly [name: string, value: unknown, pointer: string][] = [
    ["an undefined member", { a: { b: undefined } }, "/a/b"],
    ["undefined in a list", [1, undefined], "/1"],
    ["a hole in a list", sparse, "/1"],
    ["a date", { when: new Date(0) }, "/when"],
    ["a map", { m: new Map() }, "/m"],
    ["bytes", { bytes: new Uint8Array(2) }, "/bytes"],
    ["a bigint", { n: 1n }, "/n"],
    ["NaN", { n: Number.NaN }, "/n"],
    ["an infinity", [[Number.POSITIVE_INFINITY]], "/0/0"],
    ["a function", { f: () => 1 }, "/f"],
    ["a symbol", { s: Symbol("s") }, "/s"],
    ["a class instance", { e: new (class Point {})() }, "/e"],
    ["a lone surrogate", { text: "\ud800" }, "/text"],
    ["a key that needs escaping", { "a/b~c": undefined }, "/a~1b~0c"],
    ["a key that reaches a prototype", JSON.parse('{"x":{"__proto__":1}}'), "/x/__proto__"],
    ["a cycle", cycle, "/again/again"],
    ["an own toJSON", { toJSON: () => 1 }, "/toJSON"],
  ];
  test.each(invalid)("%s is refused with its pointer", async (_name, value, pointer) => {
    const { code, message, retryable } = await failureOf(() => value);
    expect({ code, retryable }).toEqual({ code: "OUTPUT_INVALID", retryable: false });
    expect(message).toContain(`at ${pointer}`);
  });

  const unreadable: readonly [string, unknown][] = [
    ["a throwing getter", Object.defineProperty({}, "a", { enumerable: true, get: thrower })],
    ["a revoked proxy", revoked()],
    ["a proxy that throws", [new Proxy({}, { ownKeys: thrower })]],
    ["a constructor that throws", [Object.create({ get constructor() { return thrower(); } })]],
  ];
  test.each(unreadable)("%s fails and does not escape", async (_name, value) => {
    expect(await failureOf(() => ({ value }))).toMatchObject({ code: "OUTPUT_INVALID" });
  });

  test("a member that would change between two reads is read once", async () => {
    let reads = 0;
    const value = {
      get a() {
        reads += 1;
        return reads === 1 ? "fine" : JSON.parse('{"__proto__":{"x":1}}') as unknown;
      },
    };
    expect(await outputOf(value)).toEqual({ a: "fine" });
    expect(reads).toBe(1);
  });

  test("a value of parts that are shared without end fails, and blocks nobody", async () => {
    let value: unknown = ["x".repeat(1000)];
    for (let n = 0; n < 60; n += 1) value = [value, value];
    expect(await failureOf(() => value)).toMatchObject({ code: "OUTPUT_TOO_LARGE" });
  });

  test("an output of exactly the limit is kept, one byte more is refused", async () => {
    const fits = "x".repeat(MAX_OUTPUT_BYTES - 2);
    expect(await outputOf(fits)).toBe(fits);
    const { code, retryable, message } = await failureOf(() => `${fits}x`);
    expect({ code, retryable }).toEqual({ code: "OUTPUT_TOO_LARGE", retryable: false });
    expect(message).toContain(String(MAX_OUTPUT_BYTES + 1));
  });

  test("the limit counts bytes, not characters", async () => {
    expect(await failureOf(() => "€".repeat(MAX_OUTPUT_BYTES / 3))).toMatchObject({
      code: "OUTPUT_TOO_LARGE",
    });
  });
});
