// The fold: what it refuses, and that foreign or odd events of a journal never throw.
import { expect, test } from "vitest";
import { apply, applyEntry, optional } from "../../../src/core/apply.ts";
import type { JournalEntry, JournalEvent } from "../../../src/core/event.ts";
import { countByStatus, nodeState, PENDING_NODE } from "../../../src/core/job.ts";
import { definition, end, fanOut, numbers, sha256, start, task } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";
import { foldAll } from "../../support/invariants.ts";

const NODES = { s: start("a", "f"), a: task({ next: "z" }), f: fanOut(), z: end() };
const finished = () => new TestEngine(definition(NODES), { inputs: { items: numbers(3) } }).run();

test("a journal folds to one state, in steps or at once, from any projection on", () => {
  const { entries, job } = finished();
  expect(foldAll(entries)).toEqual(job);
  for (const cut of entries.keys()) {
    if (cut === 0) continue;
    const projected = foldAll(entries.slice(0, cut));
    const rest = entries.slice(cut);
    expect(rest.reduce((state, entry) => applyEntry(state, entry, sha256), projected)).toEqual(job);
  }
});

test("an entry that names no build was written by the build before", () => {
  const [zero, ...rest] = finished().entries;
  if (zero === undefined) throw new Error("too short");
  const unnamed = rest.map((entry) => ({ ...entry, build: "" }));
  expect(foldAll([{ ...zero, build: "one" }, ...unnamed])).toMatchObject({ build: "one" });
});

test("an entry out of its turn is refused", () => {
  const { entries } = finished();
  const [zero, one, two] = entries;
  if (zero === undefined || one === undefined || two === undefined) throw new Error("too short");
  const job = applyEntry(undefined, zero, sha256);
  for (const wrong of [zero, two]) {
    expect(() => applyEntry(job, wrong, sha256)).toThrow(
      expect.objectContaining({ code: "DOCUMENT_INVALID" }),
    );
  }
  expect(() => applyEntry(undefined, one, sha256)).toThrow("entry 0 creates the job");
  const empty = { ...zero, events: [] };
  expect(() => applyEntry(undefined, empty, sha256)).toThrow("entry 0 creates the job");
});

test("an entry 0 may hold more than the creation", () => {
  const [zero] = finished().entries;
  const event = { type: "job_started", hash: "sha256:x" } as const;
  const entry = { ...zero, events: [...(zero?.events ?? []), event] } as JournalEntry;
  expect(applyEntry(undefined, entry, sha256)).toMatchObject({ status: "running", seq: 0, n: 2 });
});

test("events that no reducer of ours writes are folded without a throw", () => {
  const { job } = finished();
  const hash = "sha256:x";
  const at = { node_id: "a", chunk: 0 };
  const events: readonly JournalEvent[] = [
    { type: "job_created", hash } as unknown as JournalEvent,
    {
      type: "chunk_completed",
      ...at,
      attempt: 1,
      root: "",
      done: 1,
      failed: 0,
      remaining: [],
      hash,
    },
    { type: "chunk_lost", ...at, attempt: 1, hash },
    { type: "chunk_cancelled", node_id: "a", chunks: [0], hash },
    { type: "chunk_cancelled", node_id: "f", chunks: [99], hash },
    { type: "message_poisoned", ...at, attempt: 1, text: "", hash },
    { type: "outcome_orphaned", node_id: "f", chunk: 99, attempt: 1, kind: "items", hash },
  ];
  for (const event of events) {
    const after = apply(job, event, { at: job.at, sha256 });
    expect(after.status).toBe(job.status);
    expect(after.nodes["a"]?.status).toBe("completed");
  }
});

test("a part that is handed in twice is named once", () => {
  const { job } = finished();
  const event = {
    type: "chunk_completed",
    node_id: "f",
    chunk: 0,
    attempt: 1,
    root: "",
    done: 0,
    failed: 0,
    remaining: [],
    object: "chunk:f:0:1:1:aa",
    hash: "sha256:x",
  } as const;
  const context = { at: job.at, sha256 };
  const twice = apply(apply(job, event, context), event, context);
  expect(twice.nodes["f"]?.fan?.parts.filter((part) => part === event.object)).toHaveLength(1);
});

test("absent stays absent", () => {
  expect(optional("a", undefined)).toEqual({});
  expect(optional("a", 0)).toEqual({ a: 0 });
});

test("a node without a state is pending, whatever it is called", () => {
  const { job } = finished();
  expect(nodeState(job, "nowhere")).toBe(PENDING_NODE);
  expect(nodeState(job, "constructor")).toBe(PENDING_NODE);
  expect(countByStatus(job, ["s", "a", "nowhere"])).toEqual({ completed: 2, pending: 1 });
  const odd = { ...job, nodes: { a: undefined } } as unknown as typeof job;
  expect(nodeState(odd, "a")).toBe(PENDING_NODE);
});
