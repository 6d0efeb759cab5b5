// What values are to the expression language: their types, equality, order, members and texts.
// Texts count by code point throughout; JSON.stringify and canonical form are not used here.
import { isForbiddenKey, type Json, type JsonObject } from "../json.ts";
import { charge, type Frame, textSteps } from "./frame.ts";

export type Kind = "null" | "boolean" | "number" | "string" | "list" | "map";

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !isList(value);
}

export function kindOf(value: Json): Kind {
  if (value === null) return "null";
  if (isList(value)) return "list";
  if (typeof value === "string") return "string";
  if (typeof value === "number") return "number";
  return typeof value === "boolean" ? "boolean" : "map";
}

/** `a null`, `a list`: a kind inside a message. */
export function aKind(value: Json): string {
  const kind = kindOf(value);
  return kind === "null" ? kind : `a ${kind}`;
}

/** The map's own member; keys that could reach a prototype are never there. */
export function memberOf(map: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(map, key) && !isForbiddenKey(key) ? map[key] : undefined;
}

export interface Place {
  readonly frame: Frame;
  readonly offset: number;
}

/** Deep equality; values of different types are different. Charges every element it touches. */
export function isEqual(
  left: Json | undefined,
  right: Json | undefined,
  place: Place,
): boolean {
  charge(place.frame, 1, place.offset);
  if (typeof left === "string" && typeof right === "string") {
    if (left.length !== right.length) return false;
    charge(place.frame, textSteps(left.length), place.offset);
    return left === right;
  }
  if (isList(left)) {
    if (!isList(right) || left.length !== right.length) return false;
    return left.every((item, index) => isEqual(item, right[index], place));
  }
  if (isMap(left)) return isMap(right) && isEqualMap(left, right, place);
  return left === right;
}

function isEqualMap(left: JsonObject, right: JsonObject, place: Place): boolean {
  const keys = keysOf(left, place);
  if (keys.length !== keysOf(right, place).length) return false;
  return keys.every((key) => isEqual(memberOf(left, key), memberOf(right, key), place));
}

/** The keys that can be read, in no particular order. */
export function keysOf(map: JsonObject, place: Place): readonly string[] {
  const keys = Object.keys(map);
  charge(place.frame, keys.length, place.offset);
  return keys.filter((key) => memberOf(map, key) !== undefined);
}

/** Negative, zero or positive, by code point: unlike JavaScript's order above U+FFFF. */
export function compareText(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  for (let index = 0; index < shorter; index += 1) {
    const [one, other] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (one !== other) return rank(one) - rank(other);
  }
  return left.length - right.length;
}

/** Moves surrogates above all other units, which is where their code points stand. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

export function codePoints(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (isCharacterStart(text, index)) count += 1;
  }
  return count;
}

/** Texts are well-formed, so every unit but the second of a pair begins a character. */
function isCharacterStart(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit < 0xdc00 || unit > 0xdfff;
}

/** The character at a position counted in code points. */
export function characterAt(text: string, position: number): string | undefined {
  let before = -1;
  for (let index = 0; index < text.length; index += 1) {
    if (isCharacterStart(text, index)) before += 1;
    if (before === position) return String.fromCodePoint(Number(text.codePointAt(index)));
  }
  return undefined;
}
