// Cutting text to its bound: at a character, marked, never longer.
import fc from "fast-check";
import { expect, test } from "vitest";
import { utf8Bytes } from "../../../src/core/json.ts";
import { cutName, cutText, listNames } from "../../../src/core/text.ts";

test.each([
  ["abcdef", 6, "abcdef"],
  ["abcdefg", 6, "abc…"],
  ["üüüü", 8, "üüüü"],
  ["üüüüü", 8, "üü…"],
  ["😀😀😀", 11, "😀😀…"],
  ["a\ud800b", 99, "a\ufffdb"],
  ["", 3, ""],
])("%j in %i bytes is %j", (text, bytes, expected) => {
  expect(cutText(text, bytes)).toBe(expected);
});

test("a cut text fits, is well-formed, and begins as the text does", () => {
  const bound = fc.integer({ min: 3, max: 40 });
  fc.assert(fc.property(fc.string({ unit: "binary" }), bound, (text, max) => {
    const cut = cutText(text, max);
    expect(utf8Bytes(cut)).toBeLessThanOrEqual(max);
    expect(cut.isWellFormed()).toBe(true);
    const clean = text.toWellFormed();
    expect(cut === clean || clean.startsWith(cut.slice(0, -1))).toBe(true);
  }));
});

test("a name that is longer than any valid one is cut", () => {
  expect(cutName("n".repeat(64))).toBe("n".repeat(64));
  expect(cutName("n".repeat(500_000))).toBe(`${"n".repeat(61)}…`);
});

test("of many names the first twenty are listed", () => {
  const names = Array.from({ length: 25_000 }, (_, index) => `n${index}`);
  expect(listNames(names.slice(0, 20))).toBe(names.slice(0, 20).join(", "));
  expect(listNames(names)).toBe(`${names.slice(0, 20).join(", ")} and 24980 more`);
  expect(listNames(["x".repeat(1000)])).toBe(`${"x".repeat(61)}…`);
});
