// From typed text to a submission, and from issues back to fields.
import { describe, expect, test } from "vitest";
import { readDefinition } from "../../../src/web/definition.ts";
import type { ShownInput } from "../../../src/web/definition.ts";
import {
  LABEL_FIELDS,
  parsedInput,
  placedIssues,
  rulesOf,
  submissionOf,
  tagsOf,
} from "../../../src/web/submit-model.ts";

const input = (more: Partial<ShownInput>): ShownInput => ({
  name: "x",
  type: "string",
  required: false,
  fallback: undefined,
  choices: undefined,
  min: undefined,
  max: undefined,
  pattern: undefined,
  description: undefined,
  ...more,
});

describe("a field", () => {
  test.each<[Partial<ShownInput>, string, unknown]>([
    [{}, "a text", "a text"],
    [{}, "  ", "  "],
    [{ type: "integer" }, " 42 ", 42],
    // The app says that it is no whole number, in its own words.
    [{ type: "integer" }, "1.5", 1.5],
    [{ type: "number" }, "-2e3", -2000],
    [{ type: "boolean" }, "false", false],
    [{ type: "array" }, '[1, "a"]', [1, "a"]],
    [{ type: "array" }, '["9007199254740993"]', ["9007199254740993"]],
    [{ type: "object" }, '{"a": null}', { a: null }],
    [{ choices: ["a", 2, null] }, "2", null],
  ])("%j takes %j", (more, text, value) => {
    expect(parsedInput(input(more), text)).toEqual({ kind: "value", value });
  });

  test.each<[Partial<ShownInput>, string]>([
    [{}, ""],
    [{ type: "integer" }, "  "],
    [{ type: "object" }, "\n"],
    [{ choices: [1] }, ""],
  ])("%j is left out when it holds %j", (more, text) => {
    expect(parsedInput(input(more), text)).toEqual({ kind: "absent" });
  });

  test.each<[Partial<ShownInput>, string, string]>([
    [{ type: "integer" }, "three", 'input "x": expected a whole number, such as 3, got "three"'],
    [{ type: "number" }, "1,5", "expected a number, such as 3 or 0.5"],
    [{ type: "number" }, "Infinity", "expected a number"],
    [{ type: "number" }, "0x10", "expected a number"],
    [{ type: "integer" }, "9007199254740993", "expected a whole number of at most 15 digits"],
    [{ type: "array" }, '["9007199254740993", 9007199254740993]', "/1: the integer 9007"],
    [{ type: "object" }, '{"a": 1, "a": 2}', 'input "x", /a: this name stands twice'],
    [{ type: "boolean" }, "yes", "expected true or false"],
    [{ type: "array" }, "[1", 'expected JSON, such as ["a", 1]'],
    [{ type: "object" }, "{a: 1}", 'expected JSON, such as {"a": 1}'],
  ])("%j refuses %j", (more, text, message) => {
    const parsed = parsedInput(input(more), text);
    expect(parsed).toMatchObject({ kind: "wrong", message: expect.stringContaining(message) });
  });
});

const { inputs } = readDefinition({
  inputs: { count: { type: "integer" }, map: { type: "object" }, "a/b": { type: "string" } },
});

test("a submission has what was given and nothing else", () => {
  const fields = new Map([
    ["input.count", "3"],
    ["input.map", ""],
    ["tags", " a, b,\n c ,"],
    ["correlation_id", " order 7 "],
    ["submitted_by", ""],
    ["idempotency_key", "ui-1"],
  ]);
  expect(submissionOf({ workflowId: "w", version: 2, inputs }, fields)).toEqual({
    issues: [],
    submission: {
      workflow_id: "w",
      version: 2,
      input_params: { count: 3 },
      correlation_id: "order 7",
      idempotency_key: "ui-1",
      tags: ["a", "b", "c"],
    },
  });
});

test("what cannot be read keeps the submission back, with all issues", () => {
  const fields = new Map([
    ["input.count", "x"],
    ["input.map", "{"],
  ]);
  const made = submissionOf({ workflowId: "w", version: undefined, inputs }, fields);
  expect(made.submission).toBeUndefined();
  expect(made.issues.map(({ pointer }) => pointer)).toEqual([
    "/input_params/count",
    "/input_params/map",
  ]);
});

test("issues stand beside the field that their pointer names", () => {
  const issue = (pointer: string | undefined, message: string, hint?: string) => ({
    message,
    ...(pointer === undefined ? {} : { pointer }),
    ...(hint === undefined ? {} : { hint }),
  });
  const names = inputs.map(({ name }) => name);
  const { inputs: beside, fields, others } = placedIssues(
    [
      issue("/input_params/count", "too many"),
      issue("/input_params/map/deep/0", "too deep", "mend it"),
      issue("/input_params/a~1b", "odd name"),
      issue("/input_params/unknown", "unknown input"),
      issue("/tags/3", "too long"),
      issue(undefined, "not now"),
    ],
    { inputs: names, fields: LABEL_FIELDS },
  );
  expect([...beside]).toEqual([
    ["count", ["too many"]],
    ["map", ["too deep; mend it"]],
    ["a/b", ["odd name"]],
  ]);
  expect([...fields]).toEqual([["tags", ["too long"]]]);
  expect(others).toEqual(["/input_params/unknown: unknown input", "not now"]);
});

test("the rules of an input are one line", () => {
  const all = input({ required: true, min: 1, max: 9, pattern: "[a-z]+", fallback: "abc" });
  expect(rulesOf(all).split(" · ")).toEqual([
    "string",
    "required",
    "at least 1 character",
    "at most 9 characters",
    "matches [a-z]+",
    'default "abc"',
  ]);
  expect(rulesOf(input({ type: "array", max: 3 }))).toBe("array · optional · at most 3 items");
  expect(tagsOf("")).toEqual([]);
});
