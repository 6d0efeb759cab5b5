// Random workflows with scripted handlers, and a tiny interpreter of its own that says how each
// node must end. It shares no code with the reducer: statuses in order of the nodes, nothing else.
import fc from "fast-check";
import type { Outcome } from "../../src/core/effect.ts";
import { completed, failed, timedOut } from "./build.ts";
import type { HandlerCall } from "./engine.ts";

type Script = "ok" | "fail" | "timeout" | "final";
type Kind = "next" | "all_of" | "any_of";

export interface RandomNode {
  readonly type: "task" | "conditional" | "fan_out";
  /** Where it hangs: earlier nodes by number (or the start), and how. */
  readonly sources: readonly { readonly from: number; readonly kind: Kind }[];
  readonly scripts: readonly Script[];
  readonly max_attempts: number;
  readonly on_error: "none" | "continue" | "node";
  readonly value: number;
  readonly items: number;
  readonly max_parallel: number;
}

const script = fc.constantFrom<Script>("ok", "ok", "ok", "fail", "timeout", "final");

const node: fc.Arbitrary<RandomNode> = fc.record({
  type: fc.constantFrom("task", "task", "task", "conditional", "fan_out"),
  sources: fc.array(
    fc.record({
      from: fc.nat(14),
      kind: fc.constantFrom<Kind>("next", "next", "all_of", "any_of"),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  scripts: fc.array(script, { maxLength: 4 }),
  max_attempts: fc.integer({ min: 1, max: 4 }),
  on_error: fc.constantFrom("none", "continue", "continue", "node"),
  value: fc.nat(9),
  items: fc.nat(40),
  max_parallel: fc.nat(12),
});

export const randomNodes = fc.array(node, { minLength: 1, maxLength: 15 });

/** A source by name: earlier nodes count down from the one before, the last is the start. */
function sourceOf(index: number, from: number): number {
  return (from % (index + 1)) - 1;
}

const name = (index: number): string => (index < 0 ? "s" : `n${index}`);

/** The rescue node of a node: a task of its own, reached by on_error alone. */
const rescue = (index: number): string => `r${index}`;

export interface Built {
  readonly nodes: Record<string, Record<string, unknown>>;
  readonly scripts: ReadonlyMap<string, RandomNode>;
}

export function build(random: readonly RandomNode[]): Built {
  const nodes: Record<string, Record<string, unknown>> = { s: { type: "start", next: [] } };
  for (const [index, one] of random.entries()) {
    const next: string[] = [];
    nodes[name(index)] = { ...shape(one, index), next };
    if (one.type === "fan_out") {
      nodes[`i${index}`] = { type: "fan_in" };
      next.push(`i${index}`);
    }
    if (one.on_error === "node" && one.type !== "conditional") {
      nodes[rescue(index)] = { type: "task", handler: "fine" };
    }
  }
  for (const [index, { sources }] of random.entries()) {
    for (const { from, kind } of sources) link(nodes, { from: sourceOf(index, from), index, kind });
  }
  for (const found of Object.values(nodes)) if (found["type"] === "conditional") settle(found);
  return { nodes, scripts: new Map(random.map((one, index) => [name(index), one])) };
}

function shape(one: RandomNode, index: number): Record<string, unknown> {
  if (one.type === "conditional") return { type: one.type, condition_field: `{{ ${one.value} }}` };
  const retry = { max_attempts: one.max_attempts, initial_delay_seconds: 3, jitter: 0.5 };
  const on_error = one.on_error === "node" ? rescue(index) : one.on_error;
  const common = { type: one.type, retry, ...(on_error === "none" ? {} : { on_error }) };
  if (one.type === "task") return { ...common, handler: "scripted" };
  const source = `{{ inputs.items[${one.items}] }}`;
  const limit = one.max_parallel === 0 ? {} : { max_parallel: one.max_parallel };
  return { ...common, ...limit, source, task: { handler: "scripted", params: {} } };
}

function link(
  nodes: Record<string, Record<string, unknown>>,
  edge: { readonly from: number; readonly index: number; readonly kind: Kind },
): void {
  const source = nodes[name(edge.from)] ?? {};
  const target = nodes[name(edge.index)] ?? {};
  if (edge.kind === "next") {
    (source["next"] as string[]).push(name(edge.index));
    return;
  }
  target["depends_on"] ??= {};
  const lists = target["depends_on"] as Record<string, string[]>;
  lists[edge.kind] = [...(lists[edge.kind] ?? []), name(edge.from)];
}

/** A conditional's targets: even ones when the value is small, odd ones else. */
function settle(conditional: Record<string, unknown>): void {
  const next = [...new Set(conditional["next"] as string[])];
  delete conditional["next"];
  const isEven = (id: string) => Number(id.slice(1)) % 2 === 0;
  conditional["branches"] = [
    { name: "small", condition: "< 5", next: next.filter(isEven) },
    { name: "large", default: true, next: next.filter((id) => !isEven(id)) },
  ];
}

/** What the scripted handler of a node does on this attempt, for this item. */
export function play(built: Built, { node_id, attempt, index = 0 }: HandlerCall): Outcome {
  const one = built.scripts.get(node_id);
  switch (scriptOf(one, attempt, index)) {
    case "ok":
      return completed({ node_id, index });
    case "fail":
      return failed();
    case "timeout":
      return timedOut;
    case "final":
      return failed("FINAL", false);
  }
}

function scriptOf(one: RandomNode | undefined, attempt: number, index: number): Script {
  // Only every fifth item goes by the script: most items of a fan_out are fine.
  if (index % 5 !== 0) return "ok";
  return one?.scripts[attempt - 1] ?? "ok";
}

/** Whether a node whose attempts are never lost ends well. */
function endsWell(one: RandomNode): boolean {
  for (let attempt = 1; attempt <= one.max_attempts; attempt += 1) {
    const played = scriptOf(one, attempt, 0);
    if (played === "ok") return true;
    if (played === "final") return false;
  }
  return false;
}

export type Expected = "completed" | "failed" | "skipped";

/** How every node must end, or undefined where the job fails. */
export function interpret(random: readonly RandomNode[]): Map<string, Expected> | undefined {
  const ends = new Map<string, Expected>([["s", "completed"]]);
  for (const [index, one] of random.entries()) {
    const live = (from: number, kind: Kind): boolean => isLive(random, ends, { from, kind, index });
    const edges = one.sources.map(({ from, kind }) => ({ from: sourceOf(index, from), kind }));
    const groups = (["next", "all_of", "any_of"] as const).map((group) =>
      edges.filter(({ kind }) => kind === group),
    );
    const isOn = groups.every(
      (list) => list.length === 0 || list.some(({ from, kind }) => live(from, kind)),
    );
    const end = isOn ? endOf(one) : "skipped";
    ends.set(name(index), end);
    if (end === "failed" && one.on_error === "none") return undefined;
    const goesOn = end === "completed" || (end === "failed" && one.on_error === "continue");
    if (one.type === "fan_out") ends.set(`i${index}`, goesOn ? "completed" : "skipped");
    if (one.on_error === "node" && one.type !== "conditional") {
      ends.set(rescue(index), end === "failed" ? "completed" : "skipped");
    }
  }
  return ends;
}

function endOf(one: RandomNode): Expected {
  if (one.type === "conditional") return "completed";
  if (one.type === "task") return endsWell(one) ? "completed" : "failed";
  const isFine = one.items === 0 || one.on_error === "continue" || endsWell(one);
  return isFine ? "completed" : "failed";
}

function isLive(
  random: readonly RandomNode[],
  ends: ReadonlyMap<string, Expected>,
  edge: { readonly from: number; readonly kind: Kind; readonly index: number },
): boolean {
  const source = random[edge.from];
  const end = ends.get(name(edge.from));
  if (end === "failed") return source?.on_error === "continue";
  if (end !== "completed" || source?.type !== "conditional" || edge.kind !== "next") {
    return end === "completed";
  }
  return source.value < 5 === (edge.index % 2 === 0);
}
