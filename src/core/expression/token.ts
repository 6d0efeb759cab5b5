// The scanner: source text to tokens, by hand and in one pass, so no input can make it slow.
// Throws a Refusal at the first character that has no place in an expression.
import { symbolHint } from "./hint.ts";
import { Refusal } from "./refusal.ts";

export type Token =
  | { readonly kind: "number"; readonly value: number; readonly offset: number }
  | { readonly kind: "text"; readonly value: string; readonly offset: number }
  | { readonly kind: "name"; readonly value: string; readonly offset: number }
  | { readonly kind: "symbol"; readonly value: string; readonly offset: number }
  | { readonly kind: "end"; readonly value: ""; readonly offset: number };

/** Longer symbols first, so that `<=` is never read as `<`. */
const SYMBOLS: readonly string[] =
  "== != <= >= && || < > ! + - * / % ? : . , ( ) [ ] { }".split(" ");

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
  ["`", "`"],
  ["?", "?"],
]);

/** Digits that follow \x, \u and \U. */
const ESCAPE_DIGITS: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

export function isSpace(character: string): boolean {
  return character === " " || character === "\t" || character === "\n" || character === "\r";
}

export function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}

export function isNameStart(character: string): boolean {
  return (
    (character >= "a" && character <= "z") ||
    (character >= "A" && character <= "Z") ||
    character === "_"
  );
}

/** All tokens of `source`; the last one is always `end`. */
export function scan(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < source.length) {
    if (isSpace(source.charAt(offset))) {
      offset += 1;
      continue;
    }
    const [token, next] = scanToken(source, offset);
    tokens.push(token);
    offset = next;
  }
  tokens.push({ kind: "end", value: "", offset: source.length });
  return tokens;
}

type Scanned = readonly [token: Token, next: number];

function scanToken(source: string, offset: number): Scanned {
  const first = source.charAt(offset);
  if (isNameStart(first)) return scanName(source, offset);
  if (isDigit(first)) return scanNumber(source, offset);
  if (first === "'" || first === '"') return scanText(source, offset);
  const hint = symbolHint(source, offset);
  const symbol = SYMBOLS.find((candidate) => source.startsWith(candidate, offset));
  if (symbol === undefined || hint !== undefined) {
    throw new Refusal(`unexpected ${shown(source, offset)}`, offset, hint);
  }
  return [{ kind: "symbol", value: symbol, offset }, offset + symbol.length];
}

/** The character itself, or its code point where it could not be seen. */
function shown(source: string, offset: number): string {
  const character = source.charAt(offset);
  if (character >= "!" && character <= "~") return `"${character}"`;
  const point = Number(source.codePointAt(offset));
  return `character U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
}

function scanName(source: string, offset: number): Scanned {
  let end = offset + 1;
  while (isNameStart(source.charAt(end)) || isDigit(source.charAt(end))) end += 1;
  return [{ kind: "name", value: source.slice(offset, end), offset }, end];
}

function scanNumber(source: string, offset: number): Scanned {
  const end = numberEnd(source, offset);
  const text = source.slice(offset, end);
  if (text.length > 1 && text.startsWith("0") && isDigit(text.charAt(1))) {
    throw new Refusal(`the number ${text} begins with a zero`, offset, "leave the zeros out");
  }
  if (isNameStart(source.charAt(end)) || source.charAt(end) === ".") {
    const hint = "numbers are written 12, 1.5 or 1e3; there is no hexadecimal form, no suffix";
    throw new Refusal(`the number ${text} runs into "${source.charAt(end)}"`, end, hint);
  }
  const value = Number(text);
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
    throw new Refusal(`the number ${text} is beyond 2^53 - 1`, offset, "write it as a text");
  }
  return [{ kind: "number", value, offset }, end];
}

/** The end of `digits[.digits][e[+-]digits]` that begins at `offset`; `double` reads so too. */
export function numberEnd(text: string, offset: number): number {
  let end = digitsEnd(text, offset);
  if (text.charAt(end) === "." && isDigit(text.charAt(end + 1))) end = digitsEnd(text, end + 1);
  if (text.charAt(end) === "e" || text.charAt(end) === "E") {
    const sign = text.charAt(end + 1);
    const digits = sign === "+" || sign === "-" ? end + 2 : end + 1;
    if (isDigit(text.charAt(digits))) end = digitsEnd(text, digits);
  }
  return end;
}

export function digitsEnd(text: string, offset: number): number {
  let end = offset;
  // By code, and not by character: `double` reads texts as often as an expression has steps.
  for (;;) {
    const unit = text.charCodeAt(end);
    if (!(unit >= 0x30 && unit <= 0x39)) return end;
    end += 1;
  }
}

function scanText(source: string, offset: number): Scanned {
  const end = textEnd(source, offset);
  if (end === undefined) {
    throw new Refusal(
      `the text that begins with ${source.charAt(offset)} is not closed`,
      offset,
      "close it on the same line; a quote inside is written with a backslash",
    );
  }
  let value = "";
  let at = offset + 1;
  while (at < end - 1) {
    if (source.charAt(at) === "\\") {
      const [character, next] = scanEscape(source, at);
      value += character;
      at = next;
    } else {
      value += source.charAt(at);
      at += 1;
    }
  }
  if (!value.isWellFormed()) throw new Refusal("the text holds a lone surrogate", offset);
  return [{ kind: "text", value, offset }, end];
}

/**
 * Where the text that begins with a quote at `offset` ends (after the closing quote), or undefined
 * if its line ends first. Templates use it too, so both agree on what stands inside quotes.
 */
export function textEnd(source: string, offset: number): number | undefined {
  const quote = source.charAt(offset);
  for (let at = offset + 1; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === quote) return at + 1;
    if (character === "\n" || character === "\r") return undefined;
    if (character === "\\") at += 1;
  }
  return undefined;
}

function scanEscape(source: string, offset: number): readonly [string, number] {
  const letter = source.charAt(offset + 1);
  const plain = ESCAPES.get(letter);
  if (plain !== undefined) return [plain, offset + 2];
  const count = ESCAPE_DIGITS.get(letter);
  const known = "known are \\n \\t \\r \\\\ \\' \\\" \\xHH \\uHHHH \\UHHHHHHHH";
  if (count === undefined) throw new Refusal(`unknown escape \\${letter}`, offset, known);
  const digits = source.slice(offset + 2, offset + 2 + count);
  const isHex = digits.length === count && /^[0-9a-fA-F]*$/.test(digits);
  const point = isHex ? Number.parseInt(digits, 16) : Number.POSITIVE_INFINITY;
  if (point > 0x10ffff) {
    throw new Refusal(`\\${letter} takes ${count} hexadecimal digits of a character`, offset);
  }
  return [String.fromCodePoint(point), offset + 2 + count];
}
