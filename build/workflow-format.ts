// What is generated from the definition schema: the JSON Schema that editors read, and the tables
// of docs/workflow-format.md. test/unit/core/workflow-format.test.ts keeps both files equal to
// this; with `-u` it writes them.
import { z } from "zod";
import {
  branchSchema,
  conditionalSchema,
  definitionSchema,
  endSchema,
  fanInSchema,
  fanOutSchema,
  inputSchema,
  retrySchema,
  startSchema,
  taskSchema,
} from "../src/core/definition.ts";

interface Shape {
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
}

/** As a file: draft 7, which every editor's YAML support reads. */
export function editorSchema(): string {
  const { $schema, ...rest } = z.toJSONSchema(definitionSchema, OPTIONS);
  const title = "Holdfast workflow definition, format 1";
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}

const OPTIONS = { io: "input", target: "draft-7" } as const;

const TABLES: Readonly<Record<string, z.ZodType>> = {
  workflow: definitionSchema,
  input: inputSchema,
  start: startSchema,
  end: endSchema,
  task: taskSchema,
  retry: retrySchema,
  depends_on: endSchema.shape.depends_on.unwrap(),
  conditional: conditionalSchema,
  branch: branchSchema,
  fan_out: fanOutSchema,
  fan_in: fanInSchema,
};

const MARKED = /<!-- fields: (\w+) -->\n[^]*?<!-- end -->/g;

/** The page with every marked table written anew. Throws where a mark names no table. */
export function formatPage(page: string): string {
  return page.replace(MARKED, (_, name: string) => {
    const schema = TABLES[name];
    if (schema === undefined) throw new Error(`the page asks for an unknown table "${name}"`);
    return `<!-- fields: ${name} -->\n${tableOf(schema)}<!-- end -->`;
  });
}

/** The tables that a page shows. */
export function tablesIn(page: string): readonly string[] {
  return [...page.matchAll(MARKED)].map(([, name]) => String(name));
}

export function tableNames(): readonly string[] {
  return Object.keys(TABLES);
}

function tableOf(schema: z.ZodType): string {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, OPTIONS) as Shape;
  const rows = Object.entries(properties).map(([key, shape]) => {
    const fallback = required.includes(key) ? "*required*" : defaultOf(shape);
    return `| \`${key}\` | ${valueOf(shape)} | ${fallback} | ${shape.description ?? ""} |\n`;
  });
  return `| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}

function defaultOf(shape: Shape): string {
  return shape.default === undefined ? "" : `\`${JSON.stringify(shape.default)}\``;
}

function valueOf(shape: Shape): string {
  if (shape.const !== undefined) return `\`${shape.const}\``;
  if (shape.enum !== undefined) return shape.enum.map((one) => `\`${String(one)}\``).join(", ");
  if (shape.anyOf !== undefined) return "node id, or list of node ids";
  if (shape.type === undefined) return "any JSON";
  return `${TYPES[shape.type] ?? shape.type}${boundsOf(shape)}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  integer: "integer",
  number: "number",
  boolean: "true or false",
  array: "list",
  object: "map",
};

function boundsOf({ minimum, maximum, minLength, maxLength, pattern }: Shape): string {
  if (pattern !== undefined) return `, \`${pattern}\``;
  const [least, most] = [minimum ?? minLength, maximum ?? maxLength];
  const unit = minLength === undefined && maxLength === undefined ? "" : " characters";
  if (most === undefined) return least === undefined ? "" : `, at least ${least}${unit}`;
  return least === undefined ? `, at most ${most}${unit}` : `, ${least} to ${most}${unit}`;
}
