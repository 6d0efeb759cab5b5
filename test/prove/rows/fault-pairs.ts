// Row: pairs of faults. Two of four faults in one run, at every pair of its requests where there
// are at most 40 of them, at a sample of the pairs where there are more. CI runs a sample of all.
import { resultsOf } from "./campaigns.ts";
import type { ProveOptions, Row } from "../row.ts";

const SMALL_SAMPLE = 120;
const PARTS = 64;

export async function run(options: ProveOptions): Promise<Row> {
  const { long, firstSeed } = options;
  const sample = long ? {} : { sample: options.seeds ?? SMALL_SAMPLE };
  const parts = long ? PARTS : 2 * options.workers;
  const tasks = Array.from({ length: parts }, (_, part) => ({
    task: "fault-pairs",
    input: { part, parts, seed: firstSeed, ...sample },
  }));
  const { result, fired, broken, violations } = await resultsOf(tasks, options);
  return {
    what: "pairs of faults",
    atLeast: long
      ? "all for workflows up to 40 I/O, 0 violations"
      : `${(options.seeds ?? SMALL_SAMPLE).toLocaleString("en")} sampled, 0 violations`,
    measured:
      `${result.runs.toLocaleString("en")} runs, ` +
      `${result.requests.toLocaleString("en")} requests, ` +
      `${violations.length} violations`,
    seeds: `pairs drawn from ${firstSeed}`,
    fired,
    violations: [...violations, ...broken],
    notes: [...new Set(result.notes)],
  };
}
