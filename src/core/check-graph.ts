// Whether the nodes of a definition form a workflow: known targets and handlers, one start, an end,
// no cycle, nothing out of reach, fan_ins that follow their fan_out, branches that always decide.
import { type KnownHandlers, checkParams } from "./check-params.ts";
import type { ConditionalNode, NodeDefinition, RetryPolicy } from "./definition.ts";
import type { Draft, Finding } from "./draft.ts";
import { type Edge, edgesOf, rescueNode } from "./graph.ts";
import { MAX_NODES } from "./limits.ts";
import { didYouMean } from "./nearest.ts";
import { pointerOf } from "./schema-issues.ts";
import { cutName } from "./text.ts";

export function checkGraph(draft: Draft, handlers: KnownHandlers): readonly Finding[] {
  const { nodes } = draft.definition;
  const count = draft.nodes.size;
  if (count > MAX_NODES) {
    const message = `workflow: expected at most ${MAX_NODES} nodes, got ${count}`;
    return [{ pointer: "/nodes", at: "key", message }];
  }
  const edges = edgesOf(draft.definition);
  const entries = Object.entries(nodes);
  const targets = entries.flatMap(([id, node]) => checkTargets(draft, id, node));
  const each = entries.flatMap(([id, node]) => [
    ...checkHandler(handlers, id, node),
    ...checkParams(handlers, id, node),
    ...checkRetry(id, node),
    ...(node.type === "conditional" ? checkBranches(id, node) : []),
  ]);
  // A mistyped target leaves what it meant out of reach: one mistake, one finding.
  const isWhole = draft.complete && targets.length === 0;
  return [
    ...targets,
    ...each,
    ...checkEnds(draft),
    ...checkPairs(draft, edges),
    ...checkCycles(Object.keys(nodes), edges),
    ...(isWhole ? checkReach(draft, edges) : []),
  ];
}

/** A name of a node with the place where it is written. */
interface Mention {
  readonly target: string;
  readonly path: readonly (string | number)[];
}

/** Targets that follow the node. */
function mentionsAfter(node: NodeDefinition): readonly Mention[] {
  switch (node.type) {
    case "end":
      return [];
    case "start":
    case "fan_in":
      return listed(node.next, ["next"]);
    case "task":
    case "fan_out": {
      const rescue = rescueNode(node.on_error);
      const rescued = rescue === undefined ? [] : [{ target: rescue, path: ["on_error"] }];
      return [...listed(node.next, ["next"]), ...rescued];
    }
    case "conditional":
      return node.branches.flatMap(({ next }, index) => listed(next, ["branches", index, "next"]));
  }
}

/** Sources that the node waits for. */
function mentionsBefore(node: NodeDefinition): readonly Mention[] {
  if (node.type === "start" || node.depends_on === undefined) return [];
  const { all_of, any_of } = node.depends_on;
  const all = listed(all_of, ["depends_on", "all_of"]);
  return [...all, ...listed(any_of, ["depends_on", "any_of"])];
}

function listed(
  targets: readonly string[],
  path: readonly (string | number)[],
): readonly Mention[] {
  return targets.map((target, index) => ({ target, path: [...path, index] }));
}

function checkTargets(draft: Draft, id: string, node: NodeDefinition): readonly Finding[] {
  const after = mentionsAfter(node).map((mention) => ({ ...mention, kind: "target" }));
  const before = mentionsBefore(node).map((mention) => ({ ...mention, kind: "source" }));
  return [...after, ...before].flatMap(({ target, path, kind }) => {
    const where = `node "${id}": ${fieldOf(path)}`;
    const at = { pointer: pointerOf(["nodes", id, ...path]), at: "value" } as const;
    if (target === id) return [{ ...at, message: `${where}: a node cannot follow itself` }];
    if (!draft.nodes.has(target)) {
      const message = `${where}: expected a node, found no "${target}"`;
      return [{ ...at, message, hint: () => didYouMean(target, draft.nodes).hint }];
    }
    const type = draft.definition.nodes[target]?.type;
    if (kind === "target" && type === "start") {
      return [{ ...at, message: `${where}: nothing leads to the start node "${target}"` }];
    }
    if (kind === "source" && type === "end") {
      return [{ ...at, message: `${where}: nothing follows the end node "${target}"` }];
    }
    return [];
  });
}

function fieldOf(path: readonly (string | number)[]): string {
  return path.filter((step) => typeof step === "string").join(".");
}

function checkHandler(
  handlers: KnownHandlers,
  id: string,
  node: NodeDefinition,
): readonly Finding[] {
  if (node.type !== "task" && node.type !== "fan_out") return [];
  const path = node.type === "task" ? ["handler"] : ["task", "handler"];
  const name = node.type === "task" ? node.handler : node.task.handler;
  if (handlers.has(name)) return [];
  const message = `node "${id}": ${path.join(".")}: this build has no handler "${cutName(name)}"`;
  const hint = () => didYouMean(name, handlers.keys()).hint;
  return [{ pointer: pointerOf(["nodes", id, ...path]), at: "value", message, hint }];
}

function checkRetry(id: string, node: NodeDefinition): readonly Finding[] {
  const retry: RetryPolicy | undefined = "retry" in node ? node.retry : undefined;
  if (retry === undefined) return [];
  const { initial_delay_seconds: initial, max_delay_seconds: most } = retry;
  if (initial <= most) return [];
  const pointer = pointerOf(["nodes", id, "retry", "initial_delay_seconds"]);
  const expected = `expected at most max_delay_seconds, ${most}, got ${initial}`;
  const message = `node "${id}": retry.initial_delay_seconds: ${expected}`;
  return [{ pointer, at: "value", message, hint: "raise max_delay_seconds" }];
}

function checkBranches(id: string, node: ConditionalNode): readonly Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const report = (path: readonly (string | number)[], message: string, hint?: string) => {
    const pointer = pointerOf(["nodes", id, "branches", ...path]);
    const full = `node "${id}": ${message}`;
    const at = path.length === 0 ? "key" : "value";
    findings.push({ pointer, at, message: full, ...(hint === undefined ? {} : { hint }) });
  };
  for (const [index, branch] of node.branches.entries()) {
    const { name, condition } = branch;
    if (seen.has(name)) report([index, "name"], `two branches are named "${name}"`);
    seen.add(name);
    if (branch.default && condition !== undefined) {
      report([index, "condition"], `the default branch "${name}" takes no condition`);
    } else if (!branch.default && condition === undefined) {
      const hint = "write condition: or default: true";
      report([index], `branch "${name}" has no condition`, hint);
    }
  }
  const defaults = [...node.branches.keys()].filter((index) => node.branches[index]?.default);
  if (defaults.length === 0) {
    report([], "expected one branch with default: true, found none", "a value may match no branch");
  }
  for (const index of defaults.slice(1)) {
    report([index, "default"], "expected one branch with default: true, found another");
  }
  return findings;
}

function checkEnds(draft: Draft): readonly Finding[] {
  const entries = Object.entries(draft.definition.nodes);
  const starts = entries.filter(([, node]) => node.type === "start").map(([id]) => id);
  const findings: Finding[] = starts.slice(1).map((id) => ({
    pointer: pointerOf(["nodes", id]),
    at: "key",
    message: `node "${id}": expected one start node, found "${String(starts[0])}" before it`,
  }));
  if (!draft.complete) return findings;
  const nodes = { pointer: "/nodes", at: "key" } as const;
  if (starts.length === 0) {
    findings.push({ ...nodes, message: "workflow: expected one start node, found none" });
  }
  if (!entries.some(([, node]) => node.type === "end")) {
    findings.push({ ...nodes, message: "workflow: expected an end node, found none" });
  }
  return findings;
}

/** A fan_in aggregates the items of exactly one fan_out, right before it. */
function checkPairs(draft: Draft, edges: readonly Edge[]): readonly Finding[] {
  const { nodes } = draft.definition;
  const fanIns = Object.keys(nodes).filter((id) => nodes[id]?.type === "fan_in");
  return fanIns.flatMap((id): readonly Finding[] => {
    const at = { pointer: pointerOf(["nodes", id]), at: "key" } as const;
    const incoming = edges.filter(({ to }) => to === id);
    const sources = [...new Set(incoming.map(({ from }) => from))];
    if (incoming.some(({ kind }) => kind === "on_error")) {
      return [{ ...at, message: `node "${id}": on_error cannot lead to a fan_in` }];
    }
    const wrong = sources.filter((source) => nodes[source]?.type !== "fan_out");
    const found = wrong.map((source) => `${String(nodes[source]?.type)} "${source}"`);
    const right = sources.filter((source) => !wrong.includes(source));
    if (right.length > 1) found.push(...right.map((source) => `fan_out "${source}"`));
    if (found.length === 0) return [];
    const message = `node "${id}": expects one fan_out upstream, found ${found.join(" and ")}`;
    return [{ ...at, message }];
  });
}

/** One finding for each cycle; of cycles that share a node, one. */
function checkCycles(ids: readonly string[], edges: readonly Edge[]): readonly Finding[] {
  const findings: Finding[] = [];
  let left = withoutSettled(ids, edges);
  for (let first = left[0]; first !== undefined; first = left[0]) {
    const cycle = cycleBefore(first, new Set(left), edges);
    const shown = [...cycle, ...cycle.slice(0, 1)].join(" -> ");
    const pointer = pointerOf(["nodes", String(cycle[0])]);
    // A node that names itself is told where it does so.
    if (cycle.length > 1) findings.push({ pointer, at: "key", message: `cycle: ${shown}` });
    left = withoutSettled(left.filter((id) => !cycle.includes(id)), edges);
  }
  return findings;
}

/** The nodes that are on a cycle or behind one. */
function withoutSettled(ids: readonly string[], edges: readonly Edge[]): readonly string[] {
  const left = new Set(ids);
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    const held = new Set(edges.filter(({ from }) => left.has(from)).map(({ to }) => to));
    for (const id of left) if (!held.has(id)) left.delete(id);
  }
  return [...left];
}

/** Walks from source to source: each of `left` has one in `left`, so some node comes again. */
function cycleBefore(
  first: string,
  left: ReadonlySet<string>,
  edges: readonly Edge[],
): readonly string[] {
  const walked = [first];
  for (;;) {
    const last = walked[0];
    const edge = edges.find(({ from, to }) => to === last && left.has(from));
    const source = String(edge?.from);
    const again = walked.indexOf(source);
    if (again >= 0) return fromFirst(walked.slice(0, again + 1), left);
    walked.unshift(source);
  }
}

/** The cycle from its first node in the file on. */
function fromFirst(cycle: readonly string[], order: ReadonlySet<string>): readonly string[] {
  const first = [...order].find((id) => cycle.includes(id));
  const index = cycle.indexOf(String(first));
  return [...cycle.slice(index), ...cycle.slice(0, index)];
}

function checkReach(draft: Draft, edges: readonly Edge[]): readonly Finding[] {
  const { nodes } = draft.definition;
  const reached = new Set(Object.keys(nodes).filter((id) => nodes[id]?.type === "start"));
  // Without a start nothing is in reach, and one finding says so.
  if (reached.size === 0) return [];
  for (const id of reached) {
    for (const { from, to } of edges) if (from === id) reached.add(to);
  }
  return Object.keys(nodes)
    .filter((id) => !reached.has(id))
    .map((id) => {
      const message = `node "${id}": no way leads here from the start node`;
      const hint = `name it in the next of another node`;
      return { pointer: pointerOf(["nodes", id]), at: "key", message, hint };
    });
}
