// The store's limits on one item, enforced before a write by every adapter: the emulator knows none
// of them, and an error from here names the document, not a status code. The numbers are those
// of Azure Cosmos DB, the tightest store there is.
import { WorkflowError } from "../core/error.ts";
import { utf8Bytes } from "../core/json.ts";

/** Cosmos DB: 2 MB per item; the rest is for the members that the service adds. */
export const MAX_ITEM_BYTES = 2 * 1024 * 1024 - 1024;
/** Cosmos DB: ids up to 1,023 bytes. */
const MAX_ID_BYTES = 1023;
/** Cosmos DB: a partition key value up to 2,048 bytes; ours are ids. */
const MAX_TTL_SECONDS = 2 ** 31 - 1;

export interface Storable {
  readonly id: string;
  readonly write_id: string;
  readonly ttl?: number;
}

/**
 * The document's JSON text, which may be stored. Errors: LIMIT_EXCEEDED over 2 MB, DOCUMENT_INVALID
 * for what only a bug of ours can cause.
 */
export function storableText(document: Storable, partition: string): string {
  assertId("id", document.id);
  assertId("partition key", partition);
  const { ttl } = document;
  if (ttl !== undefined && (!Number.isInteger(ttl) || ttl < 1 || ttl > MAX_TTL_SECONDS)) {
    throw invalid(document.id, `ttl: expected whole seconds from 1, got ${String(ttl)}`);
  }
  if (document.write_id === "") throw invalid(document.id, "write_id: expected one, got none");
  const text = JSON.stringify(document);
  // The store may drop such a member silently. In JSON text a quote inside a string is escaped,
  // so this finds keys only.
  if (text.includes('"__proto__":')) {
    throw invalid(document.id, 'the key "__proto__" is not allowed');
  }
  const bytes = utf8Bytes(text);
  if (bytes <= MAX_ITEM_BYTES) return text;
  throw new WorkflowError(
    "LIMIT_EXCEEDED",
    `document "${document.id}": expected at most ${MAX_ITEM_BYTES} bytes, got ${bytes}`,
    { facts: { bytes, limit: MAX_ITEM_BYTES } },
  );
}

export function assertStorable(document: Storable, partition: string): void {
  storableText(document, partition);
}

/** Also for reads: an id with a slash would reach another resource. */
export function assertId(what: string, id: string): void {
  const legal = id !== "" && !/[/\\?#]/.test(id) && id.isWellFormed() && !id.endsWith(" ");
  if (legal && utf8Bytes(id) <= MAX_ID_BYTES) return;
  throw invalid(
    id.slice(0, 80),
    `${what}: expected 1 to ${MAX_ID_BYTES} bytes without / \\ ? #, no space at the end`,
  );
}

function invalid(id: string, problem: string): WorkflowError {
  return new WorkflowError("DOCUMENT_INVALID", `document "${id}": ${problem}`);
}
