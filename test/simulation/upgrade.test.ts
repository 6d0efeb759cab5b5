// Jobs that older releases began end under the engine of today, and histories that they wrote are
// read and decided again to the same bytes. The releases are in test/fixtures/releases.
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bundleEngine, recordJobs } from "../../build/record-release.mjs";
import { loadRelease, recordedJobs, releases, TODAYS_KIT } from "./release-load.ts";
import type { RecordedJob, ReleaseKit } from "./release-load.ts";
import { checkEnds, checkRecorded, checkWorld, isEnded } from "./upgrade.ts";

test("at least one release is recorded", () => {
  expect(releases()).toContain("0.1.0");
});

describe.each(releases())("release %s", (release) => {
  const jobs = recordedJobs(release);
  const named = jobs.map((job) => [job.name, job] as const);
  const begun = jobs.filter((job) => !isEnded(job));

  test("has jobs at every place where one can stand still, and ended ones", () => {
    expect(begun.length).toBeGreaterThanOrEqual(12);
    expect(jobs.length - begun.length).toBeGreaterThanOrEqual(12);
    const ended = jobs.filter(isEnded).map(({ ends }) => ends.status);
    expect(new Set(ended)).toEqual(new Set(["completed", "failed", "cancelled"]));
  });

  test.each(named)("%s: its history is the same under today's engine", (_name, job) => {
    checkRecorded(TODAYS_KIT, job);
  });

  test.each(begun.map((job) => [job.name, job] as const))(
    "%s: today's engine ends it as the release would have, and the release reads the end",
    async (_name, job) => {
      const world = await checkEnds(TODAYS_KIT, job);
      checkWorld(await loadRelease(release), world, job.job_id);
    },
  );
});

describe("a check that can fail", () => {
  const recorded = (name: string): RecordedJob => {
    const job = recordedJobs("0.1.0").find((one) => one.name === name);
    if (job === undefined) throw new Error(`no job ${name}`);
    return job;
  };
  const edited = (name: string, from: string, to: string): RecordedJob => {
    const text = JSON.stringify(recorded(name));
    expect(text).toContain(from);
    return JSON.parse(text.replace(from, to)) as RecordedJob;
  };

  test.each([
    ["an output", "completed-chain", '"output":{"n":2}', '"output":{"n":3}'],
    ["the snapshot", "completed-chain", '"handler":"echo"', '"handler":"else"'],
    ["the inputs", "completed-fan-out", '"inputs":{"list":[0,1', '"inputs":{"list":[0,2'],
    ["the stamp", "cancelled", '"cancelled","workflow_d', '"completed","workflow_d'],
  ])("sees %s that was changed", (...given) => {
    const [, name, from, to] = given;
    const check = (): number => checkRecorded(TODAYS_KIT, edited(name, from, to));
    expect(check).toThrow(/invariant|snapshot/);
  });

  test("sees a reducer that decides otherwise", () => {
    const advance: ReleaseKit["advance"] = (job, occurrence, context) =>
      TODAYS_KIT.advance(job, occurrence, { ...context, can_continue: false });
    const check = (): number =>
      checkRecorded({ ...TODAYS_KIT, advance }, recorded("completed-chain"));
    expect(check).toThrow(/decision \d+ on/);
  });

  test("sees a job that ends otherwise", async () => {
    const job = recorded("mid-chain");
    const other = { ...job, ends: { ...job.ends, status: "failed" } } as const;
    await expect(checkEnds(TODAYS_KIT, other)).rejects.toThrow(/ends as it would/);
  });
});

test("the engine of today can be recorded, and replays what was recorded", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "holdfast-release-"));
  const engine = path.join(folder, "engine.mjs");
  await bundleEngine(path.join(import.meta.dirname, "..", ".."), engine, true);
  const names = await recordJobs({ engine, target: folder, release: "today" });
  expect(names.length).toBeGreaterThan(40);
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  const decisions = files.map((file) => {
    const job = JSON.parse(readFileSync(path.join(folder, file), "utf8")) as RecordedJob;
    return checkRecorded(TODAYS_KIT, job);
  });
  expect(decisions.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(300);
});
