// Checks the hashes of a stored history from the documents alone: its own canonical form, its own
// walk over the lanes. It shares no code with the engine, so that both cannot be wrong in the same
// way. The rules stand in docs/decisions.md and docs/job-lifecycle.md.
import { createHash } from "node:crypto";
import type { Stored } from "./store-contents.ts";

export interface StoredEvent {
  readonly type: string;
  readonly hash: string;
  readonly node_id?: string;
  readonly chunk?: number;
  readonly attempt?: number;
  readonly [member: string]: unknown;
}

export interface StoredEntry {
  readonly seq: number;
  readonly at: string;
  readonly events: readonly StoredEvent[];
  readonly document: Stored;
}

const PAYLOADS = new Set(["output", "items", "log", "text"]);
const JOB_EVENTS =
  /^job_(created|started|cancelling|completed|failed|cancelled|suspended|resumed)$/;
const LAST_EVENTS = /^job_(completed|failed|cancelled)$/;
const CHUNK_EVENTS = /^(chunk_completed|chunk_lost|message_poisoned|outcome_orphaned)$/;

/** RFC 8785 for what JSON.parse gives: sorted keys, numbers and texts as JavaScript writes them. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    const parts = members.map(([key, one]) => `${JSON.stringify(key)}:${canonicalText(one)}`);
    return `{${parts.join(",")}}`;
  }
  return JSON.stringify(value);
}

export function sha256Of(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

export function digestOf(value: unknown): string {
  return sha256Of(canonicalText(value));
}

interface Lane {
  head: string;
  n: number;
}

interface NodeLane extends Lane {
  readonly chunks: Map<number, Lane>;
}

/** What is wrong with the hashes of these entries; empty where the chain holds. */
export function chainProblems(jobId: string, entries: readonly StoredEntry[]): readonly string[] {
  const wrong: string[] = [];
  const walk = new LaneWalk(sourcesOf(entries[0]?.document["workflow_snapshot"]));
  for (const { seq, at, events } of entries) {
    for (const event of events) {
      const { lane, n, prev } = walk.place(event);
      const { type, hash, ...members } = event;
      const data = Object.fromEntries(
        Object.entries(members).map(([name, value]) => [
          name,
          PAYLOADS.has(name) ? digestOf(value) : value,
        ]),
      );
      const body = canonicalText({ type, job_id: jobId, at, lane, n, prev, data });
      const found = sha256Of(`wfevent/v1\0${body}`);
      if (found !== wholeHash(hash)) {
        wrong.push(`entry ${seq}: the hash of ${type} in lane ${lane} does not hold`);
      }
      walk.advance(event, found);
    }
  }
  return wrong;
}

/** Stored hashes stand in base64url without their label. */
export function wholeHash(stored: string): string {
  if (stored.startsWith("sha256:")) return stored;
  return `sha256:${Buffer.from(stored, "base64url").toString("hex")}`;
}

class LaneWalk {
  readonly #sources: ReadonlyMap<string, readonly string[]>;
  readonly #job: Lane = { head: "", n: 0 };
  readonly #nodes = new Map<string, NodeLane>();

  constructor(sources: ReadonlyMap<string, readonly string[]>) {
    this.#sources = sources;
  }

  place(event: StoredEvent): { readonly lane: string; n: number; readonly prev: string[] } {
    const { type, node_id, chunk } = event;
    if (type === "job_created") return { lane: "job", n: 1, prev: [] };
    if (LAST_EVENTS.test(type)) return { lane: "job", n: this.#job.n + 1, prev: this.#allHeads() };
    if (JOB_EVENTS.test(type) || node_id === undefined) {
      return { lane: "job", n: this.#job.n + 1, prev: [this.#job.head] };
    }
    const node = this.#nodes.get(node_id);
    if (isOfChunk(event)) {
      const known = node?.chunks.get(chunk ?? 0);
      const head = known?.head ?? node?.head ?? "";
      return { lane: `${node_id}#${String(chunk)}`, n: (known?.n ?? 0) + 1, prev: [head] };
    }
    if (node !== undefined) return { lane: node_id, n: node.n + 1, prev: [node.head] };
    const heads = (this.#sources.get(node_id) ?? []).flatMap(
      (source) => this.#nodes.get(source)?.head ?? [],
    );
    return { lane: node_id, n: 1, prev: heads.length === 0 ? [this.#job.head] : unique(heads) };
  }

  advance(event: StoredEvent, hash: string): void {
    const { type, node_id, chunk } = event;
    if (JOB_EVENTS.test(type) || node_id === undefined) {
      step(this.#job, hash);
      return;
    }
    const node = this.#nodes.get(node_id) ?? { head: "", n: 0, chunks: new Map<number, Lane>() };
    this.#nodes.set(node_id, node);
    if (!isOfChunk(event)) {
      step(node, hash);
      return;
    }
    const lane = node.chunks.get(chunk ?? 0) ?? { head: "", n: 0 };
    node.chunks.set(chunk ?? 0, lane);
    step(lane, hash);
  }

  #allHeads(): string[] {
    const lanes = [...this.#nodes.values()].flatMap((node) => [node, ...node.chunks.values()]);
    return unique([this.#job, ...lanes].map(({ head }) => head).filter((head) => head !== ""));
  }
}

function isOfChunk({ type, chunk }: StoredEvent): boolean {
  return chunk !== undefined && CHUNK_EVENTS.test(type);
}

function step(lane: Lane, hash: string): void {
  lane.head = hash;
  lane.n += 1;
}

function unique(hashes: readonly string[]): string[] {
  return [...new Set(hashes)].sort();
}

interface SnapshotNode {
  readonly next?: readonly string[];
  readonly branches?: readonly { readonly next?: readonly string[] }[];
  readonly on_error?: string;
  readonly depends_on?: {
    readonly all_of?: readonly string[];
    readonly any_of?: readonly string[];
  };
}

/** For each node those that lead to it, in whatever way. */
function sourcesOf(snapshot: unknown): ReadonlyMap<string, readonly string[]> {
  const { nodes = {} } = (snapshot ?? {}) as { nodes?: Readonly<Record<string, SnapshotNode>> };
  const sources = new Map<string, string[]>();
  const add = (from: string, to: string): void => {
    sources.set(to, [...(sources.get(to) ?? []), from]);
  };
  for (const [id, node] of Object.entries(nodes)) {
    for (const to of node.next ?? []) add(id, to);
    for (const branch of node.branches ?? []) for (const to of branch.next ?? []) add(id, to);
    if (node.on_error !== undefined && node.on_error !== "continue") add(id, node.on_error);
    for (const from of node.depends_on?.all_of ?? []) add(from, id);
    for (const from of node.depends_on?.any_of ?? []) add(from, id);
  }
  return sources;
}
