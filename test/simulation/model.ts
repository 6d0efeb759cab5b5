// An independent reading of a snapshot: which nodes may start, what they are given, what the cheap
// ones must answer. It shares no code with the reducer and keeps its own state, which it builds
// from the outcomes that the journal records; then each event of the journal must be one it allows.
import type { WorkflowDefinition } from "../../src/core/definition.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";

export type Standing = "pending" | "queued" | "running" | "completed" | "failed" | "gone";

interface Way {
  readonly from: string;
  readonly group: "ways" | "all_of" | "any_of";
  /** A branch's name, or what the way is taken on. */
  readonly on: "end" | "failure" | { readonly branch: string };
}

export type ItemEnd =
  | { readonly output: Json }
  | { readonly error: { readonly code: string; readonly message: string } };

export interface NodeFacts {
  standing: Standing;
  attempt: number;
  failures: number;
  lost: number;
  branch?: string;
  output?: Json;
  /** Of a fan_out, once it is expanded. */
  items?: (ItemEnd | undefined)[];
  /** The last attempt that was lost. */
  lostAttempt?: number;
}

export class Model {
  readonly definition: WorkflowDefinition;
  readonly nodes = new Map<string, NodeFacts>();
  readonly inputs: JsonObject;
  /** Whether params, sources and branches are those of random-definition.ts. */
  readonly isScripted: boolean;
  readonly #ways: ReadonlyMap<string, readonly Way[]>;

  constructor(
    definition: WorkflowDefinition,
    given: { readonly inputs: JsonObject; readonly isScripted: boolean },
  ) {
    this.definition = definition;
    this.inputs = given.inputs;
    this.isScripted = given.isScripted;
    this.#ways = waysOf(definition);
    for (const id of Object.keys(definition.nodes)) {
      this.nodes.set(id, { standing: "pending", attempt: 0, failures: 0, lost: 0 });
    }
  }

  facts(id: string): NodeFacts {
    const facts = this.nodes.get(id);
    if (facts === undefined) throw new Error(`no node ${id} in the snapshot`);
    return facts;
  }

  /** Whether a pending node may start now, must be skipped, or has to wait. */
  turn(id: string): "starts" | "skips" | "waits" {
    const ways = this.#ways.get(id) ?? [];
    if (ways.length === 0) return this.definition.nodes[id]?.type === "start" ? "starts" : "skips";
    const turns = (["ways", "all_of", "any_of"] as const).flatMap((group) => {
      const states = ways.filter((way) => way.group === group).map((way) => this.#wayIs(way));
      if (states.length === 0) return [];
      const isOpen = states.includes("open");
      const isLive = states.includes("live");
      if (group === "any_of") return isLive ? "starts" : isOpen ? "waits" : "skips";
      return isOpen ? "waits" : isLive ? "starts" : "skips";
    });
    if (turns.includes("skips")) return "skips";
    return turns.includes("waits") ? "waits" : "starts";
  }

  #wayIs({ from, on }: Way): "open" | "live" | "dead" {
    const facts = this.facts(from);
    switch (facts.standing) {
      case "pending":
      case "queued":
      case "running":
        return "open";
      case "gone":
        return "dead";
      case "completed":
        if (on === "end") return "live";
        return on !== "failure" && on.branch === facts.branch ? "live" : "dead";
      case "failed":
        return (on === "failure") === (this.onError(from) !== "continue") ? "live" : "dead";
    }
  }

  onError(id: string): string | undefined {
    const node = this.definition.nodes[id];
    return node?.type === "task" || node?.type === "fan_out" ? node.on_error : undefined;
  }

  maxAttempts(id: string): number {
    const node = this.definition.nodes[id];
    if (node?.type !== "task" && node?.type !== "fan_out") return 0;
    return node.retry?.max_attempts ?? 1;
  }

  /** What a scripted task must be given now. */
  params(id: string): Json | undefined {
    const node = this.definition.nodes[id];
    return node?.type === "task" && this.isScripted ? this.#read(node.params) : undefined;
  }

  /** What a scripted task must be given for an item. */
  itemParams(id: string, index: number): Json | undefined {
    const node = this.definition.nodes[id];
    if (node?.type !== "fan_out" || !this.isScripted) return undefined;
    const params = this.#read(node.task.params);
    return { ...(params as JsonObject), item: this.list(id)[index] ?? null, index };
  }

  #read(params: unknown): Json {
    const { reads, ...kept } = params as JsonObject & { readonly reads: JsonObject };
    const found = Object.fromEntries(Object.keys(reads).map((id) => [id, this.#readable(id)]));
    return { ...kept, reads: found };
  }

  #readable(id: string): Json {
    const { standing, output } = this.facts(id);
    if (standing !== "completed" || output === undefined) return null;
    return this.definition.nodes[id]?.type === "fan_in"
      ? output
      : ((output as JsonObject)["t"] ?? null);
  }

  /** The source of a scripted fan_out. */
  list(id: string): readonly Json[] {
    const node = this.definition.nodes[id];
    if (node?.type !== "fan_out") return [];
    const from = /nodes\.(\w+)\./.exec(node.source)?.[1];
    const { standing, output } = from === undefined ? INPUTS : this.facts(from);
    if (from === undefined) return this.inputs["items"] as readonly Json[];
    const list = standing === "completed" ? (output as JsonObject)["list"] : [];
    return (list ?? []) as readonly Json[];
  }

  /** The branch that a scripted conditional must take now. */
  branch(id: string): string | undefined {
    const node = this.definition.nodes[id];
    if (node?.type !== "conditional" || !this.isScripted) return undefined;
    const from = /nodes\.(\w+)\./.exec(node.condition_field)?.[1];
    const facts = from === undefined ? undefined : this.facts(from);
    const isThere = facts?.standing === "completed";
    const value = isThere ? (facts.output as JsonObject)["n"] : 3;
    return Number(value ?? 3) < 5 ? "small" : "large";
  }

  /** The output that a scripted fan_in must have. */
  aggregate(id: string): Json | undefined {
    const node = this.definition.nodes[id];
    if (node?.type !== "fan_in" || !this.isScripted) return undefined;
    const fan = (this.#ways.get(id) ?? []).find(
      ({ from }) => this.definition.nodes[from]?.type === "fan_out",
    );
    if (fan === undefined) return undefined;
    const items = this.facts(fan.from).items ?? [];
    const member = node.select?.split(".")[1];
    const values = items.map((item) => valueOf(item, member));
    const there = values.filter((value) => value !== undefined);
    const count = there.length;
    switch (node.aggregation) {
      case "collect": {
        const results = values.map((value) => value ?? null);
        const failed = items.flatMap((item, index) =>
          item !== undefined && "error" in item ? [{ index, ...item.error }] : [],
        );
        return { results, count: items.length, failed };
      }
      case "concat":
        return { results: there, count };
      case "sum":
        return { total: there.reduce<number>((sum, value) => sum + Number(value), 0), count };
      case "first":
        return { result: there[0] ?? null, count };
      case "last":
        return { result: there.at(-1) ?? null, count };
    }
  }

  /** Whether everything has ended, and nothing failed that the job cannot survive. */
  get isComplete(): boolean {
    return [...this.nodes].every(([id, { standing }]) => {
      if (standing === "failed") return this.onError(id) !== undefined;
      return standing === "completed" || standing === "gone";
    });
  }

  /** The outputs that the result must hold. */
  results(): ReadonlyMap<string, Json> {
    const found = new Map<string, Json>();
    for (const [id, { output }] of this.nodes) if (output !== undefined) found.set(id, output);
    return found;
  }
}

const INPUTS: NodeFacts = { standing: "completed", attempt: 0, failures: 0, lost: 0 };

function valueOf(item: ItemEnd | undefined, member: string | undefined): Json | undefined {
  if (item === undefined || !("output" in item)) return undefined;
  return member === undefined ? item.output : (item.output as JsonObject)[member];
}

function waysOf(definition: WorkflowDefinition): ReadonlyMap<string, readonly Way[]> {
  const ways = new Map<string, Way[]>();
  const add = (to: string, way: Way): void => {
    ways.set(to, [...(ways.get(to) ?? []), way]);
  };
  for (const [from, node] of Object.entries(definition.nodes)) {
    if (node.type === "conditional") {
      for (const { name, next } of node.branches) {
        for (const to of next) add(to, { from, group: "ways", on: { branch: name } });
      }
    } else if (node.type !== "end") {
      for (const to of node.next) add(to, { from, group: "ways", on: "end" });
    }
    if ("on_error" in node && node.on_error !== undefined && node.on_error !== "continue") {
      add(node.on_error, { from, group: "ways", on: "failure" });
    }
    if (!("depends_on" in node)) continue;
    for (const group of ["all_of", "any_of"] as const) {
      for (const source of node.depends_on?.[group] ?? []) {
        add(from, { from: source, group, on: "end" });
      }
    }
  }
  return ways;
}

