// How items are cut into chunks, and how many chunks may be at work.
import { expect, test } from "vitest";
import { atWork, chunkSize, planChunks, queuedAtFirst } from "../../../src/core/chunk-plan.ts";
import { startable } from "../../../src/core/chunk-plan.ts";
import type { ChunkState, FanState } from "../../../src/core/job.ts";
import { numbers } from "../../support/build.ts";

const AT = "2026-01-01T00:00:00.000Z";

function plan(count: number, maxParallel?: number): FanState {
  const chunk_size = chunkSize(count, maxParallel);
  const queued = queuedAtFirst(count, chunk_size, maxParallel);
  return planChunks({ count, chunk_size, queued }, AT);
}

test.each([
  // [items, max_parallel, chunk size, chunks, chunks queued at first]
  [0, undefined, 1, 0, 0],
  [1, undefined, 1, 1, 1],
  [8, undefined, 1, 8, 8],
  [8, 3, 1, 8, 3],
  [9, undefined, 2, 5, 5],
  [9, 1, 1, 9, 1],
  [9, 3, 2, 5, 1],
  [100, undefined, 13, 8, 8],
  [100, 40, 13, 8, 3],
  [100, 5, 5, 20, 1],
  [255, undefined, 32, 8, 8],
  [256, undefined, 32, 8, 8],
  [257, undefined, 32, 9, 9],
  [1000, undefined, 32, 32, 32],
  [1000, 10_000, 32, 32, 32],
  [10_000, undefined, 32, 313, 313],
  [10_000, 64, 32, 313, 2],
])("%i items, max_parallel %s: chunks of %i", (...row) => {
  const [count, most, size, chunks, queued] = row;
  const fan = plan(count, most);
  expect(chunkSize(count, most)).toBe(size);
  expect(fan.chunks).toHaveLength(chunks);
  expect(atWork(fan).map(([number]) => number)).toEqual(numbers(queued));
  expect(fan.chunks.flatMap(({ items }) => items)).toEqual(numbers(count));
  const isQueued = fan.chunks.map(({ queued_at }) => queued_at === AT);
  expect(isQueued).toEqual(numbers(chunks).map((chunk) => chunk < queued));
});

test.each([0, -1, 0.5, Number.NaN])("a plan of chunks of %d items is no plan", (chunk_size) => {
  expect(() => planChunks({ count: 3, chunk_size, queued: 1 }, AT)).toThrow("invariant broken");
});

const chunk = (status: ChunkState["status"], count: number): ChunkState => ({
  status,
  items: numbers(count),
  attempt: 1,
  failures: 0,
  lost: 0,
  n: 0,
});

function fanOf(...chunks: readonly ChunkState[]): FanState {
  return { count: 9, chunks, parts: [], completed: 0, failed: 0 };
}

test("pending chunks start in order, as far as the items at work leave room", () => {
  const fan = fanOf(
    chunk("queued", 2),
    chunk("completed", 0),
    chunk("pending", 2),
    chunk("cancelled", 2),
    chunk("pending", 2),
    chunk("pending", 1),
  );
  expect(startable(fan, undefined)).toEqual([2, 4, 5]);
  expect(startable(fan, 7)).toEqual([2, 4, 5]);
  expect(startable(fan, 6)).toEqual([2, 4]);
  expect(startable(fan, 5)).toEqual([2]);
  expect(startable(fan, 3)).toEqual([]);
});
