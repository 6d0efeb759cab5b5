// Delivers what the reducer asked to send, after the entry stands. A queued node is its own outbox:
// a send that fails is logged and left to the sweeper, and sending twice is harmless.
import type { Effect } from "../core/effect.ts";
import { MESSAGE_SCHEMA } from "../core/message.ts";
import type { Message } from "../core/message.ts";
import { addSeconds } from "../core/instant.ts";
import type { Engine } from "./engine.ts";
import { errorText } from "./error-text.ts";
import type { JobSession } from "./job-session.ts";
import { traced } from "./telemetry.ts";
import type { SpanStart, Telemetry } from "./telemetry.ts";

export interface Delivered {
  readonly sent: number;
  /** Of those, sent again because the first message seems lost. */
  readonly resent: number;
}

/** Sends the messages among `effects`, remembers leases, re-sends, suspicions. Never rejects. */
export async function deliver(
  session: JobSession,
  effects: readonly Effect[],
): Promise<Delivered> {
  const { engine, job, keeper } = session;
  const suspects: string[] = [];
  for (const effect of effects) {
    if (effect.type === "note_lease") keeper.noteLease(effect.key, effect.at);
    if (effect.type === "suspect_lease") suspects.push(effect.key);
  }
  // Before the wake is sent that will judge them. Where that cannot be stored there is nothing to
  // judge, and a wake would only beget the next one; the sweeper comes again.
  const isStored = suspects.length === 0 || (await keeper.suspect(suspects));
  const now = engine.clock.now();
  const sends: ReturnType<typeof sendOne>[] = [];
  for (const effect of effects) {
    if (effect.type !== "send_message") continue;
    if (effect.message.kind === "wake" && !isStored) continue;
    const message: Message = {
      v: MESSAGE_SCHEMA,
      job_id: job.job_id,
      ...effect.message,
      rev: job.seq,
      // A delayed message is young when it becomes visible.
      first_sent_at: addSeconds(now, effect.delay_seconds),
      deferrals: 0,
    };
    sends.push(sendOne(session, message, effect));
  }
  const results = await Promise.all(sends);
  const resent = results.filter((result) => result === "resent").length;
  if (resent > 0) engine.telemetry?.measure("holdfast.messages.resent", resent, {});
  return { sent: results.filter((result) => result === "sent").length + resent, resent };
}

/** `spared`: another invocation of this process sends it again, or just did. */
async function sendOne(
  { engine, keeper }: JobSession,
  message: Message,
  { delay_seconds, resend }: Extract<Effect, { type: "send_message" }>,
): Promise<"sent" | "resent" | "failed" | "spared"> {
  if (resend === undefined) {
    return (await send(engine, message, delay_seconds)) ? "sent" : "failed";
  }
  if (!keeper.takeResend(resend)) return "spared";
  const isSent = await send(engine, message, delay_seconds);
  keeper.endResend(resend, isSent);
  return isSent ? "resent" : "failed";
}

/** False where the queue refused; the job is none the worse for it. */
export async function send(
  engine: Pick<Engine, "queue" | "log" | "telemetry">,
  message: Message,
  delaySeconds: number,
): Promise<boolean> {
  const { job_id, kind, node_id } = message;
  try {
    await traced(engine.telemetry, sendSpan(message, delaySeconds), async (span) => {
      const { traceparent } = span ?? message;
      const carried = traceparent === undefined ? message : { ...message, traceparent };
      await engine.queue.send(carried, delaySeconds);
    });
    return true;
  } catch (error) {
    engine.log.write("warn", "send.failed", { job_id, kind, node_id, error: errorText(error) });
    return false;
  }
}

/** Beside what sends it; where that belongs to no job, such as a request, beneath the job. */
function sendSpan({ job_id, kind, node_id, chunk, attempt }: Message, delay_seconds: number) {
  return (telemetry: Telemetry): SpanStart => {
    const root = telemetry.job(job_id);
    const { active } = telemetry;
    return {
      sort: "queue",
      name: "queue.send",
      parent: active?.trace_id === root.trace_id ? active : root,
      attributes: { job_id, kind, node_id, chunk, attempt, delay_seconds },
    };
  };
}
