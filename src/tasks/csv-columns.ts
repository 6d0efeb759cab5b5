// The columns of a CSV text: their names, and how a row's cells become typed values.
// Names are unique, never empty and never reach a prototype; messages never show a cell.
import { isForbiddenKey } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { TerminalError } from "../runtime/handlers.ts";

export const COLUMN_TYPES = ["string", "integer", "number", "boolean"] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];

export interface ColumnOptions {
  readonly header: boolean;
  readonly columns?: readonly string[];
  readonly types: Readonly<Record<string, ColumnType>>;
}

export interface ColumnPlan {
  /** The columns that rows have, in order. */
  readonly names: readonly string[];
  readonly read: (cells: readonly string[]) => Row;
}

export type Row =
  | { readonly ok: true; readonly values: JsonObject }
  | { readonly ok: false; readonly message: string };

interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Its place among the cells. */
  readonly index: number;
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["yes", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["0", false],
]);
/** Names listed in a message; a header may have thousands. */
const MAX_LISTED = 20;
/** What a spreadsheet of a person has at most, many times over. */
export const MAX_COLUMNS = 1000;

/**
 * `first` is the first row: the header, or cells to count when nothing names the columns.
 * Errors: PARAMS_INVALID for names that cannot be used, and for `columns` or `types` that name
 * what is not there.
 */
export function planColumns(first: readonly string[], options: ColumnOptions): ColumnPlan {
  const present = namesOf(first, options);
  if (present.length > MAX_COLUMNS) {
    throw refusedText(`expected at most ${MAX_COLUMNS} columns, got ${present.length}`);
  }
  checkNames(present);
  const kept = options.columns ?? present;
  checkNames(kept);
  const wanted = [...kept, ...Object.keys(options.types)];
  const missing = wanted.filter((name) => !present.includes(name));
  if (missing.length > 0) {
    throw refusedText(`no column ${quoted(missing)}; the columns are ${quoted(present)}`);
  }
  const typed = Object.entries(options.types);
  const types = new Map<string, ColumnType>(typed);
  const columns = kept.map((name) => ({
    name,
    type: types.get(name) ?? "string",
    index: present.indexOf(name),
  }));
  return { names: kept, read: (cells) => readRow(cells, columns, present.length) };
}

function namesOf(first: readonly string[], options: ColumnOptions): readonly string[] {
  if (options.header) return first;
  return options.columns ?? first.map((_, index) => `column_${index + 1}`);
}

function checkNames(names: readonly string[]): void {
  const empty = names.indexOf("");
  if (empty >= 0) throw refusedText(`column ${empty + 1} has no name`);
  const forbidden = names.find((name) => isForbiddenKey(name));
  if (forbidden !== undefined) throw refusedText(`a column cannot be called "${forbidden}"`);
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw refusedText(`the column ${quoted([name])} is there twice`);
    seen.add(name);
  }
}

function readRow(cells: readonly string[], columns: readonly Column[], width: number): Row {
  if (cells.length !== width) {
    return { ok: false, message: `expected ${width} cells, got ${cells.length}` };
  }
  const values: [string, Json][] = [];
  const problems: string[] = [];
  for (const { name, type, index } of columns) {
    const value = typedValue(cells[index] ?? "", type);
    if (value === undefined) problems.push(`column "${name}": expected ${type}`);
    else values.push([name, value]);
  }
  if (problems.length > 0) return { ok: false, message: problems.join("; ") };
  return { ok: true, values: Object.fromEntries(values) };
}

/** The cell as its type, null for an empty one; undefined if it is no such value. */
function typedValue(cell: string, type: ColumnType): Json | undefined {
  if (type === "string") return cell;
  const text = cell.trim();
  if (text === "") return null;
  switch (type) {
    case "integer":
      return INTEGER.test(text) ? within(Number(text), Number.isSafeInteger) : undefined;
    case "number":
      return NUMBER.test(text) ? within(Number(text), Number.isFinite) : undefined;
    case "boolean":
      return BOOLEANS.get(text.toLowerCase());
  }
}

function within(value: number, allowed: (value: number) => boolean): number | undefined {
  return allowed(value) ? value : undefined;
}

function quoted(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED).map((name) => `"${name.slice(0, 64)}"`);
  const more = names.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(", ");
}

/** What the author or the data did wrong; trying again cannot help. */
export function refusedText(message: string): TerminalError {
  return new TerminalError(`the CSV text is refused: ${message}`, "PARAMS_INVALID");
}
