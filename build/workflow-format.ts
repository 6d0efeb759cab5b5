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
  readonly oneOf?: readonly Shape[];
  readonly items?: Shape;
  readonly additionalProperties?: boolean | Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
}

/** As a file: draft 7, which every editor's YAML support reads. */
export function editorSchema(): string {
  const { $schema, ...rest } = z.toJSONSchema(definitionSchema, OPTIONS);
  const title = "Holdfast workflow definition, format 1";
  const whole = withExamples(rest as Shape, "");
  return `${JSON.stringify({ $schema, title, ...whole }, null, 2)}\n`;
}

/** What an editor offers, by the way to the field; node types do not count as part of it. */
const EXAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  workflow_id: ["order_import"],
  name: ["Order import"],
  version: [1],
  description: ["Imports the orders of a day."],
  is_active: [false],
  timeout_seconds: [3600],
  inputs: [{ amount: { type: "number", required: true, min: 0 } }],
  "inputs.type": ["string", "number"],
  "inputs.required": [true],
  "inputs.default": ["hello", 3],
  "inputs.description": ["The amount in EUR."],
  "inputs.enum": [["small", "large"]],
  "inputs.min": [0],
  "inputs.max": [100],
  "inputs.pattern": ["[A-Z]{2}[0-9]+"],
  vars: [{ limit: 500 }],
  secrets: [["API_TOKEN"]],
  nodes: [{ start: { type: "start", next: "end" }, end: { type: "end" } }],
  "nodes.type": [],
  "nodes.description": ["Asks the warehouse."],
  "nodes.next": ["end", ["left", "right"]],
  "nodes.depends_on": [{ all_of: ["left", "right"] }],
  "nodes.depends_on.all_of": [["left", "right"]],
  "nodes.depends_on.any_of": [["fast", "slow"]],
  "nodes.handler": ["echo", "http_request"],
  "nodes.params": [{ message: "Hello, {{ inputs.name }}!" }],
  "nodes.retry": [{ max_attempts: 5, backoff: "exponential" }],
  "nodes.retry.max_attempts": [5],
  "nodes.retry.backoff": ["exponential"],
  "nodes.retry.initial_delay_seconds": [2],
  "nodes.retry.max_delay_seconds": [60],
  "nodes.retry.jitter": [0.2],
  "nodes.timeout_seconds": [30],
  "nodes.on_error": ["continue", "cleanup"],
  "nodes.condition_field": ["{{ inputs.amount }}"],
  "nodes.branches": [
    [
      { name: "small", condition: "< 500", next: "pay" },
      { name: "large", default: true, next: "review" },
    ],
  ],
  "nodes.branches.name": ["small"],
  "nodes.branches.condition": ["< 500", "in ['a', 'b']", "value.size > 3"],
  "nodes.branches.default": [true],
  "nodes.branches.next": ["pay"],
  "nodes.source": ["{{ inputs.orders }}"],
  "nodes.task": [{ handler: "echo", params: { order: "{{ item }}", place: "{{ index }}" } }],
  "nodes.task.handler": ["echo"],
  "nodes.task.params": [{ order: "{{ item }}" }],
  "nodes.max_parallel": [10],
  "nodes.aggregation": ["sum"],
  "nodes.select": ["value.total"],
};

/** Throws where a field has no description or no examples. */
function withExamples(shape: Shape, way: string): Shape {
  const inside = (one: Shape): Shape => withExamples(one, way);
  const { properties, anyOf, oneOf, items, additionalProperties: others } = shape;
  const fields = Object.entries(properties ?? {}).map(([key, field]) => {
    const path = way === "" ? key : `${way}.${key}`;
    const examples = EXAMPLES[path];
    const isTold = field.const !== undefined || field.description !== undefined;
    if (examples === undefined || !isTold) throw new Error(`${path}: no description or examples`);
    const told = examples.length === 0 ? {} : { examples };
    return [key, { ...withExamples(field, path), ...told }] as const;
  });
  return {
    ...shape,
    ...(properties === undefined ? {} : { properties: Object.fromEntries(fields) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(inside) }),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map(inside) }),
    ...(items === undefined ? {} : { items: inside(items) }),
    ...(typeof others === "object" ? { additionalProperties: inside(others) } : {}),
  };
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
