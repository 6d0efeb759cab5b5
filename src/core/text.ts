// Text that is stored or shown: cut to its bound at a character, marked where it was cut.
// What comes out is well-formed Unicode and never longer than asked.
import { utf8Bytes } from "./json.ts";
import { MAX_LISTED_NAMES, MAX_NAME_BYTES } from "./limits.ts";

const MARK = "…";

/** `text` in at most `maxBytes` bytes of UTF-8, lone surrogates replaced. */
export function cutText(text: string, maxBytes: number): string {
  const clean = text.toWellFormed();
  if (utf8Bytes(clean) <= maxBytes) return clean;
  const room = maxBytes - utf8Bytes(MARK);
  let bytes = 0;
  let kept = "";
  for (const character of clean) {
    bytes += utf8Bytes(character);
    if (bytes > room) break;
    kept += character;
  }
  return kept + MARK;
}

/** A name as somebody wrote it, for a message. */
export function cutName(name: string): string {
  return cutText(name, MAX_NAME_BYTES);
}

/** `1 item`, `20 items`. */
export function plural(count: number | bigint, noun: string): string {
  return `${count} ${noun}${Number(count) === 1 ? "" : "s"}`;
}

/** `a, b, c`; of many names the first, and how many more there are. */
export function listNames(names: readonly string[]): string {
  const listed = names.slice(0, MAX_LISTED_NAMES).map(cutName).join(", ");
  const more = names.length - MAX_LISTED_NAMES;
  return more > 0 ? `${listed} and ${more} more` : listed;
}
