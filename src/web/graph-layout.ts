// Where the nodes and edges of a graph are drawn: dagre, from top to bottom. Sizes follow from the
// texts, so nothing overlaps whatever nodes are called.
import { Graph, layout } from "@dagrejs/dagre";
import type { EdgeLabel, GraphLabel, NodeLabel, Point } from "@dagrejs/dagre";
import type { ShownNode } from "./definition.ts";
import type { GraphEdge } from "./graph-model.ts";

export interface PlacedNode {
  readonly node: ShownNode;
  /** Of its centre. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly edge: GraphEdge;
  readonly path: string;
  /** Where its label stands. */
  readonly at: Point;
}

export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

const MAX_LABEL_CHARS = 26;
const CHAR_WIDTH = 7.6;
const NODE_HEIGHT = 48;
const FAN_OUT_HEIGHT = 72;

/** A name as it fits into its box. */
export function shortened(text: string, most = MAX_LABEL_CHARS): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

export interface GraphToPlace {
  readonly nodes: readonly ShownNode[];
  readonly edges: readonly GraphEdge[];
  /** Whether nodes show a status, which takes its room. */
  readonly hasStatus: boolean;
}

export function placed({ nodes, edges, hasStatus }: GraphToPlace): Placed {
  const graph = new Graph<GraphLabel, NodeLabel, EdgeLabel>({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 28, ranksep: 40, marginx: 16, marginy: 16 });
  for (const node of nodes) graph.setNode(node.id, sizeOf(node, hasStatus));
  edges.forEach((edge, index) => {
    const width = edge.label === undefined ? 0 : shortened(edge.label, 20).length * 6.6 + 12;
    const label = { width, height: width === 0 ? 0 : 18, labelpos: "c" as const };
    graph.setEdge(edge.from, edge.to, label, String(index));
  });
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as GraphLabel;
  return {
    width,
    height,
    nodes: nodes.map((node) => {
      const { x = 0, y = 0, ...size } = graph.node(node.id);
      return { node, x, y, width: size.width, height: size.height };
    }),
    edges: edges.map((edge, index) => {
      const found = graph.edge(edge.from, edge.to, String(index));
      const points = found.points ?? [];
      const { x = points[0]?.x ?? 0, y = points[0]?.y ?? 0 } = found;
      return { edge, path: curve(points), at: { x, y } };
    }),
  };
}

/** " · completed", the longest of them. */
const STATUS_CHARS = 12;

function sizeOf({ id, type, handler }: ShownNode, hasStatus: boolean): NodeLabel {
  const what = shortened(type === "task" ? (handler ?? type) : type).length;
  const second = (what + (hasStatus ? STATUS_CHARS : 0)) * 0.86;
  const longest = Math.max(shortened(id).length, second);
  const width = Math.max(112, Math.ceil(longest * CHAR_WIDTH) + (hasStatus ? 52 : 28));
  return { width, height: type === "fan_out" ? FAN_OUT_HEIGHT : NODE_HEIGHT };
}

/** Straight pieces with rounded corners: each bend is a curve around dagre's point. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (first === undefined || last === undefined) return "";
  const pieces = rest.slice(0, -1).map((point, index) => {
    const after = rest[index + 1] ?? last;
    const middle = { x: (point.x + after.x) / 2, y: (point.y + after.y) / 2 };
    const end = index === rest.length - 2 ? last : middle;
    return `Q${at(point)} ${at(end)}`;
  });
  return `M${at(first)}${pieces.length === 0 ? `L${at(last)}` : pieces.join("")}`;
}

function at({ x, y }: Point): string {
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}
