// What an operator does with poisoned messages: list them, look at one, put one back on the work
// queue. A message is a hint, so putting one back twice is harmless; it is still done once unless
// asked for again, and each time is recorded, after the message was sent.
// The one query here is an operator's: nothing on the path of a message comes this way.
import type { Instant } from "../core/instant.ts";
import type { JsonObject } from "../core/json.ts";
import {
  POISON_PARTITION,
  isKeptId,
  keptDocument,
  keptDocumentId,
  messageIn,
  parseKept,
  parsePutBack,
  putBackDocument,
  putBackDocumentId,
} from "./kept-message.ts";
import type { KeptMessage, PoisonBody, PutBackRecord } from "./kept-message.ts";
import type { Clock, JournalStore, Randomness } from "./ports.ts";

/** A message that the platform left in the poison queue: nobody has kept it yet. */
export interface StandingMessage {
  readonly message_id: string;
  readonly inserted_at: Instant;
  readonly body: PoisonBody;
}

export interface PoisonPorts {
  readonly journal: JournalStore;
  /** Documents of the partition `poison`, without their texts, in no order. */
  readonly kept: { list(limit: number): Promise<readonly JsonObject[]> };
  readonly queues: {
    /** The messages at the head of the poison queue, left where they are. */
    peek(): Promise<readonly StandingMessage[]>;
    /** Takes one message into hand; `done` takes it off the queue. */
    take(messageId: string): Promise<TakenMessage | undefined>;
    sendWork(body: PoisonBody): Promise<void>;
  };
  readonly clock: Pick<Clock, "now">;
  readonly randomness: Pick<Randomness, "writeId">;
}

export interface TakenMessage {
  readonly body: PoisonBody;
  done(): Promise<void>;
}

export interface PoisonRow {
  /** What `show` and `put-back` take: of a kept message, or `queue:` and the queue's own id. */
  readonly id: string;
  readonly from: "kept" | "queue";
  readonly at: Instant;
  readonly bytes: number;
  /** Whether it is a message of ours that this version understands. */
  readonly readable: boolean;
  readonly job_id?: string;
  readonly kind?: string;
  readonly node_id?: string;
  readonly chunk?: number;
  readonly attempt?: number;
  /** How often it was put back, and when last. */
  readonly put_back: number;
  readonly put_back_at?: Instant;
}

export interface PoisonList {
  /** Oldest first. */
  readonly messages: readonly PoisonRow[];
  /** Whether there are more than one list may hold. */
  readonly is_cut: boolean;
}

export interface PoisonDetail extends PoisonRow {
  readonly encoding: PoisonBody["encoding"];
  /** Only its beginning was kept; it cannot be put back. */
  readonly cut: boolean;
  readonly text: string;
}

export type PutBack =
  | { readonly id: string; readonly outcome: "put_back"; readonly at: Instant }
  /** Earlier, and not asked for again. */
  | { readonly id: string; readonly outcome: "was_put_back"; readonly at: Instant }
  | { readonly id: string; readonly outcome: "not_found" | "only_its_beginning" };

/** What a person can still look through, and what one answer may weigh. */
const MAX_LISTED = 10_000;
const STANDING = "queue:";
/** Nobody puts the same message back more often. */
const MAX_PUT_BACKS = 1_000;

export async function listPoison(ports: PoisonPorts): Promise<PoisonList> {
  const [documents, standing] = await Promise.all([
    ports.kept.list(MAX_LISTED + 1),
    ports.queues.peek(),
  ]);
  const records = documents.flatMap((document) => parsePutBack(document) ?? []);
  const last = new Map<string, PutBackRecord>();
  for (const record of records) {
    if ((last.get(record.kept_id)?.n ?? 0) < record.n) last.set(record.kept_id, record);
  }
  const kept = documents
    .flatMap((document) => parseKept(document) ?? [])
    .map((one) => keptRow(one, last.get(one.kept_id)));
  const messages = [...kept, ...standing.map(standingRow)];
  messages.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return { messages, is_cut: documents.length > MAX_LISTED };
}

/** One message with its text; undefined where there is none. */
export async function showPoison(
  ports: PoisonPorts,
  id: string,
): Promise<PoisonDetail | undefined> {
  if (id.startsWith(STANDING)) {
    const found = (await ports.queues.peek()).find((one) => standingId(one) === id);
    return found && { ...standingRow(found), cut: false, ...found.body };
  }
  const kept = await readKept(ports, id);
  if (kept === undefined) return undefined;
  const { encoding, cut, text = "" } = kept;
  return { ...keptRow(kept, await lastPutBack(ports, id)), encoding, cut, text };
}

/**
 * Sends a kept message to the work queue and records it. What still stands in the poison queue is
 * kept first and taken off last, so that a crash in between loses nothing.
 */
export async function putBack(
  ports: PoisonPorts,
  id: string,
  options: { readonly again: boolean },
): Promise<PutBack> {
  if (id.startsWith(STANDING)) return putBackStanding(ports, id);
  const kept = await readKept(ports, id);
  if (kept?.text === undefined) return { id, outcome: "not_found" };
  if (kept.cut) return { id, outcome: "only_its_beginning" };
  const earlier = await lastPutBack(ports, id);
  if (earlier !== undefined && !options.again) {
    return { id, outcome: "was_put_back", at: earlier.at };
  }
  const body = { text: kept.text, encoding: kept.encoding };
  return { id, outcome: "put_back", at: await send(ports, { id, body, n: earlier?.n ?? 0 }) };
}

/** Ids of everything that is readable and was not put back yet, oldest first. */
export function idsToPutBack(list: PoisonList): readonly string[] {
  return list.messages
    .filter(({ readable, put_back }) => readable && put_back === 0)
    .map(({ id }) => id);
}

async function putBackStanding(ports: PoisonPorts, id: string): Promise<PutBack> {
  const taken = await ports.queues.take(id.slice(STANDING.length));
  if (taken === undefined) return { id, outcome: "not_found" };
  const stamp = { at: ports.clock.now(), write_id: ports.randomness.writeId() };
  const document = keptDocument(taken.body, stamp);
  await ports.journal.create(document);
  const kept = parseKept(document)?.kept_id ?? "";
  const at = await send(ports, { id: kept, body: taken.body, n: 0 });
  await taken.done();
  return { id, outcome: "put_back", at };
}

async function send(
  ports: PoisonPorts,
  { id, body, n }: { readonly id: string; readonly body: PoisonBody; readonly n: number },
): Promise<Instant> {
  const at = ports.clock.now();
  const message = messageIn(body);
  // Its old time would make the engine leave it to the sweeper at the first delay.
  const sent: PoisonBody =
    message === undefined
      ? body
      : { text: JSON.stringify({ ...message, first_sent_at: at, deferrals: 0 }), encoding: "text" };
  await ports.queues.sendWork(sent);
  const stamp = { at, write_id: ports.randomness.writeId() };
  const record = { kept_id: id, n: n + 1, sent: sent.text };
  // "exists": somebody else put it back in the same moment, and said so.
  await ports.journal.create(putBackDocument(record, stamp));
  return at;
}

async function readKept(ports: PoisonPorts, id: string): Promise<KeptMessage | undefined> {
  if (!isKeptId(id)) return undefined;
  return parseKept(await ports.journal.read(POISON_PARTITION, keptDocumentId(id)));
}

async function lastPutBack(ports: PoisonPorts, id: string): Promise<PutBackRecord | undefined> {
  let last: PutBackRecord | undefined;
  for (let n = 1; n <= MAX_PUT_BACKS; n += 1) {
    const document = await ports.journal.read(POISON_PARTITION, putBackDocumentId(id, n));
    if (document === undefined) break;
    last = parsePutBack(document) ?? last;
  }
  return last;
}

function keptRow(kept: KeptMessage, last: PutBackRecord | undefined): PoisonRow {
  const { kept_id: id, at, bytes, message } = kept;
  return {
    id,
    from: "kept",
    at,
    bytes,
    readable: message !== undefined,
    ...message,
    put_back: last?.n ?? 0,
    ...(last === undefined ? {} : { put_back_at: last.at }),
  };
}

function standingId({ message_id }: StandingMessage): string {
  return `${STANDING}${message_id}`;
}

function standingRow(one: StandingMessage): PoisonRow {
  const document = keptDocument(one.body, { at: one.inserted_at, write_id: "" });
  const kept = parseKept(document);
  return {
    id: standingId(one),
    from: "queue",
    at: one.inserted_at,
    bytes: kept?.bytes ?? 0,
    readable: kept?.message !== undefined,
    ...kept?.message,
    put_back: 0,
  };
}
