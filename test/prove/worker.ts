// A child process of the prover: reads a task's input as JSON from its standard input, runs the
// task that its argument names, and prints the value as JSON, the last line of its output.
// Built once for the engine as it is, and once for every seeded mutant of it.
import { text } from "node:stream/consumers";
import { fuzz } from "../fuzz/fuzz.ts";
import { crashPoints, faultPairs, schedules } from "../simulation/campaign.ts";
import { mixedSchedules } from "../simulation/upgrade-campaign.ts";

const TASKS = new Map<string, (input: never) => Promise<unknown>>([
  ["crash-points", crashPoints],
  ["fault-pairs", faultPairs],
  ["schedules", schedules],
  ["mixed-schedules", mixedSchedules],
  ["fuzz", fuzz],
]);

const name = process.argv[2] ?? "";
const task = TASKS.get(name);
if (task === undefined) {
  throw new Error(`no task ${name}: expected ${[...TASKS.keys()].join(", ")}`);
}
const value = await task(JSON.parse(await text(process.stdin)) as never);
process.stdout.write(`\n${JSON.stringify(value)}\n`);
