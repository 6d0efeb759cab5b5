// Stored entries as they are read: loose about what is more, strict about what is newer.
import { expect, test } from "vitest";
import { isCreationEntry, parseEntry } from "../../../src/core/event.ts";

const ENTRY = {
  id: "3",
  job_id: "j",
  schema: 1,
  write_id: "w",
  seq: 3,
  at: "2026-01-01T00:00:00.000Z",
  build: "b",
  events: [{ type: "node_queued", node_id: "a", hash: "sha256:x" }],
};

test("unknown members are kept", () => {
  const more = { ...ENTRY, ttl: 5, events: [{ ...ENTRY.events[0], extra: { a: 1 } }] };
  expect(parseEntry(more)).toEqual(more);
});

test.each([
  ["nothing", undefined],
  ["no events", { ...ENTRY, events: [] }],
  ["an event without a hash", { ...ENTRY, events: [{ type: "node_queued" }] }],
  ["an id that is no number", { ...ENTRY, id: "job" }],
  ["an id below 0", { ...ENTRY, id: "-1" }],
])("a document with %s is refused", (_what, document) => {
  expect(() => parseEntry(document)).toThrow(
    expect.objectContaining({ code: "DOCUMENT_INVALID", retryable: false }),
  );
});

test.each([
  ["a later shape", { ...ENTRY, schema: 3 }, "entry 3: schema 3 is newer than this build"],
  [
    "an unknown event",
    { ...ENTRY, events: [...ENTRY.events, { type: "node_frozen", hash: "h" }] },
    'entry 3: event "node_frozen" is newer than this build',
  ],
])("%s must wait for a newer build", (_what, document, message) => {
  expect(() => parseEntry(document)).toThrow(
    expect.objectContaining({ code: "SCHEMA_TOO_NEW", retryable: true, message }),
  );
});

test("only entry 0 with a snapshot is a creation", () => {
  expect(isCreationEntry(parseEntry(ENTRY))).toBe(false);
  expect(isCreationEntry(parseEntry({ ...ENTRY, id: "0" }))).toBe(false);
  expect(isCreationEntry(parseEntry({ ...ENTRY, id: "0", workflow_snapshot: {} }))).toBe(true);
});
