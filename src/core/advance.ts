// The reducer: (job, what happened, context) → events, objects to store, effects. Every decision
// about a job is made here or below. It is pure and total: it awaits nothing, reads no clock,
// environment, randomness or disk, and ends what it cannot make sense of with a code.
// Late, repeated and foreign occurrences change nothing.
import { endAttempt, receiveTask } from "./attempt.ts";
import type { AdvanceContext, Decision, MessageTarget, Occurrence } from "./effect.ts";
import { beginEnding, endOverdue, failNode } from "./ending.ts";
import { giveUpChunk, handIn, receiveChunk, runChunk } from "./fan-out.ts";
import type { JobState } from "./job.ts";
import { isTerminalJob, isTerminalNode } from "./job.ts";
import { MAX_LABEL_CHARS, MAX_POISONED } from "./limits.ts";
import { finish, type Paced } from "./pace.ts";
import { settle } from "./settle.ts";
import { cutText } from "./text.ts";
import { Transition } from "./transition.ts";
import { attemptKey } from "./effect.ts";
import { isStartInLine, wake } from "./wake.ts";
import { optional } from "./apply.ts";

/** Text of a poisoned message that its event keeps. */
const MAX_POISON_TEXT_BYTES = 1024;

/** As `advancing`, all at once. */
export function advance(job: JobState, occurrence: Occurrence, context: AdvanceContext): Decision {
  return finish(advancing(job, occurrence, context));
}

/**
 * Decides one occurrence, and rests after expressions and values that take long. `needs` names
 * documents to load before asking again; otherwise the
 * decision holds the next state, the events that lead to it (none: no entry is written), the
 * objects to create before the entry and the effects to deliver after it.
 */
export function* advancing(
  job: JobState,
  occurrence: Occurrence,
  context: AdvanceContext,
): Paced<Decision> {
  const transition = new Transition(job, context);
  // The deadline first: past it nothing new may start. It may be all that there is to decide.
  endOverdue(transition);
  const isLeft = occurrence.type === "wake_due" && isStartInLine(transition);
  if (!isTerminalJob(transition.job) && !isLeft) {
    yield* handle(transition, occurrence);
    yield* settle(transition);
  }
  return transition.decision();
}

function* handle(transition: Transition, occurrence: Occurrence): Paced<void> {
  switch (occurrence.type) {
    case "message_received":
      yield* receive(transition, occurrence);
      return;
    case "attempt_ended":
      yield* endAttempt(transition, occurrence);
      return;
    case "chunk_claimed":
      yield* runChunk(transition, occurrence);
      return;
    case "items_ended":
      yield* handIn(transition, occurrence);
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

function* receive(
  transition: Transition,
  { message, redelivered }: Extract<Occurrence, { type: "message_received" }>,
): Paced<void> {
  if (redelivered || message.kind === "wake") wake(transition);
  const { node_id, chunk, attempt } = message;
  if (node_id === undefined || attempt === undefined) return;
  if (message.kind === "task") yield* receiveTask(transition, node_id, attempt);
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
  const name = cutText(requested_by, MAX_LABEL_CHARS);
  beginEnding(transition, { becomes: "cancelled", error, requested_by: name });
}

/**
 * The platform gave up on a message. That alone decides nothing: only the third report for one
 * attempt fails its node, and a report counts once per re-send.
 */
function recordPoison(
  transition: Transition,
  occurrence: Extract<Occurrence, { type: "message_poisoned" }>,
): void {
  const target = addressed(transition, occurrence.message);
  const reports = target === undefined ? undefined : countedReports(transition, target);
  const { node_id, chunk, attempt } = target ?? {};
  transition.emit({
    type: "message_poisoned",
    ...optional("node_id", node_id),
    ...optional("chunk", chunk),
    ...optional("attempt", reports === undefined ? undefined : attempt),
    text: cutText(occurrence.text, MAX_POISON_TEXT_BYTES),
  });
  transition.send({ kind: "wake" });
  if (target === undefined || reports === undefined || reports < MAX_POISONED) return;
  const message = `${MAX_POISONED} messages for attempt ${target.attempt} were given up`;
  const error = { code: "MESSAGE_POISONED", message };
  if (target.chunk === undefined) failNode(transition, target.node_id, { error });
  else giveUpChunk(transition, { ...target, chunk: target.chunk }, error);
}

interface PoisonTarget {
  readonly node_id: string;
  readonly chunk?: number;
  readonly attempt: number;
}

/** What the message names, where that has a lane: anybody could have written the message. */
function addressed(
  transition: Transition,
  message: MessageTarget | undefined,
): PoisonTarget | undefined {
  const { node_id, chunk, attempt } = message ?? {};
  if (node_id === undefined || attempt === undefined) return undefined;
  const isKnown = transition.hasLane({ node_id, ...optional("chunk", chunk) });
  return isKnown ? { node_id, attempt, ...optional("chunk", chunk) } : undefined;
}

/** Reports for the attempt with this one; undefined where this one does not count. */
function countedReports(transition: Transition, target: PoisonTarget): number | undefined {
  const { node_id, chunk: number, attempt } = target;
  const node = transition.node(node_id);
  const chunk = number === undefined ? undefined : node.fan?.chunks[number];
  const awaited = number === undefined ? node.attempt + 1 : chunk?.attempt;
  const { status, poisoned } = chunk ?? node;
  if (status !== "queued" || awaited !== attempt || isTerminalNode(node)) return undefined;
  const resends = transition.context.watch.resends[attemptKey(node_id, attempt, number)]?.n ?? 0;
  const before = poisoned?.attempt === attempt ? poisoned.count : 0;
  return before <= resends ? before + 1 : undefined;
}
