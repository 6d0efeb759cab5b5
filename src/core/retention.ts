// How long the documents of a job are kept. The journal's end is pinned when the job is accepted,
// so no setting that changes later can take entry 0 from a job that needs it; the projection goes
// by what became of the job, and always before its journal.
import type { Instant } from "./instant.ts";
import { addSeconds, later, secondsBetween } from "./instant.ts";
import type { JobState, TerminalJobStatus } from "./job.ts";
import { isTerminalStatus } from "./job.ts";
import {
  EXPIRY_MARGIN_SECONDS,
  MAX_SUSPENDED_SECONDS,
  MIN_EXPIRY_SECONDS,
  RETENTION_SECONDS,
} from "./limits.ts";

/** Seconds from a job's end until lists and answers forget it, by its status. */
export type Retention = Readonly<Record<TerminalJobStatus, number>>;

export const DEFAULT_RETENTION: Retention = {
  completed: RETENTION_SECONDS,
  failed: RETENTION_SECONDS,
  cancelled: RETENTION_SECONDS,
};

/**
 * When the journal of a job that is accepted now goes: its deadline, the most it may be suspended,
 * and the longest retention that holds at this moment.
 */
export function expiryOf(deadlineAt: Instant, retention: Retention): Instant {
  const longest = Math.max(retention.completed, retention.failed, retention.cancelled);
  return addSeconds(deadlineAt, MAX_SUSPENDED_SECONDS + longest);
}

/** Where no end is pinned, or a build that knows none wrote the state last, what held then. */
function journalEnd(job: Pick<JobState, "deadline_at" | "expires_at">): Instant {
  return job.expires_at ?? expiryOf(job.deadline_at, DEFAULT_RETENTION);
}

/** Whole seconds from `now`, at least 1, until a journal document of the job may be dropped. */
export function journalTtl(
  job: Pick<JobState, "deadline_at" | "expires_at">,
  now: Instant,
): number {
  return ttlUntil(journalEnd(job), now);
}

/**
 * The same for its projection: as long as the journal while the job is open, then by its status.
 * An hour earlier than the journal, for clocks and refreshes differ; and not within an hour, so
 * that whoever asks again for a job that was forgotten can still read it.
 */
export function projectionTtl(job: JobState, now: Instant, retention: Retention): number {
  const last = addSeconds(journalEnd(job), -EXPIRY_MARGIN_SECONDS);
  const kept = later(forgottenAt(job, retention) ?? last, addSeconds(now, MIN_EXPIRY_SECONDS));
  return Math.min(ttlUntil(kept, now), ttlUntil(last, now));
}

function forgottenAt(
  { status, completed_at }: JobState,
  retention: Retention,
): Instant | undefined {
  if (completed_at === undefined || !isTerminalStatus(status)) return undefined;
  return addSeconds(completed_at, retention[status]);
}

function ttlUntil(end: Instant, now: Instant): number {
  return Math.max(1, Math.ceil(secondsBetween(now, end)));
}
