// What must hold in the stored history of one job, whatever went wrong on the way: entries without
// a gap, one outcome per node and item, outcomes only of the attempt that is current, one end, and
// nothing after it. Reads stored documents; shares no code with the engine.
import { wholeHash } from "./hash-chain.ts";
import type { StoredEntry, StoredEvent } from "./hash-chain.ts";
import type { Stored } from "./store-contents.ts";

export type Documents = ReadonlyMap<string, Stored>;

const OUTCOMES = /^node_(completed|failed|skipped|cancelled)$/;
const LAST = /^job_(completed|failed|cancelled)$/;
/** After one of these the attempt says nothing more. */
const ENDS_ATTEMPT = /^node_(completed|failed|lost|timed_out|retried)$/;

/** The entries that are there, in order. */
export function entriesOf(documents: Documents): readonly StoredEntry[] {
  return [...documents.entries()]
    .filter(([id]) => /^\d+$/.test(id))
    .map(([id, document]) => ({
      seq: Number(id),
      at: String(document["at"]),
      events: (document["events"] ?? []) as readonly StoredEvent[],
      document,
    }))
    .sort((a, b) => a.seq - b.seq);
}

export function eventsOf(entries: readonly StoredEntry[]): readonly StoredEvent[] {
  return entries.flatMap(({ events }) => events);
}

export function lastEventOf(entries: readonly StoredEntry[]): StoredEvent | undefined {
  return entries.at(-1)?.events.at(-1);
}

/** The status that the history says; undefined while the job lives. */
export function endOf(entries: readonly StoredEntry[]): string | undefined {
  const type = lastEventOf(entries)?.type ?? "";
  return LAST.exec(type)?.[1];
}

/** Attempts of a node that ended without an outcome. */
export function lostAttempts(events: readonly StoredEvent[], nodeId: string): readonly number[] {
  return events
    .filter(({ type, node_id }) => type === "node_lost" && node_id === nodeId)
    .map(({ attempt }) => Number(attempt));
}

export function historyProblems(documents: Documents): readonly string[] {
  const entries = entriesOf(documents);
  const events = eventsOf(entries);
  const wrong: string[] = [];
  const gap = entries.findIndex(({ seq }, index) => seq !== index);
  if (gap !== -1) wrong.push(`entry ${gap} is missing`);
  if (events[0]?.type !== "job_created") wrong.push("the history does not begin with job_created");
  for (const [index, { type }] of events.entries()) {
    if (LAST.test(type) && index < events.length - 1) wrong.push(`${type} is not the last event`);
  }
  const nodes = new Set(events.flatMap(({ node_id }) => node_id ?? []));
  for (const node of nodes) {
    const own = events.filter(({ node_id }) => node_id === node);
    wrong.push(...nodeProblems(node, own), ...fanProblems(node, own, documents));
  }
  return wrong;
}

function nodeProblems(node: string, events: readonly StoredEvent[]): readonly string[] {
  const wrong: string[] = [];
  let current = 0;
  let isOpen = false;
  let outcome: string | undefined;
  for (const { type, attempt, chunk } of events) {
    if (chunk !== undefined) continue;
    if (OUTCOMES.test(type)) {
      if (outcome !== undefined) wrong.push(`${node}: ${type} after ${outcome}`);
      outcome = type;
    }
    if (type === "node_started") {
      if (isOpen || outcome !== undefined) wrong.push(`${node}: started while it was at work`);
      if (attempt !== current + 1) wrong.push(`${node}: attempt ${String(attempt)} is not next`);
      current = Number(attempt);
      isOpen = true;
    } else if (ENDS_ATTEMPT.test(type) && attempt !== undefined) {
      if (attempt !== current) wrong.push(`${node}: ${type} of attempt ${attempt}, not ${current}`);
      const follows = type === "node_retried" || type === "node_failed";
      if (!isOpen && !follows) wrong.push(`${node}: ${type} of attempt ${attempt} came twice`);
      isOpen = false;
    }
  }
  return wrong;
}

interface ChunkFacts {
  attempt: number;
}

/** Every item one outcome, handed in by the chunk's current attempt; all of them in the end. */
function fanProblems(
  node: string,
  events: readonly StoredEvent[],
  documents: Documents,
): readonly string[] {
  const expanded = events.find(({ type }) => type === "node_expanded");
  if (expanded === undefined) return [];
  const wrong: string[] = [];
  const chunks = new Map<number, ChunkFacts>();
  const attemptOf = (chunk: number): number => chunks.get(chunk)?.attempt ?? 1;
  const items = new Set<number>();
  let handed = 0;
  for (const event of events) {
    const { type, chunk = 0, attempt } = event;
    if (type !== "chunk_completed" && type !== "chunk_lost") continue;
    if (attempt !== attemptOf(chunk)) wrong.push(`${node}#${chunk}: ${type} of an old attempt`);
    if (type === "chunk_lost") chunks.set(chunk, { attempt: attemptOf(chunk) + 1 });
    const retry = event["retry"] as { chunk: number; attempt: number } | undefined;
    if (retry !== undefined) chunks.set(retry.chunk, { attempt: retry.attempt });
    for (const index of itemsOf(event, documents)) {
      if (items.has(index)) wrong.push(`${node}[${index}] ended twice`);
      items.add(index);
    }
    handed += Number(event["done"] ?? 0) + Number(event["failed"] ?? 0);
  }
  if (handed !== items.size) wrong.push(`${node}: ${handed} counted, ${items.size} recorded`);
  const hasCompleted = events.some(({ type }) => type === "node_completed");
  const count = Number(expanded["count"]);
  if (hasCompleted && items.size !== count) wrong.push(`${node}: ${items.size} of ${count} items`);
  return wrong;
}

function itemsOf(event: StoredEvent, documents: Documents): readonly number[] {
  const { object } = event as { object?: string };
  const holder = object === undefined ? event : documents.get(object);
  const items = (holder?.["items"] ?? []) as readonly { readonly index: number }[];
  return items.map(({ index }) => index);
}

/** What the terminal entry says of the job, without its provenance. */
export function resultsOf(
  entries: readonly StoredEntry[],
  documents: Documents,
): Readonly<Record<string, unknown>> {
  const { _provenance, ...results } = (entries.at(-1)?.document["result_data"] ?? {}) as Stored;
  const whole = Object.entries(results).map(([node, value]) => [
    node,
    isReference(value) ? storedOutput(node, value.object, documents) : value,
  ]);
  return Object.fromEntries(whole) as Readonly<Record<string, unknown>>;
}

function isReference(value: unknown): value is { readonly object: string } {
  if (typeof value !== "object" || value === null) return false;
  return ["object", "digest", "bytes"].every((member) => Object.hasOwn(value, member));
}

function storedOutput(node: string, object: string, documents: Documents): unknown {
  const document = documents.get(object);
  if (!/^\d+$/.test(object)) return document?.["output"] ?? document?.["value"];
  const events = (document?.["events"] ?? []) as readonly StoredEvent[];
  const made = events.find(({ type, node_id }) => type === "node_completed" && node_id === node);
  return made?.["output"];
}

export function provenanceOf(entries: readonly StoredEntry[]): Stored {
  const result = (entries.at(-1)?.document["result_data"] ?? {}) as Stored;
  return (result["_provenance"] ?? {}) as Stored;
}

export function headOf(entries: readonly StoredEntry[]): string {
  return wholeHash(lastEventOf(entries)?.hash ?? "");
}
