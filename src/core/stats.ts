// Numbers over all jobs, folded from how each of them ended: counts per version of a workflow, and
// how long completed jobs took, kept as histograms whose buckets grow by a tenth, so that a
// quantile is right within 5 % (Masson and others, "DDSketch", VLDB 2019). Everything has a bound:
// the versions that ended last are kept by name, older ones are added up.
import type { Instant } from "./instant.ts";
import { epochMs, instantOf } from "./instant.ts";
import type { TerminalJobStatus } from "./job.ts";
import { MAX_STATS_VERSIONS } from "./limits.ts";

/** A bucket ends at this many times where it begins. */
const GROWTH = 1.1;
const DAY_MS = 24 * 3600 * 1000;

export type EndCounts = Readonly<Record<TerminalJobStatus, number>>;

/** How many jobs fell into which bucket: bucket i holds (1.1^(i-1), 1.1^i] milliseconds. */
export type Histogram = { readonly [bucket: string]: number };

export interface VersionStats extends EndCounts {
  readonly workflow_id: string;
  readonly workflow_version: number;
  readonly last_ended_at: Instant;
  /** By day (UTC) of the end: today and yesterday. */
  readonly days: { readonly [day: string]: Histogram };
}

export interface JobStats {
  /** Endings before are not counted. */
  readonly since: Instant;
  /** Endings that the store saw after are not counted yet. */
  readonly as_of: Instant;
  readonly versions: readonly VersionStats[];
  /** Versions that are no longer kept by name. */
  readonly others: EndCounts;
}

export interface JobEnd {
  readonly workflow_id: string;
  readonly workflow_version: number;
  readonly status: string;
  readonly started_at?: Instant;
  readonly completed_at: Instant;
}

const NONE: EndCounts = { completed: 0, failed: 0, cancelled: 0 };

export function emptyStats(since: Instant): JobStats {
  return { since, as_of: since, versions: [], others: NONE };
}

/** The numbers with these endings, true as of `asOf`. */
export function foldEnds(stats: JobStats, ends: readonly JobEnd[], asOf: Instant): JobStats {
  const versions = new Map(stats.versions.map((one) => [keyOf(one), one]));
  for (const end of ends) {
    const key = keyOf(end);
    versions.set(key, withEnd(versions.get(key) ?? fresh(end), end));
  }
  const days = daysKept(asOf);
  const latest = [...versions.values()]
    .map((one) => ({ ...one, days: kept(one.days, days) }))
    .sort((a, b) => compare(b.last_ended_at, a.last_ended_at));
  return {
    since: stats.since,
    as_of: asOf,
    versions: latest.slice(0, MAX_STATS_VERSIONS),
    others: latest.slice(MAX_STATS_VERSIONS).reduce<EndCounts>(sum, stats.others),
  };
}

function keyOf(one: { readonly workflow_id: string; readonly workflow_version: number }): string {
  return `${one.workflow_id}@${one.workflow_version}`;
}

function fresh({ workflow_id, workflow_version, completed_at }: JobEnd): VersionStats {
  return { workflow_id, workflow_version, ...NONE, last_ended_at: completed_at, days: {} };
}

function withEnd(version: VersionStats, end: JobEnd): VersionStats {
  const { completed_at, started_at } = end;
  const counts = sum(version, only(end.status));
  const last = version.last_ended_at;
  const last_ended_at = last > completed_at ? last : completed_at;
  const isTimed = end.status === "completed" && started_at !== undefined;
  const ms = isTimed ? epochMs(completed_at) - epochMs(started_at) : undefined;
  const days = ms === undefined ? version.days : withDuration(version.days, completed_at, ms);
  return { ...version, ...counts, last_ended_at, days };
}

function only(status: string): EndCounts {
  const count = (name: keyof EndCounts): number => (status === name ? 1 : 0);
  return { completed: count("completed"), failed: count("failed"), cancelled: count("cancelled") };
}

export function sum(one: EndCounts, other: EndCounts): EndCounts {
  return {
    completed: one.completed + other.completed,
    failed: one.failed + other.failed,
    cancelled: one.cancelled + other.cancelled,
  };
}

function withDuration(days: VersionStats["days"], at: Instant, ms: number): VersionStats["days"] {
  const day = dayOf(at);
  const bucket = String(Math.ceil(Math.log(Math.max(1, ms)) / Math.log(GROWTH)));
  const histogram = days[day] ?? {};
  return { ...days, [day]: { ...histogram, [bucket]: (histogram[bucket] ?? 0) + 1 } };
}

function dayOf(at: Instant): string {
  return at.slice(0, 10);
}

/** Today and yesterday; what a process with a clock ahead wrote for tomorrow too. */
function daysKept(asOf: Instant): readonly string[] {
  return [-1, 0, 1].map((days) => dayOf(instantOf(epochMs(asOf) + days * DAY_MS)));
}

function kept(days: VersionStats["days"], names: readonly string[]): VersionStats["days"] {
  return Object.fromEntries(Object.entries(days).filter(([day]) => names.includes(day)));
}

export interface Durations {
  readonly count: number;
  readonly p50_seconds?: number;
  readonly p95_seconds?: number;
}

/** How long the completed jobs of these versions took, over the days that are kept. */
export function durationsOf(versions: readonly VersionStats[]): Durations {
  const all = new Map<number, number>();
  let count = 0;
  for (const histogram of versions.flatMap(({ days }) => Object.values(days))) {
    for (const [bucket, jobs] of Object.entries(histogram)) {
      all.set(Number(bucket), (all.get(Number(bucket)) ?? 0) + jobs);
      count += jobs;
    }
  }
  if (count === 0) return { count };
  const buckets = [...all].sort(([a], [b]) => a - b);
  return { count, p50_seconds: quantile(buckets, 0.5), p95_seconds: quantile(buckets, 0.95) };
}

/** The middle of the bucket that the share of all jobs ends in, in seconds. */
function quantile(buckets: readonly (readonly [number, number])[], share: number): number {
  const count = buckets.reduce((sum, [, jobs]) => sum + jobs, 0);
  let left = Math.ceil(share * count);
  let reached = 0;
  for (const [bucket, jobs] of buckets) {
    if (left > 0) reached = bucket;
    left -= jobs;
  }
  const ms = (2 * GROWTH ** reached) / (GROWTH + 1);
  return Math.round(ms) / 1000;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
