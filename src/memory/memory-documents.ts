// One container in memory: create if absent, point read, replace if the etag matches. Every method
// that stands for a request is counted, refused ones too. Documents are kept as frozen JSON copies,
// so nobody can change what is stored, and limits are those of Azure.
import { invariant } from "../core/error.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { assertId, storableText } from "../runtime/document-limits.ts";
import type { Storable } from "../runtime/document-limits.ts";

export interface MemoryDocument {
  readonly document: JsonObject;
  readonly etag: string;
}

export class MemoryDocuments {
  readonly #name: string;
  readonly #count: (operation: string) => void;
  readonly #items = new Map<string, MemoryDocument>();
  #etags = 0;

  constructor(name: string, count: (operation: string) => void) {
    this.#name = name;
    this.#count = count;
  }

  create(document: Storable, partition: string): "created" | "exists" {
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
    document: Storable,
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

  /** "changed" where the etag is not that of what stands there; what is gone was removed. */
  remove(id: string, partition: string, etag: string): "removed" | "changed" {
    this.#count(`${this.#name}.delete`);
    const key = keyOf(partition, id);
    const found = this.#items.get(key);
    if (found !== undefined && found.etag !== etag) return "changed";
    this.#items.delete(key);
    return "removed";
  }

  /** Everything of one partition with its etags, for a query of it; counts as one request. */
  partition(partition: string): readonly MemoryDocument[] {
    this.#count(`${this.#name}.query`);
    const prefix = keyOf(partition, "");
    return [...this.#items].filter(([key]) => key.startsWith(prefix)).map(([, item]) => item);
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

/** Neither may hold a slash, so no two pairs have one key. */
function keyOf(partition: string, id: string): string {
  return `${partition}/${id}`;
}

function stored(document: Storable, partition: string): JsonObject {
  const copy: unknown = JSON.parse(storableText(document, partition));
  invariant(isJsonObject(copy), "a document is an object");
  freeze(copy);
  return copy;
}

function freeze(value: Json): void {
  if (typeof value !== "object" || value === null) return;
  Object.freeze(value);
  const members: readonly Json[] = Array.isArray(value) ? value : Object.values(value);
  for (const member of members) if (typeof member === "object") freeze(member);
}
