// Timer schedules. Times are compared in UTC by the distance of occurrences, so that the tests hold
// in every time zone with whole quarter hours.

import { expect, test } from "vitest";
import { epochMs } from "../../../src/core/instant.ts";
import { parseSchedule } from "../../../src/local/schedule.ts";
import { StartupProblem } from "../../../src/local/startup-problem.ts";

const NOON = epochMs("2026-03-10T12:00:00.000Z");

function check(text: string, fromMs: number, delaySeconds: number): void {
  const next = parseSchedule(text).after(fromMs);
  expect([text, (next?.epochMs ?? NaN) - fromMs]).toEqual([text, delaySeconds * 1000]);
}

test("six fields begin with the second, five with the minute", () => {
  check("*/2 * * * * *", NOON, 2);
  check("*/2 * * * * *", NOON + 500, 1.5);
  check("0 */5 * * * *", NOON, 300);
  check("*/5 * * * *", NOON, 300);
  check("30 * * * * *", NOON, 30);
  check("5/20 * * * * *", NOON, 5);
});

test("an occurrence is never its own successor", () => {
  const schedule = parseSchedule("0 * * * * *");
  const first = schedule.after(NOON);
  expect(first?.at).toBe("2026-03-10T12:01:00.000Z");
  expect(schedule.after(first?.epochMs ?? 0)?.at).toBe("2026-03-10T12:02:00.000Z");
});

test("day of month and day of week must both fit", () => {
  // The 13th is a Friday in February, March and November 2026, next after NOON on March 13th.
  const next = parseSchedule("0 0 0 13 * FRI").after(NOON + 5 * 86_400_000);
  const days = ((next?.epochMs ?? 0) - epochMs("2026-11-13T00:00:00.000Z")) / 86_400_000;
  expect(Math.abs(days)).toBeLessThan(1);
});

test("a time span counts from the given moment", () => {
  check("00:00:30", NOON + 7, 30);
  check("01:00:00", NOON, 3_600);
});

test("only schedules of a minute or more keep a status", () => {
  expect(parseSchedule("*/30 * * * * *").isMonitored).toBe(false);
  expect(parseSchedule("0 * * * * *").isMonitored).toBe(true);
  expect(parseSchedule("00:00:59").isMonitored).toBe(false);
  expect(parseSchedule("00:01:00").isMonitored).toBe(true);
});

test("a date that never comes has no occurrence", () => {
  expect(parseSchedule("0 0 0 30 2 *").after(NOON)).toBeUndefined();
});

test("other dialects and nonsense are refused", () => {
  const dialects = ["@daily", "0 0 0 L * *", "0 0 0 ? * 1"];
  for (const text of [...dialects, "", "* * * *", "x", "99 * * * * *", "0"]) {
    expect(() => parseSchedule(text), text).toThrow(StartupProblem);
  }
});
