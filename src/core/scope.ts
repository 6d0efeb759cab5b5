// What an expression of a job sees: its pinned inputs and vars, facts of the job, and the states
// and outputs of the nodes it names. Values that live in other documents are asked for first, so
// that evaluation itself never waits.
import type { Expression } from "./expression/parse.ts";
import { ExpressionError, evaluate } from "./expression/evaluate.ts";
import type { Budget, Scope } from "./expression/evaluate.ts";
import type { Reference } from "./expression/references.ts";
import type { Rendering } from "./graph.ts";
import type { FailureReason, NodeState, StoredValue } from "./job.ts";
import { isJsonObject } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";
import { MAX_EVALUATION_STEPS } from "./limits.ts";
import type { Sealed } from "./secret.ts";
import { sealTemplate } from "./template.ts";
import type { Template } from "./template.ts";
import type { Documents, Transition } from "./transition.ts";

/** The entry that holds inputs and vars too large for the projection. */
const CREATION = "0";

/** What it costs to put a scope together, in steps of an evaluation. */
const SCOPE_STEPS = 20;

export type Rendered<Value = Json> =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "error"; readonly error: FailureReason }
  | { readonly kind: "needs" };

/** Params with the marks of their secrets; where they have any, with these left open as well. */
export type RenderedParams =
  | { readonly kind: "value"; readonly value: Json; readonly sealed?: Sealed }
  | Exclude<Rendered, { readonly kind: "value" }>;

/** Renders params; asks for documents through the transition where some are not loaded. */
export function renderParams(
  transition: Transition,
  { form, reads }: Rendering<Template>,
  extra: Scope = {},
): RenderedParams {
  const rendered = render(transition, reads, (scope, budget) =>
    sealTemplate(form, { ...scope, ...extra }, budget),
  );
  if (rendered.kind !== "value") return rendered;
  const { value, sealed } = rendered.value;
  const isOpen = reads.some(({ root }) => root === "secrets");
  return isOpen ? { kind: "value", value, sealed } : { kind: "value", value };
}

/** Evaluates one expression; as `renderParams`. */
export function evaluateIn(
  transition: Transition,
  rendering: Rendering<Expression>,
  extra: Scope = {},
): Rendered {
  return render(transition, rendering.reads, (scope, budget) =>
    evaluate(rendering.form, { ...scope, ...extra }, budget),
  );
}

function render<Value>(
  transition: Transition,
  reads: readonly Reference[],
  work: (scope: Scope, budget: Budget) => Value,
): Rendered<Value> {
  const scope = scopeFor(transition, reads);
  if (scope === undefined) return { kind: "needs" };
  const budget = { steps: MAX_EVALUATION_STEPS };
  try {
    return { kind: "value", value: work(scope, budget) };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { kind: "error", error: { code: "EXPRESSION_FAILED", message: error.message } };
  } finally {
    const spent = MAX_EVALUATION_STEPS - Math.max(0, budget.steps);
    transition.budget.steps -= spent;
    transition.spend(spent + SCOPE_STEPS);
  }
}

function scopeFor(transition: Transition, reads: readonly Reference[]): Scope | undefined {
  const { job } = transition;
  const roots = new Set(reads.map(({ root }) => root));
  const needs: string[] = [];
  const pinned = pinnedValues(transition, roots, needs);
  const nodes: Record<string, Json> = {};
  for (const id of namedNodes(reads)) {
    const state = transition.node(id);
    nodes[id] = nodeScope(transition, { id, state, reads, needs });
  }
  if (needs.length > 0) {
    transition.need(needs);
    return undefined;
  }
  return {
    ...pinned,
    nodes,
    job: {
      job_id: job.job_id,
      workflow_id: job.workflow_id,
      workflow_version: job.workflow_version,
      created_at: job.created_at,
      ...(job.correlation_id === undefined ? {} : { correlation_id: job.correlation_id }),
    },
  };
}

function pinnedValues(
  transition: Transition,
  roots: ReadonlySet<string>,
  needs: string[],
): Scope {
  const { job, documents } = transition;
  if (!roots.has("inputs") && !roots.has("vars")) return {};
  if (job.inputs !== undefined) return { inputs: job.inputs, vars: job.vars };
  const entry = documents.get(CREATION);
  if (entry === undefined) needs.push(CREATION);
  return { inputs: entry?.["inputs"], vars: entry?.["vars"] };
}

function namedNodes(reads: readonly Reference[]): readonly string[] {
  const ids = reads
    .filter(({ root }) => root === "nodes")
    .flatMap(({ path }) => (typeof path[0] === "string" ? [path[0]] : []));
  return [...new Set(ids)];
}

interface NodeReading {
  readonly id: string;
  readonly state: NodeState;
  readonly reads: readonly Reference[];
  readonly needs: string[];
}

function nodeScope(transition: Transition, { id, state, reads, needs }: NodeReading): JsonObject {
  const asked = reads.some(
    ({ root, path }) => root === "nodes" && path[0] === id && readsOutput(path[1]),
  );
  const error = state.error === undefined ? {} : { error: { ...state.error } };
  const { status } = state;
  if (!asked || state.output === undefined) return { status, ...error };
  const found = storedValue(transition.documents, state.output, id);
  if (found.kind === "needs") needs.push(found.id);
  return found.kind === "value" ? { status, ...error, output: found.value } : { status, ...error };
}

function readsOutput(step: string | number | undefined): boolean {
  return step === undefined || step === "output";
}

export type Found =
  | { readonly kind: "value"; readonly value: Json }
  | { readonly kind: "needs"; readonly id: string }
  | { readonly kind: "absent" };

/** A stored value from the documents at hand: an object, or the entry that completed the node. */
export function storedValue(
  loaded: Documents,
  stored: StoredValue,
  nodeId: string,
): Found {
  if ("value" in stored) return { kind: "value", value: stored.value };
  const document = loaded.get(stored.object);
  if (document === undefined) return { kind: "needs", id: stored.object };
  if (document === null) return { kind: "absent" };
  const value = stored.object.startsWith("out:")
    ? document["value"]
    : outputInEntry(document, nodeId);
  return value === undefined ? { kind: "absent" } : { kind: "value", value };
}

function outputInEntry(entry: JsonObject, nodeId: string): Json | undefined {
  const events = entry["events"];
  if (!Array.isArray(events)) return undefined;
  const completed = events.find(
    (event: Json) =>
      isJsonObject(event) && event["type"] === "node_completed" && event["node_id"] === nodeId,
  ) as JsonObject | undefined;
  return completed?.["output"];
}
