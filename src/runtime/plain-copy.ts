// A copy of what a stranger's code hands over, made in one walk that reads every member once and
// stops at a bound: nothing it shares, repeats, computes or grows can cost more than that, and what
// was checked is what is kept. No method of the value is called, `toJSON` neither.
import { isForbiddenKey, isJsonObject, jsonProblem, pointerOf } from "../core/json.ts";
import type { Json, JsonProblem } from "../core/json.ts";
import { MAX_JSON_DEPTH, MAX_JSON_VALUES, MAX_MAP_KEYS } from "../core/limits.ts";

export type PlainCopy =
  | { readonly kind: "copied"; readonly value: Json }
  | { readonly kind: "not_json"; readonly problem: JsonProblem }
  /** As JSON it has at least so many bytes, more than asked for. */
  | { readonly kind: "too_large"; readonly atLeastBytes: number };

interface Walk {
  readonly maxBytes: number;
  /** Leads to the value at hand. */
  readonly path: (string | number)[];
  bytes: number;
  values: number;
}

class TooLarge extends Error {}
class TooDeep extends Error {}
class TooMany extends Error {}

/** Errors: whatever a getter or a proxy throws. */
export function plainCopy(value: unknown, maxBytes: number): PlainCopy {
  const walk: Walk = { maxBytes, path: [], bytes: 0, values: 0 };
  try {
    const copy = copied(value, walk);
    const problem = jsonProblem(copy);
    return problem === undefined
      ? { kind: "copied", value: copy as Json }
      : { kind: "not_json", problem };
  } catch (error) {
    if (error instanceof TooLarge) return { kind: "too_large", atLeastBytes: walk.bytes };
    if (error instanceof TooDeep) {
      const message = `nested deeper than ${MAX_JSON_DEPTH} levels`;
      return { kind: "not_json", problem: { pointer: pointerOf(walk.path), message } };
    }
    if (!(error instanceof TooMany)) throw error;
    const message = `expected at most ${MAX_JSON_VALUES} values, got more`;
    return { kind: "not_json", problem: { pointer: "", message } };
  }
}

/** What is not JSON comes out as it is: the check that follows says where. */
function copied(value: unknown, walk: Walk): unknown {
  walk.values += 1;
  if (walk.values > MAX_JSON_VALUES) throw new TooMany();
  if (typeof value === "string") return charged(value, value.length + 2, walk);
  if (typeof value === "number") return charged(value === 0 ? 0 : value, 1, walk);
  const isList = Array.isArray(value);
  if (!isList && !isJsonObject(value)) return charged(value, 1, walk);
  // At once: a cycle with two ways around would be walked until the values run out.
  if (walk.path.length >= MAX_JSON_DEPTH) throw new TooDeep();
  return isList ? copiedList(value, walk) : copiedMap(value, walk);
}

function copiedList(list: readonly unknown[], walk: Walk): readonly unknown[] {
  charged(undefined, 2, walk);
  const copy: unknown[] = [];
  const { length } = list;
  for (let index = 0; index < length; index += 1) {
    charged(undefined, index === 0 ? 0 : 1, walk);
    walk.path.push(index);
    copy.push(copied(list[index], walk));
    walk.path.pop();
  }
  return copy;
}

function copiedMap(
  map: Readonly<Record<string, unknown>>,
  walk: Walk,
): Readonly<Record<string, unknown>> {
  charged(undefined, 2, walk);
  const copy: Record<string, unknown> = {};
  const keys = Object.keys(map);
  // Refused for their number, which needs no values.
  if (keys.length > MAX_MAP_KEYS) return map;
  for (const [index, key] of keys.entries()) {
    charged(undefined, key.length + (index === 0 ? 3 : 4), walk);
    if (isForbiddenKey(key)) {
      // Assigning to `__proto__` would change what the copy inherits; the check refuses the key.
      Object.defineProperty(copy, key, { value: null, enumerable: true });
    } else {
      walk.path.push(key);
      copy[key] = copied(map[key], walk);
      walk.path.pop();
    }
  }
  return copy;
}

/** Every byte counted here is one that the JSON text has; escapes and wide characters add to it. */
function charged<T>(value: T, bytes: number, walk: Walk): T {
  walk.bytes += bytes;
  if (walk.bytes > walk.maxBytes) throw new TooLarge();
  return value;
}
