// One container in memory: create if absent, point read, replace if the etag matches. Every method
// that stands for a request is counted, refused ones too. Documents are kept as frozen JSON copies,
// so nobody can change what is stored, and limits are those of Azure.
import { WorkflowError } from "../core/error.ts";
import { isJsonObject, utf8Bytes } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";

export interface MemoryDocument {
  readonly document: JsonObject;
  readonly etag: string;
}

interface Writable {
  readonly id: string;
  readonly write_id: string;
  readonly ttl?: number;
}

const MAX_ITEM_BYTES = 2 * 1024 * 1024 - 1024;
const MAX_ID_BYTES = 1023;
const MAX_TTL_SECONDS = 2 ** 31 - 1;

export class MemoryDocuments {
  readonly #name: string;
  readonly #count: (operation: string) => void;
  readonly #items = new Map<string, MemoryDocument>();
  #etags = 0;

  constructor(name: string, count: (operation: string) => void) {
    this.#name = name;
    this.#count = count;
  }

  create(document: Writable, partition: string): "created" | "exists" {
    const copy = stored(document, partition);
    this.#count(`${this.#name}.create`);
    const key = keyOf(partition, document.id);
    if (this.#items.has(key)) return "exists";
    this.#items.set(key, { document: copy, etag: this.#nextEtag() });
    return "created";
  }

  read(id: string, partition: string): MemoryDocument | undefined {
    assertId("id", id);
    assertId("partition key", partition);
    this.#count(`${this.#name}.read`);
    return this.#items.get(keyOf(partition, id));
  }

  replace(
    document: Writable,
    partition: string,
    etag: string,
  ): { readonly etag: string } | "conflict" {
    const copy = stored(document, partition);
    this.#count(`${this.#name}.replace`);
    const key = keyOf(partition, document.id);
    if (this.#items.get(key)?.etag !== etag) return "conflict";
    const next = this.#nextEtag();
    this.#items.set(key, { document: copy, etag: next });
    return { etag: next };
  }

  /** All documents, for a query; counts as one request. */
  query(): readonly JsonObject[] {
    this.#count(`${this.#name}.query`);
    return this.all();
  }

  /** All documents, for a test's eyes; counts as nothing. */
  all(): readonly JsonObject[] {
    return [...this.#items.values()].map(({ document }) => document);
  }

  clear(): void {
    this.#items.clear();
  }

  #nextEtag(): string {
    this.#etags += 1;
    return `"${this.#name}-${this.#etags}"`;
  }
}

function keyOf(partition: string, id: string): string {
  return JSON.stringify([partition, id]);
}

function stored(document: Writable, partition: string): JsonObject {
  assertId("id", document.id);
  assertId("partition key", partition);
  const { ttl } = document;
  if (ttl !== undefined && (!Number.isInteger(ttl) || ttl < 1 || ttl > MAX_TTL_SECONDS)) {
    throw invalid(document.id, `ttl: expected whole seconds from 1, got ${String(ttl)}`);
  }
  if (document.write_id === "") throw invalid(document.id, "write_id: expected one, got none");
  const text = JSON.stringify(document);
  const bytes = utf8Bytes(text);
  if (bytes > MAX_ITEM_BYTES) {
    throw new WorkflowError(
      "LIMIT_EXCEEDED",
      `document "${document.id}": expected at most ${MAX_ITEM_BYTES} bytes, got ${bytes}`,
      { facts: { bytes, limit: MAX_ITEM_BYTES } },
    );
  }
  const copy: unknown = JSON.parse(text);
  if (!isJsonObject(copy)) throw invalid(document.id, "expected an object");
  freeze(copy, document.id);
  return copy;
}

function freeze(value: Json, id: string): void {
  if (typeof value !== "object" || value === null) return;
  Object.freeze(value);
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) freeze(item, id);
    return;
  }
  for (const [key, member] of Object.entries(value as JsonObject)) {
    if (key === "__proto__") {
      throw invalid(id, 'the key "__proto__" is not allowed');
    }
    freeze(member, id);
  }
}

function assertId(what: string, id: string): void {
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
