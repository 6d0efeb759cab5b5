// What a handler throws and logs: bounded, printable, and never more than it may say.
import { describe, expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import { MAX_ERROR_BYTES, MAX_LOG_BYTES } from "../../../src/core/limits.ts";
import { RetryableError, TerminalError } from "../../../src/runtime/handlers.ts";
import type { HandlerContext } from "../../../src/runtime/handlers.ts";
import { failureOf, revoked, start, thrower, throwing } from "../../support/raw-attempt.ts";
import type { Run } from "../../support/raw-attempt.ts";

describe("errors", () => {
  test("a terminal error keeps its code and is not retried", async () => {
    expect(await failureOf(throwing(new TerminalError("no such file", "NO_FILE")))).toEqual({
      code: "NO_FILE",
      message: "no such file",
      retryable: false,
    });
  });

  test("a retryable error keeps its code and is retried", async () => {
    expect(await failureOf(throwing(new RetryableError("busy", "BUSY")))).toEqual({
      code: "BUSY",
      message: "busy",
      retryable: true,
    });
  });

  const unplanned: readonly [string, unknown, string][] = [
    ["an error", new Error("plain"), "plain"],
    ["an error of another kind", new TypeError("x is not a function"), "TypeError: x is not"],
    ["an error without text", new Error(""), "no message"],
    ["a string", "just text", "just text"],
    ["an empty string", "", "empty string"],
    ["undefined", undefined, "threw undefined"],
    ["null", null, "threw null"],
    ["a number", 42, "threw 42"],
    ["a symbol", Symbol("s"), "threw Symbol(s)"],
    ["a number without bound", 1n, "threw a bigint"],
    ["an object with a message", { message: "like an error" }, "like an error"],
    ["an object without a message", { a: 1 }, "no message"],
    ["an object without a prototype", Object.create(null), "no message"],
    ["a proxy that throws", new Proxy(new Error("x"), { get: thrower }), "cannot be read"],
    ["a revoked proxy", revoked(), "cannot be read"],
    ["a hostile prototype", new Proxy({}, { getPrototypeOf: thrower }), "cannot be read"],
    ["a message that throws", { get message() { return thrower(); } }, "cannot be read"],
    ["a message that is no text", Object.assign(new Error("x"), { message: {} }), "no message"],
  ];
  test.each(unplanned)("%s counts as retryable", async (_name, thrown, text) => {
    const failure = await failureOf(throwing(thrown));
    expect(failure).toMatchObject({ code: "HANDLER_FAILED", retryable: true });
    expect(failure.message).toContain(text);
  });

  test("a rejection is the same as a throw", async () => {
    const rejecting: Run = () => Promise.reject(new TerminalError("later", "LATE"));
    expect(await failureOf(rejecting)).toMatchObject({ code: "LATE", retryable: false });
  });

  test("a cause is named by its code only", async () => {
    const cause = Object.assign(new Error("connect ECONNREFUSED 10.1.2.3:443"), {
      code: "ECONNREFUSED",
    });
    const { message } = await failureOf(throwing(new TypeError("fetch failed", { cause })));
    expect(message).toBe("TypeError: fetch failed (ECONNREFUSED)");
  });

  const codes = ["", "lower", "9X", "A-B", "A".repeat(65), "TIMED_OUT", "WORKER_LOST", "INTERNAL"];
  test.each(codes)("the code %j is not a handler's to give", async (code) => {
    const failure = await failureOf(throwing(new TerminalError("x", code)));
    expect(failure).toMatchObject({ code: "HANDLER_FAILED", retryable: false });
  });

  test("a code that is no text is replaced", async () => {
    const error = Object.assign(new TerminalError("x"), { code: 7 });
    expect(await failureOf(throwing(error))).toMatchObject({ code: "HANDLER_FAILED" });
  });

  test("control and direction characters are written out", async () => {
    const text = "a\nb\r\t\u001b[31m\u0000\u0085\u2028\u202e\ufeffz";
    const { message } = await failureOf(throwing(new Error(text)));
    expect(message).toBe(
      "a\\nb\\r\\t\\u001b[31m\\u0000\\u0085\\u2028\\u202e\ufeffz",
    );
  });

  const long: readonly [string, string][] = [
    ["ascii", "x".repeat(1_000_000)],
    ["wide characters", "€".repeat(10_000)],
    ["surrogate pairs", `x${"😀".repeat(10_000)}`],
    ["controls that grow", "\u0001".repeat(10_000)],
    ["lone surrogates", "\udc00".repeat(10_000)],
  ];
  test.each(long)("a long text of %s is cut at a character", async (_name, text) => {
    const { message } = await failureOf(throwing(new Error(text)));
    const bytes = Buffer.byteLength(message, "utf8");
    expect(bytes).toBeLessThanOrEqual(MAX_ERROR_BYTES);
    expect(bytes).toBeGreaterThan(MAX_ERROR_BYTES - 8);
    expect(message.isWellFormed()).toBe(true);
    expect(message.endsWith("…")).toBe(true);
  });

  test("no stack is kept", async () => {
    const { message } = await failureOf(throwing(new Error("short")));
    expect(message).toBe("short");
  });
});

describe("the log", () => {
  async function linesOf(write: (log: HandlerContext<Json>["log"]) => void) {
    return (await start(({ log }) => write(log))).log;
  }

  test("a line has its fields as JSON behind it", async () => {
    expect(await linesOf((log) => log("read", { rows: 3, from: "a" }))).toEqual([
      'read {"rows":3,"from":"a"}',
    ]);
  });

  test("only the last twenty lines are kept, in order", async () => {
    const lines = await linesOf((log) => {
      for (let n = 1; n <= 50; n += 1) log(`line ${n}`);
    });
    expect(lines).toHaveLength(20);
    expect([lines[0], lines[19]]).toEqual(["line 31", "line 50"]);
  });

  test("older lines give way when the bytes do not suffice", async () => {
    const lines = await linesOf((log) => {
      for (let n = 0; n < 20; n += 1) log(`${n} ${"€".repeat(100)}`);
    });
    const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line, "utf8"), 0);
    expect(bytes).toBeLessThanOrEqual(MAX_LOG_BYTES);
    expect(lines).toHaveLength(6);
    expect(lines.at(-1)).toMatch(/^19 /);
  });

  test("a very long line is cut and leaves room for others", async () => {
    const lines = await linesOf((log) => {
      log("first");
      log("x".repeat(100_000));
      log("last");
    });
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^x{509}…$/);
  });

  test("a line cannot pretend to be two", async () => {
    expect(await linesOf((log) => log("a\nERROR b\u001b[2J", { k: "c\u2028d" }))).toEqual([
      'a\\nERROR b\\u001b[2J {"k":"c\\u2028d"}',
    ]);
  });

  test("writing never throws, whatever is written", async () => {
    const lines = await linesOf((log) => {
      const write = log as (message: unknown, fields?: unknown) => void;
      write("big", { n: 1n });
      write(Symbol("s"));
      write({ toString: thrower });
      write("getter", { get a() { return thrower(); } });
      write(undefined, () => 1);
      write(1n, { list: Array(1_000_000).fill(0) });
    });
    expect(lines).toEqual([
      "big (fields that are not JSON)",
      "Symbol(s)",
      "(a message that cannot be read)",
      "getter (fields that are not JSON)",
      "undefined (fields that are not JSON)",
      "(a bigint) (fields that are too large)",
    ]);
  });

  test("a failed attempt keeps its lines too", async () => {
    const outcome = await start(({ log }) => {
      log("before");
      throw new TerminalError("x");
    });
    expect(outcome).toMatchObject({ kind: "failed", log: ["before"] });
  });
});
