// Delivers what the reducer asked to send, after the entry stands. A queued node is its own outbox:
// a send that fails is logged and left to the sweeper, and sending twice is harmless.
import type { Effect } from "../core/effect.ts";
import { MESSAGE_SCHEMA } from "../core/message.ts";
import type { Message } from "../core/message.ts";
import { addSeconds } from "../core/instant.ts";
import type { Engine } from "./engine.ts";
import { errorText } from "./error-text.ts";
import type { JobSession } from "./job-session.ts";

export interface Delivered {
  readonly sent: number;
  /** Of those, sent again because the first message seems lost. */
  readonly resent: number;
}

/** Sends the messages among `effects` and remembers leases and re-sends. Never rejects. */
export async function deliver(
  session: JobSession,
  effects: readonly Effect[],
): Promise<Delivered> {
  const { engine, job, keeper } = session;
  const now = engine.clock.now();
  const sends: Promise<"sent" | "resent" | "failed">[] = [];
  for (const effect of effects) {
    if (effect.type === "note_lease") keeper.noteLease(effect.key, effect.at);
    if (effect.type !== "send_message") continue;
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
  return { sent: results.filter((result) => result === "sent").length + resent, resent };
}

/** Only what was sent moves the next turn: a queue that is down must not use up the patience. */
async function sendOne(
  { engine, keeper }: JobSession,
  message: Message,
  { delay_seconds, resend }: Extract<Effect, { type: "send_message" }>,
): Promise<"sent" | "resent" | "failed"> {
  if (!(await send(engine, message, delay_seconds))) return "failed";
  if (resend === undefined) return "sent";
  keeper.noteResend(resend, engine.clock.now());
  return "resent";
}

/** False where the queue refused; the job is none the worse for it. */
export async function send(
  engine: Pick<Engine, "queue" | "log">,
  message: Message,
  delaySeconds: number,
): Promise<boolean> {
  try {
    await engine.queue.send(message, delaySeconds);
    return true;
  } catch (error) {
    engine.log.write("warn", "send.failed", {
      job_id: message.job_id,
      kind: message.kind,
      node_id: message.node_id,
      error: errorText(error),
    });
    return false;
  }
}
