// Folding the numbers over all jobs: each ending once, whoever folds and however often; what one
// fold costs; what is told.
import { describe, expect, test } from "vitest";
import { epochMs } from "../../../src/core/instant.ts";
import { foldStats, statsView } from "../../../src/runtime/fold-stats.ts";
import type { StatsOptions } from "../../../src/runtime/fold-stats.ts";
import type { StatsStore } from "../../../src/runtime/ports.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, echo } from "../../support/shapes.ts";

const DELAY = 30;

function started(): { readonly runtime: TestRuntime; readonly options: StatsOptions } {
  const runtime = new TestRuntime({ handlers: [echo] });
  runtime.catalog.put(chain(2));
  const { engine } = runtime.first;
  return { runtime, options: { store: runtime.store.stats, engine, delaySeconds: DELAY } };
}

async function ended(runtime: TestRuntime, jobs: number): Promise<void> {
  for (let count = 0; count < jobs; count += 1) {
    const { job } = await runtime.submit({ workflow_id: "chain" });
    await runtime.runToEnd(job.job_id);
  }
}

describe("a fold", () => {
  test("counts each ending once, in this fold or the next", async () => {
    const { runtime, options } = started();
    await ended(runtime, 3);
    expect(await foldStats(options)).toBe(0);
    await runtime.clock.advance(DELAY * 1000);
    expect(await foldStats(options)).toBe(3);
    expect(await foldStats(options)).toBe(0);
    await ended(runtime, 2);
    await runtime.clock.advance(60_000);
    expect(await foldStats(options)).toBe(2);
    const view = await statsView(options.store);
    expect(view).toMatchObject({ ended: { completed: 5, failed: 0, cancelled: 0 } });
    expect(view["workflows"]).toMatchObject([{ workflow_id: "chain", completed: 5 }]);
  });

  test("tells open jobs by status, and ended ones not among them", async () => {
    const { runtime, options } = started();
    await ended(runtime, 1);
    await runtime.submit({ workflow_id: "chain" });
    await runtime.clock.advance(60_000);
    await foldStats(options);
    const open = { pending: 1, running: 0, suspended: 0, cancelling: 0 };
    expect(await statsView(options.store)).toMatchObject({ open, ended: { completed: 1 } });
  });

  test("that somebody else's overtook counts nothing", async () => {
    const { runtime, options } = started();
    await ended(runtime, 2);
    await runtime.clock.advance(60_000);
    const store: StatsStore = {
      ...options.store,
      write: async (document, etag) => {
        await foldStats(options);
        return options.store.write(document, etag);
      },
    };
    expect(await foldStats({ ...options, store })).toBe(0);
    expect(await statsView(options.store)).toMatchObject({ ended: { completed: 2 } });
  });

  test("costs seven requests, whatever ended", async () => {
    const { runtime, options } = started();
    await ended(runtime, 1);
    await runtime.clock.advance(60_000);
    await foldStats(options);
    await ended(runtime, 5);
    await runtime.clock.advance(60_000);
    runtime.store.resetRequests();
    await foldStats(options);
    const requests = Object.fromEntries(runtime.store.requests);
    expect(requests).toEqual({ "stats.read": 1, "jobs.query": 5, "stats.replace": 1 });
    runtime.store.resetRequests();
    await statsView(options.store);
    expect(runtime.store.requestCount).toBe(1);
  });

  test("of a busy time is asked for in parts, and none is left out or counted twice", async () => {
    const { runtime, options } = started();
    const now = Math.floor(epochMs(runtime.clock.now()) / 1000);
    const seconds = Array.from({ length: 12_000 }, (_, index) => now - 3_000 + (index % 2_900));
    const completed_at = runtime.clock.now();
    const asked: (readonly [number, number])[] = [];
    const store: StatsStore = {
      ...options.store,
      ended: async (from, to, limit) => {
        asked.push([from, to]);
        const rows = seconds.filter((second) => second > from && second <= to);
        const row = { workflow_id: "a", workflow_version: 1, status: "failed", completed_at };
        return rows.slice(0, limit).map(() => row);
      },
    };
    expect(await foldStats({ ...options, store })).toBe(12_000);
    expect(asked.length).toBeLessThan(40);
    expect(await statsView(store)).toMatchObject({ ended: { failed: 12_000 } });
  });
});

test("before the first fold there are numbers of open jobs only, all of them zero", async () => {
  const { options } = started();
  expect(await statsView(options.store)).toEqual({
    open: { pending: 0, running: 0, suspended: 0, cancelling: 0 },
    ended: { completed: 0, failed: 0, cancelled: 0 },
    workflows: [],
  });
});
