// Row: upgrades. Jobs that a recorded release began end under today's engine as that release would
// have ended them, its histories replay to the same bytes, processes of both work side by side
// on the same jobs, and neither touches what a later build wrote.
import { releases } from "../../simulation/release-load.ts";
import { recordedRelease, total } from "../../simulation/upgrade-campaign.ts";
import type { RecordedResult, UpgradeResult } from "../../simulation/upgrade-campaign.ts";
import { inWorkers } from "../pool.ts";
import type { ProveOptions, Row } from "../row.ts";

const SMALL_SEEDS = 30;
const LONG_SEEDS = 5_000;
const SEEDS_PER_TASK = 15;

export async function run(options: ProveOptions): Promise<Row> {
  const seeds = options.seeds ?? (options.long ? LONG_SEEDS : SMALL_SEEDS);
  const recorded: RecordedResult[] = [];
  const mixed: UpgradeResult[] = [];
  const broken: string[] = [];
  for (const release of releases()) {
    options.say(`   release ${release}: what it left`);
    recorded.push(await recordedRelease(release));
    const found = await mixedWith(release, seeds, options);
    mixed.push(found.result);
    broken.push(...found.broken);
  }
  const { violations, ...sums } = total(mixed);
  const sum = (count: (one: RecordedResult) => number): number =>
    recorded.reduce((whole, one) => whole + count(one), 0);
  const jobs = sum((one) => one.jobs);
  return {
    what: "upgrade",
    atLeast: `every recorded job, ${seeds.toLocaleString("en")} mixed schedules, 0 violations`,
    measured:
      `${releases().length} release, ${jobs} jobs: ${sum((one) => one.ended)} ended alike, ` +
      `${sum((one) => one.decisions)} decisions replayed byte-equal, ` +
      `${sum((one) => one.refusals)} later documents left alone; ${sums.runs} mixed schedules, ` +
      `${sums.handOvers} hand-overs, ${sums.republished} republished`,
    seeds: `${options.firstSeed}–${options.firstSeed + seeds - 1}`,
    fired: sums.fired,
    violations: [...recorded.flatMap((one) => one.violations), ...violations, ...broken],
    notes: [
      `entries by the build that wrote them: ${JSON.stringify(sums.entries)}`,
      `jobs that ended because a release let go of claimed chunks: ${sums.lostClaims}`,
    ],
  };
}

async function mixedWith(
  release: string,
  seeds: number,
  { firstSeed, workers, say }: ProveOptions,
): Promise<{ readonly result: UpgradeResult; readonly broken: readonly string[] }> {
  const tasks = [];
  for (let done = 0; done < seeds; done += SEEDS_PER_TASK) {
    const count = Math.min(SEEDS_PER_TASK, seeds - done);
    tasks.push({ task: "mixed-schedules", input: { release, from: firstSeed + done, count } });
  }
  const results = await inWorkers(tasks, workers, (done) => {
    say(`   release ${release}: ${done} of ${tasks.length} parts of the mixed schedules`);
  });
  const ok = results.flatMap((one) => (one.ok ? [one.value as UpgradeResult] : []));
  const broken = results.flatMap((one) => (one.ok ? [] : [one.error]));
  return { result: total(ok), broken };
}
