// Timer schedules: six fields, each within its range.
import { expect, test } from "vitest";
import { ncrontabProblem } from "../../../src/azure/ncrontab.ts";

test.each([
  "* * * * * *", "0 * * * * *", "*/2 * * * * *", "59 59 23 31 12 6", "0 0 0 1 1 0",
  "0,30 5-10 */6 1-31/7 JAN-mar MON,Wed", "5/10 * * * * *", "0 0 0 * January Sunday",
  "*/60 */60 */24 */31 */12 */7", " 0  * * * * * ", "00 09 * * * *",
])("%j is a schedule", (text) => {
  expect(ncrontabProblem(text)).toBeUndefined();
});

const NOT_SIX = ["", "* * * * *", "* * * * * * *", "@daily", "00:01:00"];

test.each(NOT_SIX)("%j has no six fields", (text) => {
  expect(ncrontabProblem(text)).toBe("expected six NCRONTAB fields, such as 0 * * * * *");
});

test.each([
  ["99 * * * * *", 1],
  ["60 * * * * *", 1],
  ["a a a a a a", 1],
  ["0 60 * * * *", 2],
  ["0 0 24 * * *", 3],
  ["0 0 0 0 * *", 4],
  ["0 0 0 32 * *", 4],
  ["0 0 0 * 0 *", 5],
  ["0 0 0 * 13 *", 5],
  ["0 0 0 * MON *", 5],
  ["0 0 0 * * 7", 6],
  ["0 0 0 * * JAN", 6],
  ["-1 * * * * *", 1],
  ["1- * * * * *", 1],
  ["1-2-3 * * * * *", 1],
  ["50-10 * * * * *", 1],
  ["1,,2 * * * * *", 1],
  ["1, * * * * *", 1],
  ["*/0 * * * * *", 1],
  ["*/61 * * * * *", 1],
  ["*/2/3 * * * * *", 1],
  ["*/ * * * * *", 1],
  ["*-5 * * * * *", 1],
  ["0 1.5 * * * *", 2],
  ["0 * * L * *", 4],
  ["0 * * * * 1#2", 6],
  [`0 * * * * ${"1,".repeat(5000)}8`, 6],
])("%j is wrong in one field", (text, field) => {
  expect(ncrontabProblem(text)).toMatch(new RegExp(`^field ${field}, the [a-z ]+: expected `));
});

test("the message says what a field may be", () => {
  expect(ncrontabProblem("99 * * * * *")).toBe(
    "field 1, the second: expected * or 0 to 59; lists, ranges and steps of these",
  );
  expect(ncrontabProblem("0 * * * c4nary *")).toBe(
    "field 5, the month: expected * or 1 to 12, or jan and the like; " +
      "lists, ranges and steps of these",
  );
});
