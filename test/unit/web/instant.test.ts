// Times and durations in words.
import { expect, test } from "vitest";
import {
  durationText,
  exactMoment,
  instantOfLocal,
  relativeTime,
  secondsBetween,
} from "../../../src/web/instant.ts";

const AT = "2026-11-22T20:40:51.845Z";
const MS = 1_795_380_051_845;

test.each([
  [0, "0 ms"],
  [0.0134, "13 ms"],
  [1, "1 s"],
  [9.99, "9.9 s"],
  [59.9, "59 s"],
  [60, "1 min"],
  [185, "3 min 5 s"],
  [3_600, "1 h"],
  [7_620, "2 h 7 min"],
  [90_000, "1 d 1 h"],
])("%d seconds are %s", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});

test.each([
  [-5_000, "now"],
  [999, "now"],
  [1_000, "1 second ago"],
  [125_000, "2 minutes ago"],
  [3_600_000, "1 hour ago"],
  [200_000_000, "2 days ago"],
])("after %d ms it was %s", (laterMs, text) => {
  expect(relativeTime(AT, MS + laterMs)).toBe(text);
});

test("what is no instant is shown as it is and takes no time", () => {
  expect(relativeTime("soon", MS)).toBe("soon");
  expect(secondsBetween("soon", AT)).toBeUndefined();
  expect(secondsBetween(undefined, AT)).toBeUndefined();
  expect(instantOfLocal("")).toBeUndefined();
  expect(instantOfLocal("nonsense")).toBeUndefined();
});

test("a day begins at midnight where the reader is", () => {
  expect(instantOfLocal("2026-11-22")).toBe(instantOfLocal("2026-11-22T00:00"));
  expect(instantOfLocal("2026-11-22T20:40:50.000Z")).toBe("2026-11-22T20:40:50.000Z");
});

test("a span never runs backwards", () => {
  expect(secondsBetween(AT, MS + 1_500)).toBe(1.5);
  expect(secondsBetween(AT, "2026-11-22T20:40:50.000Z")).toBe(0);
});

test("what happens in one second is told apart", () => {
  expect(exactMoment(AT)).toContain("51.845");
  expect(exactMoment("no instant")).toBe("no instant");
});
