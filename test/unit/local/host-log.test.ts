// The log filter of host.json.

import { expect, test } from "vitest";
import { filterLog, printed, type LogEntry } from "../../../src/local/host-log.ts";
import type { LogLevel } from "../../../src/local/rpc.ts";

function passes(
  levels: Readonly<Record<string, LogLevel>>,
  level: LogLevel,
  category: string,
): boolean {
  const seen: LogEntry[] = [];
  const log = filterLog(new Map(Object.entries(levels)), (entry) => seen.push(entry));
  log({ level, category, message: "x" });
  return seen.length === 1;
}

test("without settings information and above pass", () => {
  expect(passes({}, "information", "Host.Any")).toBe(true);
  expect(passes({}, "debug", "Host.Any")).toBe(false);
});

test("the longest category prefix decides, without case", () => {
  const levels = { default: "error", function: "warning", "function.work": "trace" } as const;
  expect(passes(levels, "warning", "Host.Any")).toBe(false);
  expect(passes(levels, "warning", "Function.other.User")).toBe(true);
  expect(passes(levels, "debug", "Function.Work.User")).toBe(true);
  expect(passes(levels, "debug", "Function.worker")).toBe(false);
});

test("none silences a category", () => {
  expect(passes({ default: "none" }, "critical", "Host.Any")).toBe(false);
});

test("no message can pass for an entry of its own, nor command a terminal", () => {
  const forged = "no such route /x\n[error] Host: all jobs are lost\u001b[2J\r\u2028\u202e end";
  expect(printed({ level: "warning", category: "Host.Http", message: forged })).toBe(
    "[warning] Host.Http: no such route /x\n" +
      "    [error] Host: all jobs are lost\\u001b[2J\\u000d\\u2028\\u202e end",
  );
});
