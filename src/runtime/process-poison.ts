// The poison queue: messages that the platform gave up on. This decides nothing: it keeps the text
// for a person, tells the job, and sends a wake. It never rejects, for a poison queue has no poison
// queue of its own.
import { targetOf } from "../core/effect.ts";
import { messageSchema } from "../core/message.ts";
import type { Message } from "../core/message.ts";
import { DOCUMENT_SCHEMA } from "../core/event.ts";
import { cutText } from "../core/text.ts";
import { deliver } from "./deliver.ts";
import type { Engine } from "./engine.ts";
import { errorText } from "./error-text.ts";
import { sha256 } from "./hash.ts";
import type { Sessions } from "./sessions.ts";

/** The partition of kept texts that name no job. */
export const UNREADABLE_PARTITION = "unreadable";
const MAX_TEXT_BYTES = 64 * 1024;
const KEPT_SECONDS = 90 * 24 * 3600;

export async function processPoison(
  sessions: Sessions,
  engine: Engine,
  text: string,
): Promise<void> {
  try {
    const message = readMessage(text);
    await keep(engine, message, text);
    if (message !== undefined) await tell(sessions, message, text);
    engine.log.write("error", "message.poisoned", {
      job_id: message?.job_id,
      kind: message?.kind,
      node_id: message?.node_id,
      bytes: text.length,
    });
  } catch (error) {
    engine.log.write("error", "message.poisoned", { error: errorText(error), bytes: text.length });
  }
}

function readMessage(text: string): Message | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function keep(engine: Engine, message: Message | undefined, text: string): Promise<void> {
  const now = engine.clock.now();
  await engine.journal.create({
    id: `poison:${sha256(text + now).slice(0, 32)}`,
    job_id: message?.job_id ?? UNREADABLE_PARTITION,
    schema: DOCUMENT_SCHEMA,
    write_id: engine.randomness.writeId(),
    ttl: KEPT_SECONDS,
    at: now,
    text: cutText(text, MAX_TEXT_BYTES),
  });
}

async function tell(sessions: Sessions, message: Message, text: string): Promise<void> {
  const entered = await sessions.enter(message.job_id, 0);
  if (entered.kind !== "session") return;
  const { session } = entered;
  try {
    await session.freshen();
    const target = targetOf(message);
    const occurrence = { type: "message_poisoned", message: target, text } as const;
    const { effects } = await session.commit(occurrence, { canContinue: false });
    await deliver(session, effects);
  } finally {
    await sessions.leave(session);
  }
}
