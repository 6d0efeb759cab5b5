// The history as a Merkle DAG: lanes, places, hashes, and that dropping or editing shows.
import { expect, test } from "vitest";
import { apply, applyEntry } from "../../../src/core/apply.ts";
import { canonical, digest } from "../../../src/core/canonical.ts";
import type { EventData, JournalEntry, JournalEvent } from "../../../src/core/event.ts";
import { EVENT_TYPES } from "../../../src/core/event.ts";
import { chunkLane, chunksRoot, eventHash, laneOf, placeOf } from "../../../src/core/lane.ts";
import { rootOf } from "../../../src/core/lane.ts";
import { merkleRoot } from "../../../src/core/merkle.ts";
import { completed, definition, end, failed, fanIn, fanOut } from "../../support/build.ts";
import { hashBytes, numbers, sha256, start, task } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";
import { checkHashes } from "../../support/invariants.ts";

test("every event belongs to the lane of its job, its node or its chunk", () => {
  const lanes = new Map<string, string>();
  for (const type of EVENT_TYPES) {
    lanes.set(type, laneOf({ type, node_id: "n", chunk: 3 } as unknown as EventData));
  }
  const inLane = (lane: string) => [...lanes].filter(([, of]) => of === lane).map(([type]) => type);
  expect(inLane("job").every((type) => type.startsWith("job_"))).toBe(true);
  expect(inLane("job")).toHaveLength(6);
  expect(inLane("n#3")).toEqual([
    "chunk_completed",
    "chunk_lost",
    "message_poisoned",
    "outcome_orphaned",
  ]);
  expect(inLane("n")).toHaveLength(EVENT_TYPES.size - 10);
  expect(laneOf({ type: "message_poisoned", text: "" })).toBe("job");
  expect([chunkLane("n", undefined), chunkLane("n", 0)]).toEqual(["n", "n#0"]);
});

test("a hash covers type, job, time, lane, number, what it hangs on and the data", () => {
  const output = { b: 1, a: [] };
  const event = { type: "node_completed", node_id: "n", output, log: ["x"] } as const;
  const place = { lane: "n", n: 2, prev: ["sha256:aa"], job_id: "j", at: "t" };
  const { type, node_id } = event;
  const data = { node_id, output: digest(event.output, sha256), log: digest(["x"], sha256) };
  const { lane, n, prev, job_id, at } = place;
  const text = `wfevent/v1\0${canonical({ type, job_id, at, lane, n, prev, data })}`;
  expect(eventHash(event, place, sha256)).toBe(`sha256:${sha256(text)}`);
  const others = [
    eventHash({ ...event, output: { b: 1, a: [0] } }, place, sha256),
    ...[{ lane: "m" }, { n: 3 }, { prev: [] }, { job_id: "k" }, { at: "u" }].map((change) =>
      eventHash(event, { ...place, ...change }, sha256),
    ),
  ];
  expect(new Set([...others, eventHash(event, place, sha256)]).size).toBe(7);
});

function busy(): TestEngine {
  return new TestEngine(
    definition({
      s: start("a", "f"),
      a: task({ next: "j", retry: { initial_delay_seconds: 0 } }),
      f: fanOut({ next: "i", retry: { initial_delay_seconds: 0 } }),
      i: fanIn({ next: "j" }),
      j: end(),
    }),
    { inputs: { items: numbers(3) } },
  );
}

test("a lane's first event hangs on its upstream lanes, the end on every lane and chunk", () => {
  const engine = busy().run();
  let job = applyEntry(undefined, engine.entries[0] as JournalEntry, sha256);
  const places = new Map<string, readonly string[]>();
  for (const entry of engine.entries.slice(1)) {
    for (const event of entry.events) {
      const { hash: _hash, ...data } = event;
      const place = placeOf(data as EventData, job, engine.pinned);
      if (place.n === 1) places.set(place.lane, place.prev);
      if (event.type === "job_completed") places.set("end", place.prev);
      job = apply(job, event, { at: entry.at, sha256 });
    }
    job = { ...job, seq: entry.seq };
  }
  const head = (id: string) => engine.node(id).head;
  const heads = engine.node("f").fan?.chunks.flatMap((chunk) => chunk.head ?? []) ?? [];
  expect(places.get("s")).toEqual([engine.entries[0]?.events[0]?.hash]);
  expect(places.get("i")).toEqual([head("f")]);
  expect(places.get("j")).toEqual([head("a"), head("i")].sort());
  expect(places.get("f#1")).toHaveLength(1);
  expect(heads).toHaveLength(3);
  const all = places.get("end") ?? [];
  expect(all).toEqual([...all].sort());
  expect(all).toEqual(expect.arrayContaining([...["s", "a", "f", "i", "j"].map(head), ...heads]));
  const root = chunksRoot(engine.node("f").fan ?? { ...FAN }, hashBytes);
  expect(engine.of("node_completed").find((event) => event.node_id === "f")).toMatchObject({
    chunks_root: root,
  });
  expect(root).toBe(
    `sha256:${merkleRoot(
      heads.map((one) => one.slice(7)),
      hashBytes,
    )}`,
  );
  expect(rootOf([], hashBytes)).toBe(`sha256:${sha256("")}`);
});

const FAN = { count: 0, chunks: [], parts: [], completed: 0, failed: 0 };

/** The journal with one event changed or left out; the rest as it was. */
function changed(
  entries: readonly JournalEntry[],
  change: (event: JournalEvent) => readonly JournalEvent[],
): readonly JournalEntry[] {
  return entries.map((entry) => ({ ...entry, events: entry.events.flatMap(change) }));
}

test("dropping, editing or swapping any event shows, late chunks of a failed fan_out too", () => {
  const engine = new TestEngine(definition({ s: start("f"), f: fanOut() }), {
    inputs: { items: numbers(3) },
  });
  engine.receiveAt(0);
  while (engine.queue.length > 0) engine.receiveAt(0);
  engine.finish(engine.running[0], failed("X", false));
  engine.finish();
  engine.finish(engine.running[0], completed("last"));
  expect(engine.job.status).toBe("failed");
  const { entries, pinned } = engine;
  const all = engine.events().slice(1);
  const late = all.filter(({ type }) => type === "chunk_completed");
  expect(late).toHaveLength(3);
  for (const event of all.slice(0, -1)) {
    const dropped = changed(entries, (one) => (one.hash === event.hash ? [] : [one]));
    expect(() => checkHashes(dropped, pinned), event.type).toThrow("invariant");
    const edited = changed(entries, (one) =>
      one.hash === event.hash ? [{ ...one, attempt: 77 } as JournalEvent] : [one],
    );
    expect(() => checkHashes(edited, pinned), event.type).toThrow("invariant");
  }
  const [one, other] = late;
  const swapped = changed(entries, (event) =>
    event === one ? [other as JournalEvent] : event === other ? [one as JournalEvent] : [event],
  );
  expect(() => checkHashes(swapped, pinned)).toThrow("invariant");
});

test("a node may be called job: its lane is not the job's", () => {
  const engine = new TestEngine(
    definition({ s: start("job"), job: task({ next: "z" }), z: end() }),
  );
  engine.run();
  expect(engine.node("job").n).toBe(2);
  expect(engine.job.n).toBe(3);
});

test("an event of a chunk that does not exist has a place and changes no lane", () => {
  const engine = busy();
  engine.step();
  const event = { type: "chunk_lost", node_id: "f", chunk: 99, attempt: 1 } as const;
  const place = placeOf(event, engine.job, engine.pinned);
  expect(place).toEqual({ lane: "f#99", n: 1, prev: [engine.node("f").head] });
  const after = apply(engine.job, { ...event, hash: "sha256:aa" }, { at: engine.now, sha256 });
  expect(after).toEqual(engine.job);
});
