// The history as a Merkle DAG. Each event belongs to a lane: the job, a node, or a chunk of a
// fan_out. Its hash covers the event and `prev`: the lane's last hash, or, for a lane's first
// event, the last hashes of its upstream lanes. Parallel lanes never wait for each other, and
// dropping, editing or reordering an event shows. `prev` follows from the fold: it is not stored.
import { canonical, digest } from "./canonical.ts";
import type { HashBytes } from "./merkle.ts";
import { merkleRoot } from "./merkle.ts";
import type { Sha256 } from "./canonical.ts";
import type { EventData } from "./event.ts";
import { edgesInto } from "./graph.ts";
import type { Workflow } from "./graph.ts";
import type { Instant } from "./instant.ts";
import type { FanState, JobState } from "./job.ts";
import { nodeState } from "./job.ts";
import type { Json } from "./json.ts";

/** Separates this hash from every other use of sha256. */
const DOMAIN = "wfevent/v1\0";
export const JOB_LANE = "job";

/** Whose lane an event belongs to: a node's, a chunk's, or (without node_id) the job's. */
export interface LaneAddress {
  readonly node_id?: string;
  readonly chunk?: number;
}

export function laneOf(event: EventData): string {
  const { node_id, chunk } = addressOf(event);
  return node_id === undefined ? JOB_LANE : chunkLane(node_id, chunk);
}

/** A node may be called "job": only the address tells its lane from the job's. */
export function addressOf(event: EventData): LaneAddress {
  switch (event.type) {
    case "job_created":
    case "job_started":
    case "job_cancelling":
    case "job_completed":
    case "job_failed":
    case "job_cancelled":
      return {};
    case "message_poisoned":
    case "outcome_orphaned":
    case "chunk_completed":
    case "chunk_lost":
      return event;
    case "node_queued":
    case "node_started":
    case "node_completed":
    case "node_failed":
    case "node_retried":
    case "node_timed_out":
    case "node_lost":
    case "node_skipped":
    case "node_cancelled":
    case "node_expanded":
    case "chunk_cancelled":
    case "handler_missing":
      return { node_id: event.node_id };
  }
}

export function chunkLane(nodeId: string, chunk: number | undefined): string {
  return chunk === undefined ? nodeId : `${nodeId}#${chunk}`;
}

/** The position of an event in its lane, and what it hangs on. */
export interface LanePlace {
  readonly lane: string;
  readonly n: number;
  readonly prev: readonly string[];
}

/** Where `event` stands in the history of `job`, the state before it. */
export function placeOf(event: EventData, job: JobState, workflow: Workflow): LanePlace {
  const lane = laneOf(event);
  const { type } = event;
  const isLast = type === "job_completed" || type === "job_failed" || type === "job_cancelled";
  if (isLast) return { lane, n: job.n + 1, prev: allHeads(job) };
  return { lane, ...continued(addressOf(event), job, workflow) };
}

function continued(
  { node_id, chunk: number }: LaneAddress,
  job: JobState,
  workflow: Workflow,
): Omit<LanePlace, "lane"> {
  if (node_id === undefined) return { n: job.n + 1, prev: [job.head] };
  const node = nodeState(job, node_id);
  if (number !== undefined) {
    const chunk = node.fan?.chunks[number];
    return { n: (chunk?.n ?? 0) + 1, prev: [chunk?.head ?? node.head] };
  }
  if (node.head !== "") return { n: node.n + 1, prev: [node.head] };
  const sources = edgesInto(workflow, node_id).map(({ from }) => from);
  const heads = sources.map((from) => nodeState(job, from).head).filter((head) => head !== "");
  return { n: 1, prev: heads.length === 0 ? [job.head] : sortedUnique(heads) };
}

/** Chunks go on after their fan_out failed, so its own last hash does not cover them. */
function allHeads(job: JobState): readonly string[] {
  const heads = Object.values(job.nodes).flatMap(({ head, fan }) => [
    head,
    ...(fan?.chunks ?? []).flatMap((chunk) => chunk.head ?? []),
  ]);
  return sortedUnique([job.head, ...heads].filter((head) => head !== ""));
}

function sortedUnique(hashes: readonly string[]): readonly string[] {
  return [...new Set(hashes)].sort();
}

/** The hash of an event at its place: 64 hex digits behind `sha256:`. */
export function eventHash(
  event: EventData,
  place: LanePlace & { readonly job_id: string; readonly at: Instant },
  sha256: Sha256,
): string {
  const { type, ...members } = event;
  const data = Object.fromEntries(
    Object.entries(members).map(([name, member]: [string, Json]) => [
      name,
      isPayload(name) ? digest(member, sha256) : member,
    ]),
  );
  const { job_id, at, lane, n, prev } = place;
  return `sha256:${sha256(DOMAIN + canonical({ type, job_id, at, lane, n, prev, data }))}`;
}

function isPayload(name: string): boolean {
  return name === "output" || name === "items" || name === "log" || name === "text";
}

/** The RFC 6962 root over the last hashes of a fan_out's chunk lanes, in chunk order. */
export function chunksRoot(fan: FanState, hashBytes: HashBytes): string {
  const heads = fan.chunks.flatMap(({ head }) => (head === undefined ? [] : [head]));
  return rootOf(heads, hashBytes);
}

/** The RFC 6962 root over `sha256:` digests. */
export function rootOf(digests: readonly string[], hashBytes: HashBytes): string {
  return `sha256:${merkleRoot(digests.map((one) => one.slice("sha256:".length)), hashBytes)}`;
}
