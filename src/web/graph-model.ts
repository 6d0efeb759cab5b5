// The edges of a definition, and what a job made of them: taken, dead, or still open. Pure, so that
// the drawing only draws.
import type { JobNodeRow } from "../api/wire.ts";
import type { ShownNode } from "./definition.ts";

export type EdgeKind = "next" | "branch" | "depends" | "error";

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
  /** The branch's name, or why else this way is special. */
  readonly label: string | undefined;
}

/** Taken: the job went this way. Dead: it never will. Open: nobody knows yet. */
export type EdgeState = "open" | "taken" | "dead";

export type NodeFacts = Pick<JobNodeRow, "status" | "branch">;

/** In the order of the definition, each pair of nodes once per kind. */
export function edgesOf(nodes: readonly ShownNode[]): readonly GraphEdge[] {
  const known = new Set(nodes.map(({ id }) => id));
  const found = new Map<string, GraphEdge>();
  const pairs = new Set<string>();
  const add = (edge: GraphEdge): void => {
    if (!known.has(edge.from) || !known.has(edge.to)) return;
    const pair = `${edge.from}>${edge.to}`;
    // `next` and `depends_on` may both name the same pair: that is one way.
    if (edge.kind === "depends" && pairs.has(pair)) return;
    pairs.add(pair);
    found.set(`${pair}:${edge.kind}:${edge.label ?? ""}`, edge);
  };
  for (const node of nodes) {
    for (const edge of outgoing(node)) add(edge);
  }
  for (const { id: to, dependsOn } of nodes) {
    for (const from of dependsOn) add({ from, to, kind: "depends", label: undefined });
  }
  return [...found.values()];
}

function outgoing({ id: from, next, branches, onError }: ShownNode): readonly GraphEdge[] {
  const error: GraphEdge[] =
    onError === undefined ? [] : [{ from, to: onError, kind: "error", label: "on error" }];
  return [
    ...next.map((to): GraphEdge => ({ from, to, kind: "next", label: undefined })),
    ...branches.flatMap(({ name, next: targets }) =>
      targets.map((to): GraphEdge => ({ from, to, kind: "branch", label: name })),
    ),
    ...error,
  ];
}

const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "skipped", "cancelled"]);

export function hasEnded({ status }: Pick<NodeFacts, "status">): boolean {
  return ENDED.has(status);
}

export function edgeState(
  edge: GraphEdge,
  facts: (nodeId: string) => NodeFacts | undefined,
): EdgeState {
  const from = facts(edge.from);
  const to = facts(edge.to);
  if (from === undefined || to === undefined) return "open";
  if (from.status === "skipped" || from.status === "cancelled") return "dead";
  if (!hasEnded(from)) return to.status === "skipped" ? "dead" : "open";
  return isTaken(edge, from, to) ? "taken" : "dead";
}

function isTaken(edge: GraphEdge, from: NodeFacts, to: NodeFacts): boolean {
  if (to.status === "skipped") return false;
  switch (edge.kind) {
    case "error":
      return from.status === "failed";
    case "branch":
      return from.branch === edge.label;
    case "next":
    case "depends":
      // With `on_error: continue` a failed node goes on as well.
      return from.status === "completed" || (to.status !== "pending" && to.status !== "cancelled");
  }
}
