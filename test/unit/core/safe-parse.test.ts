// Values that Zod cannot measure: a member `length` that is no number, wherever a text or a list
// was expected. Found by fuzzing the queue.
import { expect, test } from "vitest";
import * as z from "zod";
import { safeParse } from "../../../src/core/safe-parse.ts";
import { issuesOf, workflow } from "../../support/parsed.ts";

const schema = z.object({
  free: z.json(),
  names: z.array(z.string().max(5)).max(2),
});
/** As JSON may have it: neither member is a function. */
const length = { toString: null, valueOf: null };

test("what has a length that is a map is refused at its place", () => {
  const { error } = safeParse(schema, { free: 1, names: ["a", { length }] });
  expect(error?.issues).toMatchObject([
    { code: "custom", path: ["names", 1], message: 'expected no member "length" that is a map' },
  ]);
});

test("a map without a prototype, and one for a list", () => {
  const bare = Object.assign(Object.create(null) as object, { a: 1 });
  for (const names of [{ length }, { length: bare }]) {
    const { error } = safeParse(schema, { names });
    expect(error?.issues.map(({ path }) => path)).toEqual([["names"]]);
  }
});

test("where any JSON may stand, so may that", () => {
  const value = { free: { length }, names: ["a"] };
  expect(safeParse(schema, value)).toEqual({ success: true, data: value });
});

test("a value that contains itself is searched once", () => {
  const value: Record<string, unknown> = { names: [{ length }] };
  value["self"] = value;
  expect(safeParse(schema, value).error?.issues[0]?.path).toEqual(["names", 0]);
});

test("what a schema throws by itself is not swallowed", () => {
  const failing = z.string().refine(() => {
    throw new RangeError("its own");
  });
  expect(() => safeParse(failing, "a")).toThrow("its own");
});

test("a workflow with such a member is refused like any other", () => {
  const text = "{ length: { toString: 1, valueOf: 1 } }";
  const refused = 'expected no member "length" that is a map, got a map';
  expect(issuesOf(workflow("").replace("handler: echo", `handler: ${text}`))).toEqual([
    expect.stringContaining(`node "a": handler: ${refused}`),
  ]);
});
