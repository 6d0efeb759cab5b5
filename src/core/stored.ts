// How entries and states are written, in as few bytes as keep their meaning: a node costs one entry
// and its place in the projection, so what can be told from elsewhere is left out. Hashes stand in
// base64url without their label; an entry's number is its id; a build is named where it changes.
// Reading gives back the whole; what was written whole is read as it stands.
import { compactDigest, wholeDigest } from "./compact.ts";
import { DOCUMENT_SCHEMA } from "./event.ts";
import type { JournalEntry } from "./event.ts";
import type { Instant } from "./instant.ts";
import type { ChunkState, JobState, NodeState } from "./job.ts";
import { isTerminalJob, PENDING_NODE } from "./job.ts";
import { journalTtl } from "./retention.ts";

/** What every document of the job says of its shape. */
export function documentSchema({ schema }: Pick<JobState, "schema">): number {
  return schema ?? DOCUMENT_SCHEMA;
}

/** What every journal document of the job has beside what it is about. */
export function journalMembers(
  job: JobState,
  now: Instant,
): { readonly job_id: string; readonly schema: number; readonly ttl: number } {
  return { job_id: job.job_id, schema: documentSchema(job), ttl: journalTtl(job, now) };
}

/** An entry as it is stored after one that `lastBuild` wrote. */
export function storedEntry<Entry extends JournalEntry>(
  entry: Entry,
  lastBuild: string | undefined,
): Omit<Entry, "seq" | "build"> & { readonly build?: string } {
  const { seq: _isTheId, build, ...kept } = entry;
  const events = entry.events.map((event) => ({ ...event, hash: compactDigest(event.hash) }));
  return { ...kept, ...(build === lastBuild ? {} : { build }), events };
}

/** Entries from the job's first on, each with the build that wrote it. */
export function withBuilds(entries: readonly JournalEntry[]): readonly JournalEntry[] {
  let last = "";
  return entries.map((entry) => {
    last = entry.build === "" ? last : entry.build;
    return { ...entry, build: last };
  });
}

/** A state as the projection stores it. The lanes of an ended job are left to its journal. */
export function storedState(job: JobState): object {
  const isOver = isTerminalJob(job);
  const nodes: Record<string, object> = {};
  for (const [id, node] of Object.entries(job.nodes)) nodes[id] = storedNode(node, isOver);
  return { ...job, head: compactDigest(job.head), nodes };
}

function storedNode(node: NodeState, isOver: boolean): object {
  const { attempt, failures, lost, head, n, ...kept } = node;
  return {
    ...kept,
    ...(attempt === 0 ? {} : { attempt }),
    ...(failures === 0 ? {} : { failures }),
    ...(lost === 0 ? {} : { lost }),
    ...(isOver ? {} : { head: compactDigest(head), n }),
  };
}

/** A state that would not fit its document, without what ended chunks have no use for. */
export function leanState(job: JobState): object {
  const nodes = Object.entries(job.nodes).map(([id, node]) => {
    if (node.fan === undefined) return [id, node] as const;
    const { fan } = node;
    return [id, { ...node, fan: { ...fan, chunks: fan.chunks.map(leanChunk) } }] as const;
  });
  return storedState({ ...job, nodes: Object.fromEntries(nodes) });
}

function leanChunk(chunk: ChunkState): ChunkState {
  if (chunk.status === "pending" || chunk.status === "queued") return chunk;
  const { queued_at: _sent, not_before: _waited, poisoned: _count, ...kept } = chunk;
  return kept;
}

/** A stored state with everything that was left out. */
export function wholeState(stored: {
  readonly head: string;
  readonly nodes: { readonly [nodeId: string]: Partial<NodeState> };
}): JobState {
  const nodes: Record<string, NodeState> = {};
  for (const [id, node] of Object.entries(stored.nodes)) {
    nodes[id] = { ...PENDING_NODE, ...node, head: wholeDigest(node.head ?? PENDING_NODE.head) };
  }
  return { ...stored, head: wholeDigest(stored.head), nodes } as unknown as JobState;
}
