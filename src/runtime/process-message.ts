// Handles one message of the work queue: enter the job's session, decide, record, deliver, and go
// on with a task here while the reducer says so. What waits on the world is put back with a delay
// and acknowledged; only our own bugs throw. Nothing here, or below, can reach the catalog.
import { targetOf } from "../core/effect.ts";
import type { Effect, Occurrence } from "../core/effect.ts";
import { WorkflowError } from "../core/error.ts";
import { secondsBetween } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import { MAX_CLOCK_AHEAD_SECONDS, MAX_DEFERRALS, MAX_DEFERRED_SECONDS } from "../core/limits.ts";
import { MESSAGE_SCHEMA, messageSchema } from "../core/message.ts";
import type { Message } from "../core/message.ts";
import * as z from "zod";
import { safeParse } from "../core/safe-parse.ts";
import type { Committed } from "./commit.ts";
import { deliver, send } from "./deliver.ts";
import type { Engine } from "./engine.ts";
import { MAX_INVOCATION_SECONDS, MAX_TRANSITIONS_PER_INVOCATION } from "./engine.ts";
import { errorText, isRetryable } from "./error-text.ts";
import { jobAttributes } from "./log-transition.ts";
import { outlast } from "./outlast.ts";
import { Seat } from "./seat.ts";
import { claimChunk, runItems, runTask } from "./run-work.ts";
import type { Done } from "./run-work.ts";
import type { Sessions } from "./sessions.ts";
import { traced } from "./telemetry.ts";
import type { OpenSpan, SpanStart, Telemetry } from "./telemetry.ts";

const STALE_DELAY_SECONDS = 1;
const FIRST_DELAY_SECONDS = 30;
const MAX_DELAY_SECONDS = 600;

/** A message of a later shape: only what putting it back needs. */
const newerSchema = z.looseObject({
  v: z.int().min(MESSAGE_SCHEMA + 1),
  job_id: z.string(),
  kind: z.string(),
  first_sent_at: z.iso.datetime(),
  deferrals: z.int().min(0),
});

export interface Delivery {
  /** How often the queue has handed this message out, this time included. */
  readonly dequeueCount: number;
  /** As the platform calls this invocation. */
  readonly invocation_id?: string;
}

/** Handles a message's parsed body. Rejects only for defects of our own. */
export async function processMessage(
  sessions: Sessions,
  engine: Engine,
  given: { readonly body: unknown; readonly delivery: Delivery },
): Promise<void> {
  const began = engine.clock.now();
  const newer = safeParse(newerSchema, given.body);
  if (newer.success) {
    // Whatever else it says is for a build that knows: not a member of it may be lost.
    const message = newer.data as unknown as Message;
    await defer(engine, message, { delaySeconds: backOff(newer.data), began });
    return;
  }
  const parsed = safeParse(messageSchema, given.body);
  if (!parsed.success) {
    // Nothing can be said about it; trying again cannot help.
    engine.log.write("error", "message.invalid", { dequeue_count: given.delivery.dequeueCount });
    return;
  }
  const message = parsed.data;
  if (sessions.isDraining) {
    // For another process; this one would not live to end it.
    await defer(engine, message, { delaySeconds: STALE_DELAY_SECONDS, began });
    return;
  }
  await traced(engine.telemetry, processSpan(message, given.delivery), async (span) => {
    tellAge(engine, message, given.delivery);
    try {
      await handle(sessions, engine, { message, delivery: given.delivery, began, span });
    } catch (error) {
      if (!isRetryable(error)) throw error;
      const fields = { job_id: message.job_id, kind: message.kind, error: errorText(error) };
      engine.log.write("warn", "message.failed", fields);
      span?.fail(errorText(error));
      await defer(engine, message, { delaySeconds: backOff(message), began });
    }
  });
}

/** Beneath the span that sent the message, whichever process that was in. */
function processSpan(message: Message, { dequeueCount, invocation_id }: Delivery) {
  const { job_id, kind, node_id, chunk, attempt, rev, deferrals } = message;
  const told = { job_id, kind, node_id, chunk, attempt, rev, deferrals };
  return (telemetry: Telemetry): SpanStart => ({
    sort: "process",
    name: `process ${kind}`,
    parent: telemetry.job(job_id, message.traceparent),
    attributes: { ...told, dequeue_count: dequeueCount, invocation_id },
  });
}

/** Of messages that come for the first time: how long work stands in line. */
function tellAge({ clock, telemetry }: Engine, message: Message, delivery: Delivery): void {
  if (telemetry === undefined || message.deferrals > 0 || delivery.dequeueCount > 1) return;
  const seconds = secondsBetween(message.first_sent_at, clock.now());
  telemetry.measure("holdfast.message.age", Math.max(0, seconds), { kind: message.kind });
}

async function handle(
  sessions: Sessions,
  engine: Engine,
  given: {
    readonly message: Message;
    readonly delivery: Delivery;
    readonly began: Instant;
    readonly span: OpenSpan | undefined;
  },
): Promise<void> {
  const { message, delivery, began, span } = given;
  const entered = await sessions.enter(message.job_id, message.rev);
  if (entered.kind !== "session") {
    await defer(engine, message, { delaySeconds: STALE_DELAY_SECONDS, began });
    return;
  }
  span?.set(jobAttributes(entered.session.job));
  const seat = new Seat(sessions, entered.session, began);
  try {
    const redelivered = delivery.dequeueCount > 1;
    if (redelivered || message.kind === "wake") await seat.session.freshen();
    const target = targetOf(message);
    const occurrence: Occurrence = { type: "message_received", message: target, redelivered };
    const isDeferred = await goOn(sessions, seat, occurrence);
    if (isDeferred) await defer(engine, message, { delaySeconds: backOff(message), began });
  } finally {
    await sessions.leave(seat.session);
  }
}

/**
 * Commits an occurrence and does the work that follows here: the next task, a claimed chunk. Ends
 * when nothing is left to do in this invocation; true if the message must be put back.
 */
async function goOn(sessions: Sessions, seat: Seat, first: Occurrence): Promise<boolean> {
  const { timing } = seat.session.engine;
  let done: Done | undefined = { occurrence: first, release: () => undefined };
  let isDeferred = false;
  for (let transitions = 0; done !== undefined; transitions += 1) {
    const hasTime = seat.seconds < timing.yield_seconds;
    const canContinue =
      hasTime && transitions < MAX_TRANSITIONS_PER_INVOCATION && !sessions.isDraining;
    const { effects, changed }: Committed = await recorded(seat, done, canContinue);
    if (!changed && effects.length === 0) tellDuplicate(seat, done.occurrence);
    await deliver(seat.session, effects);
    isDeferred ||= effects.some(({ type }) => type === "defer_message");
    done = await work(seat, effects);
  }
  return isDeferred;
}

/** Records what was done; until then its lease is kept up. */
async function recorded(
  seat: Seat,
  { occurrence, release }: Done,
  canContinue: boolean,
): Promise<Committed> {
  try {
    return await seat.commit(occurrence, canContinue);
  } finally {
    release();
  }
}

/** A wake asks what there is to do; any other message that finds nothing has been here before. */
function tellDuplicate({ session }: Seat, occurrence: Occurrence): void {
  if (occurrence.type !== "message_received" || occurrence.message.kind === "wake") return;
  const { kind } = occurrence.message;
  session.engine.telemetry?.measure("holdfast.messages.duplicate", 1, { kind });
}

/** Does the one piece of work among the effects; what it led to is the next occurrence. */
async function work(seat: Seat, effects: readonly Effect[]): Promise<Done | undefined> {
  for (const effect of effects) {
    switch (effect.type) {
      case "run_task":
        return runTask(seat, effect);
      case "claim_chunk":
        return claimChunk(seat, effect);
      case "run_items":
        return runItems(seat, effect);
      case "send_message":
      case "note_lease":
      case "suspect_lease":
      case "defer_message":
    }
  }
  return undefined;
}

function backOff({ deferrals }: Pick<Message, "deferrals">): number {
  return Math.min(FIRST_DELAY_SECONDS * 2 ** Math.min(deferrals, 10), MAX_DELAY_SECONDS);
}

/**
 * Puts the message back with a delay, or leaves it to the sweeper when it is old. Its age and count
 * are what it says itself: one that no honest sender can have written would be put back for ever.
 */
async function defer(
  engine: Engine,
  message: Message,
  { delaySeconds, began }: { readonly delaySeconds: number; readonly began: Instant },
): Promise<void> {
  const { job_id, kind, node_id, deferrals } = message;
  const age = secondsBetween(message.first_sent_at, engine.clock.now());
  const isYoung = age < MAX_DEFERRED_SECONDS && deferrals < MAX_DEFERRALS;
  if (!isYoung || age < -MAX_CLOCK_AHEAD_SECONDS) {
    const fields = { job_id, kind, node_id, age_seconds: age, deferrals };
    engine.log.write("warn", "message.dropped", fields);
    return;
  }
  engine.log.write("info", "message.deferred", { job_id, kind, node_id, delay: delaySeconds });
  engine.telemetry?.measure("holdfast.messages.deferred", 1, { kind });
  const again = { ...message, deferrals: deferrals + 1 };
  // Neither store nor queue: hold on to it. Handing it back would count as a failure of ours, and
  // five of these make it poison.
  const left = MAX_INVOCATION_SECONDS - secondsBetween(began, engine.clock.now());
  await outlast(engine, () => Math.min(engine.timing.yield_seconds, left), async () => {
    if (await send(engine, again, delaySeconds)) return;
    const text = `job ${job_id}: the message could not be put back`;
    throw new WorkflowError("QUEUE_UNAVAILABLE", text, { retryable: true });
  });
}
