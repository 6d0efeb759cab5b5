// The functions that take values: size, texts, conversions. (has and default decide what is
// evaluated at all and stand in evaluate.ts.) Nothing here depends on a locale or on the version
// of Unicode that a platform knows: a pinned job computes the same on every build.
import type { Json } from "../json.ts";
import { MAX_RENDERED_BYTES } from "../limits.ts";
import type { ValueFunction } from "./ast.ts";
import { charge, type ExpressionError, type ExpressionReason, failure } from "./frame.ts";
import { textSteps } from "./frame.ts";
import { toDouble, toInt } from "./number.ts";
import { aKind, codePoints, isList, isMap, keysOf, type Place } from "./value.ts";

/** Longest text that contains and split look for: native search is quadratic in longer ones. */
const MAX_SOUGHT_CHARS = 256;

/** The parser has counted the arguments; a second one that is left out arrives as "". */
export function call(
  name: ValueFunction,
  [first, second]: readonly [Json, Json],
  place: Place,
): Json {
  switch (name) {
    case "size":
      return size(first, place);
    case "startsWith":
      return textOf(first, name, place).startsWith(paid(textOf(second, name, place), place));
    case "endsWith":
      return textOf(first, name, place).endsWith(paid(textOf(second, name, place), place));
    case "contains":
      return contains(first, second, place);
    case "lower":
      return recased(first, name, place).replace(/[A-Z]+/g, (run) => run.toLowerCase());
    case "upper":
      return recased(first, name, place).replace(/[a-z]+/g, (run) => run.toUpperCase());
    case "split":
      return split(textOf(first, name, place), textOf(second, name, place), place);
    case "join":
      return join(first, textOf(second, name, place), place);
    case "int":
      return toInt(first, place);
    case "double":
      return toDouble(first, place);
    case "string":
      return toText(first, place);
  }
}

/** Joins two texts; too long a result is an error before it is built. */
export function concatenate(left: string, right: string, place: Place): string {
  checkLength(left.length + right.length, place);
  return left + right;
}

function checkLength(chars: number, place: Place): void {
  charge(place.frame, textSteps(chars), place.offset);
  if (chars > MAX_RENDERED_BYTES) {
    throw fail(place, "size", `the string would be longer than ${MAX_RENDERED_BYTES} characters`);
  }
}

function size(value: Json, place: Place): number {
  if (typeof value === "string") return codePoints(paid(value, place));
  if (isList(value)) return value.length;
  if (isMap(value)) return keysOf(value, place).length;
  throw fail(place, "type", `size takes a string, list or map, got ${aKind(value)}`);
}

function contains(value: Json, part: Json, place: Place): boolean {
  if (isList(value)) {
    throw fail(place, "type", "contains takes a string, got a list (write x in list)");
  }
  const text = textOf(value, "contains", place);
  return paid(text, place).includes(sought(textOf(part, "contains", place), place));
}

function split(text: string, separator: string, place: Place): readonly string[] {
  const around = sought(separator, place);
  paid(text, place);
  if (around === "") {
    charge(place.frame, text.length, place.offset);
    return Array.from(text);
  }
  // The limit stops the split once the pieces can no longer be paid for.
  const pieces = text.split(around, place.frame.budget.steps + 1);
  charge(place.frame, pieces.length, place.offset);
  return pieces;
}

function join(value: Json, separator: string, place: Place): string {
  if (!isList(value)) throw fail(place, "type", `join takes a list, got ${aKind(value)}`);
  charge(place.frame, value.length, place.offset);
  const texts: string[] = [];
  let chars = separator.length * Math.max(0, value.length - 1);
  for (const item of value) {
    if (typeof item !== "string") {
      const message = `join takes a list of strings, got ${aKind(item)} in it`;
      throw fail(place, "type", `${message} (write list.map(x, string(x)))`);
    }
    texts.push(item);
    chars += item.length;
  }
  checkLength(chars, place);
  return texts.join(separator);
}

function toText(value: Json, place: Place): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw fail(place, "type", `string takes a string, number or boolean, got ${aKind(value)}`);
}

function textOf(value: Json, name: ValueFunction, place: Place): string {
  if (typeof value === "string") return value;
  throw fail(place, "type", `${name} takes a string, got ${aKind(value)}`);
}

/** Changing case goes letter by letter at worst and costs four passes. */
function recased(value: Json, name: ValueFunction, place: Place): string {
  const text = textOf(value, name, place);
  charge(place.frame, textSteps(text.length) * 4, place.offset);
  return text;
}

/** The text itself, once a pass over it is paid for. */
function paid(text: string, place: Place): string {
  charge(place.frame, textSteps(text.length), place.offset);
  return text;
}

function sought(text: string, place: Place): string {
  if (text.length <= MAX_SOUGHT_CHARS) return text;
  const message = `the string to look for is longer than ${MAX_SOUGHT_CHARS} characters`;
  throw fail(place, "size", message);
}

function fail(place: Place, reason: ExpressionReason, message: string): ExpressionError {
  return failure(place.frame, { reason, message, offset: place.offset });
}
