// How long a job that ran on a killed process stood still: from the SIGKILL until the next attempt
// began (or, where none follows, until the loss was recorded). Which attempts were at work there is
// known from the process's own log lines; what became of them, from the journal.
import { optional } from "../../src/core/apply.ts";
import type { StoredEntry } from "./hash-chain.ts";
import { entriesOf } from "./job-history.ts";
import type { Kill } from "./stack.ts";
import type { StoreContents } from "./store-contents.ts";

export interface Recovery {
  /** Milliseconds, ascending; one for each attempt that was lost. */
  readonly attempts: readonly number[];
  /** Of the same: until the loss was recorded. */
  readonly judged: readonly number[];
  /** The same for chunks of a fan_out, of those whose kill is beyond doubt. */
  readonly chunks: readonly number[];
  /** Chunks that could have been on either of two processes that were killed. */
  readonly doubtful: number;
  /** What happened to the attempt that stood still longest. */
  readonly slowest?: Told;
}

interface Told {
  readonly ms: number;
  readonly story: string;
}

interface Timed {
  readonly atMs: number;
  readonly type: string;
  readonly node_id?: string;
  readonly chunk?: number;
  readonly attempt?: number;
}

export function recoveries(
  kills: readonly Kill[],
  contents: StoreContents,
  renewSeconds: number,
): Recovery {
  const hard = kills.filter(({ signal }) => signal === "SIGKILL");
  const events = new Map<string, readonly Timed[]>();
  for (const [jobId, documents] of contents.journal) {
    events.set(jobId, entriesOf(documents).flatMap(timed));
  }
  const lost = hard.flatMap((kill) =>
    runningOn(kill).flatMap(({ jobId, node_id, attempt }) => {
      const own = (events.get(jobId) ?? []).filter((event) => event.node_id === node_id);
      const found = lossOf(own, attempt);
      if (found === undefined) return [];
      const resumed = found.resumedMs - kill.at_ms;
      const told = storyOf(own, { kill, until: found.resumedMs });
      const story = `${jobId} ${node_id}: ${told}`;
      return [{ judged: found.judgedMs - kill.at_ms, resumed, told: { ms: resumed, story } }];
    }),
  );
  const chunks = chunkRecoveries(hard, contents, { events, renewMs: renewSeconds * 1000 });
  return {
    attempts: lost.map(({ resumed }) => resumed).sort(ascending),
    judged: lost.map(({ judged }) => judged).sort(ascending),
    ...chunks,
    ...optional("slowest", lost.map(({ told }) => told).sort((a, b) => b.ms - a.ms)[0]),
  };
}

/** The events from shortly before the kill until the node went on, in seconds after the kill. */
function storyOf(
  events: readonly Timed[],
  { kill, until }: { readonly kill: Kill; readonly until: number },
): string {
  return events
    .filter(({ atMs }) => atMs <= until)
    .map(({ atMs, type, attempt = "" }) => {
      const seconds = ((atMs - kill.at_ms) / 1000).toFixed(1);
      return `${seconds} ${type} ${attempt}`.trim();
    })
    .join(", ");
}

/** The value that this share of all does not exceed; 0 of none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function ascending(a: number, b: number): number {
  return a - b;
}

function timed({ at, events }: StoredEntry): readonly Timed[] {
  const atMs = Date.parse(at);
  return events.map(({ type, node_id, chunk, attempt }) => ({
    atMs,
    type,
    ...(node_id === undefined ? {} : { node_id }),
    ...(chunk === undefined ? {} : { chunk }),
    ...(attempt === undefined ? {} : { attempt }),
  }));
}

interface Running {
  readonly jobId: string;
  readonly node_id: string;
  readonly attempt: number;
}

/** Attempts that the process had started and not ended when it was killed. */
function runningOn({ lines }: Kill): readonly Running[] {
  const running = new Map<string, Running>();
  for (const { event, job_id, node_id, attempt } of lines) {
    const key = `${String(job_id)}/${String(node_id)}/${String(attempt)}`;
    if (event === "node.started") {
      const at = { jobId: String(job_id), node_id: String(node_id), attempt: Number(attempt) };
      running.set(key, at);
    } else if (event === "node.ended") running.delete(key);
  }
  return [...running.values()];
}

/** Undefined where the attempt was not lost. */
function lossOf(
  events: readonly Timed[],
  attempt: number,
): { readonly judgedMs: number; readonly resumedMs: number } | undefined {
  const at = events.findIndex((one) => one.type === "node_lost" && one.attempt === attempt);
  const lost = events[at];
  if (lost === undefined) return undefined;
  const next = events.slice(at).find(({ type }) => type === "node_started");
  return { judgedMs: lost.atMs, resumedMs: (next ?? lost).atMs };
}

function chunkRecoveries(
  kills: readonly Kill[],
  { journal }: StoreContents,
  known: { readonly events: ReadonlyMap<string, readonly Timed[]>; readonly renewMs: number },
): { readonly chunks: readonly number[]; readonly doubtful: number } {
  const chunks: number[] = [];
  let doubtful = 0;
  for (const [jobId, events] of known.events) {
    const lost = events.filter(({ type }) => type === "chunk_lost");
    for (const { node_id = "", chunk = 0, attempt = 0, atMs } of lost) {
      const claim = (number: number): number =>
        Date.parse(String(journal.get(jobId)?.get(`claim:${node_id}:${chunk}:${number}`)?.["at"]));
      const claimedMs = claim(attempt);
      const possible = kills.filter(
        ({ at_ms }) => at_ms >= claimedMs && at_ms <= Math.min(atMs, claimedMs + known.renewMs),
      );
      const [only] = possible;
      const resumedMs = claim(attempt + 1);
      if (only === undefined || possible.length > 1) doubtful += 1;
      else chunks.push((Number.isNaN(resumedMs) ? atMs : resumedMs) - only.at_ms);
    }
  }
  return { chunks: chunks.sort(ascending), doubtful };
}
