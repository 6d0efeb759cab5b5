// The numbers over all jobs: one document that the timer folds forward. Each ending is read once,
// by when the store wrote it; no job costs a write for it and no request a scan. Two that fold at
// once do the same, and one of them is refused.
import { isTerminalStatus, JOB_STATUSES } from "../core/job.ts";
import { epochMs, instantOf, secondsBetween } from "../core/instant.ts";
import type { JsonObject } from "../core/json.ts";
import { durationsOf, emptyStats, foldEnds, sum } from "../core/stats.ts";
import type { EndCounts, JobStats, VersionStats } from "../core/stats.ts";
import type { Engine } from "./engine.ts";
import type { StatsDocument, StatsStore } from "./ports.ts";

/** Endings that one query gives; a busier time is asked for in parts. */
const MAX_ENDS = 5_000;
/** Of one second, which cannot be parted. */
const MAX_ENDS_A_SECOND = 100_000;
/** The first fold looks back so far. */
const FIRST_LOOK_SECONDS = 24 * 3600;
/** A fold ends after so long; the next one goes on. */
const MAX_SECONDS = 20;
const STATS_SCHEMA = 1;

export interface StatsOptions {
  readonly store: StatsStore;
  readonly engine: Pick<Engine, "clock" | "randomness" | "log">;
  /**
   * What the store wrote so recently is left for the next fold: this process's clock may be ahead
   * of the store's, and what the store has not shown yet would never be counted.
   */
  readonly delaySeconds: number;
}

/** One fold. Answers how many endings it counted. Errors: the store's. */
export async function foldStats({ store, engine, delaySeconds }: StatsOptions): Promise<number> {
  const began = engine.clock.now();
  const target = Math.floor(epochMs(began) / 1000) - delaySeconds;
  const stored = await store.read();
  let through = stored?.document.through ?? target - FIRST_LOOK_SECONDS;
  let stats = stored?.document.stats ?? emptyStats(instantOf(through * 1000));
  let count = 0;
  while (through < target && secondsBetween(began, engine.clock.now()) < MAX_SECONDS) {
    const { to, ends } = await nextEnds(store, through, target);
    stats = foldEnds(stats, ends, instantOf(to * 1000));
    count += ends.length;
    through = to;
  }
  const document = {
    id: "stats",
    schema: STATS_SCHEMA,
    write_id: engine.randomness.writeId(),
    through,
    open: await openCounts(store),
    stats,
  } as const;
  return (await store.write(document, stored?.etag)) === "written" ? count : 0;
}

/** The endings after `from`, up to `target` or to where a query is full. */
async function nextEnds(store: StatsStore, from: number, target: number) {
  for (let seconds = target - from; ; seconds = Math.ceil(seconds / 2)) {
    const to = from + seconds;
    const isWhole = seconds > 1;
    const ends = await store.ended(from, to, isWhole ? MAX_ENDS : MAX_ENDS_A_SECOND);
    if (!isWhole || ends.length < MAX_ENDS) return { to, ends };
  }
}

const OPEN = JOB_STATUSES.filter((status) => !isTerminalStatus(status));

async function openCounts(store: StatsStore): Promise<StatsDocument["open"]> {
  const counts = await Promise.all(
    OPEN.map(async (status) => [status, await store.count(status)] as const),
  );
  return Object.fromEntries(counts);
}

/** `GET /stats`: what the last fold knew. One point read. */
export async function statsView(store: StatsStore): Promise<JsonObject> {
  const document = (await store.read())?.document;
  const open = Object.fromEntries(OPEN.map((status) => [status, document?.open[status] ?? 0]));
  if (document === undefined) {
    return { open, ended: { completed: 0, failed: 0, cancelled: 0 }, workflows: [] };
  }
  const { stats } = document;
  const { versions, others } = stats;
  const ended = versions.reduce<EndCounts>(sum, others);
  const isAnyOther = others.completed + others.failed + others.cancelled > 0;
  return {
    as_of: stats.as_of,
    since: stats.since,
    open,
    ended: { ...ended },
    durations: durationsShown(stats, versions),
    workflows: versions.map((one) => versionShown(stats, one)),
    ...(isAnyOther ? { others: { ...others } } : {}),
  };
}

function versionShown(stats: JobStats, version: VersionStats): JsonObject {
  const { days: _kept, ...counts } = version;
  return { ...counts, durations: durationsShown(stats, [version]) };
}

/** The days that are kept begin with yesterday, or with the first fold. */
function durationsShown(stats: JobStats, versions: readonly VersionStats[]): JsonObject {
  const day = instantOf(epochMs(stats.as_of) - 24 * 3600 * 1000).slice(0, 10);
  const yesterday = `${day}T00:00:00.000Z`;
  const since = stats.since > yesterday ? stats.since : yesterday;
  return { ...durationsOf(versions), since };
}
