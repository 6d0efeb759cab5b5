// Stored documents that somebody changed, byte by byte: entry 0, later entries, and what decisions
// load. A job whose documents lie does not complete by them: it fails as tampered. Other bytes than
// those of a digest, a hash or what they cover decide nothing.
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { pinnedWorkflow } from "../../../src/core/create-job.ts";
import { parseEntry } from "../../../src/core/event.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { defineHandler } from "../../../src/runtime/handlers.ts";
import { sha256 } from "../../../src/runtime/hash.ts";
import type { JournalDocument, JournalStore } from "../../../src/runtime/ports.ts";
import { resultView } from "../../support/views.ts";
import { checkHashes } from "../../support/invariants.ts";
import { TestRuntime } from "../../support/runtime.ts";

const echo = defineHandler({
  name: "echo",
  version: "1",
  params: z.unknown(),
  output: z.unknown(),
  run: ({ params }) => params,
});

const EDGES = { start: { type: "start", next: "a" }, end: { type: "end" } };
const CHAIN = {
  workflow_id: "w",
  version: 1,
  vars: { size: 7 },
  inputs: { text: { type: "string", required: true } },
  nodes: {
    ...EDGES,
    a: { type: "task", handler: "echo", params: { v: "{{ inputs.text }}" }, next: "b" },
    b: { type: "task", handler: "echo", params: { v: "{{ nodes.a.output.v }}" }, next: "end" },
  },
};

type Change = (text: string) => string;

/** A journal of which one document reads changed, as if its bytes in the store were. */
function changed(journal: JournalStore, id: string, change: Change): JournalStore {
  return {
    create: (document) => journal.create(document),
    async read(jobId, wanted) {
      const found = await journal.read(jobId, wanted);
      if (found === undefined || wanted !== id) return found;
      return JSON.parse(change(JSON.stringify(found))) as JournalDocument;
    },
  };
}

interface Given {
  readonly id: string;
  readonly text?: string;
  readonly shape?: object;
  /** After how many entries the first process dies; its projection knows of none of them. */
  readonly entries: number;
}

/** A job begun by one process, and gone on with by another that reads a changed document. */
async function goneOn(given: Given, change: Change): Promise<[TestRuntime, string]> {
  const runtime = new TestRuntime({ handlers: [echo] });
  runtime.catalog.put(given.shape ?? CHAIN);
  const input_params = { text: given.text ?? "hello" };
  const { job } = await runtime.submit({ workflow_id: "w", input_params });
  let created = 0;
  runtime.gate.rule = ({ operation }) => {
    if (operation !== "journal.create") return undefined;
    created += 1;
    return created === given.entries ? "dies_after" : undefined;
  };
  if (given.entries === 0) runtime.first.die();
  else await runtime.run(() => !runtime.first.isAlive, 10);
  runtime.gate.rule = () => undefined;
  runtime.addProcess({ journal: changed(runtime.store.journal, given.id, change) });
  return [runtime, job.job_id];
}

function codeOf(runtime: TestRuntime, jobId: string): unknown {
  const events = runtime.entries(jobId).flatMap((entry) => entry["events"] as JsonObject[]);
  const error = events.find(({ type }) => type === "job_cancelling")?.["error"];
  return (error as JsonObject | undefined)?.["code"];
}

async function endOf(given: Given, change: Change): Promise<unknown> {
  const [runtime, jobId] = await goneOn(given, change);
  const status = await runtime.runToEnd(jobId, 1_200);
  if (status === "failed") return codeOf(runtime, jobId);
  return [status, runtime.result(jobId)["a"], runtime.result(jobId)["b"]];
}

async function textOf(given: Given): Promise<string> {
  let text = "";
  await endOf(given, (one) => {
    text = one;
    return one;
  });
  expect(text).not.toBe("");
  return text;
}

/** What makes an entry a later build's, which this one leaves alone: event types, and rules. */
const LATER_BUILD = /"type":"[a-z_]+"|"(?:format|expressions|decisions_version)":\d+/g;

/** Another letter or digit at a position; undefined where none stands, or `LATER_BUILD`. */
function flipped(text: string, position: number): string | undefined {
  const character = text[position] ?? "";
  if (!/[0-9a-zA-Z]/.test(character)) return undefined;
  const left = [...text.matchAll(LATER_BUILD)];
  const isLeft = left.some(
    ({ index, 0: all }) => position >= index && position < index + all.length && /_|\d/.test(all),
  );
  if (isLeft) return undefined;
  const other = /[09zZ]/.test(character) ? "1" : String.fromCharCode(character.charCodeAt(0) + 1);
  const result = text.slice(0, position) + other + text.slice(position + 1);
  try {
    const isSame = JSON.stringify(JSON.parse(result)) === JSON.stringify(JSON.parse(text));
    return isSame ? undefined : result;
  } catch {
    return undefined;
  }
}

/** Positions within a member of the document, `step` apart. */
function positions(text: string, member: string, step: number): readonly number[] {
  const value = JSON.stringify((JSON.parse(text) as JsonObject)[member]);
  const from = text.indexOf(`"${member}":${value}`) + member.length + 3;
  const all = Array.from({ length: Math.ceil(value.length / step) }, (_, n) => from + n * step);
  // The last of a hash's 43 characters has two bits to spare: another one may spell the same hash.
  const isSpare = (position: number): boolean => /"hash":"[^"]{42}$/.test(text.slice(0, position));
  return all.filter((position) => flipped(text, position) !== undefined && !isSpare(position));
}

describe("entry 0, read by a process that does not know the digest", () => {
  const given = { id: "0", entries: 0 };
  const members: readonly [member: string, step: number][] = [
    ["workflow_snapshot", 7],
    ["workflow_source", 29],
    ["inputs", 1],
    ["vars", 1],
    ["events", 11],
    ["workflow_digest", 13],
  ];
  test.each(members)("any byte of %s ends the job as SNAPSHOT_TAMPERED", async (member, step) => {
    const text = await textOf(given);
    const places = positions(text, member, step);
    expect(places.length).toBeGreaterThan(0);
    for (const place of places) {
      const end = await endOf(given, (one) => flipped(one, place) ?? one);
      expect(end, text.slice(place - 20, place + 20)).toBe("SNAPSHOT_TAMPERED");
    }
  });

  test("a snapshot that is replaced whole, digests and all, is still not the job's", async () => {
    const end = await endOf(given, (text) => {
      const other = JSON.parse(text) as Record<string, unknown>;
      return JSON.stringify({ ...other, inputs: { text: "other" } });
    });
    expect(end).toBe("SNAPSHOT_TAMPERED");
  });

  test("what happened after it stays in the history, and the ending hangs on it", async () => {
    const change: Change = (text) => text.replace('"text":"hello"', '"text":"other"');
    const [runtime, jobId] = await goneOn({ id: "0", entries: 2 }, change);
    expect(await runtime.runToEnd(jobId, 1_200)).toBe("failed");
    const entries = runtime.entries(jobId).map(parseEntry);
    expect(entries.length).toBeGreaterThan(3);
    const [first] = entries;
    if (first === undefined) throw new Error("a journal has an entry 0");
    checkHashes(entries, pinnedWorkflow(first, sha256));
  });

  test("a process that knows the digest needs no entry 0, and ends the job as pinned", async () => {
    const runtime = new TestRuntime({ handlers: [echo] });
    runtime.catalog.put(CHAIN);
    const warm = await runtime.submit({ workflow_id: "w", input_params: { text: "warm" } });
    await runtime.runToEnd(warm.job.job_id);
    const { engine } = runtime.first;
    runtime.first.die();
    let reads = 0;
    const journal = changed(runtime.store.journal, "0", (text) => {
      reads += 1;
      return text.replaceAll("echo", "fail");
    });
    const process = runtime.addProcess({ journal, snapshots: engine.snapshots });
    const submission = { workflow_id: "w", input_params: { text: "x" } };
    const { job } = await runtime.submit(submission, { process });
    expect(await runtime.runToEnd(job.job_id)).toBe("completed");
    expect(reads).toBe(0);
  });
});

describe("a later entry, read by a process that has not folded it", () => {
  test.each([1, 2])("any byte of the events of entry %d ends the job", async (entry) => {
    const given = { id: String(entry), entries: 2 };
    const text = await textOf(given);
    for (const place of positions(text, "events", 5)) {
      const end = await endOf(given, (one) => flipped(one, place) ?? one);
      expect(end, text.slice(place - 20, place + 20)).toBe("SNAPSHOT_TAMPERED");
    }
    const at = await endOf(given, (one) => one.replace(/"at":"2026/, '"at":"2025'));
    expect(at).toBe("SNAPSHOT_TAMPERED");
  });

  const shapes: readonly [name: string, change: Change][] = [
    ["no events", (text) => JSON.stringify({ ...(JSON.parse(text) as object), events: [] })],
    ["events that are no list", (text) => text.replace(/"events":\[.*\]/, '"events":7')],
    ["an event without its members", (text) => {
      const entry = JSON.parse(text) as object;
      return JSON.stringify({ ...entry, events: [{ type: "node_expanded", hash: "x" }] });
    }],
    ["its events in another order", (text) => {
      const entry = JSON.parse(text) as { events: unknown[] };
      return JSON.stringify({ ...entry, events: entry.events.toReversed() });
    }],
    ["one event less", (text) => {
      const entry = JSON.parse(text) as { events: unknown[] };
      return JSON.stringify({ ...entry, events: entry.events.slice(1) });
    }],
  ];
  test.each(shapes)("%s: stepped over, and the ending is appended", async (_name, change) => {
    expect(await endOf({ id: "2", entries: 2 }, change)).toBe("SNAPSHOT_TAMPERED");
  });

  test("an event of an unknown name is a newer build's: the job waits, unwritten", async () => {
    const change: Change = (text) => text.replace('"type":"node_', '"type":"nodf_');
    const [runtime, jobId] = await goneOn({ id: "2", entries: 2 }, change);
    await expect(runtime.runToEnd(jobId, 1_200)).rejects.toThrow("not done");
    expect(runtime.entries(jobId)).toHaveLength(3);
  });
});

describe("a document that a decision loads", () => {
  const LARGE = "x".repeat(20_000);

  test("an output of its own: another byte, or nothing, ends the job", async () => {
    const given = { id: "", entries: 3, text: LARGE };
    let id = "";
    const [runtime, jobId] = await goneOn(given, String);
    for (const document of runtime.store.journalOf(jobId)) {
      const name = document["id"];
      if (typeof name === "string" && name.startsWith("out:")) id = name;
    }
    expect(id).not.toBe("");
    for (const change of [
      (text: string) => text.replace("xxxx", "xxyx"),
      (text: string) => text.replace('"value"', '"velue"'),
    ]) {
      expect(await endOf({ ...given, id }, change)).toBe("SNAPSHOT_TAMPERED");
    }
  });

  test("inputs too large for the state are held against their digest", async () => {
    const given = { id: "0", entries: 0, text: LARGE };
    const [runtime, jobId] = await goneOn({ ...given, id: "none" }, String);
    expect(await runtime.runToEnd(jobId)).toBe("completed");
    const end = await endOf(given, (text) => text.replace("xxxx", "xxyx"));
    expect(end).toBe("SNAPSHOT_TAMPERED");
  });
});

describe("the terminal entry, read for its result", () => {
  test("any byte of it gives an error instead of another result", async () => {
    const runtime = new TestRuntime({ handlers: [echo] });
    runtime.catalog.put(CHAIN);
    const { job } = await runtime.submit({ workflow_id: "w", input_params: { text: "hello" } });
    await runtime.runToEnd(job.job_id);
    const { engine } = runtime.first;
    const last = String(runtime.entries(job.job_id).length - 1);
    const request = { job_id: job.job_id };
    const text = JSON.stringify(await runtime.store.journal.read(job.job_id, last));
    const truth = JSON.stringify(await resultView(engine, request));
    expect(truth).toContain('"a":{"v":"hello"}');
    const unchecked = [...text.matchAll(/"(?:engine|log_head)":"[^"]*"/g)];
    const isUnchecked = (place: number): boolean =>
      unchecked.some(({ index, 0: all }) => place >= index && place <= index + all.length);
    const places = positions(text, "result_data", 3).filter((place) => !isUnchecked(place));
    expect(places.length).toBeGreaterThan(100);
    for (const place of places) {
      const change: Change = (one) => flipped(one, place) ?? one;
      const journal = changed(runtime.store.journal, last, change);
      const answer = await resultView({ ...engine, journal }, request).then(
        (view) => JSON.stringify(view),
        (error: { readonly code?: string }) => error.code,
      );
      expect(answer, text.slice(place - 20)).toBe("SNAPSHOT_TAMPERED");
    }
  });
});
