// Columns, colours, times and digests as people read them. Colours mean something: green has
// completed, red has failed, yellow is on its way, the rest is dim. Every status is also a word.
import { stripVTControlCharacters } from "node:util";
import { epochMs } from "../core/instant.ts";

export type Paint = (kind: Kind, text: string) => string;
export type Kind = "good" | "bad" | "busy" | "dim" | "bold";

const CODES: Readonly<Record<Kind, string>> = {
  good: "32",
  bad: "31",
  busy: "33",
  dim: "2",
  bold: "1",
};

export function painter(isColored: boolean): Paint {
  return (kind, text) => (isColored ? `\u001b[${CODES[kind]}m${text}\u001b[0m` : text);
}

const KINDS: Readonly<Record<string, Kind>> = {
  completed: "good",
  failed: "bad",
  timed_out: "bad",
  lost: "bad",
  running: "busy",
  cancelling: "busy",
  queued: "busy",
  waiting: "busy",
};

const SIGNS: Readonly<Record<string, string>> = {
  completed: "✓",
  failed: "✗",
  timed_out: "✗",
  lost: "✗",
  running: "●",
  cancelling: "●",
  queued: "○",
  waiting: "○",
  pending: "·",
  skipped: "-",
  cancelled: "-",
};

export function statusText(status: string, paint: Paint): string {
  return paint(KINDS[status] ?? "dim", `${SIGNS[status] ?? "?"} ${status}`);
}

/** Places that a terminal shows a text in; an escape sequence takes none. */
export function shownLength(text: string): number {
  return Array.from(stripVTControlCharacters(text)).reduce((sum, one) => sum + placesOf(one), 0);
}

const WIDE = /[\p{sc=Han}\p{sc=Hangul}\p{sc=Hira}\p{sc=Kana}\p{Emoji_Presentation}\uff01-\uff60]/u;

/** Ideographs and pictures take two, what combines with the letter before takes none. */
function placesOf(character: string): number {
  if (/\p{M}/u.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Rows under their heads, two spaces between; the last column is not padded. */
export function columns(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = heads.map((head, index) =>
    Math.max(shownLength(head), ...rows.map((row) => shownLength(row[index] ?? ""))),
  );
  return [heads, ...rows].map((row) =>
    row
      .map((cell, index) => {
        const pad = index === heads.length - 1 ? 0 : (widths[index] ?? 0) - shownLength(cell);
        return cell + " ".repeat(Math.max(0, pad));
      })
      .join("  ")
      .trimEnd(),
  );
}

/** `sha256:0497bca8…` as its first twelve digits. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}

/** 850 ms, 12.3 s, 4 m 05 s, 3 h 20 m, 2 d 4 h. */
export function durationText(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} m ${String(whole % 60).padStart(2, "0")} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function ageText(instant: string, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - epochMs(instant)) / 1000);
  return seconds < 1 ? "now" : `${durationText(Math.floor(seconds)).replace(".0 s", " s")} ago`;
}

/** A share as a bar: `████░░░░`. */
export function bar(percent: number, width: number): string {
  const full = Math.round((Math.max(0, Math.min(100, percent)) / 100) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}

const PAINT = new RegExp(`(${"\u001b"}\\[\\d+m)`);

/** As much of a line as has room; its escape sequences stay, so what was painted ends. */
export function cutShown(line: string, most: number): string {
  if (shownLength(line) <= most) return line;
  let room = most - 1;
  let kept = "";
  for (const part of line.split(PAINT)) {
    if (part.startsWith("\u001b")) {
      kept += part;
      continue;
    }
    for (const character of part) {
      if (room < 0) break;
      room -= placesOf(character);
      if (room >= 0) kept += character;
      else kept += "…";
    }
  }
  return kept;
}

/** A text cut at so many characters, with a mark that it was. */
export function cut(text: string, most: number): string {
  const characters = Array.from(text);
  if (characters.length <= most) return text;
  return `${characters.slice(0, Math.max(1, most - 1)).join("")}…`;
}
