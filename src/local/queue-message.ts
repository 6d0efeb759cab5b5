// A queue message as the host hands it to a function: decoding, and the trigger metadata with its
// trap, that the top-level properties of a JSON message overwrite the metadata of the same name.

import type { QueueSettings } from "./host-json.ts";
import type { TypedData } from "./rpc.ts";

export interface QueueItem {
  readonly id: string;
  readonly popReceipt: string;
  readonly dequeueCount: number;
  /** ISO-8601 instants. */
  readonly insertedAt: string;
  readonly expiresAt: string;
  readonly nextVisibleAt: string;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The text, or undefined if it is not valid base64; such a message goes to poison unseen. */
export function decodeMessage(
  raw: string,
  encoding: QueueSettings["messageEncoding"],
): string | undefined {
  if (encoding === "none") {
    return raw;
  }
  // .NET skips white space inside base64 and accepts nothing else around it.
  const compact = raw.replaceAll(/[ \t\r\n]/g, "");
  return BASE64.test(compact) ? Buffer.from(compact, "base64").toString("utf8") : undefined;
}

/** Trigger metadata before the library lower-cases the first letters. */
export function queueMetadata(item: QueueItem, text: string): Readonly<Record<string, TypedData>> {
  const metadata = new Map<string, TypedData>([
    ["QueueTrigger", { string: text }],
    ["DequeueCount", { json: String(item.dequeueCount) }],
    ["Id", { string: item.id }],
    ["PopReceipt", { string: item.popReceipt }],
    ["InsertionTime", { json: JSON.stringify(withOffset(item.insertedAt)) }],
    ["ExpirationTime", { json: JSON.stringify(withOffset(item.expiresAt)) }],
    ["NextVisibleTime", { json: JSON.stringify(withOffset(item.nextVisibleAt)) }],
  ]);
  for (const [name, value] of Object.entries(objectIn(text))) {
    const data = propertyData(value);
    if (data !== undefined) {
      // The host's dictionary knows no case: `id` replaces `Id`.
      const lower = name.toLowerCase();
      const key = [...metadata.keys()].find((known) => known.toLowerCase() === lower) ?? name;
      metadata.set(key, data);
    }
  }
  return Object.fromEntries(metadata);
}

function withOffset(instant: string): string {
  return instant.replace(/Z$/, "+00:00");
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{") || !trimmed.endsWith("}")) {
    return {};
  }
  try {
    const value: unknown = JSON.parse(trimmed);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

const ISO_DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z?$/;

/** Arrays and nulls are skipped, objects stay JSON, everything else becomes a .NET string. */
function propertyData(value: unknown): TypedData | undefined {
  if (value === null || Array.isArray(value)) {
    return undefined;
  }
  if (typeof value === "object") {
    return { json: JSON.stringify(value) };
  }
  if (typeof value === "boolean") {
    return { string: value ? "True" : "False" };
  }
  // Newtonsoft reads what looks like a date as one and prints it in the invariant culture.
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return { string: text.replace(ISO_DATE_TIME, "$2/$3/$1 $4") };
}
