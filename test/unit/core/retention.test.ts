// How long documents are kept: the journal by what was pinned at its birth, the projection by what
// became of the job, and never longer than the journal, whatever the settings have become.
import fc from "fast-check";
import { expect, test } from "vitest";
import { addSeconds, later } from "../../../src/core/instant.ts";
import type { JobState } from "../../../src/core/job.ts";
import { DEFAULT_RETENTION, expiryOf } from "../../../src/core/retention.ts";
import { journalTtl, projectionTtl } from "../../../src/core/retention.ts";

const DAY = 24 * 3600;
const CREATED = "2026-01-01T00:00:00.000Z";
const DEADLINE = addSeconds(CREATED, 7 * DAY);
const SHORT = { completed: DAY, failed: 3 * DAY, cancelled: 2 * DAY };

function job(changes: Partial<JobState> = {}): JobState {
  const pinned = { deadline_at: DEADLINE, expires_at: expiryOf(DEADLINE, SHORT) };
  return { status: "running", ...pinned, ...changes } as unknown as JobState;
}

test("the journal goes after the deadline, thirty days and the longest retention", () => {
  expect(expiryOf(DEADLINE, SHORT)).toBe(addSeconds(CREATED, (7 + 30 + 3) * DAY));
  expect(journalTtl(job(), CREATED)).toBe(40 * DAY);
  expect(journalTtl(job(), addSeconds(CREATED, 10 * DAY))).toBe(30 * DAY);
});

test("a job of 0.1.0, which pinned no end, keeps its 120 days after the deadline", () => {
  const { expires_at: _none, ...old } = job();
  expect(journalTtl(old, CREATED)).toBe(127 * DAY);
});

test("what is written after the end still expires, at once", () => {
  expect(journalTtl(job(), addSeconds(CREATED, 400 * DAY))).toBe(1);
});

test.each([
  ["completed", DAY],
  ["failed", 3 * DAY],
  ["cancelled", 2 * DAY],
] as const)("a job that is %s is kept as its setting says", (status, kept) => {
  const now = addSeconds(CREATED, DAY);
  expect(projectionTtl(job({ status, completed_at: now }), now, SHORT)).toBe(kept);
  // A later write of the same state does not begin anew.
  const refreshed = addSeconds(now, 3600);
  expect(projectionTtl(job({ status, completed_at: now }), refreshed, SHORT)).toBe(kept - 3600);
});

test("an open job is kept as long as its journal, less an hour", () => {
  expect(projectionTtl(job(), CREATED, SHORT)).toBe(40 * DAY - 3600);
});

test("a job that was forgotten and is asked for again stays an hour", () => {
  const ended = job({ status: "completed", completed_at: addSeconds(CREATED, DAY) });
  expect(projectionTtl(ended, addSeconds(CREATED, 20 * DAY), SHORT)).toBe(3600);
});

test("no projection outlives its journal, whatever the settings have become", () => {
  const days = fc.integer({ min: 1, max: 3650 }).map((count) => count * DAY);
  const retention = fc.record({ completed: days, failed: days, cancelled: days });
  const status = fc.constantFrom("running", "completed", "failed", "cancelled");
  const at = fc.integer({ min: 0, max: 37 * DAY });
  const life = { before: retention, today: retention, status, ended: at, passed: at };
  fc.assert(
    fc.property(fc.record(life), ({ before, today, status, ended, passed }) => {
      const completed_at = addSeconds(CREATED, ended);
      const now = addSeconds(completed_at, passed);
      const expires_at = expiryOf(DEADLINE, before);
      const state = job({ status: status as JobState["status"], completed_at, expires_at });
      const gone = addSeconds(now, projectionTtl(state, now, today));
      const last = later(addSeconds(expires_at, -3600), addSeconds(now, 1));
      expect(gone <= last, `${gone} is after ${last}`).toBe(true);
    }),
  );
  expect(DEFAULT_RETENTION).toEqual({ completed: 90 * DAY, failed: 90 * DAY, cancelled: 90 * DAY });
});
