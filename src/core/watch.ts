// The watch: what is known beside the journal about work under way (lease renewals, re-sends), and
// the due times that follow. Functions of stored instants only, never of now: the same for whoever
// computes them, whenever. So a busy neighbour cannot push a lost message's turn away.
import { atWork } from "./chunk-plan.ts";
import { attemptKey } from "./effect.ts";
import type { Timing, Watch } from "./effect.ts";
import { addSeconds, earliest, instantOf, later } from "./instant.ts";
import type { Instant } from "./instant.ts";
import type { ChunkState, FanState, JobState, NodeState } from "./job.ts";
import { isTerminalJob, nodeState } from "./job.ts";
import { MAX_RESEND_GAP_SECONDS } from "./limits.ts";

export interface Queued {
  readonly queued_at?: Instant;
  readonly not_before?: Instant;
}

/** What was never queued is due at once. */
const NEVER = instantOf(0);

export interface DueContext {
  readonly watch: Watch;
  readonly timing: Timing;
}

/** When a queued attempt must be sent again: the gap doubles with each re-send. */
export function sendDue(queued: Queued, key: string, { watch, timing }: DueContext): Instant {
  const resend = watch.resends[key];
  const n = resend?.n ?? 0;
  const gap = Math.min(timing.resend_seconds * 2 ** Math.min(n, 10), MAX_RESEND_GAP_SECONDS);
  const queuedAt = queued.queued_at ?? NEVER;
  const base = later(queuedAt, queued.not_before ?? queuedAt);
  return addSeconds(resend === undefined ? base : later(base, resend.at), gap);
}

export function chunkDue(chunk: ChunkState, key: string, context: DueContext): Instant {
  const renewed = context.watch.renewals[key];
  if (renewed === undefined) return sendDue(chunk, key, context);
  return leaseDue(renewed, key, context);
}

/**
 * Before a worker counts as lost it is suspected, in the document that holds its renewals: while
 * that cannot be written, no worker can renew either. One that lives renews within this time.
 */
export function graceSeconds({ lease_seconds }: Timing): number {
  return lease_seconds / 6;
}

/** When the lease with this last sign of life must be looked at: to suspect it, then to end it. */
export function leaseDue(sign: Instant, key: string, { watch, timing }: DueContext): Instant {
  const grace = graceSeconds(timing);
  const suspected = watch.suspects?.[key];
  // A sign of life clears whoever was suspected before it.
  if (suspected === undefined || suspected < sign) {
    return addSeconds(sign, timing.lease_seconds - grace);
  }
  return later(addSeconds(sign, timing.lease_seconds), addSeconds(suspected, grace));
}

/**
 * When the sweeper must look at this job; undefined for a terminal one. A function of stored
 * instants only: the same for whoever computes it, whenever.
 */
export function wakeAt(job: JobState, context: DueContext): Instant | undefined {
  if (isTerminalJob(job)) return undefined;
  const { nodes } = job;
  const dues = Object.entries(nodes).flatMap(([id, node]) => nodeDues(id, node, { job, context }));
  const next = earliest(dues) ?? addSeconds(job.at, context.timing.resend_seconds);
  // The deadline of an ending job has no say any more.
  return job.status === "cancelling" || next < job.deadline_at ? next : job.deadline_at;
}

function nodeDues(
  id: string,
  node: NodeState,
  { job, context }: { readonly job: JobState; readonly context: DueContext },
): readonly Instant[] {
  if (node.fan !== undefined) return fanDues(id, { ...node, fan: node.fan }, { job, context });
  if (node.status === "queued") {
    return [sendDue(node, attemptKey(id, node.attempt + 1), context)];
  }
  if (node.status !== "running") return [];
  const started = node.started_at ?? job.created_at;
  const key = attemptKey(id, node.attempt);
  const renewed = context.watch.renewals[key] ?? started;
  return [leaseDue(later(started, renewed), key, context)];
}

function fanDues(
  id: string,
  node: NodeState & { readonly fan: FanState },
  { job, context }: { readonly job: JobState; readonly context: DueContext },
): readonly Instant[] {
  if (node.status !== "running" && job.status !== "cancelling") return [];
  return atWork(node.fan).map(([number, chunk]) => {
    const due = chunkDue(chunk, attemptKey(id, chunk.attempt, number), context);
    const renewed = context.watch.renewals[attemptKey(id, chunk.attempt, number)];
    // An ending job waits for claims to be looked for, not for its messages' turn.
    const isUnseen = job.status === "cancelling" && renewed === undefined;
    return isUnseen ? addSeconds(job.at, context.timing.resend_seconds) : due;
  });
}

/** Whether what runs as this attempt is still wanted; if not, the worker aborts it. */
export function isWanted(
  job: JobState,
  at: { readonly node_id: string; readonly chunk?: number; readonly attempt: number },
): boolean {
  const node = nodeState(job, at.node_id);
  if (job.status !== "running" || node.status !== "running") return false;
  if (at.chunk === undefined) return node.attempt === at.attempt;
  const chunk = node.fan?.chunks[at.chunk];
  return chunk?.status === "queued" && chunk.attempt === at.attempt;
}

/** The watch without what no longer concerns anybody: attempts that are over. */
export function pruneWatch(job: JobState, watch: Watch): Watch {
  const live = new Set(Object.entries(job.nodes).flatMap(([id, node]) => liveKeys(id, node)));
  const kept = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(record).filter(([key]) => live.has(key)));
  if (isTerminalJob(job)) return { renewals: {}, resends: {} };
  const suspects = kept(watch.suspects ?? {});
  return { renewals: kept(watch.renewals), resends: kept(watch.resends), ...present(suspects) };
}

/** The watch takes no room for suspects where there are none. */
function present(suspects: Readonly<Record<string, Instant>>): Pick<Watch, "suspects"> {
  return Object.keys(suspects).length === 0 ? {} : { suspects };
}

function liveKeys(id: string, node: NodeState): readonly string[] {
  if (node.fan === undefined) {
    return [attemptKey(id, node.attempt), attemptKey(id, node.attempt + 1)];
  }
  return atWork(node.fan).map(([number, { attempt }]) => attemptKey(id, attempt, number));
}

/** Both watches together: everything merges by maximum. */
export function mergeWatch(one: Watch, other: Watch): Watch {
  const renewals = latest(one.renewals, other.renewals);
  const suspects = latest(one.suspects ?? {}, other.suspects ?? {});
  const resends = { ...one.resends };
  for (const [key, resend] of Object.entries(other.resends)) {
    const { at, n } = resends[key] ?? resend;
    resends[key] = { at: later(at, resend.at), n: Math.max(n, resend.n) };
  }
  return { renewals, resends, ...present(suspects) };
}

function latest(
  one: Readonly<Record<string, Instant>>,
  other: Readonly<Record<string, Instant>>,
): Readonly<Record<string, Instant>> {
  const both: Record<string, Instant> = { ...one };
  for (const [key, at] of Object.entries(other)) both[key] = later(at, both[key] ?? at);
  return both;
}
