// Runs what this invocation has claimed: one attempt at a task, or the items of a chunk side by
// side. The outcome is the next occurrence. Handlers see the job's abort signal; the idempotency
// key is the same for every attempt.
import { setMaxListeners } from "node:events";
import type { Effect, ItemOutcome, Occurrence, Outcome } from "../core/effect.ts";
import { attemptKey, claimId } from "../core/effect.ts";
import type { Json } from "../core/json.ts";
import type { Sealed } from "../core/secret.ts";
import { documentSchema } from "../core/stored.ts";
import { deliver } from "./deliver.ts";
import type { JobSession, LocalAttempt } from "./job-session.ts";
import { ttlSeconds } from "./journal.ts";
import { runAttempt } from "./run-handler.ts";
import { NO_SECRETS } from "./secrets.ts";

type RunTask = Extract<Effect, { type: "run_task" }>;
type RunItems = Extract<Effect, { type: "run_items" }>;
type ClaimChunk = Extract<Effect, { type: "claim_chunk" }>;

export async function runTask(session: JobSession, task: RunTask): Promise<Occurrence> {
  const { node_id, attempt } = task;
  const local: LocalAttempt = { node_id, attempt, abort: new AbortController() };
  const release = session.runs(local);
  try {
    const outcome = await attemptOnce(session, local, task);
    return { type: "attempt_ended", node_id, attempt, outcome };
  } finally {
    release();
  }
}

interface Work {
  readonly handler: string;
  readonly params: Json;
  readonly sealed?: Sealed;
  readonly timeout_seconds: number;
  readonly index?: number;
}

async function attemptOnce(
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
  session: JobSession,
  { node_id, chunk, attempt }: ClaimChunk,
): Promise<Occurrence | undefined> {
  const { engine, job } = session;
  const at = engine.clock.now();
  const created = await engine.journal.create({
    id: claimId(node_id, chunk, attempt),
    job_id: job.job_id,
    schema: documentSchema(job),
    write_id: engine.randomness.writeId(),
    ttl: ttlSeconds(job, at),
    at,
    build: engine.build,
  });
  if (created === "exists") return undefined;
  session.keeper.noteLease(attemptKey(node_id, attempt, chunk), at);
  await session.catchUp();
  return { type: "chunk_claimed", node_id, chunk, attempt };
}

/** Runs the items and hands in what has ended every second; the last hand-in is returned. */
export async function runItems(session: JobSession, work: RunItems): Promise<Occurrence> {
  const { node_id, chunk, attempt } = work;
  const local: LocalAttempt = { node_id, chunk, attempt, abort: new AbortController() };
  // Every item listens to it, and Node takes more than ten listeners for a leak.
  setMaxListeners(work.items.length, local.abort.signal);
  const release = session.runs(local);
  const handIn = new HandIn(session, work);
  try {
    await Promise.all(
      work.items.map(async (item) => {
        const outcome = await itemOutcome(session, local, { work, item });
        handIn.add({ index: item.index, outcome });
      }),
    );
    return { type: "items_ended", node_id, chunk, attempt, ...(await handIn.last()) };
  } finally {
    handIn.close();
    release();
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

/** Collects outcomes and commits them at most once per hand-in time, never the last ones. */
class HandIn {
  readonly #session: JobSession;
  readonly #work: RunItems;
  #ready: ItemOutcome[] = [];
  #open: number;
  #part = 0;
  #cancelTimer: (() => void) | undefined;
  #handing: Promise<void> = Promise.resolve();

  constructor(session: JobSession, work: RunItems) {
    this.#session = session;
    this.#work = work;
    this.#open = work.items.length;
  }

  add(outcome: ItemOutcome): void {
    this.#ready.push(outcome);
    this.#open -= 1;
    if (this.#cancelTimer !== undefined || this.#open === 0) return;
    const { clock, timing } = this.#session.engine;
    this.#cancelTimer = clock.after(timing.hand_in_seconds * 1000, () => {
      this.#cancelTimer = undefined;
      this.#handing = this.#handing.then(() => this.#commit());
    });
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
      const { effects } = await this.#session.commit(occurrence, { canContinue: false });
      await deliver(this.#session, effects);
    } catch {
      // The last hand-in carries these too, and meets the same store: it speaks for both.
      this.#ready = [...taken.outcomes, ...this.#ready];
    }
  }
}
