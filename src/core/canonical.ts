// RFC 8785 canonical JSON, strict, and the digest over it: the identity of everything pinned.
// A value that is not JSON throws instead of being dropped or rewritten, because two different
// values must never share one digest. Keys are sorted by UTF-16 units as the RFC asks.
import { WorkflowError } from "./error.ts";
import { isJsonObject, type Json } from "./json.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";

/** Lower-case hex of sha256 over the UTF-8 bytes of `text`; the shell supplies it. */
export type Sha256 = (text: string) => string;

/** Stored entries wrap values of MAX_JSON_DEPTH; a cycle ends here as well. */
const MAX_DEPTH = MAX_JSON_DEPTH * 2;

export function canonical(value: Json): string {
  return write(value, "", MAX_DEPTH);
}

/** `sha256:` and 64 hex digits. */
export function digest(value: Json, sha256: Sha256): string {
  return `sha256:${sha256(canonical(value))}`;
}

function write(value: unknown, pointer: string, depth: number): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return writeText(value, pointer);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw notJson(pointer, String(value));
    return JSON.stringify(value);
  }
  if (depth === 0) throw notJson(pointer, `more than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    // A loop, because map() steps over the holes of a sparse list.
    const parts: string[] = [];
    for (let index = 0; index < items.length; index += 1) {
      parts.push(write(items[index], `${pointer}/${index}`, depth - 1));
    }
    return `[${parts.join(",")}]`;
  }
  if (isJsonObject(value) && Object.getOwnPropertySymbols(value).length === 0) {
    const members = Object.keys(value)
      .sort()
      .map((key) => {
        const at = `${pointer}/${key}`;
        return `${writeText(key, at)}:${write(value[key], at, depth - 1)}`;
      });
    return `{${members.join(",")}}`;
  }
  throw notJson(pointer, typeof value);
}

function writeText(text: string, pointer: string): string {
  if (!text.isWellFormed()) throw notJson(pointer, "a lone surrogate");
  return JSON.stringify(text);
}

function notJson(pointer: string, got: string): WorkflowError {
  return new WorkflowError("INTERNAL", `canonical form of "${pointer}": expected JSON, got ${got}`);
}
