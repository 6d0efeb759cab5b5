// The small built-in handlers: echo, hello_world, sleep, fail, flaky_echo, chunk, and the set.
import { expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import { describeHandlers } from "../../../src/runtime/describe-handlers.ts";
import { HandlerRegistry } from "../../../src/runtime/handlers.ts";
import { builtinHandlers } from "../../../src/tasks/builtin.ts";
import { chunk } from "../../../src/tasks/chunk.ts";
import { echo } from "../../../src/tasks/echo.ts";
import { fail } from "../../../src/tasks/fail.ts";
import { flakyEcho } from "../../../src/tasks/flaky-echo.ts";
import { helloWorld } from "../../../src/tasks/hello-world.ts";
import { sleepHandler } from "../../../src/tasks/sleep.ts";
import { manualClock, turningClock } from "../../support/manual-clock.ts";
import { runTask, taskFailure, taskOutput } from "../../support/run-task.ts";

const builtin = builtinHandlers({ http: { allow: [] }, clock: manualClock() });

test("the built-in handlers are the ones the documentation names", () => {
  const names = new HandlerRegistry(builtin).list().map((handler) => handler.name);
  expect(names).toEqual([
    "check", "chunk", "echo", "fail", "flaky_echo", "hello_world", "http_request", "parse_csv",
    "sleep", "transform",
  ]);
});

test("every built-in handler has a version, a description and schemas that JSON can carry", () => {
  for (const row of describeHandlers(new HandlerRegistry(builtin))) {
    expect(row.version).toBe(row.name === "http_request" ? "2" : "1");
    expect(row.description).not.toBe("");
    expect(row.params_schema, row.name).toMatchObject({ type: "object" });
    expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  }
});

test("every built-in handler refuses params that are not an object", async () => {
  for (const handler of builtin) {
    for (const params of [null, "x", 1, []] as Json[]) {
      expect(await taskFailure(handler, params), handler.name).toMatchObject({
        code: "PARAMS_INVALID",
        retryable: false,
      });
    }
  }
});

test("every built-in handler but echo refuses a param it does not know", async () => {
  for (const handler of builtin.filter(({ name }) => name !== "echo")) {
    const { code, message } = await taskFailure(handler, { no_such_param: 1 });
    expect({ handler: handler.name, code }).toMatchObject({ code: "PARAMS_INVALID" });
    expect(message, handler.name).toContain("no_such_param");
  }
});

test("echo gives its params back and walks its steps", async () => {
  const outcome = await runTask(echo, { message: { a: [1] }, steps: 3, extra: true });
  expect(outcome).toEqual({
    kind: "completed",
    output: { message: { a: [1] }, steps: 3, extra: true, echoed: true },
    log: ["step 1 of 3", "step 2 of 3", "step 3 of 3"],
  });
});

test("echo without params echoes", async () => {
  expect(await taskOutput(echo, {})).toEqual({ steps: 0, echoed: true });
  expect(await taskOutput(echo, { message: null, echoed: "no" })).toEqual({
    message: null,
    steps: 0,
    echoed: true,
  });
});

test.each([-1, 1.5, "3", 1001, null])("echo refuses %j steps", async (steps) => {
  expect(await taskFailure(echo, { steps })).toMatchObject({ code: "PARAMS_INVALID" });
});

test("hello_world greets whom it is told to, or the world", async () => {
  expect(await taskOutput(helloWorld, { name: "Ada" })).toEqual({ greeting: "Hello, Ada!" });
  expect(await taskOutput(helloWorld, {})).toEqual({ greeting: "Hello, World!" });
  expect(await taskFailure(helloWorld, { name: "" })).toMatchObject({ code: "PARAMS_INVALID" });
});

test("sleep ends when its time has passed and not before", async () => {
  const clock = turningClock();
  const outcome = runTask(sleepHandler(clock), { seconds: 2.5 }, { clock });
  let ended = false;
  void outcome.then(() => { ended = true; });
  clock.advance(2_499);
  await Promise.resolve();
  expect(ended).toBe(false);
  clock.advance(1);
  expect(await outcome).toMatchObject({ kind: "completed", output: { slept_seconds: 2.5 } });
  expect(clock.pending()).toBe(0);
});

test("sleep stops when the job is cancelled and leaves no timer", async () => {
  const clock = manualClock();
  const controller = new AbortController();
  const { signal } = controller;
  const outcome = runTask(sleepHandler(clock), { seconds: 400 }, { clock, signal });
  controller.abort();
  expect(await outcome).toMatchObject({ kind: "aborted" });
  expect(clock.pending()).toBe(0);
});

test.each([-1, 501, "1", null])("sleep refuses %j seconds", async (seconds) => {
  const handler = sleepHandler(manualClock());
  expect(await taskFailure(handler, { seconds })).toMatchObject({ code: "PARAMS_INVALID" });
});

test("fail fails the way it is told to", async () => {
  expect(await taskFailure(fail, {})).toEqual({
    code: "HANDLER_FAILED",
    message: "failed on purpose",
    retryable: false,
  });
  expect(await taskFailure(fail, { message: "m", code: "MY_CODE", retryable: true })).toEqual({
    code: "MY_CODE",
    message: "m",
    retryable: true,
  });
  expect(await taskFailure(fail, { code: "no" })).toMatchObject({ code: "PARAMS_INVALID" });
});

test("flaky_echo fails as often as it is told to, by the attempt's number", async () => {
  const params = { fail_times: 2, message: { a: 1 } };
  for (const attempt of [1, 2]) {
    expect(await taskFailure(flakyEcho, params, { attempt })).toMatchObject({
      code: "HANDLER_FAILED",
      retryable: true,
    });
  }
  const third = await taskOutput(flakyEcho, params, { attempt: 3 });
  expect(third).toEqual({ message: { a: 1 }, attempt: 3 });
  expect(await taskOutput(flakyEcho, { fail_times: 0, message: null })).toEqual({
    message: null,
    attempt: 1,
  });
  expect(await taskFailure(flakyEcho, { fail_times: 0 })).toMatchObject({ code: "PARAMS_INVALID" });
});

const chunks: readonly [items: Json[], size: number, expected: Json[][]][] = [
  [[], 3, []],
  [[1], 3, [[1]]],
  [[1, 2, 3], 3, [[1, 2, 3]]],
  [[1, 2, 3, 4], 3, [[1, 2, 3], [4]]],
  [[null, [1], { a: 1 }], 1, [[null], [[1]], [{ a: 1 }]]],
  [[1, 2], 1_000_000, [[1, 2]]],
];
test.each(chunks)("chunk of %j by %d is %j", async (items, size, expected) => {
  expect(await taskOutput(chunk, { items, size })).toEqual({
    chunks: expected,
    count: expected.length,
  });
});

test.each([0, -1, 1.5, "2", null])("chunk refuses the size %j", async (size) => {
  expect(await taskFailure(chunk, { items: [], size })).toMatchObject({ code: "PARAMS_INVALID" });
});

test("chunk refuses more chunks than a fan_out takes", async () => {
  const items = Array.from({ length: 10_001 }, () => 0);
  expect(await taskFailure(chunk, { items, size: 1 })).toMatchObject({ code: "LIMIT_EXCEEDED" });
  expect(await taskOutput(chunk, { items, size: 2 })).toMatchObject({ count: 5001 });
});
