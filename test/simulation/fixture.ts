// A schedule that found a defect, as it is kept: with its own definitions, for the random ones may
// be drawn otherwise one day, and exactly its faults. The prover prints one for a seed that fails.
import { randomShapeOf } from "./definitions.ts";
import type { Shape } from "./definitions.ts";
import type { Plan } from "./plan.ts";
import type { Shrunk } from "./shrink.ts";

export interface Fixture {
  /** What was wrong, in words; whoever keeps the fixture says it. */
  readonly reason: string;
  readonly violation: string;
  readonly plan: Plan;
  readonly shapes: Readonly<Record<string, Shape>>;
}

export function fixtureOf({ plan, violation }: Shrunk): Fixture {
  const names = [...new Set(plan.jobs.map(({ definition }) => definition))];
  const kept = (name: string): string => `kept:${names.indexOf(name)}`;
  return {
    reason: "",
    violation,
    plan: {
      ...plan,
      jobs: plan.jobs.map((job) => ({ ...job, definition: kept(job.definition) })),
    },
    shapes: Object.fromEntries(names.map((name) => [kept(name), randomShapeOf(name)])),
  };
}
