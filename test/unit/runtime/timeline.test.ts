// The timeline of a job: a bar for each attempt and chunk, and for each node that has neither; the
// same bars from a history that is half written.
import { expect, test } from "vitest";
import type { JournalEntry } from "../../../src/core/event.ts";
import { barsOf } from "../../../src/runtime/timeline.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, conditional, echo, fan, flaky, numbers, retrying } from "../../support/shapes.ts";

interface Bar {
  readonly node_id: string;
  readonly kind: string;
  readonly attempt?: number;
  readonly chunk?: number;
  readonly status: string;
  readonly queued_at?: string;
  readonly started_at?: string;
  readonly ended_at?: string;
  readonly items?: number;
}

async function entriesOf(
  shape: { readonly [member: string]: unknown },
  input_params: object = {},
): Promise<readonly JournalEntry[]> {
  const runtime = new TestRuntime({ handlers: [echo, flaky] });
  const { definition } = runtime.catalog.put(shape);
  const { job } = await runtime.submit({
    workflow_id: definition.workflow_id,
    input_params: input_params as never,
  });
  await runtime.runToEnd(job.job_id);
  return runtime.entries(job.job_id) as unknown as readonly JournalEntry[];
}

function told(entries: readonly JournalEntry[]): readonly Bar[] {
  return barsOf(entries) as unknown as readonly Bar[];
}

test("a chain has a bar for each node, in order, none of them open", async () => {
  const bars = told(await entriesOf(chain(3)));
  expect(bars.map(({ node_id, kind, status }) => `${node_id} ${kind} ${status}`)).toEqual([
    "start node completed",
    "t1 attempt completed",
    "t2 attempt completed",
    "t3 attempt completed",
    "end node completed",
  ]);
  const isInOrder = (bar: Bar): boolean => (bar.started_at ?? "z") <= (bar.ended_at ?? "");
  expect(bars.every(isInOrder)).toBe(true);
});

test("every attempt has its own bar, and waits from when it was decided", async () => {
  const attempts = told(await entriesOf(retrying())).filter(({ kind }) => kind === "attempt");
  const tried = attempts.filter(({ node_id }) => node_id === "a");
  expect(tried.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(tried.slice(0, -1).every(({ status }) => status === "failed")).toBe(true);
  expect(attempts.at(-1)?.status).toBe("completed");
  for (const { queued_at, started_at } of tried.slice(1)) {
    expect((queued_at ?? "z") <= (started_at ?? "")).toBe(true);
  }
});

test("a conditional has a bar, a skipped node none", async () => {
  const bars = told(await entriesOf(conditional()));
  const nodes = bars.map(({ node_id }) => node_id);
  expect(new Set(nodes).size).toBe(nodes.length);
  expect(nodes).not.toContain("s");
  expect(bars).toContainEqual(
    expect.objectContaining({ node_id: "route", kind: "node", status: "completed" }),
  );
});

test("a fan_out has a bar for itself and one for each chunk, with its items", async () => {
  const bars = told(await entriesOf(fan(), { list: numbers(100) }));
  const chunks = bars.filter(({ kind }) => kind === "chunk");
  expect(chunks.length).toBeGreaterThan(1);
  expect(chunks.reduce((sum, { items = 0 }) => sum + items, 0)).toBe(100);
  expect(chunks.every(({ status, queued_at }) => status === "completed" && queued_at)).toBe(true);
  const itself = bars.filter(({ node_id, kind }) => node_id === "split" && kind === "node");
  expect(itself).toHaveLength(1);
});

test("what has not ended is running, and later entries move no bar's begin", async () => {
  const entries = await entriesOf(retrying());
  const whole = told(entries);
  for (let count = 1; count < entries.length; count += 1) {
    const bars = told(entries.slice(0, count));
    for (const [index, bar] of bars.entries()) {
      expect(bar.started_at).toBe(whole[index]?.started_at);
      if (bar.ended_at === undefined) expect(bar.status).toBe("running");
    }
  }
});
