// The reducer: (job, what happened, context) → events, objects to store, effects. Every decision
// about a job is made here or below. It is pure and total: it awaits nothing, reads no clock,
// environment, randomness or disk, and ends what it cannot make sense of with a code.
// Late, repeated and foreign occurrences change nothing.
import { endAttempt, receiveTask } from "./attempt.ts";
import type { AdvanceContext, Decision, MessageTarget, Occurrence } from "./effect.ts";
import { beginEnding, failNode } from "./ending.ts";
import { handIn, receiveChunk, runChunk } from "./fan-out.ts";
import type { JobState, PoisonCount } from "./job.ts";
import { isTerminalJob, isTerminalNode } from "./job.ts";
import { MAX_POISONED } from "./limits.ts";
import { settle } from "./settle.ts";
import { cutText } from "./text.ts";
import { Transition } from "./transition.ts";
import { attemptKey } from "./effect.ts";
import { wake } from "./wake.ts";
import { optional } from "./apply.ts";

/** Text of a poisoned message that its event keeps. */
const MAX_POISON_TEXT_BYTES = 1024;

/**
 * Decides one occurrence. `needs` names documents to load before asking again; otherwise the
 * decision holds the next state, the events that lead to it (none: no entry is written), the
 * objects to create before the entry and the effects to deliver after it.
 */
export function advance(job: JobState, occurrence: Occurrence, context: AdvanceContext): Decision {
  const transition = new Transition(job, context);
  if (!isTerminalJob(job)) {
    handle(transition, occurrence);
    settle(transition);
  }
  return transition.decision();
}

function handle(transition: Transition, occurrence: Occurrence): void {
  switch (occurrence.type) {
    case "message_received":
      receive(transition, occurrence);
      return;
    case "attempt_ended":
      endAttempt(transition, occurrence);
      return;
    case "chunk_claimed":
      runChunk(transition, occurrence);
      return;
    case "items_ended":
      handIn(transition, occurrence);
      return;
    case "wake_due":
      wake(transition);
      return;
    case "cancel_requested":
      cancel(transition, occurrence);
      return;
    case "message_poisoned":
      recordPoison(transition, occurrence);
      return;
    case "snapshot_refused":
      beginEnding(transition, { becomes: "failed", error: occurrence.error });
  }
}

function receive(
  transition: Transition,
  { message, redelivered }: Extract<Occurrence, { type: "message_received" }>,
): void {
  if (redelivered || message.kind === "wake") wake(transition);
  const { node_id, chunk, attempt } = message;
  if (node_id === undefined || attempt === undefined) return;
  if (message.kind === "task") receiveTask(transition, node_id, attempt);
  if (message.kind === "chunk" && chunk !== undefined) {
    receiveChunk(transition, { node_id, chunk, attempt });
  }
}

function cancel(
  transition: Transition,
  { requested_by, reason }: Extract<Occurrence, { type: "cancel_requested" }>,
): void {
  const because = reason === undefined ? "" : `: ${reason}`;
  const message = cutText(`cancelled by ${requested_by}${because}`, MAX_POISON_TEXT_BYTES);
  const error = { code: "JOB_CANCELLED", message };
  beginEnding(transition, { becomes: "cancelled", error, requested_by });
}

/**
 * The platform gave up on a message. That alone decides nothing: only the third report for one
 * attempt fails its node, and a report counts once per re-send.
 */
function recordPoison(
  transition: Transition,
  occurrence: Extract<Occurrence, { type: "message_poisoned" }>,
): void {
  const target = occurrence.message;
  const counted = target !== undefined && countsAsPoison(transition, target);
  transition.emit({
    type: "message_poisoned",
    ...optional("node_id", target?.node_id),
    ...optional("chunk", target?.chunk),
    ...optional("attempt", counted ? target.attempt : undefined),
    text: cutText(occurrence.text, MAX_POISON_TEXT_BYTES),
  });
  transition.send({ kind: "wake" });
  const nodeId = target?.node_id;
  if (!counted || nodeId === undefined) return;
  if ((poisonCount(transition, target)?.count ?? 0) < MAX_POISONED) return;
  const message = `${MAX_POISONED} messages for attempt ${target.attempt ?? 0} were given up`;
  failNode(transition, nodeId, { error: { code: "MESSAGE_POISONED", message } });
}

function countsAsPoison(transition: Transition, target: MessageTarget): boolean {
  const { node_id, chunk, attempt } = target;
  if (node_id === undefined || attempt === undefined) return false;
  const node = transition.node(node_id);
  if (isTerminalNode(node) || !isAwaited(transition, target)) return false;
  const resends = transition.context.watch.resends[attemptKey(node_id, attempt, chunk)]?.n ?? 0;
  const before = poisonCount(transition, target);
  const count = before?.attempt === attempt ? before.count : 0;
  return count <= resends;
}

/** Whether the message named the attempt that the job still waits for. */
function isAwaited(transition: Transition, target: MessageTarget): boolean {
  const node = transition.node(target.node_id ?? "");
  if (target.chunk === undefined) {
    return node.status === "queued" && node.attempt + 1 === target.attempt;
  }
  const chunk = node.fan?.chunks[target.chunk];
  return chunk?.status === "queued" && chunk.attempt === target.attempt;
}

function poisonCount(transition: Transition, target: MessageTarget): PoisonCount | undefined {
  const node = transition.node(target.node_id ?? "");
  return target.chunk === undefined ? node.poisoned : node.fan?.chunks[target.chunk]?.poisoned;
}
