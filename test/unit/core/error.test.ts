// The one error class: code, issues, cause, and what may be tried again.
import { expect, test } from "vitest";
import { ERROR_CODES, invariant, WorkflowError } from "../../../src/core/error.ts";

test("an error carries its code and, where given, the rest", () => {
  const bare = new WorkflowError("BAD_REQUEST", "no");
  expect(bare).toMatchObject({ name: "WorkflowError", issues: [], retryable: false, facts: {} });
  expect(bare).not.toHaveProperty("cause");
  const cause = new Error("why");
  const details = { cause, retryable: true, issues: [{ message: "i" }], facts: { a: 1 } };
  expect(new WorkflowError("INTERNAL", "no", details)).toMatchObject(details);
});

test("codes are unique", () => {
  expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
});

test("an invariant that holds is silent, a broken one is our bug", () => {
  expect(() => invariant(true, "fine")).not.toThrow();
  expect(() => invariant(false, "so")).toThrow(
    expect.objectContaining({ code: "INTERNAL", message: "invariant broken: so" }),
  );
});
