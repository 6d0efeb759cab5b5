// Builders for the core's tests: definitions in the shape of the YAML, outcomes, and the hashes.
// A definition is parsed by the real schema and compiled by the real compiler.
import { createHash } from "node:crypto";
import { definitionDigest, definitionSchema } from "../../src/core/definition.ts";
import type { WorkflowDefinition } from "../../src/core/definition.ts";
import type { Outcome } from "../../src/core/effect.ts";
import { compileWorkflow } from "../../src/core/graph.ts";
import type { Workflow } from "../../src/core/graph.ts";
import type { Json } from "../../src/core/json.ts";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
export const hashBytes = (hex: string): string =>
  createHash("sha256").update(Buffer.from(hex, "hex")).digest("hex");

/** The nodes of a definition, as YAML would give them. */
export type Nodes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A parsed definition with these nodes; `more` are its other fields. */
export function definition(
  nodes: Nodes,
  more: Readonly<Record<string, unknown>> = {},
): WorkflowDefinition {
  return definitionSchema.parse({ workflow_id: "test", version: 1, nodes, ...more });
}

export function workflowOf(parsed: WorkflowDefinition): Workflow {
  return compileWorkflow(parsed, definitionDigest(parsed, sha256));
}

export const start = (...next: readonly string[]) => ({ type: "start", next });
export const end = (more: Readonly<Record<string, unknown>> = {}) => ({ type: "end", ...more });

/** A task with the handler `echo`: its output is its params. */
export const task = (more: Readonly<Record<string, unknown>> = {}) => ({
  type: "task",
  handler: "echo",
  ...more,
});

/** A fan_out over `inputs.items` whose items give themselves back. */
export const fanOut = (more: Readonly<Record<string, unknown>> = {}) => ({
  type: "fan_out",
  source: "{{ inputs.items }}",
  task: { handler: "item", params: { value: "{{ item }}", index: "{{ index }}" } },
  ...more,
});

export const fanIn = (more: Readonly<Record<string, unknown>> = {}) => ({
  type: "fan_in",
  ...more,
});

export const completed = (output: Json): Outcome => ({ kind: "completed", output, log: [] });
export const timedOut: Outcome = { kind: "timed_out", log: [] };
export const aborted: Outcome = { kind: "aborted", log: [] };

/** A failure that may be tried again; `retryable: false` for one that may not. */
export const failed = (code = "BROKEN", retryable = true): Outcome => ({
  kind: "failed",
  error: { code, message: `it said ${code}` },
  retryable,
  log: [],
});

/** A text of `bytes` ASCII characters. */
export const text = (bytes: number): string => "x".repeat(bytes);

export const numbers = (count: number): readonly number[] => [...Array(count).keys()];
