// What the demo prints: plain lines that read the same in a terminal, a file and a log.
// Colour only in a terminal, and never where NO_COLOR is set.

const withColour = process.stdout.isTTY && !process.env["NO_COLOR"];

function painted(code: number, text: string): string {
  return withColour ? `\u001B[${code}m${text}\u001B[0m` : text;
}

export function title(text: string): void {
  console.log(`\n${painted(1, text)}`);
}

export function line(text: string): void {
  console.log(`  ${text}`);
}

/** A name in a column of its own, then what is to be said about it. */
export function entry(name: string, text: string): void {
  line(`${name.padEnd(14)}${text}`);
}

export function success(text: string): void {
  console.log(`\n${painted(32, text)}`);
}

export type Row = readonly string[];

/** Columns as wide as their widest cell, under a line of headings. */
export function table(headings: Row, rows: readonly Row[]): void {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => {
    return Math.max(...all.map((row) => (row[column] ?? "").length));
  });
  const shown = (row: Row): string => {
    return row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd();
  };
  line(painted(1, shown(headings)));
  line(widths.map((width) => "-".repeat(width)).join("  "));
  for (const row of rows) line(shown(row));
}

/** The end of a job's id: jobs of the same moment share the beginning. */
export function shortId(jobId: string): string {
  return `…${jobId.slice(-8)}`;
}

export function seconds(fromMs: number): string {
  return `${((performance.now() - fromMs) / 1000).toFixed(1)} s`;
}
