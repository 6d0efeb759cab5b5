// How a job ends. Failure, cancel and deadline take one path: `job_cancelling`, nothing new starts,
// and the terminal entry comes when every running attempt has answered or its lease has ended.
// The terminal entry is the last one; it carries the results and their provenance.
import { atWork } from "./chunk-plan.ts";
import { resultsOf, stampedResult } from "./provenance.ts";
import type { FailureReason, JobError, JobState } from "./job.ts";
import { invariant } from "./error.ts";
import { isTerminalJob, isTerminalNode } from "./job.ts";
import { chunksRoot } from "./lane.ts";
import type { Transition } from "./transition.ts";
import { storable } from "./transition.ts";
import { onErrorOf } from "./ready.ts";
import { optional } from "./apply.ts";

export interface EndingRequest {
  readonly becomes: "failed" | "cancelled";
  readonly error: JobError;
  readonly requested_by?: string;
}

/** Whether new work may start. */
export function isOpen({ status }: JobState): boolean {
  return status === "running" || status === "pending";
}

/** A job past its deadline begins to end, whatever else has happened. */
export function endOverdue(transition: Transition): void {
  const { deadline_at } = transition.job;
  if (deadline_at > transition.at) return;
  const message = `the job did not end before its deadline ${deadline_at}`;
  beginEnding(transition, { becomes: "failed", error: { code: "DEADLINE_EXCEEDED", message } });
}

/** Starts the ending; does nothing where one has begun. */
export function beginEnding(transition: Transition, request: EndingRequest): void {
  const { job } = transition;
  if (job.status === "cancelling" || isTerminalJob(job)) return;
  const error = { ...request.error, ...storable(request.error) };
  transition.emit({ type: "job_cancelling", ...request, error });
  for (const nodeId of nodeIds(transition)) {
    const node = transition.node(nodeId);
    if (node.status === "pending" || node.status === "queued" || node.status === "waiting") {
      transition.emit({ type: "node_cancelled", node_id: nodeId });
    }
  }
  if (nodeIds(transition).some((id) => hasChunksAtWork(transition, id))) {
    transition.send({ kind: "wake" });
  }
  endIfDone(transition);
}

/** A node's bad end, and the job's unless `on_error` says otherwise. */
export function failNode(
  transition: Transition,
  nodeId: string,
  failure: {
    readonly error: FailureReason;
    readonly attempt?: number;
    readonly log?: readonly string[];
  },
): void {
  const error = storable(failure.error);
  const { fan } = transition.node(nodeId);
  transition.emit({
    type: "node_failed",
    node_id: nodeId,
    ...optional("attempt", failure.attempt),
    error,
    ...logMember(failure.log),
    ...(fan === undefined ? {} : { chunks_root: chunksRoot(fan, transition.context.hashBytes) }),
  });
  if (transition.job.status === "cancelling") {
    endIfDone(transition);
    return;
  }
  if (onErrorOf(transition.definition(nodeId)) !== undefined) return;
  beginEnding(transition, { becomes: "failed", error: { ...error, node_id: nodeId } });
}

export function logMember(log: readonly string[] | undefined): {
  readonly log?: readonly string[];
} {
  return log === undefined || log.length === 0 ? {} : { log };
}

/** Writes the terminal event where nothing is left to wait for. */
export function endIfDone(transition: Transition): void {
  const { status } = transition.job;
  if (status === "cancelling") endCancelling(transition);
  if (isOpen(transition.job)) endCompleted(transition);
}

function endCompleted(transition: Transition): void {
  const states = transition.context.workflow.order.map((id) => transition.node(id));
  // A snapshot without nodes, or without a start, has done nothing; its job ends another way.
  if (!states.some(({ status }) => status === "completed")) return;
  if (!states.every(isTerminalNode)) return;
  finish(transition, (results_digest) => ({ type: "job_completed", results_digest }));
}

function endCancelling(transition: Transition): void {
  const { ending } = transition.job;
  invariant(ending !== undefined, "a cancelling job knows what it becomes");
  const ids = nodeIds(transition);
  if (ids.some((id) => isRunningAttempt(transition, id) || hasChunksAtWork(transition, id))) return;
  for (const id of ids) {
    const { fan, status } = transition.node(id);
    if (status !== "running" || fan === undefined) continue;
    const chunks_root = chunksRoot(fan, transition.context.hashBytes);
    transition.emit({ type: "node_cancelled", node_id: id, chunks_root });
  }
  const type = ending.becomes === "failed" ? "job_failed" : "job_cancelled";
  finish(transition, (results_digest) => ({ type, error: ending.error, results_digest }));
}

function finish(
  transition: Transition,
  terminal: (resultsDigest: string) => Parameters<Transition["emit"]>[0],
): void {
  const { results, results_digest } = resultsOf(transition);
  transition.emit(terminal(results_digest));
  transition.endWith(stampedResult(transition, results, results_digest));
}

function isRunningAttempt(transition: Transition, nodeId: string): boolean {
  const node = transition.node(nodeId);
  return node.status === "running" && node.fan === undefined;
}

export function hasChunksAtWork(transition: Transition, nodeId: string): boolean {
  const { fan } = transition.node(nodeId);
  return fan !== undefined && atWork(fan).length > 0;
}

/** Every node that the definition or the state knows; a tampered snapshot may know fewer. */
export function nodeIds(transition: Transition): readonly string[] {
  const { order } = transition.context.workflow;
  return [...new Set([...order, ...Object.keys(transition.job.nodes)])];
}
