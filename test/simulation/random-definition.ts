// Random workflows: chains, diamonds, conditionals, fan_outs with their fan_ins, retries, on_error,
// large outputs. Everything that a node reads is the token of one execution of another node, so a
// result that came from the wrong attempt shows. A definition's number is all that it comes from.
import type { Draws } from "./dice.ts";

/** What a scripted handler does on its attempts: the list's last word holds for all later ones. */
export type Script = "ok" | "fail" | "final" | "hang" | "kill";

/** Params of a scripted handler. */
export interface ScriptedParams {
  readonly [member: string]: unknown;
  /** Tells an edited definition from the first one. */
  readonly edition: number;
  readonly script: readonly Script[];
  /** Bytes of padding in the output. */
  readonly pad: number;
  /** Items of the list in the output. */
  readonly list: number;
  /** By node: what it reads of the outputs of others. */
  readonly reads: Readonly<Record<string, unknown>>;
  readonly item?: unknown;
  readonly index?: unknown;
}

type Kind = "task" | "conditional" | "fan_out";
type Hang = "next" | "all_of" | "any_of";

interface Draft {
  readonly id: string;
  readonly kind: Kind;
  readonly node: Record<string, unknown>;
  readonly next: string[];
}

export const HANDLERS = ["scripted", "scripted_too"] as const;

/** In the shape of the YAML, defaults left out. */
export function randomShape(number: number, draws: Draws): Record<string, unknown> {
  const count = sizeOf(draws);
  const drafts: Draft[] = [];
  const nodes: Record<string, unknown> = {};
  const first: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const id = `n${index}`;
    const sources = sourcesOf(draws, drafts);
    const kind = kindOf(draws, sources.length);
    const node = nodeOf(draws, { kind, sources: sources.map(({ draft }) => draft) });
    const draft: Draft = { id, kind, node, next: [] };
    nodes[id] = node;
    if (sources.length === 0) first.push(id);
    for (const { draft: source, hang } of sources) link(nodes, { source, hang, target: draft });
    drafts.push(draft);
    if (kind === "fan_out") drafts.push(fanInOf(draws, draft, nodes));
    if (node["on_error"] === "rescue") rescue(draft, nodes);
  }
  for (const draft of drafts) finish(draft);
  const workflow_id = `w${number}`;
  const start = { type: "start", next: first };
  const deadline = draws.chance(0.15) ? { timeout_seconds: draws.pick([40, 150, 600]) } : {};
  const inputs = { items: { type: "array", default: [] } };
  return { workflow_id, version: 1, ...deadline, inputs, nodes: { start, ...nodes } };
}

function sizeOf(draws: Draws): number {
  const drawn = draws.unit();
  if (drawn < 0.8) return draws.between(1, 3);
  return drawn < 0.98 ? draws.between(3, 6) : draws.between(7, 14);
}

function kindOf(draws: Draws, sources: number): Kind {
  const drawn = draws.unit();
  if (drawn < 0.16 && sources > 0) return "conditional";
  return drawn < 0.34 ? "fan_out" : "task";
}

interface Source {
  readonly draft: Draft;
  readonly hang: Hang;
}

function sourcesOf(draws: Draws, drafts: readonly Draft[]): readonly Source[] {
  if (drafts.length === 0 || draws.chance(0.15)) return [];
  const wanted = draws.chance(0.35) ? draws.between(2, 3) : 1;
  const found = new Map<Draft, Hang>();
  for (let n = 0; n < wanted; n += 1) {
    // Mostly the last ones, so that chains come about.
    const back = draws.chance(0.7) ? draws.below(2) : draws.below(drafts.length);
    const draft = drafts[Math.max(0, drafts.length - 1 - back)];
    if (draft === undefined || draft.kind === "fan_out") continue;
    found.set(draft, draws.pick(["next", "next", "all_of", "any_of"]));
  }
  return [...found].map(([draft, hang]) => ({ draft, hang }));
}

function nodeOf(
  draws: Draws,
  { kind, sources }: { readonly kind: Kind; readonly sources: readonly Draft[] },
): Record<string, unknown> {
  // A fan_in and a task have outputs; a conditional has none.
  const readable = sources.filter((draft) => draft.kind === "task");
  const plain = readable.filter(({ node }) => node["type"] === "task");
  const [read] = plain;
  if (kind === "conditional") {
    const field = read === undefined ? "3" : `default(nodes.${read.id}.output.n, 3)`;
    return { type: "conditional", condition_field: `{{ ${field} }}`, branches: [] };
  }
  const retry = draws.chance(0.5)
    ? {
        max_attempts: draws.between(1, 4),
        initial_delay_seconds: draws.pick([0, 1, 5]),
        jitter: 0.5,
      }
    : undefined;
  const on_error = draws.pick(["none", "none", "continue", "rescue"]);
  const timeout_seconds = draws.pick([10, 30, 90, 300]);
  const shared = {
    type: kind,
    timeout_seconds,
    ...(retry === undefined ? {} : { retry }),
    ...(on_error === "none" ? {} : { on_error }),
  };
  const reads = Object.fromEntries(readable.map((draft) => [draft.id, readOf(draft)]));
  const params: ScriptedParams = {
    edition: 1,
    script: scriptOf(draws),
    pad: draws.chance(0.06) ? 9000 : 0,
    list: draws.chance(0.5) ? draws.between(0, 5) : 0,
    reads,
  };
  const handler = draws.pick(HANDLERS);
  if (kind === "task") return { ...shared, handler, params };
  const list = read !== undefined && draws.chance(0.5);
  const source = list ? `{{ default(nodes.${read.id}.output.list, []) }}` : "{{ inputs.items }}";
  const limit = draws.chance(0.4) ? { max_parallel: draws.between(1, 6) } : {};
  const each = { ...params, item: "{{ item }}", index: "{{ index }}", list: 0 };
  return { ...shared, ...limit, source, task: { handler, params: each } };
}

/** What is read of a source: the token of a task's output, all of a fan_in's. */
function readOf({ id, node }: Draft): string {
  const member = node["type"] === "fan_in" ? "" : ".t";
  return `{{ default(nodes.${id}.output${member}, null) }}`;
}

function scriptOf(draws: Draws): readonly Script[] {
  const drawn = draws.unit();
  if (drawn < 0.68) return ["ok"];
  if (drawn < 0.86) return ["fail", "ok"];
  if (drawn < 0.92) return ["fail", "fail", "fail", "final"];
  if (drawn < 0.95) return ["final"];
  return drawn < 0.98 ? ["hang", "ok"] : ["kill"];
}

const AGGREGATIONS = [
  { aggregation: "collect" },
  { aggregation: "collect", select: "value.t" },
  { aggregation: "sum", select: "value.n" },
  { aggregation: "concat", select: "value.t" },
  { aggregation: "first", select: "value.t" },
  { aggregation: "last", select: "value.t" },
] as const;

/** Hangs on its fan_out, and stands in its place for whoever comes later. */
function fanInOf(draws: Draws, fan: Draft, nodes: Record<string, unknown>): Draft {
  const id = `${fan.id}_in`;
  const node: Record<string, unknown> = { type: "fan_in", ...draws.pick(AGGREGATIONS) };
  nodes[id] = node;
  fan.next.push(id);
  return { id, kind: "task", node, next: [] };
}

function rescue(draft: Draft, nodes: Record<string, unknown>): void {
  const id = `${draft.id}_rescue`;
  draft.node["on_error"] = id;
  const params = { edition: 1, script: ["ok"], pad: 0, list: 0, reads: {} };
  nodes[id] = { type: "task", handler: "scripted", params };
}

function link(
  nodes: Record<string, unknown>,
  edge: { readonly source: Draft; readonly hang: Hang; readonly target: Draft },
): void {
  const { source, hang, target } = edge;
  // A conditional's ways are all branches: what depends on it would be there whatever it takes.
  if (hang === "next" || source.kind === "conditional") {
    source.next.push(target.id);
    return;
  }
  const node = nodes[target.id] as Record<string, unknown>;
  const lists = (node["depends_on"] ?? {}) as Record<string, string[]>;
  node["depends_on"] = { ...lists, [hang]: [...(lists[hang] ?? []), source.id] };
}

/** A conditional's targets: the first one where the value is small, the others where it is not. */
function finish({ kind, node, next }: Draft): void {
  if (kind !== "conditional") {
    node["next"] = next;
    return;
  }
  const [small, ...large] = next;
  node["branches"] = [
    { name: "small", condition: "< 5", next: small === undefined ? [] : [small] },
    { name: "large", default: true, next: large },
  ];
}

/** Another edition of a shape: the same nodes, other params. */
export function edited(
  shape: Readonly<Record<string, unknown>>,
  { edition, version }: { readonly edition: number; readonly version: number },
): Record<string, unknown> {
  const text = JSON.stringify(shape).replaceAll('"edition":1', `"edition":${edition}`);
  return { ...(JSON.parse(text) as Record<string, unknown>), version };
}
