// transform and check: expressions inside params, all mistakes at once.
import { expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import { check } from "../../../src/tasks/check.ts";
import { transform } from "../../../src/tasks/transform.ts";
import { runTask, taskFailure, taskOutput } from "../../support/run-task.ts";

const rows = [{ name: "a", n: 1 }, { name: "b", n: 5 }];

test("transform gives one value per field, of any type", async () => {
  const output = {
    names: "input.map(row, row.name)",
    big: "input.filter(row, row.n > 2)",
    first: "input[0].name",
    count: "size(input)",
    nothing: "null",
    nested: '{"inner": {"n": input[1].n * 2}}',
  };
  expect(await taskOutput(transform, { input: rows, output })).toEqual({
    names: ["a", "b"],
    big: [{ name: "b", n: 5 }],
    first: "a",
    count: 2,
    nothing: null,
    nested: { inner: { n: 10 } },
  });
});

test("transform without input sees null", async () => {
  expect(await taskOutput(transform, { output: { x: "input == null" } })).toEqual({ x: true });
});

test("transform of no fields is an empty object", async () => {
  expect(await taskOutput(transform, { output: {} })).toEqual({});
});

test("transform may give a key that the engine uses elsewhere", async () => {
  const output = await taskOutput(transform, { output: { _provenance: "1" } });
  expect(output).toEqual({ _provenance: 1 });
});

test("transform names every field that cannot be parsed", async () => {
  const output = { good: "1", bad: "1 +", worse: "(" };
  const { code, message, retryable } = await taskFailure(transform, { input: null, output });
  expect({ code, retryable }).toEqual({ code: "PARAMS_INVALID", retryable: false });
  expect(message).toContain("/output/bad: ");
  expect(message).toContain("/output/worse: ");
  expect(message).not.toContain("/output/good");
});

test("transform names every field that cannot be evaluated, and is not retried", async () => {
  const output = { missing: "input.nope", fine: "1", type: '1 + "x"' };
  const failure = await taskFailure(transform, { input: {}, output });
  expect(failure).toMatchObject({ code: "EXPRESSION_FAILED", retryable: false });
  expect(failure.message).toContain('field "missing": ');
  expect(failure.message).toContain('field "type": ');
  expect(failure.message).not.toContain('field "fine"');
});

test.each(["inputs.a", "nodes.x.output", "value", "input.filter(x, y)"])(
  "transform refuses %s, which reads what it does not have",
  async (text) => {
    const { code, message } = await taskFailure(transform, { output: { f: text } });
    expect(code).toBe("PARAMS_INVALID");
    expect(message).toContain('sees only "input"');
  },
);

test("each field has the budget of one expression, and too long a one fails alone", async () => {
  const input = Array.from({ length: 2_000 }, (_, index) => index);
  const fine = "size(input.map(a, a + 1).filter(a, a % 3 == 0))";
  const fields = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, fine]));
  expect(await taskOutput(transform, { input, output: fields })).toMatchObject({ f19: 666 });
  const output = { fine, endless: "input.map(a, input.map(b, a + b))" };
  const { code, message } = await taskFailure(transform, { input, output });
  expect(code).toBe("EXPRESSION_FAILED");
  expect(message).toMatch(/^field "endless": /);
});

test("other work gets its turn between expressions, and an abort is heard there", async () => {
  let turns = 0;
  const controller = new AbortController();
  const count = (): void => {
    turns += 1;
    if (turns === 5) controller.abort();
    else turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  const output = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`f${n}`, "input"]));
  const outcome = await runTask(transform, { input: 1, output }, { signal: controller.signal });
  clearImmediate(turning);
  expect({ kind: outcome.kind, turns }).toEqual({ kind: "aborted", turns: 5 });
});

test("transform refuses too many fields and empty expressions", async () => {
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`f${n}`, "1"]));
  for (const output of [many, { a: "" }, { a: 1 }, { "": "1" }, []] as Json[]) {
    expect(await taskFailure(transform, { output })).toMatchObject({ code: "PARAMS_INVALID" });
  }
});

const hasRows = { name: "has_rows", expression: "size(value) > 0", message: "there are no rows" };
const allSmall = { name: "all_small", expression: "value.all(row, row.n < 3)" };

test("check passes when every rule holds", async () => {
  expect(await taskOutput(check, { value: [{ n: 1 }], rules: [hasRows, allSmall] })).toEqual({
    passed: true,
    checked: 2,
    failures: [],
  });
});

test("check lists every rule that fails, with its message or its expression", async () => {
  const broken = { name: "broken", expression: "value.nope == 1" };
  const odd = { name: "odd", expression: "size(value)" };
  const none = { name: "none", expression: "null" };
  const list = { name: "list", expression: "value" };
  const rules = [hasRows, { ...allSmall, message: "too big" }, broken, odd, none, list];
  const failure = await taskFailure(check, { value: rows, rules });
  expect(failure).toMatchObject({ code: "CHECK_FAILED", retryable: false });
  expect(failure.message).toMatch(/^5 of 6 rules failed: "all_small": too big; "broken": /);
  expect(failure.message).toContain('"odd": expected true or false, got a value of type number');
  expect(failure.message).toContain('"none": expected true or false, got null');
  expect(failure.message).toContain('"list": expected true or false, got a list');
  expect(failure.message).not.toContain("has_rows");
});

test("check shows the expression when a rule has no message", async () => {
  const { message } = await taskFailure(check, { value: rows, rules: [allSmall] });
  expect(message).toBe('1 of 1 rules failed: "all_small": value.all(row, row.n < 3) is false');
});

test("check gives the failures back when it only reports", async () => {
  expect(await taskOutput(check, { value: [], rules: [hasRows], report_only: true })).toEqual({
    passed: false,
    checked: 1,
    failures: [{ name: "has_rows", message: "there are no rows" }],
  });
});

test("check refuses rules that cannot be parsed, no rules, and a missing value", async () => {
  const { message } = await taskFailure(check, {
    value: 1,
    rules: [hasRows, { name: "bad", expression: "value >" }],
  });
  expect(message).toContain("/rules/1/expression: ");
  expect(await taskFailure(check, { value: 1, rules: [] })).toMatchObject({
    code: "PARAMS_INVALID",
  });
  const { message: missing } = await taskFailure(check, { rules: [hasRows] });
  expect(missing).toContain("/value: expected a value");
});
