// docs/errors.md and the statuses that requests are answered with.
import { expect, test } from "vitest";
import { ERROR_CODES, WorkflowError } from "../../../src/core/error.ts";
import type { ErrorCode } from "../../../src/core/error.ts";
import { problem, statusOf } from "../../../src/functions/problem.ts";
import { readPage } from "./page.ts";

const page = readPage("docs/errors.md");
const ROW = /^\| `([A-Z_]+)` \| ([^|]+) \|/gm;
const rows = new Map(
  [...page.text.matchAll(ROW)].map((match) => [match[1] ?? "", (match[2] ?? "").trim()]),
);

test("the page has every code and no other", () => {
  expect([...rows.keys()].sort()).toEqual([...ERROR_CODES].sort());
});

test.each(ERROR_CODES)("%s has the status on the page that a request gets", (code: ErrorCode) => {
  const cell = rows.get(code) ?? "";
  expect(cell).toMatch(/^(?:\d{3}|stored|\d{3}, stored)$/);
  const documented = /\d{3}/.exec(cell)?.[0];
  // A code that only jobs hold has no answer of its own: a request that met it met a defect.
  expect(statusOf(new WorkflowError(code, "x"))).toBe(Number(documented ?? 500));
});

test("the page says where Retry-After comes, and it does", () => {
  const from = page.text.indexOf("## The world");
  const world = page.text.slice(from, page.text.indexOf("\n## ", from + 1));
  const codes = [...world.matchAll(ROW)].map((match) => match[1] as ErrorCode);
  expect(codes.length).toBeGreaterThan(0);
  for (const code of codes) {
    const { headers } = problem(new WorkflowError(code, "x"), "id");
    expect(headers, code).toHaveProperty("retry-after");
  }
});

test("an answer of 500 holds no text of the error", () => {
  const { body } = problem(new WorkflowError("DOCUMENT_INVALID", "inner text"), "the-invocation");
  expect(body).not.toContain("inner text");
  expect(body).toContain("urn:invocation:the-invocation");
});
