// Builds side by side: recorded jobs handed to and fro between their release and today's engine,
// random schedules with both at work, and what each does with documents of a build to come.
import { describe, expect, test } from "vitest";
import { WITH_SECRETS } from "./release-secrets.ts";
import { record } from "./release-record.ts";
import { loadRelease, recordedJobs, releases, TODAYS_KIT } from "./release-load.ts";
import type { RecordedJob } from "./release-load.ts";
import { checkTogether, isEnded } from "./upgrade.ts";
import { MixedSchedule } from "./upgrade-mixed.ts";
import type { MixedResult } from "./upgrade-mixed.ts";
import { checkLeavesAlone, checkPutsBack, NEWER, NEWER_RULES } from "./upgrade-newer.ts";

/** The whole programme is a row of `npm run prove`. */
const SEEDS = Array.from({ length: 25 }, (_, index) => index + 1);
const PRESSED = [
  "mid-chain",
  "lease-expired",
  "fan-out-claimed",
  "fan-out-item-retry",
  "cancelling",
  "deadline-passed",
];

function pressed(release: string): readonly RecordedJob[] {
  return recordedJobs(release).filter(({ name }) => PRESSED.includes(name));
}

describe.each(releases())("release %s beside today's engine", (release) => {
  const begun = recordedJobs(release).filter((job) => !isEnded(job));

  test.each(begun.map((job) => [job.name, job] as const))(
    "%s: handed to and fro it ends as it would",
    async (_name, job) => {
      const old = await loadRelease(release);
      for (const seed of [1, 2, 3]) await checkTogether([old, TODAYS_KIT], job, { seed });
    },
  );

  test("random jobs end rightly, whoever of them is at work", async () => {
    const kits = [await loadRelease(release), TODAYS_KIT];
    const results: MixedResult[] = [];
    for (const seed of SEEDS) {
      try {
        results.push(await new MixedSchedule(seed, kits).run());
      } catch (cause) {
        throw new Error(`seed ${seed}`, { cause });
      }
    }
    const sum = (count: (one: MixedResult) => number): number =>
      results.reduce((total, one) => total + count(one), 0);
    expect(sum(({ fired }) => Object.values(fired).length)).toBeGreaterThan(10);
    expect(sum(({ handOvers }) => handOvers)).toBeGreaterThan(100);
    expect(sum(({ republished }) => republished)).toBeGreaterThan(50);
    expect(Object.keys(results[0]?.entries ?? {}).length).toBe(2);
  });

  test.each(NEWER.map((newer) => [newer.name, newer] as const))(
    "%s of a later build keeps the release from the job",
    async (_name, newer) => {
      const old = await loadRelease(release);
      for (const job of pressed(release)) await checkLeavesAlone(old, job, newer);
    },
  );

  test.each([...NEWER, ...NEWER_RULES].map((newer) => [newer.name, newer] as const))(
    "%s of a later build keeps today's engine from the job",
    async (_name, newer) => {
      for (const job of pressed(release)) await checkLeavesAlone(TODAYS_KIT, job, newer);
    },
  );

  test("a message of a later build is put back whole by both", async () => {
    for (const kit of [await loadRelease(release), TODAYS_KIT]) {
      for (const job of pressed(release)) await checkPutsBack(kit, job);
    }
  });
});

/** Before secrets: a build that read such a snapshot would refuse it and end the job. */
const BEFORE_SECRETS = releases().filter((release) => release === "0.1.0");

describe.each(BEFORE_SECRETS)("release %s and jobs with secrets", (release) => {
  test.each(WITH_SECRETS.map((scenario) => [scenario.name, scenario] as const))(
    "%s: the release leaves the job alone, and it ends beside it",
    async (_name, scenario) => {
      const old = await loadRelease(release);
      const job = await record(TODAYS_KIT, scenario);
      expect(job.ends).toMatchObject({ status: "completed" });
      await checkLeavesAlone(old, job, { change: (unchanged) => unchanged });
      for (const seed of [1, 2, 3]) {
        await checkTogether([old, TODAYS_KIT], job, { seed, readers: [TODAYS_KIT] });
      }
    },
  );
});

// The checks above can fail: the same jobs, unchanged, are not left alone.
test("a build that understands a job works on it", async () => {
  for (const job of pressed("0.1.0")) {
    const check = checkLeavesAlone(TODAYS_KIT, job, { change: (unchanged) => unchanged });
    await expect(check).rejects.toThrow(/invariant/);
  }
});
