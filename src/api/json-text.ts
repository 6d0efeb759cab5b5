// What a JSON text says and its value would not: a name that stands twice in one object, of which
// the parser keeps the last and says nothing (RFC 8259, section 4), and a whole number that is
// rounded when it is read (section 6). What the writer meant would be a guess.
// Walks the text once, without recursion; the text has been parsed before, so it is JSON.
import { pointerOf } from "../core/json.ts";
import type { JsonProblem } from "../core/json.ts";
import { MAX_POINTER_CHARS } from "../core/limits.ts";

/** One object or list that the walk is inside of. */
interface Level {
  /** Names met so far; absent in a list. */
  readonly names?: Set<string>;
  /** The name or place of the value at hand. */
  key: string | number;
}

interface Walk {
  readonly text: string;
  readonly levels: Level[];
  readonly found: JsonProblem[];
  /** Whether a string that comes now is a name. */
  isName: boolean;
}

const TWICE = "this name stands twice in its object; which of the two is meant?";

/** At most `most` problems, in the order of the text. */
export function jsonTextProblems(text: string, most: number): readonly JsonProblem[] {
  const walk: Walk = { text, levels: [], found: [], isName: false };
  for (let at = 0; at < text.length && walk.found.length < most; at = step(walk, at));
  return walk.found;
}

/** Reads what stands at `at`; where the next thing may stand. */
function step(walk: Walk, at: number): number {
  const { text, levels } = walk;
  const character = text.charAt(at);
  switch (character) {
    case "{":
      levels.push({ names: new Set(), key: "" });
      walk.isName = true;
      return at + 1;
    case "[":
      levels.push({ key: 0 });
      walk.isName = false;
      return at + 1;
    case "}":
    case "]":
      levels.pop();
      walk.isName = false;
      return at + 1;
    case ",":
      startNext(walk);
      return at + 1;
    case '"':
      return readString(walk, at);
  }
  return /[-\d]/.test(character) ? readNumber(walk, at) : at + 1;
}

function startNext(walk: Walk): void {
  const level = walk.levels.at(-1);
  walk.isName = level?.names !== undefined;
  if (typeof level?.key === "number") level.key += 1;
}

function readString(walk: Walk, start: number): number {
  const { text, levels } = walk;
  let end = start + 1;
  while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  const level = levels.at(-1);
  if (walk.isName && level?.names !== undefined) {
    const name = JSON.parse(text.slice(start, end + 1)) as string;
    level.key = name;
    if (level.names.has(name)) report(walk, TWICE);
    level.names.add(name);
  }
  walk.isName = false;
  return end + 1;
}

function readNumber(walk: Walk, start: number): number {
  const number = /-?[\d.eE+-]+/y;
  number.lastIndex = start;
  const [digits = ""] = number.exec(walk.text) ?? [];
  if (isRounded(digits)) {
    const shown = digits.length > 40 ? `${digits.slice(0, 40)}…` : digits;
    report(walk, `the integer ${shown} cannot be kept exactly: send it as a text`);
  }
  return start + digits.length;
}

/** A place whose names are endless is told by the last of its ancestors that is not. */
function report({ levels, found }: Walk, message: string): void {
  const path: (string | number)[] = [];
  let chars = 0;
  for (const { key } of levels) {
    chars += String(key).length + 1;
    if (chars > MAX_POINTER_CHARS) break;
    path.push(key);
  }
  found.push({ pointer: pointerOf(path), message });
}

/** Whether a decimal whole number comes back with other digits once it has been read. */
export function isRounded(text: string): boolean {
  if (!/^-?\d+$/.test(text)) return false;
  const value = Number(text);
  if (Number.isSafeInteger(value) || !Number.isFinite(value)) return false;
  // What a program writes of a number that it holds as such comes back: 1152921504606847000.
  return significant(text) !== significant(value.toExponential().replace(/\.|e.*/g, ""));
}

function significant(digits: string): string {
  return digits.replace(/^-?0*/, "").replace(/0+$/, "");
}
