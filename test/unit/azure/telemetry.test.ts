// The log: one line per event, whatever the values hold.
import { expect, test } from "vitest";
import { jsonLog, LOG_EVENTS, logLine } from "../../../src/azure/telemetry.ts";

test("an event is one line of JSON with its name, level and fields", () => {
  const lines: string[] = [];
  const log = jsonLog((level, line) => lines.push(`${level} ${line}`));
  log.write("warn", "send.failed", { job_id: "j", attempt: 2, late: true, node_id: undefined });
  expect(lines).toEqual([
    'warn {"event":"send.failed","level":"warn","job_id":"j","attempt":2,"late":true}',
  ]);
});

test("no character of a value breaks or disguises the line", () => {
  const hostile = 'a\r\n{"event":"x"}\u0000\u001b[31m\u0085\u009b\u2028\u2029\u202e\u2066\ufeff';
  const line = logLine("info", "job.ended", { message: hostile });
  expect(line).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(line)).toMatchObject({ event: "job.ended", message: hostile });
});

test("values and names have a bound", () => {
  const line = logLine("info", "n".repeat(500), { text: "x".repeat(100_000) });
  expect(line.length).toBeLessThan(1_200);
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, n]));
  expect(Object.keys(JSON.parse(logLine("info", "a.b", many)) as object).length).toBe(42);
});

test("a field cannot pretend to be the event or the level", () => {
  const line = logLine("info", "job.ended", { event: "job.accepted", level: "error" });
  expect(JSON.parse(line)).toEqual({ event: "job.ended", level: "info" });
});

test("a number that is none is told as text", () => {
  expect(logLine("info", "a.b", { n: Number.NaN })).toContain('"n":"NaN"');
});

test("every event is called noun.verb and says what it means", () => {
  const names = Object.keys(LOG_EVENTS);
  expect(names.length).toBeGreaterThan(15);
  for (const name of names) expect(name).toMatch(/^[a-z]+\.[a-z]+$/);
  for (const { meaning } of Object.values(LOG_EVENTS)) expect(meaning).toMatch(/^[A-Z].+\.$/);
});
