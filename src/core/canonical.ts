// RFC 8785 canonical JSON, strict, and the digest over it: the identity of everything pinned.
// A value that is not JSON throws instead of being dropped or rewritten, because two different
// values must never share one digest. Keys are sorted by UTF-16 units as the RFC asks.
import { WorkflowError } from "./error.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";

/** Lower-case hex of sha256 over the UTF-8 bytes of `text`; the shell supplies it. */
export type Sha256 = (text: string) => string;

/** Stored entries wrap values of MAX_JSON_DEPTH; a cycle ends here as well. */
const MAX_DEPTH = MAX_JSON_DEPTH * 2;

export function canonical(value: Json): string {
  const walk: Walk = { path: [], platform: true };
  const sorted = sort(value, walk);
  return walk.platform ? JSON.stringify(sorted) : spelled(sorted);
}

/** `sha256:` and 64 hex digits. */
export function digest(value: Json, sha256: Sha256): string {
  return `sha256:${sha256(canonical(value))}`;
}

interface Walk {
  /** Leads to the value at hand; read only where something is wrong. */
  readonly path: (string | number)[];
  /** Whether the platform writes every map in the order in which its keys were put in. */
  platform: boolean;
}

/**
 * The value itself where its keys stand in order, else a copy in which they do: written by the
 * platform at once, that is its canonical form, many times faster than piece by piece.
 */
function sort(value: unknown, walk: Walk): Json {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") {
    checkText(value, walk);
    return value;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw notJson(walk, String(value));
    return value;
  }
  if (walk.path.length === MAX_DEPTH) throw notJson(walk, `more than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return sortList(value, walk);
  if (isJsonObject(value) && Object.getOwnPropertySymbols(value).length === 0) {
    return sortMap(value, walk);
  }
  throw notJson(walk, typeof value);
}

function sortList(items: readonly Json[], walk: Walk): Json {
  let copy: Json[] | undefined;
  // By index, because the other ways step over the holes of a sparse list.
  for (let index = 0; index < items.length; index += 1) {
    walk.path.push(index);
    const item = items[index];
    const sorted = sort(item, walk);
    walk.path.pop();
    if (sorted !== item) copy ??= items.slice(0, index);
    copy?.push(sorted);
  }
  return copy ?? items;
}

function sortMap(map: JsonObject, walk: Walk): Json {
  const keys = Object.keys(map);
  const inOrder = isInOrder(keys);
  const isLarge = !inOrder && keys.length > MAX_COPIED_KEYS;
  if (isLarge) walk.platform = false;
  else if (!inOrder) keys.sort();
  let copy: Record<string, Json> | undefined = inOrder || isLarge ? undefined : {};
  for (const key of keys) {
    walk.path.push(key);
    checkText(key, walk);
    const member = map[key];
    const sorted = sort(member, walk);
    walk.path.pop();
    if (sorted !== member && !isLarge) copy ??= { ...map };
    if (copy !== undefined) put(copy, key, sorted);
  }
  if (copy === undefined) return map;
  // Keys that are numbers come first there, by value: "9" before "10".
  if (!inOrder) walk.platform &&= isInOrder(Object.keys(copy));
  return copy;
}

/** A larger map is slower to copy than to spell. */
const MAX_COPIED_KEYS = 256;

/** Makes every key an own property, whatever its name. */
function put(map: Record<string, Json>, key: string, value: Json): void {
  if (key !== "__proto__") map[key] = value;
  else Object.defineProperty(map, key, { value, enumerable: true });
}

function isInOrder(keys: readonly string[]): boolean {
  let before = "";
  for (const key of keys) {
    if (key < before) return false;
    before = key;
  }
  return true;
}

function checkText(text: string, walk: Walk): void {
  if (!text.isWellFormed()) throw notJson(walk, "a lone surrogate");
}

/** Piece by piece, for maps that the platform would write in an order of its own. */
function spelled(value: Json | undefined): string {
  if (!isJsonObject(value)) {
    return Array.isArray(value) ? `[${value.map(spelled).join(",")}]` : JSON.stringify(value);
  }
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${spelled(value[key])}`);
  return `{${members.join(",")}}`;
}

function notJson(walk: Walk, got: string): WorkflowError {
  const pointer = walk.path.map((key) => `/${key}`).join("");
  return new WorkflowError("INTERNAL", `canonical form of "${pointer}": expected JSON, got ${got}`);
}
