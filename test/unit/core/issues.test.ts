// Lists of issues: how many, how long, and that only what is listed costs anything.
import { expect, test } from "vitest";
import type { Issue } from "../../../src/core/error.ts";
import { firstIssues } from "../../../src/core/issues.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const asIs = (issue: Issue) => issue;

test("only issues that are listed are put together", () => {
  const made: number[] = [];
  const issueOf = (one: number) => {
    made.push(one);
    return { message: `problem ${one}`, hint: "mend it" };
  };
  const issues = firstIssues(numbers(25_000), issueOf);
  expect(made).toEqual(numbers(100));
  expect(issues).toHaveLength(101);
  expect(issues[99]).toEqual({ message: "problem 99", hint: "mend it" });
  expect(issues[100]).toEqual({ message: "24900 more problems are not listed" });
});

test("a hundred issues are listed whole", () => {
  const issues = numbers(100).map((one) => ({ message: `problem ${one}` }));
  expect(firstIssues(issues, asIs)).toEqual(issues);
  expect(firstIssues([], asIs)).toEqual([]);
});

test("long texts are cut, a long pointer is left out", () => {
  const long = "x".repeat(30_000);
  const [issue] = firstIssues([{ message: long, hint: long, pointer: long, line: 3 }], asIs);
  const cut = `${"x".repeat(997)}…`;
  expect(issue).toEqual({ message: cut, hint: cut, line: 3 });
  const short = { message: "m", hint: "h", pointer: "/a", line: 3, column: 4, file: "f" };
  expect(firstIssues([short], asIs)).toEqual([short]);
});
