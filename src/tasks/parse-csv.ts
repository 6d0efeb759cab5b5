// `parse_csv`: CSV text to rows. A bad row is never dropped in silence: it is listed with its line
// or fails the attempt. The text comes with the params; larger data should come in parts.
import * as z from "zod";
import { utf8Bytes } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { MAX_ITEMS, MAX_OUTPUT_BYTES } from "../core/limits.ts";
import { defineHandler } from "../runtime/handlers.ts";
import { COLUMN_TYPES, MAX_COLUMNS, planColumns, refusedText } from "./csv-columns.ts";
import type { ColumnPlan } from "./csv-columns.ts";
import { csvRecords } from "./csv-records.ts";
import { jsonList } from "./json-value.ts";

/** The text came through params, so it cannot be larger than an output. */
const MAX_TEXT_BYTES = MAX_OUTPUT_BYTES;
/** Errors that are listed; all are counted. */
const MAX_LISTED_ERRORS = 100;

const paramsSchema = z.strictObject({
  text: z
    .string()
    .refine((text) => utf8Bytes(text) <= MAX_TEXT_BYTES, {
      error: `expected at most ${MAX_TEXT_BYTES} bytes`,
    })
    .describe("The CSV text."),
  delimiter: z
    .string()
    .regex(/^[^"\r\n]$/u, { error: "expected one character, no quote and no line break" })
    .default(",")
    .describe("What stands between two cells."),
  header: z.boolean().default(true).describe("Whether the first row names the columns."),
  columns: z
    .array(z.string().min(1).max(256))
    .min(1)
    .max(MAX_COLUMNS)
    .exactOptional()
    .describe("With a header: the columns to keep, in this order. Without: the columns' names."),
  types: z
    .record(z.string(), z.enum(COLUMN_TYPES))
    .default({})
    .describe("Column to type; others are strings. An empty cell of a typed column is null."),
  trim: z.boolean().default(false).describe("Whether spaces around a cell are cut off."),
  max_rows: z
    .int()
    .min(1)
    .max(MAX_ITEMS * 10)
    .default(MAX_ITEMS)
    .describe("A text with more rows, good or bad, fails."),
  strict: z.boolean().default(false).describe("Whether a bad row fails the whole text."),
});

type Params = z.output<typeof paramsSchema>;

interface BadRow {
  readonly line: number;
  readonly message: string;
}

interface ParsedRows {
  readonly columns: string[];
  readonly rows: JsonObject[];
  readonly errors: readonly BadRow[];
}

export const parseCsv = defineHandler({
  name: "parse_csv",
  version: "1",
  description: "Parses CSV text to rows; bad rows are listed with their line.",
  params: paramsSchema,
  output: z.strictObject({
    columns: z.array(z.string()),
    rows: jsonList.describe("One object per row, column to value."),
    count: z.int().describe("How many rows."),
    errors: z.array(z.strictObject({ line: z.int(), message: z.string() })),
    error_count: z.int().describe(`All bad rows; errors lists the first ${MAX_LISTED_ERRORS}.`),
  }),
  run: async ({ params, signal, log }) => {
    const { columns, rows, errors } = await readRows(params, signal);
    log(`read ${rows.length} rows`, { errors: errors.length });
    const first = errors[0];
    if (params.strict && first !== undefined) {
      const others = errors.length > 1 ? `; ${errors.length - 1} more bad rows` : "";
      throw refusedText(`line ${first.line}: ${first.message}${others}`);
    }
    return {
      columns,
      rows,
      count: rows.length,
      errors: errors.slice(0, MAX_LISTED_ERRORS),
      error_count: errors.length,
    };
  },
});

async function readRows(params: Params, signal: AbortSignal): Promise<ParsedRows> {
  const rows: JsonObject[] = [];
  const errors: BadRow[] = [];
  const named = !params.header && params.columns !== undefined;
  let plan: ColumnPlan | undefined = named ? planColumns([], params) : undefined;
  for await (const record of csvRecords(params, signal)) {
    if (plan === undefined) {
      if (!record.ok) throw refusedText(`line ${record.line}: ${record.message}`);
      plan = planColumns(record.cells, params);
      if (params.header) continue;
    }
    const row = record.ok ? plan.read(record.cells) : record;
    if (row.ok) rows.push(row.values);
    else errors.push({ line: record.line, message: row.message });
    if (rows.length + errors.length > params.max_rows) {
      throw refusedText(`more than ${params.max_rows} rows`);
    }
  }
  if (plan === undefined && params.header) throw refusedText("no header: the text is empty");
  return { columns: [...(plan?.names ?? [])], rows, errors };
}
