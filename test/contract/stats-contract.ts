// What every implementation of the numbers over all jobs must do: give the jobs that have ended, by
// when they were written, and keep one document that two writers cannot both replace.
import { beforeEach, expect, test } from "vitest";
import { emptyStats } from "../../src/core/stats.ts";
import type { JobDocument, StatsDocument } from "../../src/runtime/ports.ts";
import type { Adapters } from "./adapters.ts";
import { job } from "./documents.ts";
import type { Open } from "./store-contract.ts";

function stats(members: Partial<StatsDocument> = {}): StatsDocument {
  const empty = emptyStats("2026-11-22T10:00:00.000Z");
  return { id: "stats", schema: 1, write_id: "w", through: 7, open: {}, stats: empty, ...members };
}

export function statsContract(open: Open): void {
  let adapters: Adapters;
  const now = new Date().toISOString();
  const second = Math.floor(Date.parse(now) / 1000);
  beforeEach(async () => {
    adapters = await open();
  });

  async function create(members: Partial<JobDocument>): Promise<void> {
    await adapters.jobs.create(job({ updated_at: now, ...members }));
  }

  test("jobs that have ended are given, whole, and no others", async () => {
    const ended = { status: "completed", started_at: now, completed_at: now };
    await create(ended);
    await create({ status: "failed", completed_at: now, workflow_version: 3 });
    await create({ status: "cancelled", completed_at: now, workflow_id: "other" });
    await create({ status: "running", wake_at: now });
    const rows = await adapters.stats.ended(second - 60, second + 60, 10);
    const told = rows.map(({ workflow_id, workflow_version, status, started_at }) => [
      workflow_id,
      workflow_version,
      status,
      started_at,
    ]);
    expect(told.sort((a, b) => String(a[2]).localeCompare(String(b[2])))).toEqual([
      ["other", 1, "cancelled", undefined],
      ["echo_test", 1, "completed", now],
      ["echo_test", 3, "failed", undefined],
    ]);
    expect(rows.every(({ completed_at }) => completed_at === now)).toBe(true);
  });

  test("the time is when the store wrote; the limit holds", async () => {
    for (let count = 0; count < 3; count += 1) {
      await create({ status: "completed", completed_at: "2020-01-01T00:00:00.000Z" });
    }
    expect(await adapters.stats.ended(second - 60, second + 60, 2)).toHaveLength(2);
    expect(await adapters.stats.ended(second - 600, second - 60, 10)).toEqual([]);
    expect(await adapters.stats.ended(second + 60, second + 600, 10)).toEqual([]);
  });

  test("jobs are counted by status", async () => {
    await create({ status: "running", wake_at: now });
    await create({ status: "running", wake_at: now });
    expect(await adapters.stats.count("running")).toBe(2);
    expect(await adapters.stats.count("pending")).toBe(0);
  });

  test("one document is created once, and replaced by whoever knows its etag", async () => {
    expect(await adapters.stats.read()).toBeUndefined();
    expect(await adapters.stats.write(stats(), undefined)).toBe("written");
    expect(await adapters.stats.write(stats({ write_id: "w2" }), undefined)).toBe("conflict");
    const first = await adapters.stats.read();
    expect(first?.document).toEqual(stats());
    const next = stats({ write_id: "w3", through: 8 });
    expect(await adapters.stats.write(next, first?.etag)).toBe("written");
    expect(await adapters.stats.write(stats({ write_id: "w4" }), first?.etag)).toBe("conflict");
    expect((await adapters.stats.read())?.document).toEqual(next);
  });
}
