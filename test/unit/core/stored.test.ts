// What is left out when entries and states are stored comes back when they are read.
import fc from "fast-check";
import { expect, test } from "vitest";
import { compactDigest, wholeDigest } from "../../../src/core/compact.ts";
import { parseEntry } from "../../../src/core/event.ts";
import type { JournalEntry } from "../../../src/core/event.ts";
import { storedEntry, storedState, wholeState, withBuilds } from "../../../src/core/stored.ts";
import { definition, end, failed, start, task } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";

const digests = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => `sha256:${Buffer.from(bytes).toString("hex")}`);

test("a digest in 43 characters is its base64url, and comes back whole", () => {
  fc.assert(
    fc.property(digests, (digest) => {
      const compact = compactDigest(digest);
      const bytes = Buffer.from(digest.slice("sha256:".length), "hex");
      expect(compact).toBe(bytes.toString("base64url"));
      expect(wholeDigest(compact)).toBe(digest);
    }),
  );
});

test.each(["", "sha256:x", "sha256:ABC", "a".repeat(42), "é"])("%j stays as it is", (text) => {
  expect(compactDigest(text)).toBe(text);
  expect(wholeDigest(text)).toBe(text);
});

function ran(): TestEngine {
  const retry = { initial_delay_seconds: 1, jitter: 0 };
  const engine = new TestEngine(
    definition({ s: start("a"), a: task({ handler: "flaky", retry, next: "e" }), e: end() }),
    { handlers: { flaky: ({ attempt }) => failed(attempt < 3 ? "A" : "B") } },
  );
  return engine.run();
}

test("an entry comes back as it was written, its number from its id", () => {
  const { entries } = ran();
  let last: string | undefined;
  const read = entries.map((entry) => {
    const stored = storedEntry(entry, last);
    expect(stored).not.toHaveProperty("seq");
    last = entry.build;
    return parseEntry(stored);
  });
  expect(read.slice(1).every(({ build }) => build === "")).toBe(true);
  expect(withBuilds(read)).toEqual(entries);
});

test("a build is named by the first entry that it writes", () => {
  const entry = ran().entries[0] as JournalEntry;
  expect(storedEntry(entry, "another")).toHaveProperty("build", entry.build);
  expect(storedEntry(entry, entry.build)).not.toHaveProperty("build");
});

test("the state of a moving job comes back whole", () => {
  const engine = new TestEngine(definition({ s: start("a"), a: task({ next: "e" }), e: end() }));
  engine.receiveAt(0);
  const stored = JSON.parse(JSON.stringify(storedState(engine.job))) as never;
  expect(wholeState(stored)).toEqual(engine.job);
});

test("an ended job leaves the lanes of its nodes to the journal", () => {
  const { job } = ran();
  expect(job.status).toBe("failed");
  const stored = storedState(job);
  const back = wholeState(JSON.parse(JSON.stringify(stored)) as never);
  const nodes = Object.fromEntries(
    Object.entries(job.nodes).map(([id, node]) => [id, { ...node, head: "", n: 0 }]),
  );
  expect(back).toEqual({ ...job, nodes });
});
