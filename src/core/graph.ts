// A definition made ready to run: its edges, a fixed order of its nodes, its parsed templates.
// Compiled once per digest and shared by all jobs that pin it; never changed afterwards.
import type { ConditionalNode, NodeDefinition, WorkflowDefinition } from "./definition.ts";
import { WorkflowError } from "./error.ts";
import { parseCondition, parseExpression } from "./expression/parse.ts";
import type { Expression, Parsed } from "./expression/parse.ts";
import { references } from "./expression/references.ts";
import type { Reference } from "./expression/references.ts";
import { parseSingle, parseTemplate, templateReferences } from "./template.ts";
import type { Template } from "./template.ts";
import type { JsonObject } from "./json.ts";

/** How a source holds its target: `next`, a taken branch, the way out of a failure, or a wait. */
export type EdgeKind = "next" | "branch" | "on_error" | "all_of" | "any_of";

/**
 * What a node waits for together: the ways that lead to it, what it depends on wholly, and what it
 * depends on in part. A node needs all of the groups it has.
 */
export const EDGE_GROUPS = [["next", "branch", "on_error"], ["all_of"], ["any_of"]] as const;

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
  /** The branch that makes a `branch` edge live. */
  readonly branch?: string;
}

/** A parsed expression or template with everything it reads. */
export interface Rendering<T> {
  readonly form: T;
  readonly reads: readonly Reference[];
}

export interface CompiledBranch {
  readonly name: string;
  /** Absent for the default branch. */
  readonly condition?: Rendering<Expression>;
}

/** What a node evaluates, by node type; members that its type lacks are absent. */
export interface CompiledNode {
  readonly params?: Rendering<Template>;
  readonly source?: Rendering<Expression>;
  readonly field?: Rendering<Expression>;
  readonly branches?: readonly CompiledBranch[];
  readonly select?: Rendering<Expression>;
}

export interface Workflow {
  readonly digest: string;
  readonly definition: WorkflowDefinition;
  /** Sources before targets; the order of the file among nodes of one depth. */
  readonly order: readonly string[];
  readonly incoming: ReadonlyMap<string, readonly Edge[]>;
  readonly nodes: ReadonlyMap<string, CompiledNode>;
}

/**
 * Compiles a snapshot. Throws SNAPSHOT_INVALID where an expression does not parse or an edge leads
 * to no node: a job must not end as completed because a part of it could not be found.
 */
export function compileWorkflow(definition: WorkflowDefinition, digest: string): Workflow {
  const ids = Object.keys(definition.nodes);
  const incoming = new Map<string, Edge[]>(ids.map((id) => [id, []]));
  for (const edge of namedEdges(definition)) {
    const known = incoming.get(edge.to);
    const missing = known === undefined ? edge.to : edge.from;
    if (known === undefined || !incoming.has(edge.from)) {
      throw invalid(known === undefined ? edge.from : edge.to, `there is no node "${missing}"`);
    }
    known.push(edge);
  }
  const nodes = new Map(
    Object.entries(definition.nodes).map(([id, node]) => [id, compileNode(id, node)]),
  );
  checkSecrets(definition, nodes);
  return { digest, definition, order: sorted(ids, incoming), incoming, nodes };
}

/** No task may be given a secret that the definition does not name. */
function checkSecrets(
  { secrets = [] }: WorkflowDefinition,
  nodes: ReadonlyMap<string, CompiledNode>,
): void {
  for (const [id, { params }] of nodes) {
    for (const { root, path } of params?.reads ?? []) {
      if (root !== "secrets" || secrets.includes(String(path[0]))) continue;
      throw invalid(id, `secrets.${String(path[0])} is not on the list of secrets`);
    }
  }
}

/** The edges into a node; none for a node that the definition does not have. */
export function edgesInto(
  { incoming }: Pick<Workflow, "incoming">,
  nodeId: string,
): readonly Edge[] {
  return incoming.get(nodeId) ?? [];
}

/** Every edge of a definition between nodes that exist, each once. */
export function edgesOf(definition: WorkflowDefinition): readonly Edge[] {
  const { nodes } = definition;
  return namedEdges(definition).filter(
    ({ from, to }) => Object.hasOwn(nodes, from) && Object.hasOwn(nodes, to),
  );
}

function namedEdges(definition: WorkflowDefinition): readonly Edge[] {
  const found = new Map<string, Edge>();
  const add = (edge: Edge) => {
    found.set(`${edge.from} ${edge.to} ${edge.kind} ${edge.branch ?? ""}`, edge);
  };
  for (const [id, node] of Object.entries(definition.nodes)) {
    for (const edge of edgesOut(id, node)) add(edge);
    if (node.type === "start") continue;
    for (const from of node.depends_on?.all_of ?? []) add({ from, to: id, kind: "all_of" });
    for (const from of node.depends_on?.any_of ?? []) add({ from, to: id, kind: "any_of" });
  }
  return [...found.values()];
}

function edgesOut(id: string, node: NodeDefinition): readonly Edge[] {
  switch (node.type) {
    case "end":
      return [];
    case "conditional":
      return branchEdges(id, node);
    case "start":
    case "fan_in":
      return nextEdges(id, node.next);
    case "task":
    case "fan_out": {
      const next = nextEdges(id, node.next);
      const rescue = rescueNode(node.on_error);
      return rescue === undefined ? next : [...next, { from: id, to: rescue, kind: "on_error" }];
    }
  }
}

function nextEdges(from: string, next: readonly string[]): readonly Edge[] {
  return next.map((to) => ({ from, to, kind: "next" }));
}

function branchEdges(from: string, node: ConditionalNode): readonly Edge[] {
  return node.branches.flatMap(({ name, next }) =>
    next.map((to) => ({ from, to, kind: "branch" as const, branch: name })),
  );
}

/** The node that `on_error` names, if it names one. */
export function rescueNode(onError: string | undefined): string | undefined {
  return onError === undefined || onError === "continue" ? undefined : onError;
}

/** By depth, within a depth in the order of the file; what a cycle holds comes last. */
function sorted(
  ids: readonly string[],
  incoming: ReadonlyMap<string, readonly Edge[]>,
): readonly string[] {
  const placed = new Set<string>();
  const order: string[] = [];
  let left = [...ids];
  for (;;) {
    const ready = left.filter((id) => edgesInto({ incoming }, id).every((e) => placed.has(e.from)));
    if (ready.length === 0) return [...order, ...left];
    for (const id of ready) placed.add(id);
    order.push(...ready);
    left = left.filter((id) => !placed.has(id));
  }
}

function compileNode(id: string, node: NodeDefinition): CompiledNode {
  switch (node.type) {
    case "start":
    case "end":
      return {};
    case "task":
      return { params: template(id, node.params) };
    case "conditional":
      return {
        field: expression(id, parseSingle(node.condition_field)),
        branches: node.branches.map(({ name, condition }) =>
          condition === undefined
            ? { name }
            : { name, condition: expression(id, parseCondition(condition)) },
        ),
      };
    case "fan_out":
      return {
        source: expression(id, parseSingle(node.source)),
        params: template(id, node.task.params),
      };
    case "fan_in":
      return node.select === undefined
        ? {}
        : { select: expression(id, parseExpression(node.select)) };
  }
}

function expression(id: string, parsed: Parsed): Rendering<Expression> {
  if (!parsed.ok) throw invalid(id, parsed.message);
  return { form: parsed.expression, reads: references(parsed.expression) };
}

function template(id: string, params: JsonObject): Rendering<Template> {
  const parsed = parseTemplate(params);
  if (!parsed.ok) throw invalid(id, parsed.issues.map((issue) => issue.message).join("; "));
  return { form: parsed.template, reads: templateReferences(parsed.template) };
}

function invalid(id: string, message: string): WorkflowError {
  return new WorkflowError("SNAPSHOT_INVALID", `node "${id}": ${message}`);
}
