// Brings a job forward as far as it goes without waiting for the world: skips what is dead, decides
// the cheap nodes (start, end, conditional, fan_in, the expansion of a fan_out), starts or queues
// the tasks that became ready, and ends the job when nothing is left. Total: whatever the snapshot
// says, each node ends or waits for something that will come.
import { optional } from "./apply.ts";
import { digest } from "./canonical.ts";
import { chunkSize, queuedAtFirst } from "./chunk-plan.ts";
import type { ConditionalNode, FanInNode, FanOutNode, TaskNode } from "./definition.ts";
import { beginEnding, endIfDone, failNode, isOpen } from "./ending.ts";
import { invariant } from "./error.ts";
import { aggregate, aggregateBytes } from "./fan-in.ts";
import { isTerminalNode } from "./job.ts";
import type { FailureReason } from "./job.ts";
import { kindOf } from "./json.ts";
import { chunksRoot } from "./lane.ts";
import { MAX_ITEMS, MAX_OUTPUT_BYTES } from "./limits.ts";
import type { Paced } from "./pace.ts";
import { readiness } from "./ready.ts";
import { evaluateIn, renderParams } from "./scope.ts";
import { secondsBetween } from "./instant.ts";
import type { Transition } from "./transition.ts";

export function* settle(transition: Transition): Paced<void> {
  for (const nodeId of transition.context.workflow.order) {
    if (!isOpen(transition.job)) break;
    if (transition.node(nodeId).status !== "pending") continue;
    if (transition.budget.steps <= 0) {
      // The rest goes on in another invocation: nothing may hold the event loop for long.
      transition.send({ kind: "wake" });
      return;
    }
    yield* step(transition, nodeId);
    yield* transition.rest();
  }
  endIfDone(transition);
  if (!transition.hasNeeds) failIfStuck(transition);
}


function* step(transition: Transition, nodeId: string): Paced<void> {
  switch (readiness(transition.job, transition.context.workflow, nodeId)) {
    case "wait":
      return;
    case "skip":
      transition.emit({ type: "node_skipped", node_id: nodeId });
      return;
    case "ready":
      yield* begin(transition, nodeId);
  }
}

function* begin(transition: Transition, nodeId: string): Paced<void> {
  const node = transition.definition(nodeId);
  invariant(node !== undefined, "the order names nodes of the definition");
  switch (node.type) {
    case "start":
    case "end":
      transition.emit({ type: "node_completed", node_id: nodeId });
      return;
    case "conditional":
      yield* decide(transition, nodeId, node);
      return;
    case "fan_in":
      yield* collect(transition, nodeId, node);
      return;
    case "fan_out":
      yield* expand(transition, nodeId, node);
      return;
    case "task":
      yield* startOrQueue(transition, nodeId, node);
  }
}

/** A job is pending until its first attempt is claimed, or its first fan_out expanded. */
function markStarted(transition: Transition): void {
  if (transition.job.status === "pending") transition.emit({ type: "job_started" });
}

function* decide(
  transition: Transition,
  nodeId: string,
  node: ConditionalNode,
): Paced<void> {
  const compiled = transition.context.workflow.nodes.get(nodeId);
  if (compiled?.field === undefined || compiled.branches === undefined) {
    failCheap(transition, nodeId, NOT_COMPILED);
    return;
  }
  const field = evaluateIn(transition, compiled.field);
  if (field.kind === "needs") return;
  if (field.kind === "error") {
    const message = `condition_field: ${field.error.message}`;
    failCheap(transition, nodeId, { ...field.error, message });
    return;
  }
  for (const branch of compiled.branches) {
    if (branch.condition === undefined) continue;
    yield* transition.rest();
    const holds = evaluateIn(transition, branch.condition, { value: field.value });
    if (holds.kind === "needs") return;
    if (holds.kind === "error") {
      const message = inBranch(branch.name, holds.error.message);
      failCheap(transition, nodeId, { ...holds.error, message });
      return;
    }
    if (typeof holds.value !== "boolean") {
      const message = inBranch(branch.name, `expected true or false, got ${kindOf(holds.value)}`);
      failCheap(transition, nodeId, { code: "EXPRESSION_FAILED", message });
      return;
    }
    if (holds.value) {
      take(transition, nodeId, branch.name);
      return;
    }
  }
  const fallback = node.branches.find((branch) => branch.default);
  if (fallback !== undefined) {
    take(transition, nodeId, fallback.name);
    return;
  }
  const message = "no branch's condition holds, and there is no default branch";
  failCheap(transition, nodeId, { code: "EXPRESSION_FAILED", message });
}

function inBranch(name: string, message: string): string {
  return `branch "${name}": ${message}`;
}

function take(transition: Transition, nodeId: string, branch: string): void {
  transition.emit({ type: "node_completed", node_id: nodeId, branch });
}

/** What the snapshot does not hold cannot come later either. */
const NOT_COMPILED: FailureReason = {
  code: "SNAPSHOT_INVALID",
  message: "the snapshot has no expression for this node",
};

/** A cheap node that failed: it had no attempt. */
function failCheap(transition: Transition, nodeId: string, error: FailureReason): void {
  failNode(transition, nodeId, { error });
}

function* collect(transition: Transition, nodeId: string, node: FanInNode): Paced<void> {
  const output = yield* aggregate(transition, nodeId, node);
  if (output.kind === "needs") return;
  if (output.kind === "error") {
    failCheap(transition, nodeId, output.error);
    return;
  }
  const bytes = yield* aggregateBytes(transition, output.value);
  if (bytes > MAX_OUTPUT_BYTES) {
    const message = `the aggregate has ${bytes} bytes, more than ${MAX_OUTPUT_BYTES}`;
    failCheap(transition, nodeId, { code: "OUTPUT_TOO_LARGE", message });
    return;
  }
  transition.emit({ type: "node_completed", node_id: nodeId, ...transition.place(output.value) });
}

function* expand(transition: Transition, nodeId: string, node: FanOutNode): Paced<void> {
  const source = transition.context.workflow.nodes.get(nodeId)?.source;
  if (source === undefined) {
    failCheap(transition, nodeId, NOT_COMPILED);
    return;
  }
  const items = evaluateIn(transition, source);
  if (items.kind === "needs") return;
  if (items.kind === "error") {
    failCheap(transition, nodeId, { ...items.error, message: `source: ${items.error.message}` });
    return;
  }
  if (!Array.isArray(items.value)) {
    const message = `source: expected a list, got ${kindOf(items.value)}`;
    failCheap(transition, nodeId, { code: "EXPRESSION_FAILED", message });
    return;
  }
  const count = items.value.length;
  if (count > MAX_ITEMS) {
    const message = `source: ${count} items, more than ${MAX_ITEMS}`;
    failCheap(transition, nodeId, { code: "LIMIT_EXCEEDED", message });
    return;
  }
  const chunk_size = chunkSize(count, node.max_parallel);
  const queued = queuedAtFirst(count, chunk_size, node.max_parallel);
  yield* transition.rest();
  const items_digest = digest(items.value, transition.context.sha256);
  markStarted(transition);
  transition.emit({
    type: "node_expanded",
    node_id: nodeId,
    count,
    chunk_size,
    queued,
    items_digest,
  });
  sendChunks(transition, nodeId, Array.from({ length: queued }, (_, chunk) => chunk));
  completeFan(transition, nodeId);
}

export function sendChunks(
  transition: Transition,
  nodeId: string,
  chunks: readonly number[],
): void {
  const { fan } = transition.node(nodeId);
  for (const chunk of chunks) {
    const state = fan?.chunks[chunk];
    invariant(state !== undefined, "a chunk to send is one of its fan_out");
    const delay = delayUntil(transition, state.not_before);
    const target = { node_id: nodeId, chunk, attempt: state.attempt };
    transition.send({ kind: "chunk", ...target }, delay);
  }
}

/** Completes a fan_out whose items have all ended. */
export function completeFan(transition: Transition, nodeId: string): void {
  const { fan, status } = transition.node(nodeId);
  if (status !== "running" || fan === undefined) return;
  if (fan.completed + fan.failed < fan.count) return;
  const chunks_root = chunksRoot(fan, transition.context.hashBytes);
  transition.emit({ type: "node_completed", node_id: nodeId, chunks_root });
}

function* startOrQueue(transition: Transition, nodeId: string, node: TaskNode): Paced<void> {
  const version = transition.context.handlers.get(node.handler);
  if (version !== undefined && transition.takeContinuation(node.timeout_seconds)) {
    yield* claimTask(transition, nodeId, { node, version });
    return;
  }
  transition.emit({ type: "node_queued", node_id: nodeId });
  transition.send({ kind: "task", node_id: nodeId, attempt: transition.node(nodeId).attempt + 1 });
}

/**
 * Records the next attempt of a task and asks the shell to run it. Params that do not render fail
 * the node; a handler that this build lacks must have been looked for before.
 */
export function* claimTask(
  transition: Transition,
  nodeId: string,
  { node, version }: { readonly node: TaskNode; readonly version: string },
): Paced<void> {
  const compiled = transition.context.workflow.nodes.get(nodeId);
  if (compiled?.params === undefined) {
    failCheap(transition, nodeId, NOT_COMPILED);
    return;
  }
  const params = renderParams(transition, compiled.params);
  if (params.kind === "needs") return;
  if (params.kind === "error") {
    failCheap(transition, nodeId, { ...params.error, message: `params: ${params.error.message}` });
    return;
  }
  yield* transition.rest();
  const attempt = transition.node(nodeId).attempt + 1;
  markStarted(transition);
  transition.emit({
    type: "node_started",
    node_id: nodeId,
    attempt,
    handler_version: version,
    params_digest: digest(params.value, transition.context.sha256),
  });
  transition.effect({
    type: "run_task",
    node_id: nodeId,
    attempt,
    handler: node.handler,
    params: params.value,
    ...optional("sealed", params.sealed),
    timeout_seconds: node.timeout_seconds,
  });
}

/** Seconds from now until `notBefore`; 0 where it has passed or there is none. */
export function delayUntil(transition: Transition, notBefore: string | undefined): number {
  return notBefore === undefined ? 0 : Math.max(0, secondsBetween(transition.at, notBefore));
}

/** A live job in which nothing can ever happen again is a defect; it ends rather than hangs. */
function failIfStuck(transition: Transition): void {
  const { job, context } = transition;
  if (!isOpen(job)) return;
  const open = context.workflow.order.filter((id) => !isTerminalNode(transition.node(id)));
  if (open.some((id) => transition.node(id).status !== "pending")) return;
  const names = open.slice(0, 10).join(", ") || "none";
  const message = `no node can go on; waiting: ${names}`;
  beginEnding(transition, { becomes: "failed", error: { code: "INTERNAL", message } });
}
