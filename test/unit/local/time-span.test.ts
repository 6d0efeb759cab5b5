// Durations of the Functions host.

import { expect, test } from "vitest";
import { parseTimeSpan } from "../../../src/local/time-span.ts";

function check(text: string, expected: number | undefined): void {
  expect([text, parseTimeSpan(text)]).toEqual([text, expected]);
}

test("hours, minutes, seconds, fractions and days are read", () => {
  check("00:00:30", 30_000);
  check("00:10:00", 600_000);
  check("01:02:03", 3_723_000);
  check("1:2", 3_720_000);
  check("2.03:00:00", 183_600_000);
  check("00:00:00.25", 250);
  check("00:00:00.0019999", 1);
  check(" 00:00:01 ", 1_000);
});

test("a bare number means days, as in .NET", () => {
  check("10", 864_000_000);
  check("0", 0);
});

test("anything else is no duration", () => {
  const tooLarge = ["24:00:00", "00:60:00", "00:00:60"];
  for (const text of [...tooLarge, "", "-00:00:01", "1h", "0 * * * *", "1.5"]) {
    check(text, undefined);
  }
});
