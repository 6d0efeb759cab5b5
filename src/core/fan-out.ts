// Chunks of a fan_out: their messages, their claims, the outcomes that a worker hands in, and what
// becomes of items that fail. A chunk hands in what it has, so a slow item holds nobody back.
// A chunk's claim is a document, not an entry: many workers claim side by side without contention.
import { optional } from "./apply.ts";
import { digest } from "./canonical.ts";
import { invariant } from "./error.ts";
import type { Sha256 } from "./canonical.ts";
import { startable } from "./chunk-plan.ts";
import type { FanOutNode } from "./definition.ts";
import type { ItemOutcome, ItemWork, Outcome } from "./effect.ts";
import type { EventData, ItemRecord, RetryChunk } from "./event.ts";
import { endIfDone, failNode, logMember } from "./ending.ts";
import { addSeconds } from "./instant.ts";
import type { ChunkState, FailureReason } from "./job.ts";
import { jsonBytes } from "./json.ts";
import type { Json } from "./json.ts";
import { rootOf } from "./lane.ts";
import { MAX_INLINE_OUTPUT_BYTES, MAX_LOST_ATTEMPTS } from "./limits.ts";
import { finish, type Paced } from "./pace.ts";
import { missHandler, orphan } from "./attempt.ts";
import { maxAttempts, retryDelay } from "./retry.ts";
import { evaluateIn, renderParams } from "./scope.ts";
import { completeFan, delayUntil, sendChunks } from "./settle.ts";
import type { Transition } from "./transition.ts";
import { storable } from "./transition.ts";

export interface ChunkAddress {
  readonly node_id: string;
  readonly chunk: number;
  readonly attempt: number;
}

/** The chunk, if this attempt at it is the current one and its outcome still counts. */
export function currentChunk(transition: Transition, at: ChunkAddress): ChunkState | undefined {
  const { fan, status } = transition.node(at.node_id);
  if (status !== "running" && transition.job.status !== "cancelling") return undefined;
  const chunk = fan?.chunks[at.chunk];
  return chunk?.status === "queued" && chunk.attempt === at.attempt ? chunk : undefined;
}

/** A chunk message came: ask the shell to claim it. */
export function receiveChunk(transition: Transition, at: ChunkAddress): void {
  const chunk = currentChunk(transition, at);
  const node = transition.definition(at.node_id);
  if (chunk === undefined || node?.type !== "fan_out") return;
  if (transition.job.status !== "running") return;
  const early = delayUntil(transition, chunk.not_before);
  if (early > 0) {
    transition.send({ kind: "chunk", ...at }, early);
    return;
  }
  if (!transition.context.handlers.has(node.task.handler)) {
    missHandler(transition, at.node_id, node.task.handler);
    return;
  }
  // Whoever works on a chunk has its hands full: nothing else may be claimed beside it.
  transition.takeContinuation();
  transition.effect({ type: "claim_chunk", ...at });
}

/** The claim is ours and the state is the journal's end: run the items, or nothing. */
export function* runChunk(transition: Transition, at: ChunkAddress): Paced<void> {
  const chunk = currentChunk(transition, at);
  if (chunk === undefined) return;
  if (transition.job.status !== "running") {
    transition.emit({ type: "chunk_cancelled", node_id: at.node_id, chunks: [at.chunk] });
    endIfDone(transition);
    return;
  }
  const node = transition.definition(at.node_id);
  if (node?.type !== "fan_out") return;
  const items = yield* renderItems(transition, at.node_id, chunk.items);
  if (items === undefined) return;
  const { handler } = node.task;
  transition.takeContinuation();
  const timeout_seconds = node.timeout_seconds;
  // `at` may be an occurrence: its own type must not stand in the effect.
  const { node_id, chunk: number, attempt } = at;
  const address = { node_id, chunk: number, attempt };
  transition.effect({ type: "run_items", ...address, handler, timeout_seconds, items });
}

function* renderItems(
  transition: Transition,
  nodeId: string,
  indexes: readonly number[],
): Paced<readonly ItemWork[] | undefined> {
  const compiled = transition.context.workflow.nodes.get(nodeId);
  if (compiled?.source === undefined || compiled.params === undefined) {
    const message = "the snapshot has no expression for these items";
    return indexes.map((index) => ({ index, error: { code: "SNAPSHOT_INVALID", message } }));
  }
  const source = evaluateIn(transition, compiled.source);
  if (source.kind === "needs") return undefined;
  const list: readonly Json[] =
    source.kind === "value" && Array.isArray(source.value) ? source.value : [];
  const work: ItemWork[] = [];
  for (const index of indexes) {
    yield* transition.rest();
    const item = list[index];
    const params = renderParams(transition, compiled.params, { item, index });
    if (params.kind === "needs") return undefined;
    work.push(
      params.kind === "value"
        ? { index, params: params.value, ...optional("sealed", params.sealed) }
        : { index, error: { ...params.error, message: `params: ${params.error.message}` } },
    );
  }
  return work;
}

export interface HandIn extends ChunkAddress {
  readonly part: number;
  readonly outcomes: readonly ItemOutcome[];
}

/** The document of a hand-in; named by its content as well, for a decision may be made anew. */
function partId({ node_id, chunk, attempt, part }: HandIn, root: string): string {
  return `chunk:${node_id}:${chunk}:${attempt}:${part}:${root.slice("sha256:".length, 23)}`;
}

/** A worker hands in outcomes. Those of another attempt are orphans. */
export function* handIn(transition: Transition, given: HandIn): Paced<void> {
  const { node_id, chunk: number, attempt } = given;
  const chunk = currentChunk(transition, given);
  if (chunk === undefined) {
    orphan(transition, { node_id, chunk: number, attempt, kind: "items" });
    return;
  }
  const node = fanNode(transition, node_id);
  const sorted = yield* sortOutcomes(transition, { chunk, node }, given.outcomes);
  if (sorted.records.length > 0 || sorted.retried.length > 0) {
    record(transition, given, { chunk, node, sorted });
  } else if (sorted.aborted.length > 0) {
    abandon(transition, given, { chunk, node, sorted });
  }
  settleFan(transition, node_id, { node, failed: sorted.failed });
}

/** What a hand-in needs to know of its fan_out. */
type FanPolicy = Pick<FanOutNode, "retry" | "on_error" | "max_parallel" | "timeout_seconds">;

/** The node as the snapshot has it; a refused snapshot has none, and its job only ends. */
function fanNode(transition: Transition, nodeId: string): FanPolicy {
  const node = transition.definition(nodeId);
  return node?.type === "fan_out" ? node : { timeout_seconds: 0 };
}

interface Sorted {
  readonly records: readonly ItemRecord[];
  readonly failed: readonly { readonly index: number; readonly error: FailureReason }[];
  readonly retried: readonly number[];
  /** Told to stop before they ended. */
  readonly aborted: readonly number[];
}

function* sortOutcomes(
  transition: Transition,
  { chunk, node }: { readonly chunk: ChunkState; readonly node: FanPolicy },
  outcomes: readonly ItemOutcome[],
): Paced<Sorted> {
  const isLast = chunk.failures + 1 >= maxAttempts(node.retry);
  const isEnding = transition.job.status !== "running";
  const records: ItemRecord[] = [];
  const failed: { index: number; error: FailureReason }[] = [];
  const retried: number[] = [];
  const aborted: number[] = [];
  const mine = new Set(chunk.items);
  for (const { index, outcome } of outcomes) {
    if (!mine.delete(index)) continue;
    yield* transition.rest();
    if (outcome.kind === "aborted") aborted.push(index);
    else if (outcome.kind === "completed") records.push(recordOf(transition, index, outcome));
    else if (!isLast && !isEnding && isRetryable(outcome)) retried.push(index);
    else {
      failed.push({ index, error: storable(reasonOf(outcome, node)), ...logMember(outcome.log) });
    }
  }
  return { records: [...records, ...failed], failed, retried, aborted };
}

function isRetryable(outcome: Outcome): boolean {
  return outcome.kind === "timed_out" || (outcome.kind === "failed" && outcome.retryable);
}

function reasonOf(
  outcome: Extract<Outcome, { kind: "failed" | "timed_out" }>,
  node: FanPolicy,
): FailureReason {
  if (outcome.kind === "failed") return outcome.error;
  return { code: "TIMED_OUT", message: `the attempt took longer than ${node.timeout_seconds} s` };
}

function recordOf(
  transition: Transition,
  index: number,
  { output, log }: Extract<Outcome, { kind: "completed" }>,
): ItemRecord {
  const own = { index, ...logMember(log) };
  if (jsonBytes(output) <= MAX_INLINE_OUTPUT_BYTES) return { ...own, output };
  return { ...own, ...transition.storeValue(output) };
}

/** The digest of an item's outcome: the same wherever its output is stored. */
export function leafOf(item: ItemRecord, sha256: Sha256): string {
  const { index } = item;
  if ("error" in item) return digest({ index, error: { ...item.error } }, sha256);
  const output = "digest" in item ? item.digest : digest(item.output, sha256);
  return digest({ index, output }, sha256);
}

interface Handed {
  readonly chunk: ChunkState;
  readonly node: FanPolicy;
  readonly sorted: Sorted;
}

function record(transition: Transition, given: HandIn, { chunk, node, sorted }: Handed): void {
  const { node_id, chunk: number, attempt } = given;
  const { records, failed, retried, aborted } = sorted;
  const isRunning = transition.job.status === "running";
  const dropped = isRunning ? [] : aborted;
  const handled = new Set([...records.map(({ index }) => index), ...retried, ...dropped]);
  const { sha256, hashBytes } = transition.context;
  const root = rootOf(records.map((item) => leafOf(item, sha256)), hashBytes);
  const event: EventData = {
    type: "chunk_completed",
    node_id,
    chunk: number,
    attempt,
    root,
    done: records.length - failed.length,
    failed: failed.length,
    remaining: chunk.items.filter((index) => !handled.has(index)),
    ...optional("retry", retryOf(transition, { node, chunk, items: retried, node_id })),
    ...placeItems(transition, partId(given, root), records),
  };
  const fan = transition.preview(event).nodes[node_id]?.fan;
  const canGoOn = isRunning && !breaks(node, failed);
  const queue = fan === undefined || !canGoOn ? [] : startable(fan, node.max_parallel);
  transition.emit(queue.length === 0 ? event : { ...event, queue });
  sendChunks(transition, node_id, queue);
  if (isRunning && aborted.length > 0) loseChunk(transition, given);
}

function retryOf(
  transition: Transition,
  { node, chunk, items, node_id }: {
    readonly node: FanPolicy;
    readonly chunk: ChunkState;
    readonly items: readonly number[];
    readonly node_id: string;
  },
): RetryChunk | undefined {
  const { fan } = transition.node(node_id);
  if (items.length === 0 || fan === undefined || node.retry === undefined) return undefined;
  const failures = chunk.failures + 1;
  const delay = retryDelay(node.retry, failures, transition.context.jitter);
  const not_before = addSeconds(transition.at, delay);
  return { chunk: fan.chunks.length, items, attempt: chunk.attempt + 1, failures, not_before };
}

/** Inside the event where the entry has room, else in a chunk document of their own. */
function placeItems(
  transition: Transition,
  id: string,
  items: readonly ItemRecord[],
): { readonly items: readonly ItemRecord[] } | { readonly object: string } {
  if (transition.takeRoom(jsonBytes(items as unknown as Json))) return { items };
  transition.store({ id, body: { items } });
  return { object: id };
}

/** Only aborted items: a cancel reached the worker, or its process is going away. */
function abandon(transition: Transition, given: HandIn, handed: Handed): void {
  const { node_id, chunk } = given;
  if (transition.job.status === "running") loseChunk(transition, given);
  else if (handed.sorted.aborted.length < handed.chunk.items.length) {
    // The others have yet to answer; the job waits for them.
    record(transition, given, handed);
  } else transition.emit({ type: "chunk_cancelled", node_id, chunks: [chunk] });
}

/** The chunk's worker is gone: its items get a new attempt, a bounded number of times. */
export function loseChunk(transition: Transition, { node_id, chunk, attempt }: ChunkAddress): void {
  const state = currentChunk(transition, { node_id, chunk, attempt });
  invariant(state !== undefined, "only a chunk at work can lose its worker");
  if (state.lost + 1 < MAX_LOST_ATTEMPTS) {
    transition.emit({ type: "chunk_lost", node_id, chunk, attempt });
    sendChunks(transition, node_id, [chunk]);
    transition.sendSpare({ kind: "chunk", node_id, chunk, attempt: attempt + 1 });
    return;
  }
  const message = `${state.lost + 1} attempts ended without an outcome`;
  const error = { code: "WORKER_LOST", message };
  failItems(transition, { node_id, chunk, attempt }, { state, error });
}

/** Its messages were given up: the chunk's items end, and the fan_out with them if it may fail. */
export function giveUpChunk(
  transition: Transition,
  at: ChunkAddress,
  error: FailureReason,
): void {
  const state = currentChunk(transition, at);
  const canGoOn = fanNode(transition, at.node_id).on_error === "continue";
  if (state !== undefined && canGoOn) failItems(transition, at, { state, error });
  else failNode(transition, at.node_id, { error });
}

function failItems(
  transition: Transition,
  at: ChunkAddress,
  { state, error }: { readonly state: ChunkState; readonly error: FailureReason },
): void {
  const outcome: Outcome = { kind: "failed", error, retryable: false, log: [] };
  const outcomes = state.items.map((index) => ({ index, outcome }));
  // Errors only: nothing here takes long.
  finish(handIn(transition, { ...at, part: 0, outcomes }));
}

function breaks(node: FanPolicy, failed: readonly unknown[]): boolean {
  return failed.length > 0 && node.on_error !== "continue";
}

/** Fails or completes the fan_out after a hand-in, and ends the job where that was all. */
export function settleFan(
  transition: Transition,
  nodeId: string,
  { node, failed }: {
    readonly node: FanPolicy;
    readonly failed: readonly { readonly index: number; readonly error: FailureReason }[];
  },
): void {
  const [first] = failed;
  const isRunning = transition.node(nodeId).status === "running";
  if (first !== undefined && isRunning && breaks(node, failed)) {
    const message = `item ${first.index}: ${first.error.code}: ${first.error.message}`;
    failNode(transition, nodeId, { error: { code: "ITEM_FAILED", message } });
    return;
  }
  completeFan(transition, nodeId);
  endIfDone(transition);
}
