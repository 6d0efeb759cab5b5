// A graph as SVG. With rows of a job it shows their statuses and which ways were taken; without, it
// shows the definition alone. Nodes are links; one is in the order of Tab, and arrows lead from it
// to its neighbours.
import { useMemo, useRef, useState } from "preact/hooks";
import type { JobNodeRow } from "../api/wire.ts";
import type { ShownNode } from "./definition.ts";
import { FanOutCounts } from "./fan-out-counts.tsx";
import { placed, shortened } from "./graph-layout.ts";
import type { PlacedEdge, PlacedNode } from "./graph-layout.ts";
import { edgeState, edgesOf } from "./graph-model.ts";
import type { EdgeState } from "./graph-model.ts";
import { statusShape, statusText, toneOf } from "./status-badge.tsx";

interface GraphViewProps {
  readonly nodes: readonly ShownNode[];
  /** Of a job, by node id. */
  readonly rows?: ReadonlyMap<string, JobNodeRow>;
  readonly picked?: string | undefined;
  /** Where a node leads to; without it nodes lead nowhere. */
  readonly linkTo?: (nodeId: string) => string;
  readonly label: string;
}

export function GraphView({ nodes, rows, picked, linkTo, label }: GraphViewProps) {
  const hasStatus = rows !== undefined;
  const graph = useMemo(
    () => placed({ nodes, edges: edgesOf(nodes), hasStatus }),
    [nodes, hasStatus],
  );
  const [isWhole, setWhole] = useState(false);
  const [stop, setStop] = useState<string>();
  const svg = useRef<SVGSVGElement>(null);
  const tabStop = stop ?? picked ?? nodes[0]?.id;
  const move = (event: KeyboardEvent): void => {
    const next = neighbour(graph.nodes, tabStop, event.key);
    if (next === undefined) return;
    event.preventDefault();
    setStop(next);
    svg.current?.querySelector<SVGElement>(`#node-${CSS.escape(next)}`)?.focus();
  };
  const isLarge = graph.width > 1100 || graph.height > 900;
  return (
    <div class="graph">
      <div class="graph-tools">
        <Legend hasJob={hasStatus} />
        {isLarge ? (
          <button type="button" class="small" onClick={() => setWhole(!isWhole)}>
            {isWhole ? "Actual size" : "Fit to width"}
          </button>
        ) : null}
      </div>
      <div class="graph-scroll">
        <svg
          ref={svg}
          role="group"
          aria-label={label}
          class={isWhole ? "fitted" : ""}
          width={Math.ceil(graph.width)}
          height={Math.ceil(graph.height)}
          viewBox={`0 0 ${Math.ceil(graph.width)} ${Math.ceil(graph.height)}`}
          onKeyDown={move}
        >
          <Arrows />
          {graph.edges.map((one, index) => (
            <Edge key={index} placed={one} state={edgeState(one.edge, (id) => rows?.get(id))} />
          ))}
          {graph.nodes.map((one) => (
            <Node
              key={one.node.id}
              placed={one}
              row={rows?.get(one.node.id)}
              isPicked={one.node.id === picked}
              isTabStop={one.node.id === tabStop}
              href={linkTo?.(one.node.id)}
              onFocus={() => setStop(one.node.id)}
            />
          ))}
        </svg>
      </div>
    </div>
  );
}

function Legend({ hasJob }: { readonly hasJob: boolean }) {
  return (
    <p class="legend dim">
      {hasJob ? "Thick: the way it took. Faint: not taken. " : ""}Dashed: on error. Dotted:
      depends_on.
    </p>
  );
}

const STATES: readonly EdgeState[] = ["open", "taken", "dead"];

function Arrows() {
  return (
    <defs>
      {STATES.map((state) => (
        <marker
          key={state}
          id={`arrow-${state}`}
          class={`arrow ${state}`}
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="8"
          markerHeight="8"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path d="M0 0.5 7.5 4 0 7.5z" />
        </marker>
      ))}
    </defs>
  );
}

interface EdgeProps {
  readonly placed: PlacedEdge;
  readonly state: EdgeState;
}

function Edge({ placed: { edge, path, at }, state }: EdgeProps) {
  const text = edge.label === undefined ? undefined : shortened(edge.label, 20);
  return (
    <g class={`edge ${edge.kind} ${state}`} data-edge={`${edge.from} ${edge.to}`}>
      <path d={path} marker-end={`url(#arrow-${state})`} />
      {text === undefined ? null : (
        <>
          <rect
            x={at.x - (text.length * 6.2 + 10) / 2}
            y={at.y - 9}
            width={text.length * 6.2 + 10}
            height="18"
            rx="4"
          />
          <text x={at.x} y={at.y + 4} text-anchor="middle">
            {text}
          </text>
        </>
      )}
    </g>
  );
}

interface NodeProps {
  readonly placed: PlacedNode;
  readonly row: JobNodeRow | undefined;
  readonly isPicked: boolean;
  readonly isTabStop: boolean;
  readonly href: string | undefined;
  readonly onFocus: () => void;
}

function Node({ placed: at, row, isPicked, isTabStop, href, onFocus }: NodeProps) {
  const { node, width, height } = at;
  const tone = row === undefined ? "plain" : toneOf(row.status);
  const box = {
    id: `node-${node.id}`,
    class: `node tone-${tone}${isPicked ? " picked" : ""}`,
    "data-status": row?.status,
    transform: `translate(${at.x - width / 2},${at.y - height / 2})`,
    // SVG knows the attribute in lower case only.
    tabindex: isTabStop ? 0 : -1,
    onFocus,
  };
  const inside = (
    <>
      <rect class="box" width={width} height={height} rx="8" />
      <NodeText node={node} row={row} />
      {node.type === "fan_out" ? <FanOutCounts row={row} width={width} /> : null}
    </>
  );
  if (href === undefined) {
    return (
      <g {...box} role="img" aria-label={`${node.id}, ${whatOf(node, undefined)}`}>
        {inside}
      </g>
    );
  }
  return (
    <a {...box} href={href} aria-current={isPicked ? "true" : undefined}>
      {inside}
    </a>
  );
}

interface NodeTextProps {
  readonly node: ShownNode;
  readonly row: JobNodeRow | undefined;
}

function NodeText({ node, row }: NodeTextProps) {
  const left = row === undefined ? 14 : 38;
  return (
    <>
      {row === undefined ? null : (
        <svg class="shape" x="12" y="16" width="16" height="16" viewBox="0 0 16 16">
          {statusShape(row.status)}
        </svg>
      )}
      <text class="name" x={left} y="21">
        {shortened(node.id)}
      </text>
      <text class="what" x={left} y="37">
        {whatOf(node, row)}
      </text>
    </>
  );
}

function whatOf({ type, handler }: ShownNode, row: JobNodeRow | undefined): string {
  const kind = handler === undefined || type !== "task" ? type : handler;
  const short = shortened(kind);
  return row === undefined ? short : `${short} · ${statusText(row.status)}`;
}

const DIRECTIONS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowDown: [0, 1],
  ArrowUp: [0, -1],
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
};

/** The nearest node that way; straight ahead counts for more than to the side. */
function neighbour(
  nodes: readonly PlacedNode[],
  from: string | undefined,
  key: string,
): string | undefined {
  const direction = DIRECTIONS[key];
  const here = nodes.find(({ node }) => node.id === from);
  if (direction === undefined || here === undefined) return undefined;
  const [right, down] = direction;
  const ahead = nodes.flatMap(({ node, x, y }) => {
    const along = (x - here.x) * right + (y - here.y) * down;
    const aside = Math.abs((x - here.x) * down) + Math.abs((y - here.y) * right);
    return along > 1 ? [{ id: node.id, cost: along + 2 * aside }] : [];
  });
  return ahead.toSorted((one, other) => one.cost - other.cost)[0]?.id;
}
