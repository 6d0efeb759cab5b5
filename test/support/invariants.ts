// What must hold after every transition of a job, whatever the schedule: the journal alone gives
// the state, its hashes hold, ends are final, statuses go one way, attempts are used once.
import { isDeepStrictEqual } from "node:util";
import { applyEntry } from "../../src/core/apply.ts";
import type { JournalEntry, JournalEvent } from "../../src/core/event.ts";
import type { Workflow } from "../../src/core/graph.ts";
import type { JobState, NodeState } from "../../src/core/job.ts";
import { isTerminalJob, isTerminalNode, nodeState } from "../../src/core/job.ts";
import { eventHash, placeOf } from "../../src/core/lane.ts";
import { apply } from "../../src/core/apply.ts";
import { sha256 } from "./build.ts";

export function must(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${fact}`);
}

/** Folds a journal from nothing. */
export function foldAll(entries: readonly JournalEntry[]): JobState {
  const [first, ...rest] = entries;
  if (first === undefined) throw new Error("a journal has an entry 0");
  const created = applyEntry(undefined, first, sha256);
  return rest.reduce((job, entry) => applyEntry(job, entry, sha256), created);
}

/** Recomputes the hash of every event at its place. */
export function checkHashes(entries: readonly JournalEntry[], workflow: Workflow): void {
  const [first, ...rest] = entries;
  if (first === undefined) return;
  let job = applyEntry(undefined, first, sha256);
  for (const entry of rest) {
    for (const event of entry.events) {
      const { hash, ...data } = event;
      const place = placeOf(data, job, workflow);
      const { job_id, at } = entry;
      const found = eventHash(data, { ...place, job_id, at }, sha256);
      must(found === hash, `entry ${entry.seq}: the hash of ${event.type} holds`);
      job = apply(job, event, { at, sha256 });
    }
    job = { ...job, seq: entry.seq, at: entry.at };
  }
}

const RANK = { pending: 0, queued: 1, running: 1, waiting: 1 } as const;

function rank(node: NodeState): number {
  return isTerminalNode(node) ? 2 : RANK[node.status as keyof typeof RANK];
}

/** Holds between a state and the one that the next entry leaves. */
export function checkStep(before: JobState, after: JobState, entry: JournalEntry): void {
  must(!isTerminalJob(before), "the terminal entry is the last one");
  must(entry.seq === before.seq + 1 && entry.at >= before.at, "entries follow each other");
  const types = entry.events.map(({ type }) => type);
  const ends = types.filter((type) => /^job_(completed|failed|cancelled)$/.test(type));
  must(ends.length === (isTerminalJob(after) ? 1 : 0), "one terminal event, in a terminal entry");
  must(ends.length === 0 || ends[0] === types.at(-1), "nothing follows the terminal event");
  must((entry.result_data !== undefined) === (ends.length === 1), "the end has the results");
  for (const [id, now] of Object.entries(after.nodes)) {
    const then = nodeState(before, id);
    must(rank(now) >= rank(then), `${id} does not go back to ${now.status}`);
    must(rank(then) < 2 || now.status === then.status, `${id} stays ${then.status}`);
    must(now.attempt >= then.attempt, `the attempts of ${id} do not go back`);
    must(now.failures + now.lost <= now.attempt, `${id} counts each attempt once`);
  }
  must(!isTerminalJob(after) || Object.values(after.nodes).every(isTerminalNode), "all has ended");
}

type Ended = JournalEvent & { readonly node_id: string; readonly attempt?: number };
const OUTCOMES = new Set(["node_completed", "node_failed", "node_retried", "node_cancelled"]);

/** Over the whole history: an attempt starts once and has one outcome at most. */
export function checkAttempts(entries: readonly JournalEntry[]): void {
  const started = new Set<string>();
  const outcomes = new Set<string>();
  const items = new Set<string>();
  for (const event of entries.flatMap(({ events }) => events)) {
    if (event.type === "node_started") claim(started, `${event.node_id}:${event.attempt}`);
    if (event.type === "chunk_completed") {
      for (const { index } of event.items ?? []) claim(items, `${event.node_id}[${index}]`);
    }
    const { attempt, node_id } = event as Ended;
    if (!OUTCOMES.has(event.type) || attempt === undefined) continue;
    must(started.has(`${node_id}:${attempt}`), "an outcome follows its start");
    claim(outcomes, `${node_id}:${attempt}`);
  }
}

function claim(seen: Set<string>, key: string): void {
  must(!seen.has(key), `${key} is there once`);
  seen.add(key);
}

/** Items of chunks that have a message never outnumber max_parallel. */
export function checkParallel(job: JobState, workflow: Workflow): void {
  for (const [id, { fan }] of Object.entries(job.nodes)) {
    const node = workflow.definition.nodes[id];
    if (node?.type !== "fan_out" || fan === undefined) continue;
    const busy = fan.chunks.filter(({ status }) => status === "queued");
    const items = busy.reduce((sum, chunk) => sum + chunk.items.length, 0);
    must(items <= (node.max_parallel ?? Infinity), `${id}: max_parallel holds`);
  }
}

export function checkSame(one: unknown, other: unknown, fact: string): void {
  must(isDeepStrictEqual(one, other), fact);
}
