// The table of the proofs as a person reads it: one line a row, then what was violated and what a
// reader should know. Markdown, so that it can stand in a document as it is.
import { holds } from "./row.ts";
import type { Row } from "./row.ts";

/** More than this is cut: the first ones say enough. */
const MAX_SHOWN = 20;

export function tableOf(rows: readonly Row[]): string {
  const lines = [
    "",
    "| What | At least | Measured | Seeds | Faults fired | Holds |",
    "|---|---|---|---|---|---|",
    ...rows.map(lineOf),
  ];
  const violations = rows.flatMap(violationsOf);
  if (violations.length > 0) lines.push("", "Violations:", ...violations);
  const notes = rows.flatMap(({ what, notes: own = [] }) =>
    own.map((note) => `- ${what}: ${note}`),
  );
  if (notes.length > 0) lines.push("", "Notes:", ...notes);
  return lines.join("\n");
}

function lineOf(row: Row): string {
  const fired = row.fired === undefined ? "" : row.fired.toLocaleString("en");
  const verdict = holds(row) ? "yes" : "NO";
  const cells = [row.what, row.atLeast, row.measured, row.seeds ?? "", fired, verdict];
  return `| ${cells.join(" | ")} |`;
}

function violationsOf(row: Row): readonly string[] {
  const { what, violations, fired } = row;
  const none = fired === 0 ? [`- ${what}: no fault fired, so nothing is proven`] : [];
  const shown = violations.slice(0, MAX_SHOWN).map((violation) => `- ${what}: ${violation}`);
  const more = violations.length - shown.length;
  return [...none, ...shown, ...(more > 0 ? [`- ${what}: and ${more} more`] : [])];
}

export function rowBroke(name: string, error: unknown): Row {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { what: name, atLeast: "it runs", measured: "broke", violations: [text] };
}
