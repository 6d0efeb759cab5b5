// Queue messages as the host hands them over.

import { expect, test } from "vitest";
import { decodeMessage, queueMetadata } from "../../../src/local/queue-message.ts";

const ITEM = {
  id: "the-id",
  popReceipt: "receipt",
  dequeueCount: 2,
  insertedAt: "2026-01-02T03:04:05.000Z",
  expiresAt: "2026-01-09T03:04:05.000Z",
  nextVisibleAt: "2026-01-02T03:14:05.000Z",
};

test("base64 is decoded as UTF-8, white space inside is skipped", () => {
  expect(decodeMessage(Buffer.from("grün").toString("base64"), "base64")).toBe("grün");
  expect(decodeMessage("aGV\n sbG8=", "base64")).toBe("hello");
  expect(decodeMessage("", "base64")).toBe("");
});

test("what is not base64 is undefined", () => {
  for (const raw of ["{}", "abc", "a===", "aGVsbG8", "YQ=", "-_-_"]) {
    expect([raw, decodeMessage(raw, "base64")]).toEqual([raw, undefined]);
  }
});

test("encoding none takes the text as it is", () => {
  expect(decodeMessage("{plain}", "none")).toBe("{plain}");
});

test("metadata has the host's names and encodings", () => {
  expect(queueMetadata(ITEM, "text")).toEqual({
    QueueTrigger: { string: "text" },
    DequeueCount: { json: "2" },
    Id: { string: "the-id" },
    PopReceipt: { string: "receipt" },
    InsertionTime: { json: '"2026-01-02T03:04:05.000+00:00"' },
    ExpirationTime: { json: '"2026-01-09T03:04:05.000+00:00"' },
    NextVisibleTime: { json: '"2026-01-02T03:14:05.000+00:00"' },
  });
});

test("top-level properties of a JSON object overwrite metadata, without case", () => {
  const message = {
    id: 7,
    DEQUEUECOUNT: "x",
    nested: { a: 1 },
    list: [1],
    nothing: null,
    yes: true,
    no: false,
    when: "2026-01-02T03:04:05Z",
  };
  const metadata = queueMetadata(ITEM, JSON.stringify(message));
  expect(metadata).toMatchObject({
    Id: { string: "7" },
    DequeueCount: { string: "x" },
    nested: { json: '{"a":1}' },
    yes: { string: "True" },
    no: { string: "False" },
    when: { string: "01/02/2026 03:04:05" },
  });
  expect(metadata).not.toHaveProperty("list");
  expect(metadata).not.toHaveProperty("nothing");
  expect(metadata).not.toHaveProperty("id");
});

test("JSON that is no object, or broken, adds nothing", () => {
  for (const text of ["[1]", "5", "{broken}", '"id"']) {
    expect(Object.keys(queueMetadata(ITEM, text))).toHaveLength(7);
  }
});
