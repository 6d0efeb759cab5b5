// Makes a failing plan smaller while it still fails: fewer faults, nothing else happening, fewer
// jobs and processes, no noise. What is left is what it takes.
import type { Faults, Plan } from "./plan.ts";
import { runPlan } from "./schedule.ts";
import type { RunOptions } from "./schedule.ts";

/** Runs that one shrinking may cost. */
const MAX_RUNS = 400;

export interface Shrunk {
  readonly plan: Plan;
  readonly violation: string;
}

/** `plan` lists its faults and fails. */
export async function shrink(plan: Plan, options: RunOptions = {}): Promise<Shrunk> {
  let best: Shrunk = { plan, violation: "" };
  let runs = 0;
  const tries = async (candidate: Plan): Promise<boolean> => {
    runs += 1;
    if (runs > MAX_RUNS) return false;
    const { violation, plan: ran } = await runPlan(candidate, options);
    if (violation === undefined) return false;
    best = { plan: { ...candidate, faults: ran.faults ?? {} }, violation };
    return true;
  };
  if (!(await tries(plan))) return { plan, violation: "it does not fail when it is run again" };
  for (let size = Infinity; size !== sizeOf(best.plan); ) {
    size = sizeOf(best.plan);
    await fewerFaults(() => best.plan, tries);
    const without = async (happenings: Plan["happenings"]): Promise<boolean> =>
      tries({ ...best.plan, happenings });
    await fewer(() => best.plan.happenings, without);
    if (best.plan.jobs.length > 1) await tries({ ...best.plan, jobs: best.plan.jobs.slice(0, -1) });
    if (best.plan.jobs.length > 1) await tries(withoutFirstJob(best.plan));
    if (best.plan.processes.length > 1) {
      await tries({ ...best.plan, processes: best.plan.processes.slice(0, -1) });
    }
    if (best.plan.noise) await tries({ ...best.plan, noise: false });
  }
  return best;
}

function sizeOf({ faults = {}, happenings, jobs, processes, noise }: Plan): number {
  const parts = Object.keys(faults).length + happenings.length + jobs.length + processes.length;
  return parts + (noise ? 1 : 0);
}

function withoutFirstJob(plan: Plan): Plan {
  const happenings = plan.happenings.flatMap((one) => {
    if (!("job" in one)) return one;
    return one.job === 0 ? [] : { ...one, job: one.job - 1 };
  });
  return { ...plan, jobs: plan.jobs.slice(1), happenings };
}

async function fewerFaults(
  now: () => Plan,
  tries: (plan: Plan) => Promise<boolean>,
): Promise<void> {
  const faultsOf = (): readonly (readonly [string, string])[] =>
    Object.entries(now().faults ?? {});
  await fewer(faultsOf, async (kept) => {
    const faults: Faults = Object.fromEntries(kept);
    return tries({ ...now(), faults });
  });
}

/** Leaves out halves, quarters, single ones, as long as that still fails. */
async function fewer<T>(
  now: () => readonly T[],
  tries: (kept: readonly T[]) => Promise<boolean>,
): Promise<void> {
  for (let part = Math.ceil(now().length / 2); part >= 1; part = Math.floor(part / 2)) {
    for (let from = 0; from < now().length; ) {
      const kept = [...now().slice(0, from), ...now().slice(from + part)];
      if (!(await tries(kept))) from += part;
    }
  }
}
