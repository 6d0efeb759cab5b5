// The upgrade proofs as the prover runs them: everything that was recorded of a release, and seeded
// schedules with its processes beside today's. Input and result are JSON; nothing throws that is a
// finding.
import { loadRelease, recordedJobs, TODAYS_KIT } from "./release-load.ts";
import type { RecordedJob, ReleaseKit } from "./release-load.ts";
import { checkEnds, checkReadBy, checkRecorded, checkTogether, checkWorld } from "./upgrade.ts";
import { isEnded } from "./upgrade.ts";
import { MixedSchedule } from "./upgrade-mixed.ts";
import type { MixedResult } from "./upgrade-mixed.ts";
import { checkLeavesAlone, checkPutsBack, NEWER, NEWER_RULES } from "./upgrade-newer.ts";

export interface UpgradeInput {
  readonly release: string;
  readonly from: number;
  readonly count: number;
}

export interface UpgradeResult {
  readonly runs: number;
  readonly requests: number;
  readonly fired: number;
  readonly handOvers: number;
  readonly republished: number;
  readonly entries: Readonly<Record<string, number>>;
  readonly lostClaims: number;
  readonly violations: readonly string[];
}

const NOTHING: UpgradeResult = {
  runs: 0,
  requests: 0,
  fired: 0,
  handOvers: 0,
  republished: 0,
  entries: {},
  lostClaims: 0,
  violations: [],
};

export function total(results: readonly UpgradeResult[]): UpgradeResult {
  return results.reduce((one, other) => {
    const entries = { ...one.entries };
    for (const [build, count] of Object.entries(other.entries)) {
      entries[build] = (entries[build] ?? 0) + count;
    }
    return {
      runs: one.runs + other.runs,
      requests: one.requests + other.requests,
      fired: one.fired + other.fired,
      handOvers: one.handOvers + other.handOvers,
      republished: one.republished + other.republished,
      entries,
      lostClaims: one.lostClaims + other.lostClaims,
      violations: [...one.violations, ...other.violations],
    };
  }, NOTHING);
}

/** Seeds `from` to `from + count - 1`, old and new processes together. */
export async function mixedSchedules(input: UpgradeInput): Promise<UpgradeResult> {
  const kits = [await loadRelease(input.release), TODAYS_KIT];
  const results: UpgradeResult[] = [];
  for (let seed = input.from; seed < input.from + input.count; seed += 1) {
    results.push(await schedule(kits, seed));
  }
  return total(results);
}

async function schedule(kits: readonly ReleaseKit[], seed: number): Promise<UpgradeResult> {
  try {
    const result = await new MixedSchedule(seed, kits).run();
    return { ...NOTHING, ...result, runs: 1, fired: faults(result) };
  } catch (error) {
    return { ...NOTHING, runs: 1, violations: [`mixed schedule, seed ${seed}: ${text(error)}`] };
  }
}

function faults({ fired }: MixedResult): number {
  return Object.values(fired).reduce((sum, count) => sum + count, 0);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export interface RecordedResult {
  readonly jobs: number;
  readonly ended: number;
  readonly decisions: number;
  readonly refusals: number;
  readonly violations: readonly string[];
}

/** What was recorded of a release, under today's engine, alone and side by side. */
export async function recordedRelease(release: string): Promise<RecordedResult> {
  const old = await loadRelease(release);
  const jobs = recordedJobs(release);
  const violations: string[] = [];
  const counts = { ended: 0, decisions: 0, refusals: 0 };
  const check = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      violations.push(`release ${release}, ${name}: ${text(error)}`);
    }
  };
  for (const job of jobs) {
    await check(`history of ${job.name}`, async () => {
      counts.decisions += checkRecorded(TODAYS_KIT, job);
    });
    if (isEnded(job)) continue;
    await check(`end of ${job.name}`, async () => {
      await endsBoth(old, job);
      counts.ended += 1;
    });
    for (const [kit, cases] of [
      [old, NEWER],
      [TODAYS_KIT, [...NEWER, ...NEWER_RULES]],
    ] as const) {
      for (const newer of cases) {
        await check(`${job.name}, later: ${newer.name}, under ${kit.name}`, async () => {
          await checkLeavesAlone(kit, job, newer);
          counts.refusals += 1;
        });
      }
      await check(`${job.name}: a later message under ${kit.name}`, () => checkPutsBack(kit, job));
    }
  }
  return { jobs: jobs.length, ...counts, violations };
}

async function endsBoth(old: ReleaseKit, job: RecordedJob): Promise<void> {
  const world = await checkEnds(TODAYS_KIT, job);
  const history = checkWorld(TODAYS_KIT, world, job.job_id);
  checkReadBy(old, world.entries(job.job_id), history);
  await checkTogether([old, TODAYS_KIT], job, { seed: 1 });
}
