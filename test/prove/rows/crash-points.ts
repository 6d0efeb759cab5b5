// Row: crash points. Every request of every shipped workflow, and of the scenarios that reach the
// other places, is broken in four ways: the process dies before or after it, its answer is lost, it
// is throttled. Each named place must have been reached. CI runs two cases of eleven.
import { missedSites } from "../../simulation/campaign.ts";
import { resultsOf } from "./campaigns.ts";
import type { ProveOptions, Row } from "../row.ts";

/** No multiple of the number of faults, so that each part has all of them. */
const PARTS = 11;
const SMALL_PARTS = 2;

export async function run(options: ProveOptions): Promise<Row> {
  const tasks = Array.from({ length: options.long ? PARTS : SMALL_PARTS }, (_, part) => ({
    task: "crash-points",
    input: { part, parts: PARTS },
  }));
  const { result, fired, broken, violations } = await resultsOf(tasks, options);
  const sites = Object.keys(result.sites).length;
  const missed = missedSites(result).map((site) => `${site}: no run reached this place`);
  return {
    what: "crash points: every I/O of every shipped workflow × 4 faults",
    atLeast: options.long
      ? "all, each named I/O site hit, 0 violations"
      : `${SMALL_PARTS} of ${PARTS}, each named I/O site hit, 0 violations`,
    measured:
      `${result.runs.toLocaleString("en")} runs, ` +
      `${result.requests.toLocaleString("en")} requests, ` +
      `${sites} sites reached, ${missed.length} missed, ${violations.length} violations`,
    fired,
    violations: [...violations, ...missed, ...broken],
    notes: [`faults fired: ${countsOf(result.fired)}`, `sites: ${countsOf(result.sites)}`],
  };
}

function countsOf(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.map(([name, count]) => `${name} ${count.toLocaleString("en")}`).join(", ");
}
