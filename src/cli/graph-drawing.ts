// A definition as a drawing: Mermaid for documents and pull requests, or lines for a terminal. The
// text form names every node once, in the order of the graph, with the ways that lead out of it.
import type { Edge, Workflow } from "../core/graph.ts";

const SHAPES: Readonly<Record<string, readonly [string, string]>> = {
  start: ["([", "])"],
  end: ["([", "])"],
  conditional: ["{", "}"],
  fan_out: ["[[", "]]"],
  fan_in: ["[/", "\\]"],
  task: ["[", "]"],
};

function outgoing(workflow: Workflow): ReadonlyMap<string, readonly Edge[]> {
  const ways = new Map<string, Edge[]>(workflow.order.map((id) => [id, []]));
  for (const id of workflow.order) {
    for (const edge of workflow.incoming.get(id) ?? []) ways.get(edge.from)?.push(edge);
  }
  return ways;
}

/** Under its id, a node says its type, or the handler that it calls. */
function role(workflow: Workflow, id: string): string {
  const node = workflow.definition.nodes[id];
  if (node?.type === "task") return node.handler;
  return node?.type === "fan_out" ? `${node.task.handler} for each item` : (node?.type ?? "");
}

export function mermaid(workflow: Workflow): readonly string[] {
  const nodes = workflow.order.map((id) => {
    const [open, close] = SHAPES[workflow.definition.nodes[id]?.type ?? ""] ?? ["[", "]"];
    const text = role(workflow, id);
    const label = text === id ? id : `${id}<br/><small>${escaped(text)}</small>`;
    return `  n_${id}${open}"${label}"${close}`;
  });
  const edges = [...outgoing(workflow).values()].flat().map(mermaidEdge);
  return ["flowchart TD", ...nodes, ...edges];
}

function mermaidEdge({ from, to, kind, branch }: Edge): string {
  const label = kind === "branch" ? (branch ?? "") : kind === "next" ? "" : kind;
  const arrow = kind === "next" || kind === "branch" ? "-->" : "-.->";
  return `  n_${from} ${arrow}${label === "" ? "" : `|"${escaped(label)}"|`} n_${to}`;
}

/** What Mermaid would read as markup. */
function escaped(text: string): string {
  return text.replaceAll(/["<>&#|]/g, (character) => `#${character.codePointAt(0) ?? 0};`);
}

/** Nodes one below the other, deeper ones further in, each with where it leads. */
export function drawing(workflow: Workflow): readonly string[] {
  const depths = depthsOf(workflow);
  const ways = outgoing(workflow);
  const widths = workflow.order.map((id) => {
    return 2 * (depths.get(id) ?? 0) + id.length + role(workflow, id).length;
  });
  const width = Math.max(...widths);
  return workflow.order.map((id) => {
    const text = role(workflow, id);
    const own = `${"  ".repeat(depths.get(id) ?? 0)}${id}${text === id ? "" : ` (${text})`}`;
    const out = ways.get(id) ?? [];
    if (out.length === 0) return own;
    return `${own.padEnd(width + 3)}  → ${out.map(wayText).join(", ")}`;
  });
}

function wayText({ to, kind, branch }: Edge): string {
  if (kind === "next") return to;
  return kind === "branch" ? `${to} [${branch ?? ""}]` : `${to} [${kind}]`;
}

/** The longest way from the start. */
function depthsOf(workflow: Workflow): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  for (const id of workflow.order) {
    const sources = (workflow.incoming.get(id) ?? []).map(({ from }) => depths.get(from) ?? 0);
    depths.set(id, sources.length === 0 ? 0 : Math.max(...sources) + 1);
  }
  return depths;
}
