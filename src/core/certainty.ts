// What is certain when a node starts: which nodes have ended, and which of them have completed.
// docs/workflow-format.md tells the rule in words. Every "yes" is sound; a "no" may also mean that
// the graph is too tangled to tell, and then the author writes default(...) around the expression.
import { conjunction, covers, disjunction } from "./condition.ts";
import type { Condition, Logic } from "./condition.ts";
import type { NodeDefinition, WorkflowDefinition } from "./definition.ts";
import { type Edge, EDGE_GROUPS, edgesOf, rescueNode } from "./graph.ts";

export interface Certainty {
  /** Whether any way leads from `source` to `reader`. */
  readonly isUpstream: (source: string, reader: string) => boolean;
  /** Whether `source` has ended, in whatever way, whenever `reader` starts. */
  readonly hasEnded: (source: string, reader: string) => boolean;
  /** Whether `source` completes in every case in which `reader` starts. */
  readonly completes: (source: string, reader: string) => boolean;
}

interface Facts {
  readonly ancestors: ReadonlySet<string>;
  /** The choices under which the node starts. */
  readonly starts: Condition;
  /** What has ended when it starts. */
  readonly ended: ReadonlySet<string>;
  /** What has ended, at the least, when it has ended itself, whether it started or was skipped. */
  readonly settled: ReadonlySet<string>;
}

interface Analysis {
  readonly definition: WorkflowDefinition;
  readonly edges: readonly Edge[];
  readonly facts: Map<string, Facts>;
  readonly logic: Logic;
}

/** The definition must have passed `checkGraph`: one start, known targets, no cycle. */
export function certaintyOf(definition: WorkflowDefinition): Certainty {
  const edges = edgesOf(definition);
  const values = new Map(Object.entries(definition.nodes).map(([id, node]) => [id, waysOf(node)]));
  const logic: Logic = { values, work: { left: MAX_WORK } };
  const analysis: Analysis = { definition, edges, facts: new Map(), logic };
  return {
    isUpstream: (source, reader) => factsOf(analysis, reader).ancestors.has(source),
    hasEnded: (source, reader) => factsOf(analysis, reader).ended.has(source),
    completes: (source, reader) => {
      const completed = completionOf(analysis, source);
      return factsOf(analysis, reader).starts.every((cube) => covers(logic, completed, cube));
    },
  };
}

/** Steps of logic for one definition, about 0.1 s; when they are used up the answer is no. */
const MAX_WORK = 5_000_000;

const COMPLETED = "completed";
const FAILED = "failed";

/** The ways on from a node that the job's other nodes can tell apart. */
function waysOf(node: NodeDefinition): readonly string[] {
  if (node.type === "conditional") return node.branches.map(({ name }) => name);
  return "on_error" in node ? [COMPLETED, FAILED] : [COMPLETED];
}

function factsOf(analysis: Analysis, id: string): Facts {
  const known = analysis.facts.get(id);
  if (known !== undefined) return known;
  // At most MAX_NODES deep; without cycles this ends at the start node.
  const edges = analysis.edges.filter(({ to }) => to === id);
  const groups = EDGE_GROUPS.map((kinds) =>
    edges.filter(({ kind }) => kinds.some((one) => one === kind)),
  );
  const used = groups.filter((group) => group.length > 0);
  const ways = used
    .map((group) => disjunction(analysis.logic, group.flatMap((edge) => taken(analysis, edge))));
  const starts = conjunction(analysis.logic, ways);
  const ended = union(used.map((group) => endedBefore(analysis, group)));
  const always = covers(analysis.logic, starts, new Map());
  const ancestors = union(edges.map(({ from }) => ancestorsWith(analysis, from)));
  const settled = always ? ended : intersection([ended, endedIfSkipped(analysis, used)]);
  const facts: Facts = { ancestors, starts, ended, settled };
  analysis.facts.set(id, facts);
  return facts;
}

function ancestorsWith(analysis: Analysis, id: string): ReadonlySet<string> {
  return new Set([id, ...factsOf(analysis, id).ancestors]);
}

/** A node is skipped when one of its groups has only dead edges, whatever the other one does. */
function endedIfSkipped(
  analysis: Analysis,
  groups: readonly (readonly Edge[])[],
): ReadonlySet<string> {
  return intersection(
    groups.map((group) => union(group.map(({ from }) => settledBy(analysis, from)))),
  );
}

/** Edges that wait for every source; the others, of any_of, for the first. */
function isAll(edge: Edge): boolean {
  return edge.kind !== "any_of";
}

/** The choices under which an edge is live. */
function taken(analysis: Analysis, edge: Edge): Condition {
  const { starts } = factsOf(analysis, edge.from);
  const way = wayOf(analysis, edge);
  return way === undefined ? starts : starts.map((cube) => new Map([...cube, [edge.from, way]]));
}

function wayOf({ definition }: Analysis, edge: Edge): string | undefined {
  if (edge.kind === "branch") return edge.branch;
  if (edge.kind === "on_error") return FAILED;
  const node = definition.nodes[edge.from];
  const onError = node !== undefined && "on_error" in node ? node.on_error : undefined;
  // With "continue" the edge is live however the source ended.
  return rescueNode(onError) === undefined ? undefined : COMPLETED;
}

function completionOf(analysis: Analysis, id: string): Condition {
  const { starts } = factsOf(analysis, id);
  // Without on_error a failure ends the job, and nothing starts any more.
  if (analysis.definition.nodes[id]?.type === "conditional") return starts;
  return starts.map((cube) => new Map([...cube, [id, COMPLETED]]));
}

/** What has ended when a group of edges lets its node start. */
function endedBefore(analysis: Analysis, group: readonly Edge[]): ReadonlySet<string> {
  const sources = [...new Set(group.map(({ from }) => from))];
  const started = sources.map((id) => new Set([id, ...factsOf(analysis, id).ended]));
  // One edge at least is live, so its source has started; of several, nobody knows which.
  if (sources.length === 1 || !group.every(isAll)) return intersection(started);
  return union([...sources.map((id) => settledBy(analysis, id)), intersection(started)]);
}

function settledBy(analysis: Analysis, id: string): ReadonlySet<string> {
  return new Set([id, ...factsOf(analysis, id).settled]);
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

function intersection(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const [first = new Set<string>(), ...others] = sets;
  return new Set([...first].filter((id) => others.every((set) => set.has(id))));
}
