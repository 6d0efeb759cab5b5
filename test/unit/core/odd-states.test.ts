// States and snapshots that no build of ours writes, but a store may hold: the reducer stays total.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { advance } from "../../../src/core/advance.ts";
import type { CompiledNode, Workflow } from "../../../src/core/graph.ts";
import { uuidOf } from "../../../src/core/id.ts";
import type { JobState, NodeState } from "../../../src/core/job.ts";
import { PENDING_NODE } from "../../../src/core/job.ts";
import { wakeAt } from "../../../src/core/watch.ts";
import { definition, end, start, task } from "../../support/build.ts";
import { TestEngine, TIMING } from "../../support/engine.ts";

const NO_WATCH = { renewals: {}, resends: {} };

/** A job whose one task runs although nobody knows since when. */
function timeless(): { readonly engine: TestEngine; readonly job: JobState } {
  const engine = new TestEngine(definition({ s: start("a"), a: task({ next: "e" }), e: end() }));
  engine.commit({
    type: "message_received",
    message: { kind: "start" },
    redelivered: false,
  });
  const node: NodeState = {
    ...PENDING_NODE,
    status: "running",
    attempt: 1,
    head: "sha256:0",
    n: 1,
  };
  return { engine, job: { ...engine.job, nodes: { ...engine.job.nodes, a: node } } };
}

test("a running attempt without a start counts from the job's creation", () => {
  const { job } = timeless();
  expect(wakeAt(job, { watch: NO_WATCH, timing: TIMING })).toBe("2026-01-01T00:00:50.000Z");
});

test("a wake judges such an attempt by the job's creation as well", () => {
  const { engine, job } = timeless();
  const early = engine.context({ now: "2026-01-01T00:00:59.000Z" });
  expect(advance(job, { type: "wake_due" }, early)).toMatchObject({ events: [] });
  const suspects = { "a:1": "2026-01-01T00:00:50.000Z" };
  const watch = { ...NO_WATCH, suspects };
  const late = engine.context({ now: "2026-01-01T00:01:00.000Z", watch });
  const events = [{ type: "node_lost" }, { type: "node_retried" }];
  expect(advance(job, { type: "wake_due" }, late)).toMatchObject({ events });
});

test("a snapshot that reads nodes by number fails the node, not the engine", () => {
  const reader = task({ params: { x: "{{ nodes[0] }}" }, next: "e" });
  const engine = new TestEngine(definition({ s: start("a"), a: reader, e: end() }));
  engine.commit({ type: "message_received", message: { kind: "start" }, redelivered: false });
  expect(engine.job).toMatchObject({ status: "failed", error: { code: "EXPRESSION_FAILED" } });
});

test("a defect of the engine itself is thrown, not stored as the author's mistake", () => {
  const engine = new TestEngine(definition({ s: start("a"), a: task({ next: "e" }), e: end() }));
  const broken = { params: { form: null, reads: [] } } as unknown as CompiledNode;
  const nodes = new Map([...engine.workflow.nodes, ["a", broken] as const]);
  const workflow: Workflow = { ...engine.workflow, nodes };
  const occurrence = { type: "message_received", message: { kind: "start" } } as const;
  const context = engine.context({ workflow });
  expect(() => advance(engine.job, { ...occurrence, redelivered: false }, context)).toThrow(
    TypeError,
  );
});

test("an id of a digest is a UUID of version 8 and the same each time", () => {
  const hex = createHash("sha256").update("a").digest("hex");
  expect(uuidOf(hex)).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(uuidOf(hex)).toBe(uuidOf(hex));
  expect(uuidOf("f".repeat(64))).toBe("ffffffff-ffff-8fff-bfff-ffffffffffff");
  expect(uuidOf("0".repeat(64))).toBe("00000000-0000-8000-8000-000000000000");
});
