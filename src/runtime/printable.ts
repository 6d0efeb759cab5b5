// Text that came from outside, made safe to store and to print on one line: control and bidi
// characters are written out, lone surrogates replaced, the length bounded in bytes.
// What comes out is well-formed Unicode and never longer than asked.
import { cutText } from "../core/text.ts";

/** Controls (newlines too), line separators, and what turns the writing direction around. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

export function printable(text: string, maxBytes: number): string {
  // A character is at least one byte, so what lies beyond can never be kept.
  const head = text.slice(0, maxBytes + 1);
  return cutText(head.replaceAll(UNSAFE, written), maxBytes);
}

function written(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).padStart(4, "0");
  return NAMED[character] ?? `\\u${code}`;
}
