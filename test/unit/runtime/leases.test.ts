// Leases: who is taken for lost and who is not. A lease only saves work; the attempt number is what
// keeps a late outcome from counting. And what a cancel, a slow handler or a busy neighbour does.
import { describe, expect, test } from "vitest";
import type { Watch } from "../../../src/core/effect.ts";
import { epochMs } from "../../../src/core/instant.ts";
import { defineHandler } from "../../../src/runtime/handlers.ts";
import type { Handler } from "../../../src/runtime/handlers.ts";
import { checkEnded } from "../../support/job-checks.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { echo, fan, numbers, task, workflow } from "../../support/shapes.ts";

interface Held {
  readonly node_id: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly answer: (value: string) => void;
}

/** A handler whose answers the test gives; it never answers an abort by itself. */
function holding(held: Held[]): Handler {
  return defineHandler({
    name: "hold",
    version: "1",
    params: echo.params,
    output: echo.output,
    run: ({ attempt, signal, job }) =>
      new Promise((answer) => {
        held.push({ node_id: job.node_id, attempt, signal, answer });
      }),
  });
}

function started(): { readonly runtime: TestRuntime; readonly held: Held[] } {
  const held: Held[] = [];
  const runtime = new TestRuntime({ handlers: [echo, holding(held)], restarts: true });
  const hold = { handler: "hold" };
  runtime.catalog.put(
    workflow("one", {
      start: { type: "start", next: "a" },
      a: task("end", { ...hold, timeout_seconds: 500 }),
      end: { type: "end" },
    }),
  );
  runtime.catalog.put(
    workflow("two", {
      start: { type: "start", next: ["a", "b"] },
      a: task("end", { ...hold, timeout_seconds: 500 }),
      b: task("end", { ...hold, timeout_seconds: 500 }),
      end: { type: "end" },
    }),
  );
  return { runtime, held };
}

async function wait(runtime: TestRuntime, seconds: number): Promise<void> {
  let isOver = false;
  runtime.clock.after(seconds * 1000, () => {
    isOver = true;
  });
  await runtime.run(() => isOver, seconds + 60);
}

function types(runtime: TestRuntime, jobId: string): readonly string[] {
  return runtime
    .entries(jobId)
    .flatMap((entry) => (entry["events"] as { type: string }[]).map(({ type }) => type));
}

function watchOf(runtime: TestRuntime): Watch {
  return runtime.store.allJobs()[0]?.["watch"] as unknown as Watch;
}

test("renewals keep a long task alive through sweeps", async () => {
  const { runtime, held } = started();
  const { job } = await runtime.submit({ workflow_id: "one" });
  await wait(runtime, 400);
  expect(held).toHaveLength(1);
  held[0]?.answer("done");
  expect(await runtime.runToEnd(job.job_id, 5)).toBe("completed");
  expect(types(runtime, job.job_id)).not.toContain("node_lost");
  expect(runtime.rescues).toBe(0);
  await checkEnded(runtime, job.job_id);
});

test("a renewal whose write fails is tried again before the lease ends", async () => {
  const { runtime, held } = started();
  const { job } = await runtime.submit({ workflow_id: "one" });
  await wait(runtime, 30);
  let failures = 0;
  runtime.gate.rule = ({ operation }) => {
    if (operation !== "jobs.replace" || failures > 0) return undefined;
    failures += 1;
    return "refused";
  };
  // A second process sweeps: it knows only what is stored.
  const other = runtime.addProcess();
  await wait(runtime, 20);
  for (let n = 0; n < 4; n += 1) {
    await wait(runtime, 15);
    await runtime.sweep(other);
  }
  expect(failures).toBe(1);
  expect(types(runtime, job.job_id)).not.toContain("node_lost");
  held[0]?.answer("done");
  expect(await runtime.runToEnd(job.job_id, 5)).toBe("completed");
});

test("a late outcome is kept as an orphan and the second attempt's result counts", async () => {
  const { runtime, held } = started();
  const { job } = await runtime.submit({ workflow_id: "one" });
  await wait(runtime, 1);
  // The first process cannot reach the store for a while: it works on, but renews nothing.
  const [first] = runtime.processes;
  const other = runtime.addProcess();
  const { jobs } = runtime.first.engine;
  const replace: typeof jobs.replace = jobs.replace.bind(jobs);
  Object.assign(first?.engine.jobs ?? {}, { replace: () => Promise.reject(new Error("cut off")) });
  runtime.isSweeping = false;
  await wait(runtime, 61);
  // First suspected, then lost: whoever could write would have renewed in between.
  await runtime.sweep(other);
  expect(types(runtime, job.job_id)).not.toContain("node_lost");
  await wait(runtime, 10);
  await runtime.sweep(other);
  expect(types(runtime, job.job_id)).toContain("node_lost");
  Object.assign(first?.engine.jobs ?? {}, { replace });
  await runtime.run(() => held.length === 2, 200);
  held[0]?.answer("first");
  await wait(runtime, 1);
  held[1]?.answer("second");
  expect(await runtime.runToEnd(job.job_id, 300)).toBe("completed");
  expect(runtime.result(job.job_id)["a"]).toBe("second");
  expect(types(runtime, job.job_id)).toContain("outcome_orphaned");
  expect(held.map(({ attempt }) => attempt)).toEqual([1, 2]);
  expect(other.sessions.size + (first?.sessions.size ?? 0)).toBe(0);
  await checkEnded(runtime, job.job_id);
});

test("a redelivered message does not take a neighbour in another process for lost", async () => {
  const { runtime, held } = started();
  const other = runtime.addProcess();
  const { job } = await runtime.submit({ workflow_id: "two" });
  await runtime.run(() => held.length === 2, 10);
  expect([runtime.first.sessions.size, other.sessions.size]).toEqual([1, 1]);
  // Both renew in turn; neither reads what the other wrote except when it loses a race.
  for (let n = 0; n < 20; n += 1) {
    await wait(runtime, 13);
    const facts = { v: 1, kind: "wake", job_id: job.job_id, rev: 0, deferrals: 0 };
    const text = JSON.stringify({ ...facts, first_sent_at: runtime.clock.now() });
    runtime.queue.put(text);
    runtime.queue.put(text);
  }
  expect(types(runtime, job.job_id)).not.toContain("node_lost");
  for (const { answer } of held) answer("done");
  expect(await runtime.runToEnd(job.job_id, 5)).toBe("completed");
  expect(held).toHaveLength(2);
});

test("a neighbour's renewals do not push away the wake of a lost message", async () => {
  const { runtime, held } = started();
  const { job } = await runtime.submit({ workflow_id: "two" });
  runtime.gate.rule = ({ operation }) => (operation === "queue.send" ? "refused" : undefined);
  await runtime.run(() => held.length === 1, 5);
  runtime.gate.rule = () => undefined;
  const began = epochMs(runtime.clock.now());
  await runtime.run(() => held.length === 2, 300);
  expect(epochMs(runtime.clock.now()) - began).toBeLessThanOrEqual(121_000);
  expect(held.map(({ node_id }) => node_id)).toEqual(["a", "b"]);
  expect(runtime.rescues).toBe(1);
  for (const { answer } of held) answer("done");
  expect(await runtime.runToEnd(job.job_id, 5)).toBe("completed");
});

test("a queue that is down does not use up the patience of what waits", async () => {
  const { runtime, held } = started();
  const { job } = await runtime.submit({ workflow_id: "two" });
  runtime.gate.rule = ({ operation }) => (operation === "queue.send" ? "refused" : undefined);
  await wait(runtime, 400);
  const watch = watchOf(runtime);
  expect(watch.resends).toEqual({});
  runtime.gate.rule = () => undefined;
  await runtime.run(() => held.length === 2, 61);
  for (const { answer } of held) answer("done");
  expect(await runtime.runToEnd(job.job_id, 5)).toBe("completed");
});

describe("a cancel", () => {
  test("reaches a handler in the same process at once", async () => {
    const { runtime, held } = started();
    const { job } = await runtime.submit({ workflow_id: "one" });
    await wait(runtime, 1);
    const began = runtime.clock.now();
    expect((await runtime.cancel(job.job_id)).status).toBe("cancelling");
    expect(held[0]?.signal.aborted).toBe(true);
    expect(runtime.clock.now()).toBe(began);
    // The handler ignores it; the job goes without it after the grace.
    expect(await runtime.runToEnd(job.job_id, 3)).toBe("cancelled");
    held[0]?.answer("too late");
    await wait(runtime, 1);
    await checkEnded(runtime, job.job_id);
  });

  test("reaches a handler in another process with its next renewal", async () => {
    const { runtime, held } = started();
    const { job } = await runtime.submit({ workflow_id: "one" });
    await wait(runtime, 10);
    const other = runtime.addProcess();
    await runtime.cancel(job.job_id, other);
    expect(held[0]?.signal.aborted).toBe(false);
    await runtime.run(() => held[0]?.signal.aborted === true, 41);
    expect(await runtime.runToEnd(job.job_id, 3)).toBe("cancelled");
    expect(runtime.rescues).toBe(0);
  });

  test("asked for twice answers the same state, and JOB_TERMINAL after the end", async () => {
    const { runtime } = started();
    const { job } = await runtime.submit({ workflow_id: "one" });
    await wait(runtime, 1);
    const first = await runtime.cancel(job.job_id);
    const entries = runtime.entries(job.job_id).length;
    const second = await runtime.cancel(job.job_id);
    expect(second).toEqual(first);
    expect(runtime.entries(job.job_id)).toHaveLength(entries);
    expect(await runtime.runToEnd(job.job_id, 5)).toBe("cancelled");
    await expect(runtime.cancel(job.job_id)).rejects.toMatchObject({ code: "JOB_TERMINAL" });
    const absent = "01890000-0000-7000-8000-000000000000";
    await expect(runtime.cancel(absent)).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
    expect(runtime.first.sessions.size).toBe(0);
  });

  test("that loses to the end answers JOB_TERMINAL", async () => {
    const { runtime, held } = started();
    const other = runtime.addProcess();
    const { job } = await runtime.submit({ workflow_id: "one" });
    await wait(runtime, 1);
    // The cancel has decided and its entry is on the way when the handler's outcome overtakes it.
    let creates = 0;
    runtime.gate.latencyMs = ({ operation }) => {
      if (operation !== "journal.create") return 0;
      creates += 1;
      return creates === 1 ? 500 : 0;
    };
    const refusal = runtime.cancel(job.job_id, other).catch((error: unknown) => error);
    await runtime.clock.advance(0);
    expect(creates).toBe(1);
    held[0]?.answer("done");
    expect(await runtime.runToEnd(job.job_id, 20)).toBe("completed");
    await runtime.clock.advance(5000);
    expect(await refusal).toMatchObject({ code: "JOB_TERMINAL" });
  });

  test("does not undo what another process knows of leases", async () => {
    const { runtime, held } = started();
    const other = runtime.addProcess();
    const { job } = await runtime.submit({ workflow_id: "two" });
    await runtime.run(() => held.length === 2, 10);
    await wait(runtime, 45);
    const before = watchOf(runtime);
    expect(Object.keys(before.renewals).length).toBeGreaterThan(0);
    const entered = await other.sessions.enter(job.job_id, 0);
    if (entered.kind !== "session") throw new Error("no session");
    await entered.session.keeper.lowerWake("2026-01-01T00:00:30.000Z");
    await entered.session.catchUp();
    await other.sessions.leave(entered.session);
    const after = watchOf(runtime);
    for (const [key, at] of Object.entries(before.renewals)) {
      expect((after.renewals[key] ?? "") >= at, key).toBe(true);
    }
    for (const { answer } of held) answer("done");
    expect(await runtime.runToEnd(job.job_id, 5)).toBe("completed");
  });
});

test("a slow item holds nobody back", async () => {
  const { runtime, held } = started();
  const slow = { handler: "hold", params: { v: "{{ item }}" } };
  runtime.catalog.put(fan({ task: slow, timeout_seconds: 500 }));
  const input_params = { list: [...numbers(16)] };
  const { job } = await runtime.submit({ workflow_id: "fan", input_params });
  await runtime.run(() => held.length === 16, 10);
  const [last, ...others] = held.toReversed();
  for (const { answer } of others) answer("quick");
  await wait(runtime, 5);
  const recorded = runtime.entries(job.job_id).flatMap((entry) =>
    (entry["events"] as { type: string; done?: number }[]).map(({ done }) => done ?? 0),
  );
  expect(recorded.reduce((sum, done) => sum + done, 0)).toBe(15);
  await wait(runtime, 200);
  last?.answer("slow");
  await runtime.run(() => runtime.status(job.job_id) !== "running", 5);
  expect(types(runtime, job.job_id)).not.toContain("chunk_lost");
  expect(runtime.rescues).toBe(0);
});

test("the sweeper goes on past a hundred jobs that stay due", async () => {
  const { runtime, held } = started();
  for (const _ of numbers(130)) await runtime.submit({ workflow_id: "one" });
  runtime.queue.clear();
  await runtime.clock.advance(61_000);
  await runtime.sweep();
  // Their tasks are queued now, behind a message that is older than all of them.
  runtime.queue.clear();
  Object.assign(runtime.first.engine.queue, { oldest: async () => "2025-12-31T00:00:00.000Z" });
  await runtime.clock.advance(300_000);
  await runtime.sweep();
  expect(runtime.sweeps.at(-1)).toEqual({ jobs: 130, advanced: 0, resent: 0, failed: 0 });
  expect(held).toEqual([]);
});
