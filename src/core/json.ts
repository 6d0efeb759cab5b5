// JSON as a type, and the checks that keep a value inside it.
// Everything stored, hashed or sent passes `jsonProblem` first: no undefined, no dates, no cycles,
// no keys that could reach a prototype, no depth that would overflow a stack.
import { MAX_JSON_DEPTH } from "./limits.ts";

export type JsonPrimitive = string | number | boolean | null;
export type Json = JsonPrimitive | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

export function isForbiddenKey(key: string): boolean {
  return FORBIDDEN_KEYS.has(key);
}

export function isJsonObject(value: unknown): value is JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export interface JsonProblem {
  /** JSON pointer of the offending value, "" for the whole. */
  readonly pointer: string;
  readonly message: string;
}

/** What keeps `value` from being JSON, or undefined. Never throws, whatever it is given. */
export function jsonProblem(value: unknown): JsonProblem | undefined {
  try {
    return inspect(value, "", MAX_JSON_DEPTH);
  } catch {
    // A getter or a proxy threw.
    return { pointer: "", message: "expected JSON, got a value that cannot be read" };
  }
}

function inspect(value: unknown, pointer: string, depth: number): JsonProblem | undefined {
  if (value === null || typeof value === "boolean") return undefined;
  if (typeof value === "string") return stringProblem(value, pointer);
  if (typeof value === "number") {
    if (Number.isFinite(value)) return undefined;
    return { pointer, message: `expected a finite number, got ${String(value)}` };
  }
  if (depth === 0) return { pointer, message: `nested deeper than ${MAX_JSON_DEPTH} levels` };
  if (Array.isArray(value)) return inspectList(value, pointer, depth);
  if (isJsonObject(value)) return inspectObject(value, pointer, depth);
  return { pointer, message: `expected JSON, got ${nameOf(value)}` };
}

function inspectList(
  list: readonly unknown[],
  pointer: string,
  depth: number,
): JsonProblem | undefined {
  for (let index = 0; index < list.length; index += 1) {
    const problem = inspect(list[index], `${pointer}/${index}`, depth - 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function inspectObject(
  object: Readonly<Record<string, unknown>>,
  pointer: string,
  depth: number,
): JsonProblem | undefined {
  for (const [key, member] of Object.entries(object)) {
    const at = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (isForbiddenKey(key)) return { pointer: at, message: `the key "${key}" is not allowed` };
    const problem = stringProblem(key, at) ?? inspect(member, at, depth - 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function stringProblem(text: string, pointer: string): JsonProblem | undefined {
  if (text.isWellFormed()) return undefined;
  return { pointer, message: "expected well-formed Unicode, got a lone surrogate" };
}

function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  const maker: unknown = Reflect.get(value, "constructor");
  return typeof maker === "function" && maker.name !== "" ? `a ${maker.name}` : "an object";
}

/** What a message calls the kind of a value; never the value itself. */
export function kindOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : `a ${typeof value}`;
}

/** The number of bytes of `text` in UTF-8, without an encoder (core has none). */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00) {
      bytes += 4;
      index += 1;
    } else bytes += 3;
  }
  return bytes;
}

export function jsonBytes(value: Json): number {
  return utf8Bytes(JSON.stringify(value));
}
