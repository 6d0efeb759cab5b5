// Instants: one form, which sorts as time does.
import { expect, test } from "vitest";
import { addSeconds, earliest, epochMs, instantOf } from "../../../src/core/instant.ts";
import { isInstant, later, secondsBetween } from "../../../src/core/instant.ts";

const T = "2026-02-28T23:59:59.500Z";

test.each([
  [T, true],
  ["2024-02-29T00:00:00.000Z", true],
  ["2026-02-30T00:00:00.000Z", false],
  ["2026-01-01T24:00:00.000Z", false],
  ["2026-13-01T00:00:00.000Z", false],
  ["2026-01-01T00:00:00Z", false],
  ["2026-01-01T00:00:00.000+00:00", false],
  ["2026-01-01", false],
  ["", false],
])("%s is an instant: %s", (text, expected) => {
  expect(isInstant(text)).toBe(expected);
});

test("seconds are added and counted to the millisecond", () => {
  expect(addSeconds(T, 0.5)).toBe("2026-03-01T00:00:00.000Z");
  expect(addSeconds(T, -0.0004)).toBe(T);
  expect(secondsBetween(T, addSeconds(T, 90.25))).toBe(90.25);
  expect(instantOf(epochMs(T))).toBe(T);
});

test("later and earliest compare instants", () => {
  const next = addSeconds(T, 1);
  expect([later(T, next), later(next, T), later(T, T)]).toEqual([next, next, T]);
  expect(earliest([next, T, next])).toBe(T);
  expect(earliest([])).toBeUndefined();
});
