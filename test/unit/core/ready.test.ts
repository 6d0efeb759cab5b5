// Edges: open, live or dead for every kind, source status and on_error; what follows for a node.
import { expect, test } from "vitest";
import type { NodeDefinition } from "../../../src/core/definition.ts";
import type { EdgeKind } from "../../../src/core/graph.ts";
import type { JobState, NodeState } from "../../../src/core/job.ts";
import { NODE_STATUSES, PENDING_NODE } from "../../../src/core/job.ts";
import { edgeState, onErrorOf, readiness } from "../../../src/core/ready.ts";
import { completed, definition, end, failed, start, task } from "../../support/build.ts";
import { workflowOf } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";

const KINDS: readonly EdgeKind[] = ["next", "branch", "on_error", "all_of", "any_of"];
const { nodes } = definition({
  plain: task(),
  goes_on: task({ on_error: "continue" }),
  rescued: task({ on_error: "plain" }),
});

function stateOf(kind: EdgeKind, source: Partial<NodeState>, node?: NodeDefinition): string {
  const edge = { from: "a", to: "b", kind, ...(kind === "branch" ? { branch: "yes" } : {}) };
  return edgeState(edge, { ...PENDING_NODE, ...source }, node);
}

/** The state of each kind of edge, in the order of KINDS. */
function row(source: Partial<NodeState>, node: NodeDefinition | undefined): readonly string[] {
  return KINDS.map((kind) => stateOf(kind, source, node));
}

const OPEN = ["open", "open", "open", "open", "open"];
const DEAD = ["dead", "dead", "dead", "dead", "dead"];

test.each(["pending", "queued", "running", "waiting"] as const)(
  "every edge of a %s source is open",
  (status) => {
    for (const node of [nodes["plain"], nodes["goes_on"], nodes["rescued"], undefined]) {
      expect(row({ status }, node)).toEqual(OPEN);
    }
  },
);

test.each(["skipped", "cancelled"] as const)("every edge of a %s source is dead", (status) => {
  for (const node of [nodes["plain"], nodes["goes_on"], nodes["rescued"], undefined]) {
    expect(row({ status }, node)).toEqual(DEAD);
  }
});

test("a completed source takes next, its branch and what depends on it, never on_error", () => {
  const taken = ["live", "live", "dead", "live", "live"];
  const other = ["live", "dead", "dead", "live", "live"];
  for (const node of [nodes["plain"], nodes["goes_on"], nodes["rescued"], undefined]) {
    expect(row({ status: "completed", branch: "yes" }, node)).toEqual(taken);
    expect(row({ status: "completed", branch: "no" }, node)).toEqual(other);
  }
});

test("a failed source lives on with continue, and only on_error lives with a rescue node", () => {
  const status = "failed";
  expect(row({ status }, nodes["goes_on"])).toEqual(["live", "live", "dead", "live", "live"]);
  expect(row({ status }, nodes["rescued"])).toEqual(["dead", "dead", "live", "dead", "dead"]);
});

test("the table covers every status and only tasks and fan_outs have an on_error", () => {
  expect(NODE_STATUSES).toHaveLength(8);
  expect(onErrorOf(nodes["goes_on"])).toBe("continue");
  expect(onErrorOf(definition({ s: start() }).nodes["s"])).toBeUndefined();
});

const JOIN = workflowOf(
  definition({
    s: start("a", "b", "c", "d"),
    a: task({ next: "j" }),
    b: task({ next: "j" }),
    c: task(),
    d: task(),
    j: task({ depends_on: { any_of: ["c", "d"] } }),
    k: task({ depends_on: { all_of: ["a", "b"] } }),
    l: task({ depends_on: { any_of: ["c", "d"] } }),
  }),
);

function ready(id: string, statuses: Readonly<Record<string, NodeState["status"]>>): string {
  const states = Object.entries(statuses).map(
    ([node, status]) => [node, { ...PENDING_NODE, status }] as const,
  );
  const job = { nodes: Object.fromEntries(states) } as unknown as JobState;
  return readiness(job, JOIN, id);
}

test.each([
  [["running", "completed"], "wait"],
  [["completed", "completed"], "ready"],
  [["skipped", "completed"], "ready"],
  [["skipped", "pending"], "wait"],
  [["skipped", "cancelled"], "skip"],
] as const)("all_of and several next with sources %j: %s", ([a, b], expected) => {
  expect(ready("k", { a, b })).toBe(expected);
  expect(ready("j", { a, b, c: "completed" })).toBe(expected);
});

test.each([
  [["running", "pending"], "wait"],
  [["running", "completed"], "ready"],
  [["skipped", "running"], "wait"],
  [["skipped", "skipped"], "skip"],
] as const)("any_of with sources %j: %s", ([c, d], expected) => {
  expect(ready("l", { c, d })).toBe(expected);
  expect(ready("j", { a: "completed", b: "completed", c, d })).toBe(expected);
});

test("next and any_of must both hold, and either of them dead skips the node", () => {
  const done = { a: "completed", b: "completed" } as const;
  expect(ready("j", { ...done, c: "running" })).toBe("wait");
  expect(ready("j", { a: "running", b: "running", c: "completed" })).toBe("wait");
  expect(ready("j", { a: "skipped", b: "skipped", c: "running" })).toBe("skip");
  expect(ready("j", { ...done, c: "skipped", d: "skipped" })).toBe("skip");
});

test("what a node depends on does not make up for a branch not taken", () => {
  const guarded = workflowOf(
    definition({
      s: start("a", "always"),
      a: task({ next: "j" }),
      always: task(),
      j: task({ depends_on: { all_of: ["always"] } }),
    }),
  );
  const state = (a: NodeState["status"], always: NodeState["status"]): string =>
    readiness(
      {
        nodes: { a: { ...PENDING_NODE, status: a }, always: { ...PENDING_NODE, status: always } },
      } as unknown as JobState,
      guarded,
      "j",
    );
  expect(state("skipped", "completed")).toBe("skip");
  expect(state("completed", "running")).toBe("wait");
  expect(state("completed", "completed")).toBe("ready");
});

test("without a way in only a start is ready", () => {
  const lonely = workflowOf(definition({ s: start(), x: end() }));
  expect(readiness({ nodes: {} } as unknown as JobState, lonely, "s")).toBe("ready");
  expect(readiness({ nodes: {} } as unknown as JobState, lonely, "x")).toBe("skip");
  expect(readiness({ nodes: {} } as unknown as JobState, lonely, "ghost")).toBe("skip");
});

// Defect 6 of peers.md 3.7: any_of took a skipped source for a done one.
test("any_of behind a conditional waits for the taken branch and never fires on a skipped", () => {
  const engine = new TestEngine(
    definition({
      s: start("choose"),
      choose: {
        type: "conditional",
        condition_field: "{{ inputs.n }}",
        branches: [
          { name: "small", condition: "< 10", next: "left" },
          { name: "big", default: true, next: "right" },
        ],
      },
      left: task(),
      right: task(),
      merge: task({ depends_on: { any_of: ["left", "right"] } }),
      z: end({ depends_on: { all_of: ["merge"] } }),
    }),
    { inputs: { n: 50 } },
  );
  engine.receiveAt(0);
  expect(engine.statuses()).toMatchObject({ left: "skipped", right: "running", merge: "pending" });
  engine.run();
  const order = engine.of("node_started").map(({ node_id }) => node_id);
  expect(order).toEqual(["right", "merge"]);
  expect(engine.job.status).toBe("completed");
});

// Defect 5 of peers.md 3.7: what stood behind a failed node stayed pending, and the job ran on.
test("what stands behind a failed node is skipped or cancelled, and the job ends", () => {
  const nodesOf = (more: Readonly<Record<string, unknown>>) =>
    definition({
      s: start("a", "other"),
      a: task({ handler: "bad", next: "b", ...more }),
      b: task({ next: "c" }),
      c: end(),
      other: task({ next: "rescue" }),
      rescue: task(),
    });
  const bad = () => failed();
  const stopped = new TestEngine(nodesOf({}), { handlers: { bad } }).run();
  expect(stopped.job.status).toBe("failed");
  expect(stopped.statuses()).toMatchObject({ a: "failed", b: "cancelled", c: "cancelled" });
  const saved = new TestEngine(nodesOf({ on_error: "rescue" }), { handlers: { bad } }).run();
  expect(saved.job.status).toBe("completed");
  expect(saved.statuses()).toMatchObject({ b: "skipped", c: "skipped", rescue: "completed" });
  const kept = new TestEngine(nodesOf({ on_error: "continue" }), { handlers: { bad } }).run();
  expect(kept.statuses()).toMatchObject({ a: "failed", b: "completed", c: "completed" });
  expect(kept.job.status).toBe("completed");
});

test("an edge both of next and of on_error into one node is live either way", () => {
  const both = definition({
    s: start("a"),
    a: task({ handler: "maybe", next: "b", on_error: "b" }),
    b: end(),
  });
  for (const maybe of [() => completed(1), () => failed()]) {
    const engine = new TestEngine(both, { handlers: { maybe } }).run();
    expect([engine.job.status, engine.node("b").status]).toEqual(["completed", "completed"]);
  }
});
