// The numbers over all jobs as a fold: nothing is lost however the endings are parted, and
// quantiles are right within 5 %.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addSeconds } from "../../../src/core/instant.ts";
import { MAX_STATS_VERSIONS } from "../../../src/core/limits.ts";
import { durationsOf, emptyStats, foldEnds, sum } from "../../../src/core/stats.ts";
import type { EndCounts, JobEnd } from "../../../src/core/stats.ts";

const SINCE = "2026-11-22T00:00:00.000Z";
const NOW = "2026-11-23T12:00:00.000Z";

function end(members: Partial<JobEnd> & { readonly seconds?: number } = {}): JobEnd {
  const { seconds = 1, ...more } = members;
  const completed_at = more.completed_at ?? "2026-11-23T11:00:00.000Z";
  const started_at = addSeconds(completed_at, -seconds);
  const a1 = { workflow_id: "a", workflow_version: 1, status: "completed" };
  return { ...a1, started_at, completed_at, ...more };
}

function counted(ends: readonly JobEnd[]): EndCounts {
  const { versions, others } = foldEnds(emptyStats(SINCE), ends, NOW);
  return versions.reduce<EndCounts>(sum, others);
}

test("nothing gives nothing", () => {
  expect(foldEnds(emptyStats(SINCE), [], NOW)).toEqual({
    since: SINCE,
    as_of: NOW,
    versions: [],
    others: { completed: 0, failed: 0, cancelled: 0 },
  });
  expect(durationsOf([])).toEqual({ count: 0 });
});

test("endings are counted by version and status, the latest version first", () => {
  const later = "2026-11-23T11:30:00.000Z";
  const ends = [
    end(),
    end({ status: "failed" }),
    end({ status: "cancelled", workflow_version: 2, completed_at: later }),
    end({ workflow_id: "b" }),
  ];
  const { versions } = foldEnds(emptyStats(SINCE), ends, NOW);
  expect(
    versions.map(({ workflow_id, workflow_version, completed, failed, cancelled }) => [
      `${workflow_id}@${workflow_version}`,
      completed,
      failed,
      cancelled,
    ]),
  ).toEqual([
    ["a@2", 0, 0, 1],
    ["a@1", 1, 1, 0],
    ["b@1", 1, 0, 0],
  ]);
  expect(versions[0]?.last_ended_at).toBe(later);
});

test("an ending that is read late does not turn the time back", () => {
  const ends = [end(), end({ completed_at: "2026-11-23T10:00:00.000Z" })];
  const { versions } = foldEnds(emptyStats(SINCE), ends, NOW);
  expect(versions[0]?.last_ended_at).toBe("2026-11-23T11:00:00.000Z");
});

describe("durations", () => {
  test("are of completed jobs that started, of today and yesterday", () => {
    const { started_at: _none, ...unstarted } = end();
    const ends = [
      end({ seconds: 10 }),
      end({ seconds: 10, completed_at: "2026-11-22T01:00:00.000Z" }),
      end({ seconds: 10, completed_at: "2026-11-21T23:00:00.000Z" }),
      end({ seconds: 99, status: "failed" }),
      unstarted,
    ];
    const { versions } = foldEnds(emptyStats(SINCE), ends, NOW);
    expect(durationsOf(versions).count).toBe(2);
    expect(versions[0]?.completed).toBe(4);
    const next = foldEnds({ ...emptyStats(SINCE), versions }, [], "2026-11-24T00:00:00.000Z");
    expect(durationsOf(next.versions).count).toBe(1);
  });

  test("a job of no time at all has the least bucket", () => {
    const { versions } = foldEnds(emptyStats(SINCE), [end({ seconds: 0 })], NOW);
    expect(durationsOf(versions)).toEqual({ count: 1, p50_seconds: 0.001, p95_seconds: 0.001 });
  });

  test("quantiles are right within 5 % and a rounded millisecond", () => {
    const durations = fc.array(fc.integer({ min: 1, max: 30 * 24 * 3_600_000 }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(durations, (all) => {
        const ends = all.map((ms) => end({ seconds: ms / 1000 }));
        const { versions } = foldEnds(emptyStats(SINCE), ends, NOW);
        const told = durationsOf(versions);
        const sorted = all.toSorted((a, b) => a - b);
        for (const [share, seconds] of [
          [0.5, told.p50_seconds],
          [0.95, told.p95_seconds],
        ] as const) {
          const ms = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
          expect(Math.abs((seconds ?? 0) * 1000 - ms)).toBeLessThanOrEqual(0.05 * ms + 1);
        }
      }),
    );
  });
});

test("folding in parts is folding at once", () => {
  const one = fc.record({
    workflow_id: fc.constantFrom("a", "b"),
    workflow_version: fc.integer({ min: 1, max: 3 }),
    status: fc.constantFrom("completed", "failed", "cancelled"),
    seconds: fc.integer({ min: 0, max: 9_999 }),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 40 }), fc.nat({ max: 40 }), (given, at) => {
      const ends = given.map((members) => end(members));
      const whole = foldEnds(emptyStats(SINCE), ends, NOW);
      const first = foldEnds(emptyStats(SINCE), ends.slice(0, at), SINCE);
      const parts = foldEnds(first, ends.slice(at), NOW);
      const byName = ({ versions }: typeof whole) =>
        new Map(versions.map((one) => [`${one.workflow_id}@${one.workflow_version}`, one]));
      expect(byName(parts)).toEqual(byName(whole));
    }),
  );
});

test("versions above the bound are added up, and nothing is lost", () => {
  const ends = Array.from({ length: MAX_STATS_VERSIONS + 3 }, (_, index) =>
    end({ workflow_version: index + 1, completed_at: addSeconds(SINCE, index) }),
  );
  const stats = foldEnds(emptyStats(SINCE), ends, NOW);
  expect(stats.versions).toHaveLength(MAX_STATS_VERSIONS);
  expect(stats.others).toEqual({ completed: 3, failed: 0, cancelled: 0 });
  expect(stats.versions.some(({ workflow_version }) => workflow_version <= 3)).toBe(false);
  expect(counted(ends).completed).toBe(MAX_STATS_VERSIONS + 3);
});
