// The wake: what the sweeper, a redelivery or a poison report sets off. It judges leases, sends
// again what should have started by now, and looks for claims that a chunk left. Due times come
// from stored instants only, never from now, so that a busy neighbour cannot push them away.
import { atWork } from "./chunk-plan.ts";
import { giveUpHandler, lastSignOfLife, loseAttempt } from "./attempt.ts";
import { attemptKey, claimId } from "./effect.ts";
import { endIfDone } from "./ending.ts";
import { loseChunk } from "./fan-out.ts";
import type { ChunkAddress } from "./fan-out.ts";
import { isInstant, later } from "./instant.ts";
import type { Instant } from "./instant.ts";
import type { ChunkState, NodeState } from "./job.ts";
import { isTerminalJob } from "./job.ts";
import type { Transition } from "./transition.ts";
import type { Queued } from "./watch.ts";
import { chunkDue, graceSeconds, leaseDue, sendDue } from "./watch.ts";

export function wake(transition: Transition): void {
  wakeNodes(transition);
  const { effects } = transition;
  if (!effects.some(({ type }) => type === "suspect_lease")) return;
  // Not only the sweeper: whoever is suspected is judged as soon as may be. The second message is
  // a spare, as after a loss: what took the worker may take the first.
  const grace = graceSeconds(transition.context.timing);
  transition.send({ kind: "wake" }, grace);
  transition.send({ kind: "wake" }, 2 * grace);
}

/**
 * A job whose start message waits behind others. The sweeper leaves it there: starting it would
 * cost a message and an entry more, the more jobs the queue already has.
 */
export function isStartInLine({ job, context }: Transition): boolean {
  const { oldest_message_at: oldest } = context;
  return job.status === "pending" && job.seq === 0 && oldest !== undefined && oldest < job.at;
}

function wakeNodes(transition: Transition): void {
  for (const nodeId of Object.keys(transition.job.nodes)) {
    if (isTerminalJob(transition.job)) return;
    const node = transition.node(nodeId);
    if (node.fan !== undefined) wakeFan(transition, nodeId);
    else if (node.status === "queued") wakeQueued(transition, nodeId, node);
    else if (node.status === "running") wakeRunning(transition, nodeId);
  }
}

function wakeQueued(transition: Transition, nodeId: string, node: NodeState): void {
  const definition = transition.definition(nodeId);
  const attempt = node.attempt + 1;
  const key = attemptKey(nodeId, attempt);
  if (!isDue(transition, sendDue(node, key, transition.context))) return;
  if (isInLine(transition, node, key)) return;
  const handler = definition?.type === "task" ? definition.handler : "";
  if (giveUpHandler(transition, nodeId, handler)) return;
  transition.send({ kind: "task", node_id: nodeId, attempt }, 0, key);
}

function wakeRunning(transition: Transition, nodeId: string): void {
  const key = attemptKey(nodeId, transition.node(nodeId).attempt);
  const verdict = judgeLease(transition, key, lastSignOfLife(transition, nodeId));
  if (verdict === "lost") loseAttempt(transition, nodeId);
}

/**
 * A worker without a sign of life is first suspected, and lost only where a time of grace after
 * that has brought none: whoever could not write while a store was down has renewed by then.
 */
function judgeLease(transition: Transition, key: string, sign: Instant): "stands" | "lost" {
  const { context } = transition;
  if (!isDue(transition, leaseDue(sign, key, context))) return "stands";
  const suspected = context.watch.suspects?.[key];
  if (suspected !== undefined && suspected >= sign) return "lost";
  transition.effect({ type: "suspect_lease", key });
  return "stands";
}

function wakeFan(transition: Transition, nodeId: string): void {
  const { fan } = transition.node(nodeId);
  const { seq, ending } = transition.job;
  const isEnding = ending !== undefined;
  // A worker may have claimed before an ending that is not in the journal yet: look again later.
  if (fan === undefined || (isEnding && ending.entry > seq)) return;
  const open: number[] = [];
  for (const [chunk, state] of atWork(fan)) {
    // Giving up on one chunk may fail the fan_out; then the rest has no turn here.
    if (!isEnding && transition.node(nodeId).status !== "running") return;
    const at = { node_id: nodeId, chunk, attempt: state.attempt };
    const due = chunkDue(state, attemptKey(nodeId, at.attempt, chunk), transition.context);
    if (!isEnding && !isDue(transition, due)) continue;
    if (judgeChunk(transition, at, state) === "unclaimed") open.push(chunk);
  }
  if (isEnding && open.length > 0 && !transition.hasNeeds) {
    transition.emit({ type: "chunk_cancelled", node_id: nodeId, chunks: open });
  }
  if (isEnding) endIfDone(transition);
}

/** Looks at the claim of a chunk; re-sends, waits or gives up on its worker as that says. */
function judgeChunk(
  transition: Transition,
  at: ChunkAddress,
  state: ChunkState,
): "unclaimed" | "settled" {
  const { context, job } = transition;
  const key = attemptKey(at.node_id, at.attempt, at.chunk);
  const claim = context.loaded.get(claimId(at.node_id, at.chunk, at.attempt));
  if (claim === undefined) {
    transition.need([claimId(at.node_id, at.chunk, at.attempt)]);
    return "settled";
  }
  if (claim === null) {
    if (job.status === "cancelling") return "unclaimed";
    if (!isInLine(transition, state, key)) {
      transition.send({ kind: "chunk", ...at }, 0, key);
    }
    return "settled";
  }
  const claimed = claim["at"];
  const since =
    typeof claimed === "string" && isInstant(claimed) ? claimed : transition.job.created_at;
  const sign = later(since, context.watch.renewals[key] ?? since);
  if (judgeLease(transition, key, sign) === "stands") {
    transition.effect({ type: "note_lease", key, at: sign });
    return "settled";
  }
  if (job.status === "cancelling") return "unclaimed";
  loseChunk(transition, at);
  return "settled";
}

function isDue(transition: Transition, due: Instant): boolean {
  return due <= transition.at;
}

/** What was last sent after the message at the queue's head is still in line. */
function isInLine(
  transition: Transition,
  { queued_at, not_before }: Queued,
  key: string,
): boolean {
  const { oldest_message_at: oldest, watch } = transition.context;
  if (oldest === undefined || queued_at === undefined) return false;
  const queued = later(queued_at, not_before ?? queued_at);
  return oldest < later(queued, watch.resends[key]?.at ?? queued);
}
