// A pinned job against the files of today.
import { expect, test } from "vitest";
import { driftOf, todayOf } from "../../../src/web/drift-model.ts";
import type { FileRow, Pin } from "../../../src/web/drift-model.ts";

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const PIN: Pin = {
  workflow_version: 2,
  workflow_digest: digest("a"),
  source_digest: digest("b"),
  workflow_source: "version: 2",
};
const row = (more: Partial<FileRow>): FileRow => ({
  file: "claim.yaml",
  workflow_id: "claim",
  version: 2,
  is_active: true,
  workflow_digest: digest("a"),
  source_digest: digest("b"),
  status: "ok",
  ...more,
});

test.each<[string, readonly FileRow[] | undefined, object]>([
  ["the very file", [row({})], { kind: "same", remarked: false }],
  ["other comments", [row({ source_digest: digest("c") })], { kind: "same", remarked: true }],
  ["the file twice", [row({ status: "duplicate" })], { kind: "same" }],
  ["an older version beside it", [row({ version: 1 }), row({})], { kind: "same" }],
  ["other content", [row({ workflow_digest: digest("c") })], { kind: "redefined" }],
  [
    "other content and a newer version",
    [row({ version: 3 }), row({ workflow_digest: digest("c") })],
    { kind: "redefined" },
  ],
  ["a newer version", [row({}), row({ version: 3 })], { kind: "moved", isKept: true }],
  ["only a newer version", [row({ version: 10 })], { kind: "moved", isKept: false }],
  ["only an older version", [row({ version: 1 })], { kind: "moved", isKept: false }],
  ["a switched off file", [row({ is_active: false })], { kind: "unusable" }],
  ["a broken file", [row({ status: "invalid" })], { kind: "unusable" }],
  ["no file", undefined, { kind: "gone" }],
  ["no version", [], { kind: "gone" }],
])("%s", (_what, rows, drift) => {
  expect(driftOf(PIN, rows)).toMatchObject(drift);
});

test("of several newer versions the highest is today's", () => {
  const rows = [9, 10, 3].map((version) => row({ version }));
  expect(todayOf(driftOf(PIN, rows))?.version).toBe(10);
  expect(todayOf({ kind: "gone" })).toBeUndefined();
});
