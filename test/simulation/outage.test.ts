// Stores or queue are down for three minutes, at any moment of every shipped workflow, in one to
// three processes that all live on. No job ends otherwise than without the outage, none is stuck,
// and no attempt counts as lost: nobody could write, which is not the same as a dead worker.
import { expect, test } from "vitest";
import { casesOf, shippedWorkflows } from "../unit/workflows/shipped.ts";
import type { WorkflowCase } from "../unit/workflows/shipped.ts";
import { checkEnded } from "../support/job-checks.ts";
import { OUTAGES, chance, eventTypes, outageRun } from "./outage-world.ts";
import type { Outage, OutagePlan } from "./outage-world.ts";

const MINUTES_MS = 60_000;
const OUTAGE_SECONDS = 180;
/** Parts of a job's time, an outage in each; more in a long run. */
const SHARES = Number(process.env["HOLDFAST_OUTAGE_SHARES"] ?? 1);
/** The heaviest workflow takes five seconds on an idle processor. */
const LONG = { timeout: 180_000 };
const KINDS = Object.keys(OUTAGES) as readonly Outage[];
const CALM = { outage: "stores", periods: [], processes: 1, unanswered: false } as const;
/** What no outage may bring into a history. */
const SIGNS = ["node_lost", "chunk_lost", "message_poisoned", "handler_missing"] as const;

const shipped = (await shippedWorkflows()).map((workflow) => {
  const cases = casesOf(workflow.file).filter(({ status }) => status !== "refused");
  return { workflow, cases, name: workflow.definition.workflow_id };
});

/** Runs a case under a plan to its end; how it ended, and what the outage left in its history. */
async function ended(
  workflow: (typeof shipped)[number]["workflow"],
  given: WorkflowCase,
  plan: OutagePlan,
) {
  const run = await outageRun(workflow, given, plan);
  const { runtime, jobId } = run;
  const status = await runtime.runToEnd(jobId, 3 * 3600);
  const tookMs = run.sinceStartMs();
  await checkEnded(runtime, jobId);
  const types = eventTypes(run);
  const error = JSON.stringify(runtime.entries(jobId).at(-1)?.["events"]);
  const code = /"code":"([A-Z_]+)"/.exec(error)?.[1] ?? "none";
  const signs = SIGNS.filter((type) => types.includes(type));
  return { end: `${status} ${code}`, signs, tookMs, refused: run.refused() };
}

test.each(shipped)("$name ends the same after an outage", LONG, async (one) => {
  let hits = 0;
  for (const [number, given] of one.cases.entries()) {
    for (let share = 0; share < SHARES; share += 1) {
      const seed = `${one.name} ${number} ${share}`;
      const plan = { ...CALM, seed };
      const calm = await ended(one.workflow, given, plan);
      for (const [index, outage] of KINDS.entries()) {
        // Each case meets its part of the kinds, and each part of the time all of them.
        if ((index + share) % one.cases.length !== number) continue;
        const moment = (share + chance(seed, outage)) / SHARES;
        const found = await ended(one.workflow, given, {
          ...plan,
          outage,
          processes: 1 + ((share + index) % 3),
          periods: [{ fromMs: Math.floor(calm.tookMs * moment), seconds: OUTAGE_SECONDS }],
          unanswered: share % 2 === 0,
        });
        const what = `${seed} ${outage}`;
        expect([found.end, ...found.signs], what).toEqual([calm.end, ...calm.signs]);
        const late = found.tookMs - calm.tookMs;
        expect(late, what).toBeLessThan(OUTAGE_SECONDS * 1000 + 10 * MINUTES_MS);
        hits += found.refused;
      }
    }
  }
  expect(hits).toBeGreaterThan(0);
});

test.each(shipped)("$name ends the same after five outages", LONG, async (one) => {
  for (const [number, given] of one.cases.entries()) {
    const seed = `${one.name} ${number} again`;
    const plan = { ...CALM, seed, processes: 2 };
    const calm = await ended(one.workflow, given, plan);
    for (const [index, outage] of KINDS.entries()) {
      if (index % one.cases.length !== number) continue;
      const first = Math.floor(calm.tookMs * chance(seed, outage));
      const gapMs = (1 + 3 * chance(seed, outage, "gap")) * MINUTES_MS;
      const periods = [0, 1, 2, 3, 4].map((n) => ({
        fromMs: Math.floor(first + n * (OUTAGE_SECONDS * 1000 + gapMs)),
        seconds: OUTAGE_SECONDS,
      }));
      const found = await ended(one.workflow, given, {
        ...plan,
        outage,
        periods,
        unanswered: true,
      });
      expect([found.end, ...found.signs], `${seed} ${outage}`).toEqual([calm.end, ...calm.signs]);
    }
  }
});
