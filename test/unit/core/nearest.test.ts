// The "did you mean" of every message about an unknown name.
import { expect, test } from "vitest";
import { didYouMean, nearest } from "../../../src/core/nearest.ts";

const KEYS = ["next", "params", "handler", "on_error", "retry"];

function check(word: string, expected: string | undefined): void {
  expect(nearest(word, KEYS)).toBe(expected);
}

test("one wrong, missing, added or swapped letter is a typing mistake", () => {
  check("nxet", "next");
  check("nxt", "next");
  check("nextt", "next");
  check("nezt", "next");
  check("Next", "next");
  check("onerror", "on_error");
  check("handlre", "handler");
});

test("more than a third of other letters is another word", () => {
  check("note", undefined);
  check("paramount", undefined);
  check("xy", undefined);
  check("", undefined);
  expect(nearest("a", ["b", "A"])).toBeUndefined();
});

test("a word is not its own suggestion", () => {
  check("next", undefined);
});

test("among equally near words the first is taken", () => {
  expect(nearest("ab", ["aa", "bb"])).toBe("aa");
});

test("words longer than any name are not compared", () => {
  expect(nearest("a".repeat(65), ["a".repeat(64)])).toBeUndefined();
  expect(nearest("a".repeat(64), ["a".repeat(65)])).toBeUndefined();
  expect(nearest("a".repeat(63), ["a".repeat(64)])).toBe("a".repeat(64));
});

test("the letters that are compared are bounded, whatever the number of names", () => {
  let asked = 0;
  function* names(count: number, length: number) {
    for (asked = 0; asked < count; asked += 1) {
      yield `${asked.toString(36)}_`.padEnd(length, "x");
    }
    yield `${"y".repeat(11)}z`;
  }
  const word = "y".repeat(12);
  expect(nearest(word, names(500, 12))).toBe(`${"y".repeat(11)}z`);
  expect(nearest(word, names(20_000, 12))).toBeUndefined();
  expect(asked).toBe(Math.floor(100_000 / (12 * 12)));
  // Names of another length cost nothing.
  expect(nearest(word, names(20_000, 40))).toBe(`${"y".repeat(11)}z`);
});

test("the hint is left out where nothing is near", () => {
  expect(didYouMean("nxt", KEYS)).toEqual({ hint: 'did you mean "next"?' });
  expect(didYouMean("zzz", KEYS)).toEqual({});
});
