// What is kept of a message that the platform gave up on, and the record that it was put back.
// All of it stands in one partition of the journal, `poison`: no job can have that id, and a person
// finds everything with one query of one partition. Documents are created, never replaced.
import * as z from "zod";
import { DOCUMENT_SCHEMA } from "../core/event.ts";
import type { Instant } from "../core/instant.ts";
import { MESSAGE_SCHEMA, messageSchema } from "../core/message.ts";
import type { Message } from "../core/message.ts";
import { safeParse } from "../core/safe-parse.ts";
import { cutText } from "../core/text.ts";
import { sha256 } from "./hash.ts";
import type { JournalDocument } from "./ports.ts";

export const POISON_PARTITION = "poison";
/** A queue message has 64 KiB at most, so that only a body written anew can be larger. */
export const MAX_KEPT_BYTES = 64 * 1024;
const KEPT_SECONDS = 90 * 24 * 3600;

const KEPT_PREFIX = "kept:";
const PUT_BACK_PREFIX = "put_back:";
/** The time of keeping, then a part of a digest: sorts by age, can be typed. */
const KEPT_ID = /^\d{8}T\d{9}Z-[0-9a-f]{12}$/;

/** How `text` stands for the body: as it was, or as base64 where its bytes are no text. */
export type BodyEncoding = "text" | "base64";

export interface PoisonBody {
  readonly text: string;
  readonly encoding: BodyEncoding;
}

const keptSchema = z.object({
  id: z.string().startsWith(KEPT_PREFIX),
  at: z.string(),
  bytes: z.int().min(0),
  encoding: z.enum(["text", "base64"]),
  /** Whether `text` is only the beginning. */
  cut: z.boolean().default(false),
  /** What the message says it is about, where it can be read. */
  message: z
    .object({
      kind: z.string(),
      job_id: z.string(),
      node_id: z.string().exactOptional(),
      chunk: z.int().exactOptional(),
      attempt: z.int().exactOptional(),
    })
    .exactOptional(),
  /** Absent in lists. */
  text: z.string().exactOptional(),
});

export type KeptMessage = Omit<z.output<typeof keptSchema>, "id"> & { readonly kept_id: string };

const putBackSchema = z.object({
  id: z.string().startsWith(PUT_BACK_PREFIX),
  kept_id: z.string(),
  n: z.int().min(1),
  at: z.string(),
  /** What was sent: the very text, or the message with a new time. Absent in lists. */
  sent: z.string().exactOptional(),
});

export type PutBackRecord = z.output<typeof putBackSchema>;

export function isKeptId(text: string): boolean {
  return KEPT_ID.test(text);
}

export function keptDocumentId(keptId: string): string {
  return `${KEPT_PREFIX}${keptId}`;
}

export function putBackDocumentId(keptId: string, n: number): string {
  return `${PUT_BACK_PREFIX}${keptId}:${n}`;
}

/** The message in a body; undefined for what is not one, or one of a later shape. */
export function messageIn({ text, encoding }: PoisonBody): Message | undefined {
  if (encoding !== "text") return undefined;
  try {
    const { data } = safeParse(messageSchema, JSON.parse(text));
    return data !== undefined && data.v <= MESSAGE_SCHEMA ? data : undefined;
  } catch {
    return undefined;
  }
}

interface Stamp {
  readonly at: Instant;
  readonly write_id: string;
}

/** The same body kept twice gives two documents: each was one report. */
export function keptDocument(body: PoisonBody, { at, write_id }: Stamp): JournalDocument {
  const { text, encoding } = body;
  const kept = cutText(text, MAX_KEPT_BYTES);
  const message = messageIn(body);
  const id = `${at.replaceAll(/[-:.]/g, "")}-${sha256(`${text}\0${write_id}`).slice(0, 12)}`;
  return {
    id: keptDocumentId(id),
    job_id: POISON_PARTITION,
    schema: DOCUMENT_SCHEMA,
    write_id,
    ttl: KEPT_SECONDS,
    at,
    bytes: Buffer.byteLength(text, "utf8"),
    encoding,
    ...(kept === text ? {} : { cut: true }),
    ...(message === undefined ? {} : { message: namesOf(message) }),
    text: kept,
  };
}

function namesOf({ kind, job_id, node_id, chunk, attempt }: Message): object {
  return {
    kind,
    job_id,
    ...(node_id === undefined ? {} : { node_id }),
    ...(chunk === undefined ? {} : { chunk }),
    ...(attempt === undefined ? {} : { attempt }),
  };
}

export function putBackDocument(
  record: { readonly kept_id: string; readonly n: number; readonly sent: string },
  { at, write_id }: Stamp,
): JournalDocument {
  return {
    id: putBackDocumentId(record.kept_id, record.n),
    job_id: POISON_PARTITION,
    schema: DOCUMENT_SCHEMA,
    write_id,
    ttl: KEPT_SECONDS,
    at,
    kept_id: record.kept_id,
    n: record.n,
    sent: cutText(record.sent, MAX_KEPT_BYTES),
  };
}

/** A document of the partition; undefined for what this build does not know. */
export function parseKept(document: unknown): KeptMessage | undefined {
  const { data } = safeParse(keptSchema, document);
  if (data === undefined) return undefined;
  const { id, ...kept } = data;
  return { ...kept, kept_id: id.slice(KEPT_PREFIX.length) };
}

export function parsePutBack(document: unknown): PutBackRecord | undefined {
  return safeParse(putBackSchema, document).data;
}
