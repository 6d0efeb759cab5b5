// The poison queue: messages that the platform gave up on. This decides nothing: it keeps the text
// for a person, tells the job, and sends a wake. It never rejects, for a poison queue has no poison
// queue of its own; a text that no store would keep goes back to be kept later.
import { targetOf } from "../core/effect.ts";
import type { Message } from "../core/message.ts";
import { deliver } from "./deliver.ts";
import type { Engine } from "./engine.ts";
import { errorText } from "./error-text.ts";
import { keptDocument, messageIn } from "./kept-message.ts";
import type { PoisonBody } from "./kept-message.ts";
import type { LogFields } from "./ports.ts";
import type { Sessions } from "./sessions.ts";
import { traced } from "./telemetry.ts";
import type { SpanStart, Telemetry } from "./telemetry.ts";

/** The poison queue as a place to wait in. */
export interface PoisonQueue {
  /** Sends a body to the poison queue; no expiry, visible after the delay. */
  send(body: PoisonBody, delaySeconds: number): Promise<void>;
}

export interface PoisonDelivery {
  readonly body: PoisonBody;
  /** Without one, a body that cannot be kept is lost but for what its job was told. */
  readonly queue?: PoisonQueue;
}

/** A store that is down is asked again after this; the text waits in the queue meanwhile. */
const KEEP_LATER_SECONDS = 60;

export async function processPoison(
  sessions: Sessions,
  engine: Engine,
  given: PoisonDelivery | string,
): Promise<void> {
  const { body, queue } = typeof given === "string" ? delivered(given) : given;
  const message = messageIn(body);
  const kept = await keep(engine, body, queue);
  const told =
    message === undefined
      ? {}
      : await traceTell(engine, message, () => tell(sessions, message, body.text));
  engine.telemetry?.measure("holdfast.messages.poisoned", 1, { kind: message?.kind ?? "unknown" });
  engine.log.write("error", "message.poisoned", {
    job_id: message?.job_id,
    kind: message?.kind,
    node_id: message?.node_id,
    bytes: body.text.length,
    ...kept,
    ...told,
  });
}

/**
 * The body that a trigger hands over. The host parses what looks like JSON, so text is written
 * anew; what cannot be written, such as lists in lists without end, is named instead of kept.
 */
export function poisonBody(given: unknown): PoisonBody {
  if (typeof given === "string") return { text: given, encoding: "text" };
  if (given instanceof Uint8Array) return bodyOfBytes(given);
  try {
    const text: unknown = JSON.stringify(given);
    if (typeof text === "string") return { text, encoding: "text" };
  } catch {
    // Nested too deep to be written; it had not been one of our messages.
  }
  return { text: "(a body that cannot be written as text)", encoding: "text" };
}

/** Bytes that are no UTF-8 stay what they are. */
export function bodyOfBytes(bytes: Uint8Array): PoisonBody {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, encoding: "text" };
  } catch {
    return { text: Buffer.from(bytes).toString("base64"), encoding: "base64" };
  }
}

function delivered(text: string): PoisonDelivery {
  return { body: { text, encoding: "text" } };
}

async function keep(
  engine: Engine,
  body: PoisonBody,
  queue: PoisonQueue | undefined,
): Promise<LogFields> {
  try {
    const write_id = engine.randomness.writeId();
    const document = keptDocument(body, { at: engine.clock.now(), write_id });
    await engine.journal.create(document);
    return { kept: document.id };
  } catch (error) {
    return { kept: false, error: errorText(error), ...(await keepLater(body, queue)) };
  }
}

async function keepLater(body: PoisonBody, queue: PoisonQueue | undefined): Promise<LogFields> {
  if (queue === undefined) return {};
  try {
    await queue.send(body, KEEP_LATER_SECONDS);
    return { put_back: true };
  } catch {
    // Neither store nor queue. The host cannot reach the queue either, so it cannot take the
    // message off it: it comes again.
    return { put_back: false };
  }
}

/** In a span of the job, beneath the one that sent the message. */
function traceTell(engine: Engine, message: Message, tellIt: () => Promise<LogFields>) {
  const { job_id, kind, node_id, chunk, attempt } = message;
  const start = (telemetry: Telemetry): SpanStart => ({
    sort: "poison",
    name: `poison ${kind}`,
    parent: telemetry.job(job_id, message.traceparent),
    attributes: { job_id, kind, node_id, chunk, attempt },
  });
  return traced(engine.telemetry, start, tellIt);
}

/** Records the report and sends a wake. The sweeper finds a job that could not be told. */
async function tell(sessions: Sessions, message: Message, text: string): Promise<LogFields> {
  try {
    const entered = await sessions.enter(message.job_id, 0);
    if (entered.kind !== "session") return { told: false };
    const { session } = entered;
    try {
      await session.freshen();
      const target = targetOf(message);
      const occurrence = { type: "message_poisoned", message: target, text } as const;
      const { effects } = await session.commit(occurrence, { canContinue: false });
      await deliver(session, effects);
      return { told: true };
    } finally {
      await sessions.leave(session);
    }
  } catch (error) {
    return { told: false, untold_because: errorText(error) };
  }
}
