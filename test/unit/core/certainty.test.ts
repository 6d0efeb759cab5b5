// Which outputs are certain: well-known shapes by name, random graphs against every execution.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { certaintyOf } from "../../../src/core/certainty.ts";
import { definitionSchema, type WorkflowDefinition } from "../../../src/core/definition.ts";
import { compileWorkflow, edgesOf } from "../../../src/core/graph.ts";
import type { JobState, NodeState } from "../../../src/core/job.ts";
import { readiness } from "../../../src/core/ready.ts";

type Nodes = Readonly<Record<string, object>>;

function definitionOf(nodes: Nodes): WorkflowDefinition {
  return definitionSchema.parse({ workflow_id: "w", version: 1, nodes });
}

const start = (...next: readonly string[]) => ({ type: "start", next });
const task = (next: readonly string[] | string, more: object = {}) => ({
  type: "task",
  handler: "h",
  next,
  ...more,
});
const choice = (branches: Readonly<Record<string, readonly string[]>>, more: object = {}) => ({
  type: "conditional",
  condition_field: "{{ 1 }}",
  branches: Object.entries(branches).map(([name, next], index) => {
    return index === 0 ? { name, next, default: true } : { name, next, condition: "> 1" };
  }),
  ...more,
});

/** What `reader` may read unguarded, of all other nodes. */
function certain(nodes: Nodes, reader: string): string {
  const certainty = certaintyOf(definitionOf(nodes));
  return Object.keys(nodes)
    .filter((id) => certainty.hasEnded(id, reader) && certainty.completes(id, reader))
    .join(" ");
}

describe("a node may read", () => {
  test("everything before it in a chain", () => {
    const nodes = { s: start("a"), a: task("b"), b: task("c"), c: task([]) };
    expect(certain(nodes, "c")).toBe("s a b");
    expect(certain(nodes, "a")).toBe("s");
    expect(certain(nodes, "s")).toBe("");
  });

  test("all nodes that it joins", () => {
    const nodes = { s: start("a", "b"), a: task("j"), b: task("j"), j: task([]) };
    expect(certain(nodes, "j")).toBe("s a b");
  });

  test("no more than what came before any of its any_of sources", () => {
    const nodes = {
      s: start("x"),
      x: task(["a", "b"]),
      a: task([]),
      b: task([]),
      j: task([], { depends_on: { any_of: ["a", "b"] } }),
    };
    expect(certain(nodes, "j")).toBe("s x");
  });

  test("its only any_of source", () => {
    const nodes = { s: start("a"), a: task([]), j: task([], { depends_on: { any_of: "a" } }) };
    expect(certain(nodes, "j")).toBe("s a");
  });

  test("on a branch, what came before the choice; after the merge, no branch", () => {
    const nodes = {
      s: start("c"),
      c: choice({ x: ["a"], y: ["b"] }),
      a: task("m"),
      b: task("m"),
      m: task("z"),
      z: task([]),
    };
    expect(certain(nodes, "a")).toBe("s c");
    expect(certain(nodes, "m")).toBe("s c");
    expect(certain(nodes, "z")).toBe("s c m");
  });

  test("a merge of all branches, beside another way", () => {
    // The diamond's merge can never be skipped, so the join has both.
    const nodes = {
      s: start("c", "p"),
      c: choice({ x: ["a"], y: ["b"], d: ["m"] }),
      a: task("m"),
      b: task("m"),
      m: task("j"),
      p: task("j"),
      j: task([]),
    };
    expect(certain(nodes, "j")).toBe("s c m p");
  });

  test("no merge of some branches only", () => {
    const nodes = {
      s: start("c", "p"),
      c: choice({ x: ["a"], y: ["b"], d: [] }),
      a: task("m"),
      b: task("m"),
      m: task("j"),
      p: task("j"),
      j: task([]),
    };
    expect(certain(nodes, "j")).toBe("s c p");
    expect(certain(nodes, "m")).toBe("s c");
  });

  test("what its own branch made, behind a join with another way", () => {
    const nodes = {
      s: start("c"),
      c: choice({ x: ["a"], y: [] }),
      a: task("b"),
      b: task("z"),
      z: task([]),
    };
    expect(certain(nodes, "z")).toBe("s c a b");
  });

  test("the other node of the same branch of the same choice", () => {
    const nodes = {
      s: start("c"),
      c: choice({ x: ["a", "b"], y: [] }),
      a: task("j"),
      b: task("j"),
      j: task([]),
    };
    expect(certain(nodes, "j")).toBe("s c a b");
  });

  test("nested choices that lead on in every case", () => {
    const nodes = {
      s: start("c"),
      c: choice({ x: ["d"], y: ["a"] }),
      d: choice({ u: ["a"], v: ["b"] }),
      a: task("m"),
      b: task("m"),
      m: task("j"),
      j: task([], { depends_on: { all_of: ["s"] } }),
    };
    expect(certain(nodes, "j")).toBe("s c m");
    expect(certain(nodes, "b")).toBe("s c d");
  });

  test("a conditional with one branch, like any node", () => {
    const nodes = { s: start("c"), c: choice({ x: ["a"] }), a: task("j"), j: task([]) };
    expect(certain(nodes, "j")).toBe("s c a");
  });

  test("no node that may have failed", () => {
    const nodes = (on_error: string) => ({
      s: start("a"),
      a: task("b", { on_error }),
      b: task("z"),
      r: task("z"),
      z: task([]),
    });
    expect(certain(nodes("r"), "b")).toBe("s a");
    expect(certain(nodes("r"), "r")).toBe("s");
    expect(certain(nodes("r"), "z")).toBe("s");
    const going = { ...nodes("continue"), s: start("a", "r") };
    expect(certain(going, "b")).toBe("s");
    expect(certain(going, "z")).toBe("s b r");
  });

  test("what has both kinds of sources, by both", () => {
    const nodes = {
      s: start("a", "b", "x"),
      x: task("j"),
      a: task([]),
      b: task([]),
      j: task("z", { depends_on: { any_of: ["a", "b"] } }),
      z: task([], { depends_on: { all_of: ["s"] } }),
    };
    expect(certain(nodes, "j")).toBe("s x");
    expect(certain(nodes, "z")).toBe("s x j");
  });

  test("a conditional it depends on, whichever branch was taken", () => {
    const nodes = {
      s: start("c"),
      c: choice({ x: ["a"], y: [] }),
      a: task([]),
      z: task([], { depends_on: { all_of: ["c"] } }),
    };
    expect(certain(nodes, "z")).toBe("s c");
  });
});

test("a hundred branches that meet again are one certain way", () => {
  const names = Array.from({ length: 100 }, (_, index) => `t${index}`);
  const nodes = {
    s: start("c", "p"),
    c: choice(Object.fromEntries(names.map((name) => [name, [name]]))),
    ...Object.fromEntries(names.map((name) => [name, task("m")])),
    m: task("j"),
    p: task("j"),
    j: task([]),
  };
  expect(certain(nodes, "j")).toBe("s c m p");
});

/** `count` choices side by side, each with a task on one branch; m joins these tasks. */
function manyChoices(count: number): Nodes {
  const numbers = Array.from({ length: count }, (_, index) => index);
  return {
    s: start(...numbers.map((n) => `c${n}`)),
    ...Object.fromEntries(numbers.map((n) => [`c${n}`, choice({ x: [`t${n}`], y: [] })])),
    ...Object.fromEntries(numbers.map((n) => [`t${n}`, task("m")])),
    m: task("z"),
    z: task("y"),
    y: task([], { depends_on: { all_of: numbers.map((n) => `t${n}`) } }),
  };
}

test("above 64 ways to start, what follows still knows what it follows", () => {
  for (const count of [64, 65, 300]) {
    const choices = Array.from({ length: count }, (_, index) => `c${index}`).join(" ");
    expect(certain(manyChoices(count), "z")).toBe(`s ${choices} m`);
  }
});

test("what all of too many ways have in common stays known", () => {
  const many = manyChoices(100);
  const nodes = {
    ...many,
    s: start("g"),
    g: choice({ on: Object.keys(many).filter((id) => /^c\d/.test(id)), off: ["o"] }),
    o: task("k"),
    a: task("k", { depends_on: { all_of: ["g", "m"] } }),
    k: task([]),
  };
  expect(certain(nodes, "z").split(" ")).toContain("g");
  expect(certain(nodes, "z").split(" ")).not.toContain("o");
});

test("a graph made to be tangled is answered in bounded time, with no", () => {
  const layers = 30;
  const nodes: Record<string, object> = { s: start("a0", "b0") };
  for (let layer = 0; layer < layers; layer += 1) {
    const next = [`a${layer + 1}`, `b${layer + 1}`];
    nodes[`a${layer}`] = choice({ x: next, y: [`b${layer + 1}`], z: [] });
    nodes[`b${layer}`] = choice({ x: [`a${layer + 1}`], y: next, z: [] });
  }
  nodes[`a${layers}`] = task("j");
  nodes[`b${layers}`] = task("j");
  nodes["j"] = task([]);
  const certainty = certaintyOf(definitionOf(nodes));
  expect(certainty.completes("s", "j")).toBe(true);
  expect(certainty.completes("a3", "j")).toBe(false);
  expect(certainty.completes(`a${layers}`, "j")).toBe(false);
});

/** For each node, what had completed at every one of its starts, over all executions. */
function observed(nodes: Nodes): ReadonlyMap<string, ReadonlySet<string>> {
  const workflow = compileWorkflow(definitionOf(nodes), "");
  const completedAt = new Map<string, ReadonlySet<string>>();
  const seen = new Set<string>();
  const explore = (states: Readonly<Record<string, NodeState>>): void => {
    const settled = { ...states };
    for (let changed = true; changed; ) {
      changed = false;
      for (const id of workflow.order) {
        if (settled[id]?.status !== "pending") continue;
        const job = { nodes: settled } as unknown as JobState;
        const next = readiness(job, workflow, id);
        if (next === "wait") continue;
        changed = true;
        settled[id] = { status: next === "skip" ? "skipped" : "running" } as NodeState;
        if (next === "skip") continue;
        const done = Object.keys(settled).filter((one) => settled[one]?.status === "completed");
        const before = completedAt.get(id) ?? new Set(done);
        completedAt.set(id, new Set(done.filter((one) => before.has(one))));
      }
    }
    const key = JSON.stringify(settled);
    if (seen.has(key)) return;
    seen.add(key);
    for (const [id, { status }] of Object.entries(settled)) {
      if (status !== "running") continue;
      for (const end of endsOf(workflow.definition, id)) explore({ ...settled, [id]: end });
    }
  };
  const ids = Object.keys(nodes);
  explore(Object.fromEntries(ids.map((id) => [id, { status: "pending" } as NodeState])));
  return completedAt;
}

function endsOf(definition: WorkflowDefinition, id: string): readonly NodeState[] {
  const node = definition.nodes[id];
  if (node?.type === "conditional") {
    return node.branches.map(({ name }) => ({ status: "completed", branch: name }) as NodeState);
  }
  const completed = { status: "completed" } as NodeState;
  const fails = node?.type === "task" && node.on_error !== undefined;
  return fails ? [completed, { status: "failed" } as NodeState] : [completed];
}

/** Nodes n0 (start) to n6; each one leads to later ones in ways drawn at random. */
const graphs = fc.integer({ min: 3, max: 6 }).chain((count) => {
  const kind = fc.constantFrom("task", "task", "choice", "rescued", "going");
  const target = fc.nat({ max: 99 });
  const node = fc.record({
    kind,
    next: fc.array(target, { maxLength: 2 }),
    other: fc.array(target, { maxLength: 2 }),
    rescue: target,
    all: fc.array(target, { maxLength: 1 }),
    any: fc.array(target, { maxLength: 2 }),
  });
  return fc.array(node, { minLength: count, maxLength: count }).map((parts) => {
    const later = (index: number, one: number) => `n${index + 1 + (one % (count - index - 1))}`;
    const nodes: Record<string, object> = {};
    for (const [index, part] of parts.entries()) {
      const follow = (ones: readonly number[]) => {
        return index === count - 1 ? [] : [...new Set(ones.map((one) => later(index, one)))];
      };
      const earlier = (ones: readonly number[]) => [
        ...new Set(ones.map((one) => `n${one % index}`)),
      ];
      const next = follow(part.next);
      if (index === 0) {
        nodes["n0"] = start(...next);
        continue;
      }
      const more = { depends_on: { all_of: earlier(part.all), any_of: earlier(part.any) } };
      const on_error = part.kind === "going" ? "continue" : follow([part.rescue])[0];
      if (part.kind === "choice") {
        nodes[`n${index}`] = choice({ x: next, y: follow(part.other) }, more);
      } else if (part.kind === "task" || on_error === undefined) {
        nodes[`n${index}`] = task(next, more);
      } else nodes[`n${index}`] = task(next, { ...more, on_error });
    }
    // As checkGraph has it, every node is in reach.
    const edges = edgesOf(definitionOf(nodes));
    const led = new Set(edges.filter(({ from }) => from !== "n0").map(({ to }) => to));
    const first = edges.filter(({ from }) => from === "n0").map(({ to }) => to);
    const left = Object.keys(nodes).filter((id) => id !== "n0" && !led.has(id));
    return { ...nodes, n0: start(...new Set([...first, ...left])) };
  });
});

test("what is called certain is so in every execution of random graphs", () => {
  const counts = { certain: 0, missed: 0 };
  fc.assert(
    fc.property(graphs, (nodes) => {
      const certainty = certaintyOf(definitionOf(nodes));
      for (const [reader, completed] of observed(nodes)) {
        for (const id of Object.keys(nodes)) {
          const said = certainty.hasEnded(id, reader) && certainty.completes(id, reader);
          if (said) expect([...completed]).toContain(id);
          if (completed.has(id)) counts[said ? "certain" : "missed"] += 1;
        }
      }
    }),
    { numRuns: 400 },
  );
  // Sound always, and hardly ever too careful.
  expect(counts.certain).toBeGreaterThan(1000);
  expect(counts.missed / counts.certain).toBeLessThan(0.02);
}, 30_000);
