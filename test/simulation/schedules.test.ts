// Seeded schedules in every mode, and what a seed is worth: the same one gives the same trace, and
// the faults that fired give it again.
import { describe, expect, test } from "vitest";
import { modeOf, schedules } from "./campaign.ts";
import type { Mode } from "./plan.ts";
import { randomPlan } from "./random-plan.ts";
import { runPlan } from "./schedule.ts";

const MODES = ["all", "no_rescue", "fault_free"] as const;

describe.each(MODES)("in mode %s", (mode) => {
  test("a seed gives the same trace each time", async () => {
    for (const seed of [1, 17, 256, 70_000]) {
      const [one, other] = [await traced(seed, mode), await traced(seed, mode)];
      expect(one.length).toBeGreaterThan(10);
      expect(other).toEqual(one);
    }
  });

  test("the faults that fired give the same trace again", async () => {
    for (const seed of [2, 33, 512]) {
      const first = await runPlan(randomPlan(seed, mode), { isTraced: true });
      const again = await runPlan(first.plan, { isTraced: true });
      expect(again.trace).toEqual(first.trace);
    }
  });

  test("a hundred seeds violate nothing", async () => {
    const result = await schedules({ from: 1_000, count: 100, mode });
    expect(result.violations).toEqual([]);
    expect(result.runs).toBe(100);
    expect(result.jobs).toBeGreaterThan(100);
    expect(Object.keys(result.fired).length > 20).toBe(mode !== "fault_free");
  });
});

test("of ten seeds one has nobody who rescues, and one has no fault", () => {
  const modes = Array.from({ length: 10 }, (_, seed) => modeOf(seed));
  expect(modes.filter((mode) => mode === "no_rescue")).toHaveLength(1);
  expect(modes.filter((mode) => mode === "fault_free")).toHaveLength(1);
});

test("a single seed comes with its trace", async () => {
  const { notes, runs } = await schedules({ from: 12, count: 1 });
  expect(runs).toBe(1);
  expect(notes.some((line) => line.includes("journal.create creation"))).toBe(true);
});

async function traced(seed: number, mode: Mode): Promise<readonly string[]> {
  const { trace } = await runPlan(randomPlan(seed, mode), { isTraced: true });
  return trace;
}
