// CSV text to records of cells, in order, with the line where each begins.
// Parses in slices and lets other work in between, so that a large text does not hold up the
// process. A record that breaks the quoting rules comes as a problem in its place.
import { setImmediate } from "node:timers/promises";
import { parse } from "csv-parse";
import type { Parser } from "csv-parse";

export interface CsvOptions {
  readonly text: string;
  readonly delimiter: string;
  readonly trim: boolean;
}

export type CsvRecord =
  | { readonly ok: true; readonly cells: readonly string[]; readonly line: number }
  | { readonly ok: false; readonly message: string; readonly line: number };

/** A slice of the worst text, a thousand records of one character, takes about 20 ms. */
const SLICE_BYTES = 2 * 1024;
const LINE_BREAK = /\r\n|\r|\n/g;
const WINDOWS_BREAK = /\r\n/g;

/** Throws the signal's reason when it is aborted. */
export async function* csvRecords(
  options: CsvOptions,
  signal: AbortSignal,
): AsyncGenerator<CsvRecord, void, undefined> {
  // Bytes, because a slice of a string could cut a character in two.
  const bytes = Buffer.from(options.text, "utf8");
  const { parser, found } = startParser(options);
  try {
    for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
      await write(parser, bytes.subarray(start, start + SLICE_BYTES));
      yield* found.splice(0);
      await setImmediate();
      signal.throwIfAborted();
    }
    await end(parser);
    yield* found;
  } finally {
    parser.destroy();
  }
}

interface RunningParser {
  readonly parser: Parser;
  /** What was found and not yet taken. */
  readonly found: CsvRecord[];
}

function startParser(options: CsvOptions): RunningParser {
  const found: CsvRecord[] = [];
  let next = 1;
  // The parser counts a Windows line break inside quotes as two lines.
  let surplus = 0;
  const parser = parse({
    bom: true,
    delimiter: options.delimiter,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    trim: options.trim,
    on_record: (cells: readonly string[], { lines }) => {
      surplus += count(cells, WINDOWS_BREAK);
      const last = lines - surplus;
      found.push({ ok: true, cells, line: last - count(cells, LINE_BREAK) });
      next = last + 1;
      // Kept here, in one order with the problems; nothing comes out of the stream itself.
      return null;
    },
  });
  parser.on("skip", (error: { readonly code?: string; readonly lines?: number }) => {
    if (error.code === "CSV_QUOTE_NOT_CLOSED") {
      found.push({ ok: false, line: next, message: "a quote is opened and not closed" });
      return;
    }
    const line = error.lines === undefined ? next : error.lines - surplus;
    found.push({ ok: false, line, message: "a quote stands where none may, or is not doubled" });
    next = line + 1;
  });
  // Whoever writes gets an error; without a listener it would end the process as well.
  parser.on("error", () => {});
  parser.resume();
  return { parser, found };
}

function count(cells: readonly string[], pattern: RegExp): number {
  return cells.reduce((sum, cell) => sum + (cell.match(pattern)?.length ?? 0), 0);
}

function write(parser: Parser, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

function end(parser: Parser): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.once("error", reject);
    parser.once("end", resolve);
    parser.end();
  });
}
