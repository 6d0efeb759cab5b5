// The workflow definition: the one Zod schema of the YAML format, its types, its identity.
// What parses here has its defaults applied and one shape per meaning (`next: a` is `next: [a]`),
// so equal definitions have equal canonical JSON. The defaults of format 1 are frozen: a field
// added later gets no default here, or the digest of an unchanged file would change.
import * as z from "zod";
import { canonical } from "./canonical.ts";
import type { Sha256 } from "./canonical.ts";
import { isForbiddenKey } from "./json.ts";
import type { Json } from "./json.ts";
import {
  DEFAULT_JOB_TIMEOUT_SECONDS,
  DEFAULT_TASK_TIMEOUT_SECONDS,
  MAX_ATTEMPTS,
  MAX_JOB_TIMEOUT_SECONDS,
  MAX_RETRY_DELAY_SECONDS,
  MAX_SECRETS,
  MAX_TASK_TIMEOUT_SECONDS,
} from "./limits.ts";

/** The version of this schema; stored with every pin. */
export const DEFINITION_FORMAT = 1;

export const WORKFLOW_ID = /^[a-z][a-z0-9_-]{0,63}$/;
export const NODE_ID = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
/** Names of inputs, vars and secrets: what an expression can reach with a dot. */
export const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

const workflowId = z.string().regex(WORKFLOW_ID, {
  error: "expected a workflow_id: a-z first, then a-z 0-9 _ -, at most 64 characters",
});
const nodeId = z
  .string()
  .regex(NODE_ID, {
    error: "expected a node id: a letter first, then letters, digits, _, at most 64 characters",
  })
  .refine((id) => id !== "continue" && !isForbiddenKey(id), { error: "this word is reserved" });
const fieldName = z
  .string()
  .regex(FIELD_NAME, {
    error: "expected a name: a letter first, then letters, digits, _, at most 64 characters",
  })
  .refine((name) => !isForbiddenKey(name), { error: "this word is reserved" });

const json: z.ZodType<Json> = z.json();
const description = z.string().max(2000).describe("What it is for; shown to people.");
const seconds = (most: number) => z.number().min(0.001).max(most);

const targets = z
  .union([nodeId, z.array(nodeId)])
  .transform((one): readonly string[] => (typeof one === "string" ? [one] : one));
const next = targets.default([]).describe("The node, or list of nodes, that follow.");

const dependsOn = z
  .strictObject({
    all_of: targets.default([]).describe("Wait until every one of these has ended."),
    any_of: targets.default([]).describe("Wait until the first of these has completed."),
  })
  .describe("Nodes this one waits for, beside those that name it in `next`.");

export const inputSchema = z.strictObject({
  type: z
    .enum(["string", "integer", "number", "boolean", "array", "object"])
    .describe("What a value must be; nothing is converted."),
  required: z.boolean().default(false).describe("Refuse a job without this input."),
  default: json.exactOptional().describe("Taken when the input is not given."),
  description: description.exactOptional(),
  enum: z.array(json).min(1).exactOptional().describe("The only values allowed."),
  min: z.number().exactOptional().describe("Least value; least length of a string or array."),
  max: z.number().exactOptional().describe("Greatest value; greatest length."),
  pattern: z.string().min(1).max(500).exactOptional().describe("RE2 syntax, the whole value."),
});

export const retrySchema = z
  .strictObject({
    max_attempts: z.int().min(1).max(MAX_ATTEMPTS).default(3).describe("Tries in all."),
    backoff: z
      .enum(["fixed", "linear", "exponential"])
      .default("fixed")
      .describe("How the delay grows from retry to retry."),
    initial_delay_seconds: z
      .number()
      .min(0)
      .max(MAX_RETRY_DELAY_SECONDS)
      .default(5)
      .describe("Before the first retry."),
    max_delay_seconds: z
      .number()
      .min(0)
      .max(MAX_RETRY_DELAY_SECONDS)
      .default(300)
      .describe("A delay grows no longer than this."),
    jitter: z.number().min(0).max(1).default(0.1).describe("Share of the delay, at random."),
  })
  .describe("How often and how fast a failed or timed-out attempt is tried again.");

const onError = z
  .string()
  .regex(NODE_ID, { error: 'expected "continue" or a node id' })
  .describe('After the last attempt failed: "continue", or the node that takes over.');

const params = z
  .record(z.string(), json)
  .default({})
  .describe("Given to the handler, rendered. Their names must be those it takes.");
const handler = z.string().min(1).max(64).describe("The name of a registered handler.");
const timeout = seconds(MAX_TASK_TIMEOUT_SECONDS)
  .default(DEFAULT_TASK_TIMEOUT_SECONDS)
  .describe("Bounds one attempt.");

const shared = {
  description: description.exactOptional(),
  depends_on: dependsOn.exactOptional(),
};

export const startSchema = z.strictObject({
  type: z.literal("start"),
  description: description.exactOptional(),
  next,
});
export const endSchema = z.strictObject({ type: z.literal("end"), ...shared });
export const taskSchema = z.strictObject({
  type: z.literal("task"),
  ...shared,
  handler,
  params,
  retry: retrySchema.exactOptional(),
  timeout_seconds: timeout,
  on_error: onError.exactOptional(),
  next,
});
export const branchSchema = z.strictObject({
  name: z.string().min(1).max(64).describe("Told in the history when it is taken."),
  condition: z.string().min(1).exactOptional().describe("An expression over `value`."),
  default: z.boolean().default(false).describe("Taken when no condition holds."),
  next: targets.describe("The node, or list of nodes, that follow when it is taken."),
});
export const conditionalSchema = z.strictObject({
  type: z.literal("conditional"),
  ...shared,
  condition_field: z.string().min(1).describe("One {{ expression }}; its value is `value`."),
  branches: z
    .array(branchSchema)
    .min(1)
    .max(100)
    .describe("The first whose condition holds is taken, else the default."),
});
export const fanOutSchema = z.strictObject({
  type: z.literal("fan_out"),
  ...shared,
  source: z.string().min(1).describe("One {{ expression }} that gives a list."),
  task: z.strictObject({ handler, params }).describe("Run for each item: `item`, `index`."),
  max_parallel: z.int().min(1).max(10_000).exactOptional().describe("Items at once, at most."),
  retry: retrySchema.exactOptional(),
  timeout_seconds: timeout,
  on_error: onError.exactOptional(),
  next,
});
export const fanInSchema = z.strictObject({
  type: z.literal("fan_in"),
  ...shared,
  aggregation: z
    .enum(["collect", "concat", "sum", "first", "last"])
    .default("collect")
    .describe("What becomes of the items, always in their order."),
  select: z.string().min(1).exactOptional().describe("An expression over `value`."),
  next,
});

export const nodeSchema = z.discriminatedUnion("type", [
  startSchema,
  endSchema,
  taskSchema,
  conditionalSchema,
  fanOutSchema,
  fanInSchema,
]);

export const definitionSchema = z.strictObject({
  workflow_id: workflowId.describe("What jobs are submitted under."),
  name: z.string().min(1).max(128).exactOptional().describe("Shown to people."),
  version: z.int().min(1).max(Number.MAX_SAFE_INTEGER).describe("Raise it with every edit."),
  description: description.exactOptional(),
  is_active: z.boolean().default(true).describe("Whether new jobs may start."),
  timeout_seconds: seconds(MAX_JOB_TIMEOUT_SECONDS)
    .default(DEFAULT_JOB_TIMEOUT_SECONDS)
    .describe("The deadline of a job, from its creation."),
  inputs: z
    .record(fieldName, inputSchema)
    .default({})
    .describe("What a job may be given; anything else is refused."),
  vars: z.record(fieldName, json).default({}).describe("Values pinned when a job starts."),
  secrets: z
    .array(fieldName)
    .min(1)
    .max(MAX_SECRETS)
    .refine((names) => new Set(names).size === names.length, {
      error: "expected each name once",
    })
    .exactOptional()
    .describe("Names of the secrets that its tasks use."),
  nodes: z.record(nodeId, nodeSchema).describe("The vertices of the graph, by id."),
});

export type WorkflowDefinition = z.output<typeof definitionSchema>;
export type NodeDefinition = z.output<typeof nodeSchema>;
export type TaskNode = z.output<typeof taskSchema>;
export type ConditionalNode = z.output<typeof conditionalSchema>;
export type FanOutNode = z.output<typeof fanOutSchema>;
export type FanInNode = z.output<typeof fanInSchema>;
export type InputDefinition = z.output<typeof inputSchema>;
export type RetryPolicy = z.output<typeof retrySchema>;
export type NodeType = NodeDefinition["type"];


/**
 * What a job pins: the definition with `is_active` as any job has it. Whether new jobs may start
 * is no part of what a job runs, so switching a version off is not an edit of it.
 */
export function snapshotOf(definition: WorkflowDefinition): WorkflowDefinition {
  return { ...definition, is_active: true };
}

/** `sha256:` of the snapshot's RFC 8785 form: with id and version a definition's identity. */
export function definitionDigest(definition: WorkflowDefinition, sha256: Sha256): string {
  return `sha256:${sha256(canonical(snapshotOf(definition) as unknown as Json))}`;
}
