// Finds secrets in text, in the spellings that programs give them: as they are, inside JSON, in a
// JSON pointer, in a URL, in base64. What overlaps is covered as a whole, so that none leaves a
// rest of another.
import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { urlSpellingsOf } from "./url-spellings.ts";

export const MASK = "***";
/** Shorter values are everywhere: masking them would hide what is no secret. */
export const MIN_MASKED_CHARS = 4;
/** Base64 of a value inside a longer text is looked for from so many characters on. */
const MIN_INNER_BASE64_CHARS = 8;

/** What to look for; nothing for a value that is too short. */
export function spellingsOf(value: string): readonly string[] {
  if (value.length < MIN_MASKED_CHARS) return [];
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value.toWellFormed());
  const strict = url.replaceAll(/[!'()*]/g, percent);
  const form = new URLSearchParams([["", value]]).toString().slice(1);
  const path = encodeURI(value.toWellFormed());
  const standard = urlSpellingsOf(value).filter(({ length }) => length >= MIN_MASKED_CHARS);
  const inUrl = [url, strict, form, path, ...standard];
  const lower = inUrl.map((text) => text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()));
  const pointer = value.replaceAll("~", "~0").replaceAll("/", "~1");
  const spellings = [value, json, json.replaceAll("/", "\\/"), pointer, ...inUrl, ...lower];
  return [...new Set([...spellings, ...base64Of(value)])];
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/**
 * Base64 of the value alone, and the part that its bytes settle wherever they stand in a longer
 * text, such as `user:value`; both in either alphabet.
 */
function base64Of(value: string): readonly string[] {
  const bytes = Buffer.from(value, "utf8");
  const whole = bytes.toString("base64");
  const inner = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    // Six bits a character: those that share bits with a neighbour are left out.
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor(((before + bytes.length) * 8) / 6);
    const part = text.slice(from, to);
    return part.length < MIN_INNER_BASE64_CHARS ? [] : [part];
  });
  return [whole, whole.replace(/=+$/, ""), ...inner].flatMap((text) => [
    text,
    text.replaceAll("+", "-").replaceAll("/", "_"),
  ]);
}

interface Range {
  readonly from: number;
  to: number;
}

/**
 * Of a text longer than `maxChars` only the beginning is looked at and given; it ends where a
 * spelling that the cut goes through may begin.
 */
export function maskText(
  text: string,
  spellings: readonly string[],
  maxChars = Number.POSITIVE_INFINITY,
): string {
  if (spellings.length === 0) return text;
  const head = text.slice(0, maxChars);
  const longest = Math.max(...spellings.map(({ length }) => length));
  const end = head === text ? text.length : Math.max(0, maxChars - longest + 1);
  const ranges = spellings.flatMap((spelling) => found(head, spelling));
  ranges.sort((a, b) => a.from - b.from);
  let masked = "";
  let at = 0;
  for (const { from, to } of ranges) {
    if (from >= end) break;
    if (from >= at) masked += head.slice(at, from) + MASK;
    at = Math.max(at, to);
  }
  return masked + head.slice(at, Math.max(at, end));
}

/** Where it stands; occurrences that overlap are one. */
function found(text: string, spelling: string): readonly Range[] {
  const ranges: Range[] = [];
  for (let at = text.indexOf(spelling); at !== -1; at = text.indexOf(spelling, at + 1)) {
    const last = ranges.at(-1);
    if (last !== undefined && at <= last.to) last.to = at + spelling.length;
    else ranges.push({ from: at, to: at + spelling.length });
  }
  return ranges;
}

/** Texts at every depth, keys too. Keys that differ in what is masked are numbered. */
export function maskValue(value: Json, spellings: readonly string[]): Json {
  if (typeof value === "string") return maskText(value, spellings);
  if (Array.isArray(value)) {
    return (value as readonly Json[]).map((item) => maskValue(item, spellings));
  }
  if (!isJsonObject(value)) return value;
  const members = new Map<string, Json>();
  const masked: (readonly [string, Json])[] = [];
  for (const [key, member] of Object.entries(value)) {
    const name = maskText(key, spellings);
    const inside = maskValue(member, spellings);
    if (name === key) members.set(key, inside);
    else masked.push([name, inside]);
  }
  for (const [name, inside] of masked) members.set(freeKey(name, members), inside);
  return Object.fromEntries(members);
}

function freeKey(name: string, taken: ReadonlyMap<string, Json>): string {
  let free = name;
  for (let n = 2; taken.has(free); n += 1) free = `${name}#${n}`;
  return free;
}
