// Row: random schedules. Of ten seeds eight have every fault and every rescuer, one has nobody who
// sweeps, one has no fault. `--seed N --seeds 1` prints the trace of one seed; a seed that fails is
// printed with the smallest plan that still fails, ready to be kept in test/simulation/fixtures.
import { resultsOf } from "./campaigns.ts";
import type { ProveOptions, Row } from "../row.ts";

const SMALL_SEEDS = 10_000;
const LONG_SEEDS = 1_000_000;
const SEEDS_PER_TASK = 2_500;

export async function run(options: ProveOptions): Promise<Row> {
  const { firstSeed, long, say } = options;
  const count = options.seeds ?? (long ? LONG_SEEDS : SMALL_SEEDS);
  const last = firstSeed + count - 1;
  const tasks = [];
  for (let from = firstSeed; from <= last; from += SEEDS_PER_TASK) {
    const input = { from, count: Math.min(SEEDS_PER_TASK, last - from + 1) };
    tasks.push({ task: "schedules", input });
  }
  const { result, fired, broken, violations } = await resultsOf(tasks, options);
  if (count === 1) for (const line of result.notes) say(line);
  const kinds = Object.keys(result.fired).length;
  return {
    what: "random schedules",
    atLeast: `${count.toLocaleString("en")}, 0 violations`,
    measured:
      `${result.runs.toLocaleString("en")} schedules, ${result.jobs.toLocaleString("en")} jobs, ` +
      `${result.requests.toLocaleString("en")} requests, ${kinds} kinds of faults, ` +
      `${violations.length} violations`,
    seeds: `${firstSeed}–${last}`,
    fired,
    violations: [...violations.map((one) => `seed ${one}`), ...broken],
    notes: count === 1 ? [] : result.notes,
  };
}
