// Which edges are open, live or dead, and which nodes may therefore start or must be skipped.
// Live: the source completed and took the edge, or failed with `on_error: continue`. Dead: the
// source was skipped or cancelled, took another way, or failed into its `on_error` node.
import type { NodeDefinition } from "./definition.ts";
import { EDGE_GROUPS, edgesInto } from "./graph.ts";
import type { Edge, Workflow } from "./graph.ts";
import type { JobState, NodeState } from "./job.ts";
import { nodeState } from "./job.ts";

export type EdgeState = "open" | "live" | "dead";
export type Readiness = "wait" | "ready" | "skip";

export function edgeState(
  edge: Edge,
  source: NodeState,
  definition: NodeDefinition | undefined,
): EdgeState {
  switch (source.status) {
    case "pending":
    case "queued":
    case "running":
    case "waiting":
      return "open";
    case "skipped":
    case "cancelled":
      return "dead";
    case "completed":
      return isTaken(edge, source) ? "live" : "dead";
    case "failed":
      return afterFailure(edge, onErrorOf(definition));
  }
}

function isTaken(edge: Edge, source: NodeState): boolean {
  switch (edge.kind) {
    case "next":
    case "all_of":
    case "any_of":
      return true;
    case "branch":
      return edge.branch === source.branch;
    case "on_error":
      return false;
  }
}

function afterFailure(edge: Edge, onError: string | undefined): EdgeState {
  if (onError === "continue") return edge.kind === "on_error" ? "dead" : "live";
  return edge.kind === "on_error" ? "live" : "dead";
}

export function onErrorOf(definition: NodeDefinition | undefined): string | undefined {
  return definition?.type === "task" || definition?.type === "fan_out"
    ? definition.on_error
    : undefined;
}

/**
 * Whether a pending node may start. The ways that lead to it (`next`, branches, `on_error`), and
 * `all_of`: none open and at least one live. `any_of`: the first live one. A node with several of
 * these groups needs them all: nothing that it depends on makes up for a branch not taken.
 */
export function readiness(job: JobState, workflow: Workflow, nodeId: string): Readiness {
  const edges = edgesInto(workflow, nodeId);
  if (edges.length === 0) {
    return workflow.definition.nodes[nodeId]?.type === "start" ? "ready" : "skip";
  }
  const states = edges.map((edge) => {
    const definition = workflow.definition.nodes[edge.from];
    return { kind: edge.kind, state: edgeState(edge, nodeState(job, edge.from), definition) };
  });
  const groups = EDGE_GROUPS.map((kinds) => {
    const group = states.filter(({ kind }) => kinds.some((one) => one === kind));
    const found = group.map(({ state }) => state);
    if (found.length === 0) return "ready";
    return kinds[0] === "any_of" ? anyOf(found) : allOf(found);
  });
  return together(groups);
}

function allOf(states: readonly EdgeState[]): Readiness {
  if (states.includes("open")) return "wait";
  return states.includes("live") ? "ready" : "skip";
}

function anyOf(states: readonly EdgeState[]): Readiness {
  if (states.includes("live")) return "ready";
  return states.includes("open") ? "wait" : "skip";
}

function together(groups: readonly Readiness[]): Readiness {
  if (groups.includes("skip")) return "skip";
  return groups.includes("wait") ? "wait" : "ready";
}
