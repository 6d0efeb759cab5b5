// Runs what this invocation has claimed: one attempt at a task, or the items of a chunk side by
// side. The outcome is the next occurrence. Handlers see the job's abort signal; the idempotency
// key is the same for every attempt.
import { setMaxListeners } from "node:events";
import type { Effect, ItemOutcome, Occurrence, Outcome } from "../core/effect.ts";
import { attemptKey, claimId } from "../core/effect.ts";
import { WorkflowError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { JobState } from "../core/job.ts";
import type { Sealed } from "../core/secret.ts";
import { journalMembers } from "../core/stored.ts";
import { secondsBetween } from "../core/instant.ts";
import { deliver } from "./deliver.ts";
import type { JobSession } from "./job-session.ts";
import type { LocalAttempt } from "./local-attempts.ts";
import { jobAttributes } from "./log-transition.ts";
import { outlast } from "./outlast.ts";
import type { JournalDocument } from "./ports.ts";
import { runAttempt } from "./run-handler.ts";
import { NO_SECRETS } from "./secrets.ts";
import type { Seat } from "./seat.ts";
import { spanIdOfAttempt, traced } from "./telemetry.ts";
import type { SpanStart } from "./telemetry.ts";

type RunTask = Extract<Effect, { type: "run_task" }>;
type RunItems = Extract<Effect, { type: "run_items" }>;
type ClaimChunk = Extract<Effect, { type: "claim_chunk" }>;

/** What came of a piece of work. Its lease is kept up until `release`, when that is recorded. */
export interface Done {
  readonly occurrence: Occurrence;
  readonly release: () => void;
}

/** What no longer fits into the invocation is handed back at once, and made anew elsewhere. */
export async function runTask(seat: Seat, task: RunTask): Promise<Done> {
  const { session } = seat;
  const { node_id, attempt } = task;
  const local: LocalAttempt = { node_id, attempt, abort: new AbortController() };
  if (!seat.hasTimeFor(task.timeout_seconds)) local.abort.abort();
  const claimed = session.job.nodes[node_id]?.started_at;
  const release = session.runs(local, claimed ?? session.engine.clock.now());
  const outcome = await attemptOnce(session, local, task);
  return { occurrence: { type: "attempt_ended", node_id, attempt, outcome }, release };
}

interface Work {
  readonly handler: string;
  readonly params: Json;
  readonly sealed?: Sealed;
  readonly timeout_seconds: number;
  readonly index?: number;
}

/** One attempt, at a task or at an item, in a span of its own and counted by how it ended. */
async function attemptOnce(
  session: JobSession,
  local: LocalAttempt,
  work: Work,
): Promise<Outcome> {
  const { engine, job } = session;
  const { telemetry, clock } = engine;
  if (telemetry === undefined) return handled(session, local, work);
  const { workflow_id, workflow_version } = job;
  const { node_id } = local;
  const { handler } = work;
  const began = clock.now();
  return telemetry.span(attemptSpan(job, local, work), async (span) => {
    const ended = await handled(session, local, work);
    const outcome = ended.kind;
    span.set({ outcome, ...(ended.kind === "failed" ? { code: ended.error.code } : {}) });
    if (outcome !== "completed") span.fail(ended.kind === "failed" ? ended.error.code : outcome);
    const seconds = secondsBetween(began, clock.now());
    const facts = { workflow_id, workflow_version, node_id, handler, outcome };
    telemetry.measure("holdfast.attempt.duration", seconds, facts);
    return ended;
  });
}

/** The span of a task has an id that others can name; an item belongs to the chunk it is in. */
function attemptSpan(job: JobState, local: LocalAttempt, { handler, index }: Work): SpanStart {
  const { node_id, attempt, chunk } = local;
  const attributes = { ...jobAttributes(job), node_id, attempt, chunk, index, handler };
  if (index !== undefined) return { sort: "item", name: `item ${node_id}`, attributes };
  const span_id = spanIdOfAttempt(job.job_id, attemptKey(node_id, attempt));
  return { sort: "attempt", name: `attempt ${node_id}`, span_id, attributes };
}

async function handled(
  session: JobSession,
  local: LocalAttempt,
  { handler: name, params, sealed, timeout_seconds, index }: Work,
): Promise<Outcome> {
  const { engine, job, workflow } = session;
  const handler = engine.handlers.get(name);
  if (handler === undefined) {
    const error = { code: "HANDLER_MISSING", message: `no handler "${name}" in this build` };
    return { kind: "failed", error, retryable: true, log: [] };
  }
  const secrets = engine.secrets?.of(workflow.definition.secrets ?? []) ?? NO_SECRETS;
  const opened = secrets.open(sealed ?? { kind: "value", value: params });
  if (opened.kind === "failed") return { ...opened, log: [] };
  const { job_id, workflow_id, workflow_version } = job;
  const { node_id, attempt } = local;
  const item = index === undefined ? {} : { index };
  return runAttempt({
    handler,
    params: opened.params,
    secrets,
    attempt,
    idempotencyKey: [job_id, node_id, ...(index === undefined ? [] : [index])].join("/"),
    job: { job_id, workflow_id, workflow_version, node_id, ...item },
    timeoutSeconds: timeout_seconds,
    signal: local.abort.signal,
    clock: engine.clock,
    graceMs: engine.timing.abort_grace_seconds * 1000,
  });
}

/**
 * Creates the claim document. If it is ours, the journal is read to its end, so that a job that
 * has begun to end runs nothing more.
 */
export async function claimChunk(
  seat: Seat,
  { node_id, chunk, attempt }: ClaimChunk,
): Promise<Done | undefined> {
  const { session } = seat;
  const { engine, job } = session;
  const at = engine.clock.now();
  const isOurs = await claimSettled(seat, {
    ...journalMembers(job, at),
    id: claimId(node_id, chunk, attempt),
    write_id: engine.randomness.writeId(),
    at,
    build: engine.build,
  });
  if (!isOurs) return undefined;
  session.keeper.noteLease(attemptKey(node_id, attempt, chunk), at);
  const local: LocalAttempt = { node_id, chunk, attempt, abort: new AbortController() };
  const release = session.runs(local, at);
  try {
    await outlast(engine, () => seat.patience, () => session.catchUp());
  } catch (error) {
    release();
    throw error;
  }
  return { occurrence: { type: "chunk_claimed", node_id, chunk, attempt }, release };
}

/** Whether the claim is ours. A claim without an answer is looked for: nobody else may run it. */
async function claimSettled(seat: Seat, claim: JournalDocument): Promise<boolean> {
  const { journal, ...engine } = seat.session.engine;
  let isOpen = false;
  const patience = (): number => {
    isOpen = true;
    return seat.patience;
  };
  return outlast(engine, patience, async () => {
    if ((await journal.create(claim)) === "created") return true;
    if (!isOpen) return false;
    const stands = await journal.read(claim.job_id, claim.id);
    // It is there, so a read that does not see it is stale and does not tell whose it is.
    if (stands === undefined) {
      const message = `job ${claim.job_id}: document ${claim.id} is not visible yet`;
      throw new WorkflowError("STORE_UNAVAILABLE", message, { retryable: true });
    }
    return stands.write_id === claim.write_id;
  });
}

/** Runs the items and hands in what has ended every second; the last hand-in is returned. */
export function runItems(seat: Seat, work: RunItems): Promise<Done> {
  const { engine, job } = seat.session;
  const { node_id, chunk, attempt, handler, items } = work;
  const start = (): SpanStart => ({
    sort: "chunk",
    name: `chunk ${node_id}`,
    span_id: spanIdOfAttempt(job.job_id, attemptKey(node_id, attempt, chunk)),
    attributes: { ...jobAttributes(job), node_id, chunk, attempt, handler, items: items.length },
  });
  return traced(engine.telemetry, start, () => runItemsNow(seat, work));
}

async function runItemsNow(seat: Seat, work: RunItems): Promise<Done> {
  const { session } = seat;
  const { node_id, chunk, attempt } = work;
  const local: LocalAttempt = { node_id, chunk, attempt, abort: new AbortController() };
  if (!seat.hasTimeFor(work.timeout_seconds)) local.abort.abort();
  // Every item listens to it, and Node takes more than ten listeners for a leak.
  setMaxListeners(work.items.length, local.abort.signal);
  const claimed = session.keeper.watch.renewals[attemptKey(node_id, attempt, chunk)];
  const release = session.runs(local, claimed ?? session.engine.clock.now());
  const handIn = new HandIn(seat, work);
  try {
    await Promise.all(
      work.items.map(async (item) => {
        const outcome = await itemOutcome(session, local, { work, item });
        handIn.add({ index: item.index, outcome });
      }),
    );
    const last = await handIn.last();
    return { occurrence: { type: "items_ended", node_id, chunk, attempt, ...last }, release };
  } catch (error) {
    handIn.close();
    release();
    throw error;
  }
}

async function itemOutcome(
  session: JobSession,
  local: LocalAttempt,
  { work, item }: { readonly work: RunItems; readonly item: RunItems["items"][number] },
): Promise<Outcome> {
  if ("error" in item) {
    return { kind: "failed", error: item.error, retryable: false, log: [] };
  }
  const { handler, timeout_seconds } = work;
  return attemptOnce(session, local, { handler, timeout_seconds, ...item });
}

/** Chunks from which on hand-ins are fewer; 10,000 items without a retry are 313. */
const CROWDED = 500;

/** Collects outcomes and commits them at most once per hand-in time, never the last ones. */
class HandIn {
  readonly #seat: Seat;
  readonly #work: RunItems;
  #ready: ItemOutcome[] = [];
  #open: number;
  #part = 0;
  #cancelTimer: (() => void) | undefined;
  #handing: Promise<void> = Promise.resolve();

  constructor(seat: Seat, work: RunItems) {
    this.#seat = seat;
    this.#work = work;
    this.#open = work.items.length;
  }

  add(outcome: ItemOutcome): void {
    this.#ready.push(outcome);
    this.#open -= 1;
    if (this.#cancelTimer !== undefined || this.#open === 0) return;
    this.#cancelTimer = this.#seat.session.engine.clock.after(this.#paceMs(), () => {
      this.#cancelTimer = undefined;
      this.#handing = this.#handing.then(() => this.#commit());
    });
  }

  /**
   * Each hand-in may leave a chunk of retries in the state, which must stay a document: the more
   * there are, the longer outcomes are collected.
   */
  #paceMs(): number {
    const { engine, job } = this.#seat.session;
    const chunks = job.nodes[this.#work.node_id]?.fan?.chunks.length ?? 0;
    return 1000 * engine.timing.hand_in_seconds * Math.max(1, chunks / CROWDED) ** 2;
  }

  /** What has not been handed in yet. */
  async last(): Promise<{ readonly part: number; readonly outcomes: readonly ItemOutcome[] }> {
    this.close();
    await this.#handing;
    return this.#take();
  }

  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #take(): { readonly part: number; readonly outcomes: readonly ItemOutcome[] } {
    this.#part += 1;
    const outcomes = this.#ready;
    this.#ready = [];
    return { part: this.#part, outcomes };
  }

  async #commit(): Promise<void> {
    // The last outcomes go with the final hand-in, so that its effects can be followed here.
    if (this.#ready.length === 0 || this.#open === 0) return;
    const { node_id, chunk, attempt } = this.#work;
    const taken = this.#take();
    const occurrence = { type: "items_ended", node_id, chunk, attempt, ...taken } as const;
    try {
      const { effects } = await this.#seat.commit(occurrence, false);
      await deliver(this.#seat.session, effects);
    } catch {
      // The last hand-in carries these too, and meets the same store: it speaks for both.
      this.#ready = [...taken.outcomes, ...this.#ready];
    }
  }
}
