// Attempts at task nodes: claiming them when their message comes, and what follows from each way
// they can end. (node, attempt) is the fence: only the current attempt's outcome counts.
import type { TaskNode } from "./definition.ts";
import { attemptKey } from "./effect.ts";
import type { Outcome } from "./effect.ts";
import { endIfDone, failNode, isOpen, logMember } from "./ending.ts";
import { addSeconds, secondsBetween } from "./instant.ts";
import type { FailureReason } from "./job.ts";
import { HANDLER_MISSING_SECONDS, MAX_LOST_ATTEMPTS } from "./limits.ts";
import type { Paced } from "./pace.ts";
import { maxAttempts, retryDelay } from "./retry.ts";
import { claimTask, delayUntil } from "./settle.ts";
import type { Transition } from "./transition.ts";
import { storable } from "./transition.ts";

/** A task message came: claim the attempt it names, if that is still the one to be made. */
export function* receiveTask(
  transition: Transition,
  nodeId: string,
  attempt: number,
): Paced<void> {
  const node = transition.definition(nodeId);
  const state = transition.node(nodeId);
  if (node?.type !== "task" || !isOpen(transition.job)) return;
  if (state.status !== "queued" || state.attempt + 1 !== attempt) return;
  const early = delayUntil(transition, state.not_before);
  if (early > 0) {
    transition.send({ kind: "task", node_id: nodeId, attempt }, early);
    return;
  }
  const version = transition.context.handlers.get(node.handler);
  if (version === undefined) {
    missHandler(transition, nodeId, node.handler);
    return;
  }
  transition.takeContinuation();
  yield* claimTask(transition, nodeId, { node, version });
}

/** This build lacks the handler of a message: wait for one that has it, an hour at most. */
export function missHandler(transition: Transition, nodeId: string, handler: string): void {
  if (transition.node(nodeId).missing_since === undefined) {
    transition.emit({ type: "handler_missing", node_id: nodeId, handler });
  } else if (giveUpHandler(transition, nodeId, handler)) return;
  transition.effect({ type: "defer_message" });
}

/** Fails a node whose handler has been missing for too long; whether it did. */
export function giveUpHandler(transition: Transition, nodeId: string, handler: string): boolean {
  const since = transition.node(nodeId).missing_since;
  if (since === undefined || transition.context.handlers.has(handler)) return false;
  if (secondsBetween(since, transition.at) < HANDLER_MISSING_SECONDS) return false;
  const message = `no build had the handler "${handler}" since ${since}`;
  failNode(transition, nodeId, { error: { code: "HANDLER_MISSING", message } });
  return true;
}

export interface EndedAttempt {
  readonly node_id: string;
  readonly attempt: number;
  readonly outcome: Outcome;
}

/** An attempt ended. A late or foreign one is kept as an orphan and changes nothing. */
export function* endAttempt(transition: Transition, ended: EndedAttempt): Paced<void> {
  const { node_id, attempt, outcome } = ended;
  const state = transition.node(node_id);
  if (state.status !== "running" || state.attempt !== attempt) {
    orphan(transition, { node_id, attempt, kind: outcome.kind });
    return;
  }
  switch (outcome.kind) {
    case "completed":
      transition.emit({
        type: "node_completed",
        node_id,
        attempt,
        ...transition.place(outcome.output),
        ...logMember(outcome.log),
      });
      yield* transition.rest();
      break;
    case "failed":
      retryOrFail(transition, ended, outcome);
      break;
    case "timed_out":
      timeOut(transition, ended, outcome.log);
      break;
    case "aborted":
      abort(transition, ended, outcome.log);
  }
  endIfDone(transition);
}

export function orphan(
  transition: Transition,
  late: {
    readonly node_id: string;
    readonly chunk?: number;
    readonly attempt: number;
    readonly kind: string;
  },
): void {
  // What no attempt of this job can have sent has no place in its history.
  if (transition.hasLane(late)) transition.emit({ type: "outcome_orphaned", ...late });
}

function timeOut(transition: Transition, ended: EndedAttempt, log: readonly string[]): void {
  const { node_id, attempt } = ended;
  const node = transition.definition(node_id);
  const bound = node?.type === "task" ? node.timeout_seconds : 0;
  transition.emit({ type: "node_timed_out", node_id, attempt, ...logMember(log) });
  const error = { code: "TIMED_OUT", message: `the attempt took longer than ${bound} s` };
  retryOrFail(transition, ended, { error, retryable: true, log: [] });
}

function retryOrFail(
  transition: Transition,
  { node_id, attempt }: EndedAttempt,
  failure: {
    readonly error: FailureReason;
    readonly retryable: boolean;
    readonly log: readonly string[];
  },
): void {
  const { error, retryable, log } = failure;
  const policy = taskOf(transition, node_id)?.retry;
  const failures = transition.node(node_id).failures + 1;
  const isEnding = transition.job.status === "cancelling";
  // An ending job tries nothing again.
  if (policy === undefined || !retryable || isEnding || failures >= maxAttempts(policy)) {
    failNode(transition, node_id, { error, attempt, log });
    return;
  }
  const delay = retryDelay(policy, failures, transition.context.jitter);
  again(transition, { node_id, attempt, error, delay, log });
}

function taskOf(transition: Transition, nodeId: string): TaskNode | undefined {
  const node = transition.definition(nodeId);
  return node?.type === "task" ? node : undefined;
}

function again(
  transition: Transition,
  retry: {
    readonly node_id: string;
    readonly attempt: number;
    readonly error: FailureReason;
    readonly delay: number;
    readonly log?: readonly string[];
  },
): void {
  const { node_id, attempt, delay } = retry;
  transition.emit({
    type: "node_retried",
    node_id,
    attempt,
    error: storable(retry.error),
    not_before: addSeconds(transition.at, delay),
    ...logMember(retry.log),
  });
  transition.send({ kind: "task", node_id, attempt: attempt + 1 }, delay);
}

/** The handler was told to stop: by a cancel, or because its process is going away. */
function abort(transition: Transition, ended: EndedAttempt, log: readonly string[]): void {
  const { node_id, attempt } = ended;
  if (transition.job.status === "cancelling") {
    transition.emit({ type: "node_cancelled", node_id, attempt, ...logMember(log) });
    return;
  }
  loseAttempt(transition, node_id);
}

/** The attempt's worker is gone: try again, a bounded number of times. */
export function loseAttempt(transition: Transition, nodeId: string): void {
  const { attempt } = transition.node(nodeId);
  transition.emit({ type: "node_lost", node_id: nodeId, attempt });
  if (transition.job.status === "cancelling") {
    transition.emit({ type: "node_cancelled", node_id: nodeId, attempt });
    endIfDone(transition);
    return;
  }
  const { lost } = transition.node(nodeId);
  const error = { code: "WORKER_LOST", message: `${lost} attempts ended without an outcome` };
  if (lost >= MAX_LOST_ATTEMPTS) {
    failNode(transition, nodeId, { error, attempt });
    return;
  }
  again(transition, { node_id: nodeId, attempt, error, delay: 0 });
  transition.sendSpare({ kind: "task", node_id: nodeId, attempt: attempt + 1 });
}

/** The last instant known at which somebody was at work on the running attempt. */
export function lastSignOfLife(transition: Transition, nodeId: string): string {
  const state = transition.node(nodeId);
  const started = state.started_at ?? transition.job.created_at;
  const renewed = transition.context.watch.renewals[attemptKey(nodeId, state.attempt)];
  return renewed !== undefined && renewed > started ? renewed : started;
}

