// Runs the parts of a campaign in child processes and puts their results together. A part that
// breaks is a violation: what it would have found is not known. Violations are said as they are
// found, for a long run may be ended before it has ended.
import { together } from "../../simulation/tally.ts";
import type { CampaignResult } from "../../simulation/tally.ts";
import { inWorkers } from "../pool.ts";
import type { Task, TaskResult } from "../pool.ts";
import type { ProveOptions } from "../row.ts";

export interface Parts {
  readonly result: CampaignResult;
  readonly fired: number;
  readonly violations: readonly string[];
  /** Parts that did not come to their end. */
  readonly broken: readonly string[];
}

export async function resultsOf(tasks: readonly Task[], options: ProveOptions): Promise<Parts> {
  const began = performance.now();
  const results = await inWorkers(tasks, options.workers, (done, result) => {
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    options.say(`   ${done} of ${tasks.length} parts, ${seconds} s`);
    for (const found of [...violationsOf(result), ...brokenOf(result)]) options.say(`   ${found}`);
  });
  const values = results.flatMap((one) => (one.ok ? [one.value as CampaignResult] : []));
  const result = together(values);
  return {
    result,
    fired: Object.values(result.fired).reduce((sum, count) => sum + count, 0),
    violations: results.flatMap(violationsOf),
    broken: results.flatMap(brokenOf),
  };
}

function violationsOf(part: TaskResult): readonly string[] {
  if (!part.ok) return [];
  const { violations } = part.value as CampaignResult;
  return violations.map((one) => `${one.case} (${one.mode}): ${one.message}`);
}

function brokenOf(part: TaskResult): readonly string[] {
  return part.ok ? [] : [part.error];
}
