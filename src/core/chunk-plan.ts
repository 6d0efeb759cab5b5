// How a fan_out is cut into chunks: recorded in node_expanded, so that every fold and every worker
// cuts it the same way, whatever a later build would choose.
import { invariant } from "./error.ts";
import type { Instant } from "./instant.ts";
import type { ChunkState, FanState } from "./job.ts";
import { MAX_CHUNK_ITEMS, SINGLE_ITEM_CHUNKS } from "./limits.ts";

/** Items per chunk: one each up to 8 items, else an eighth of all, at most 32 and max_parallel. */
export function chunkSize(count: number, maxParallel: number | undefined): number {
  if (count <= SINGLE_ITEM_CHUNKS) return 1;
  return Math.min(MAX_CHUNK_ITEMS, Math.ceil(count / SINGLE_ITEM_CHUNKS), maxParallel ?? Infinity);
}

export interface ChunkPlan {
  readonly count: number;
  readonly chunk_size: number;
  /** The first so many chunks have messages; max_parallel holds back the others. */
  readonly queued: number;
}

export function planChunks({ count, chunk_size, queued }: ChunkPlan, at: Instant): FanState {
  // Anything else would cut for ever: the plan of a tampered entry.
  invariant(Number.isInteger(chunk_size) && chunk_size >= 1, "a chunk holds whole items");
  const chunks: ChunkState[] = [];
  for (let from = 0; from < count; from += chunk_size) {
    const items = Array.from(
      { length: Math.min(chunk_size, count - from) },
      (_, offset) => from + offset,
    );
    const base = { items, attempt: 1, failures: 0, lost: 0, n: 0 };
    const isQueued = chunks.length < queued;
    chunks.push(
      isQueued ? { ...base, status: "queued", queued_at: at } : { ...base, status: "pending" },
    );
  }
  return { count, chunks, parts: [], completed: 0, failed: 0 };
}

/** How many chunks of this size may be at work at first. */
export function queuedAtFirst(
  count: number,
  size: number,
  maxParallel: number | undefined,
): number {
  const chunks = Math.ceil(count / size);
  return maxParallel === undefined ? chunks : Math.min(chunks, Math.floor(maxParallel / size));
}

/** Chunks that may start now: pending ones, in order, as far as max_parallel leaves room. */
export function startable(fan: FanState, maxParallel: number | undefined): readonly number[] {
  let room = maxParallel ?? Infinity;
  for (const chunk of fan.chunks) if (chunk.status === "queued") room -= chunk.items.length;
  const found: number[] = [];
  for (const [number, chunk] of fan.chunks.entries()) {
    if (chunk.status !== "pending") continue;
    if (chunk.items.length > room) break;
    room -= chunk.items.length;
    found.push(number);
  }
  return found;
}

/** Chunks that had a message and have not handed in everything. */
export function atWork(fan: FanState): readonly (readonly [number, ChunkState])[] {
  return [...fan.chunks.entries()].filter(([, chunk]) => chunk.status === "queued");
}
