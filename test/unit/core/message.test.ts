// Messages carry ids only, and none of the names that the Functions host overwrites.
import { expect, test } from "vitest";
import { inLineSince, messageSchema } from "../../../src/core/message.ts";

const MESSAGE = {
  v: 1,
  kind: "chunk",
  job_id: "01930000-0000-7000-8000-000000000000",
  node_id: "a",
  chunk: 0,
  attempt: 1,
  rev: 0,
  first_sent_at: "2026-01-01T00:00:00.000Z",
  deferrals: 0,
};

test.each([
  ["a whole message", {}, true],
  ["another version", { v: 2 }, true],
  ["another kind", { kind: "run" }, false],
  ["a job_id that is no UUID", { job_id: "1" }, false],
  ["a node id that is none", { node_id: "_provenance" }, false],
  ["attempt 0", { attempt: 0 }, false],
  ["chunk -1", { chunk: -1 }, false],
  ["no time", { first_sent_at: "now" }, false],
])("%s: %j is read: %s", (_what, change, isRead) => {
  expect(messageSchema.safeParse({ ...MESSAGE, ...change }).success).toBe(isRead);
});

test("no field has a name that the host gives to the trigger", () => {
  const taken = [
    "id",
    "dequeueCount",
    "popReceipt",
    "insertionTime",
    "expirationTime",
    "nextVisibleTime",
    "queueTrigger",
  ];
  expect(Object.keys(messageSchema.shape).filter((name) => taken.includes(name))).toEqual([]);
});

test("a message says since when it stands in line, a stranger's text does not", () => {
  const inserted = "2026-01-01T00:00:10.000Z";
  const due = (first_sent_at: string): string => JSON.stringify({ first_sent_at });
  expect(inLineSince(due("2026-01-01T00:05:00.000Z"), inserted)).toBe("2026-01-01T00:05:00.000Z");
  expect(inLineSince(due("2026-01-01T00:05:00Z"), inserted)).toBe("2026-01-01T00:05:00.000Z");
  expect(inLineSince(due("2025-12-31T23:00:00.000Z"), inserted)).toBe(inserted);
  for (const text of ["", "{", "null", "[]", due("soon")]) {
    expect(inLineSince(text, inserted)).toBe(inserted);
  }
});
