// One writer per process and job, while the writer fails: whoever waits for the same commit gets
// the same error, nobody believes what is not stored, and the session is left and entered anew.
import { describe, expect, test } from "vitest";
import type { Occurrence } from "../../../src/core/effect.ts";
import { WorkflowError } from "../../../src/core/error.ts";
import { UnansweredCommit } from "../../../src/runtime/commit.ts";
import { defineHandler } from "../../../src/runtime/handlers.ts";
import type { JobSession } from "../../../src/runtime/job-session.ts";
import { LocalAttempts } from "../../../src/runtime/local-attempts.ts";
import type { Fault } from "../../support/faults.ts";
import { checkEnded, watchWrites } from "../../support/job-checks.ts";
import { TestRuntime } from "../../support/runtime.ts";
import type { TestProcess } from "../../support/runtime.ts";
import { chain, echo, parallel } from "../../support/shapes.ts";

const NAMES = ["p1", "p2", "p3"] as const;
const FAULTS = ["refused", "throttled", "unanswered"] as const satisfies readonly Fault[];

/** Three tasks that are queued, and nobody at work. */
async function queued(): Promise<{ readonly runtime: TestRuntime; readonly jobId: string }> {
  const runtime = new TestRuntime({ handlers: [echo] });
  runtime.catalog.put(parallel(3));
  const { job } = await runtime.submit({ workflow_id: "parallel" });
  const { session, leave } = await seated(runtime.first, job.job_id);
  const message = { kind: "start" } as const;
  const start = { type: "message_received", message, redelivered: false } as const;
  await session.commit(start, { canContinue: false });
  await leave();
  return { runtime, jobId: job.job_id };
}

async function seated(process: TestProcess, jobId: string) {
  const entered = await process.sessions.enter(jobId, 0);
  if (entered.kind !== "session") throw new Error(entered.kind);
  const { session } = entered;
  return { session, leave: () => process.sessions.leave(session) };
}

/** Claims of all three tasks, asked for at once. */
function claims(session: JobSession, names: readonly string[] = NAMES) {
  return names.map((node_id) => {
    const message = { kind: "task", node_id, attempt: 1 } as const;
    const claim: Occurrence = { type: "message_received", message, redelivered: false };
    return session.commit(claim, { canContinue: true });
  });
}

function started(runtime: TestRuntime, jobId: string): readonly string[] {
  return runtime
    .entries(jobId)
    .flatMap((entry) => entry["events"] as { type: string; node_id: string }[])
    .flatMap(({ type, node_id }) => (type === "node_started" ? [node_id] : []));
}

/** The next creation of an entry fails so. */
function failNext(runtime: TestRuntime, fault: Fault): void {
  let failed = false;
  runtime.gate.rule = ({ operation }) => {
    if (failed || operation !== "journal.create") return undefined;
    failed = true;
    return fault;
  };
}

async function reasons(settling: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  const results = await Promise.allSettled(settling);
  return results.map((result) => (result.status === "rejected" ? result.reason : "resolved"));
}

describe.each(FAULTS)("a commit that is %s", (fault) => {
  test("fails everybody who waits for it alike, and spends the session", async () => {
    const { runtime, jobId } = await queued();
    const { session, leave } = await seated(runtime.first, jobId);
    failNext(runtime, fault);
    const errors = await reasons(claims(session));
    const codes = errors.map((error) => error instanceof WorkflowError && error.code);
    expect(new Set(codes).size).toBe(1);
    expect(session.isSpent).toBe(true);
    // Whatever the failure says: who was in the entry may look for it.
    expect(errors.every((error) => error instanceof UnansweredCommit)).toBe(true);
    // The state is what it was; nobody may build on what may not be there.
    expect(session.job.nodes["p1"]?.status).toBe("queued");
    for (const later of await reasons(claims(session))) {
      expect(later).toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
      expect(later).not.toBeInstanceOf(UnansweredCommit);
    }
    expect(started(runtime, jobId)).toEqual(fault === "unanswered" ? NAMES : []);
    await leave();
    expect(runtime.first.sessions.size).toBe(0);
  });

  test("fails who came while it was under way, without a word of its entry", async () => {
    const { runtime, jobId } = await queued();
    const { session, leave } = await seated(runtime.first, jobId);
    failNext(runtime, fault);
    runtime.gate.latencyMs = () => 10;
    const first = claims(session, ["p1"]);
    const firstError = reasons(first);
    await runtime.clock.advance(5);
    const laterErrors = reasons(claims(session, ["p2", "p3"]));
    await runtime.clock.advance(100);
    const [error] = await firstError;
    expect(error).toBeInstanceOf(UnansweredCommit);
    // The very error that the store gave; the first one has it as its cause.
    const { cause } = error as Error;
    expect(await laterErrors).toEqual([cause, cause]);
    expect(cause).toBeInstanceOf(WorkflowError);
    expect(cause).not.toBeInstanceOf(UnansweredCommit);
    expect(started(runtime, jobId)).toEqual(fault === "unanswered" ? ["p1"] : []);
    await leave();
  });

  test("is left for a fresh session beside those that are still in the spent one", async () => {
    const { runtime, jobId } = await queued();
    const one = await seated(runtime.first, jobId);
    const other = await seated(runtime.first, jobId);
    expect(other.session).toBe(one.session);
    failNext(runtime, fault);
    await reasons(claims(one.session));
    const fresh = await seated(runtime.first, jobId);
    expect(fresh.session).not.toBe(one.session);
    await one.leave();
    await other.leave();
    // The spent one's last user must not close what the others share.
    expect(fresh.session.isOpen).toBe(true);
    expect(runtime.first.sessions.size).toBe(1);
    await fresh.session.catchUp();
    const results = await reasons(claims(fresh.session));
    expect(results).toEqual(["resolved", "resolved", "resolved"]);
    expect(started(runtime, jobId)).toEqual(NAMES);
    await fresh.leave();
    expect([runtime.first.sessions.size, runtime.clock.pending]).toEqual([0, 0]);
  });

  test("lets every outcome of the process be recorded once, whoever waited", async () => {
    for (let answersMs = 0; answersMs < 40; answersMs += 3) {
      const [runtime, jobId] = await held(answersMs);
      const wrong = watchWrites(runtime, jobId);
      failNext(runtime, fault);
      expect(await runtime.runToEnd(jobId, 60)).toBe("completed");
      await checkEnded(runtime, jobId);
      expect(started(runtime, jobId)).toHaveLength(3);
      expect([...wrong, ...runtime.errors]).toEqual([]);
      expect([runtime.first.sessions.size, runtime.rescues]).toEqual([0, 0]);
    }
  });
});

/** Three tasks at work that end some milliseconds apart, with a store that takes ten. */
async function held(answersMs: number): Promise<[TestRuntime, string]> {
  const hold = defineHandler({
    name: "hold",
    version: "1",
    params: echo.params,
    output: echo.output,
    run: ({ job: { node_id } }) =>
      new Promise((answer) => {
        const index = NAMES.findIndex((name) => name === node_id);
        runtime.clock.after(1000 + index * answersMs, () => answer(node_id));
      }),
  });
  const runtime = new TestRuntime({ handlers: [hold] });
  runtime.catalog.put(parallel(3, { handler: "hold" }));
  const { job } = await runtime.submit({ workflow_id: "parallel" });
  runtime.gate.latencyMs = () => 10;
  await runtime.run(() => started(runtime, job.job_id).length === 3, 10);
  return [runtime, job.job_id];
}

test("an error of ours fails those who wait as well, and leaves nothing open", async () => {
  const { runtime, jobId } = await queued();
  const { session, leave } = await seated(runtime.first, jobId);
  const defect = new WorkflowError("INTERNAL", "the store says no");
  Object.assign(session.engine.journal, { create: () => Promise.reject(defect) });
  expect(await reasons(claims(session))).toEqual([defect, defect, defect]);
  await leave();
});

test("a process that stands still while it commits finds what others did meanwhile", async () => {
  const [runtime, jobId] = await held(0);
  const other = runtime.addProcess();
  let isStill = false;
  runtime.gate.latencyMs = ({ operation }) => {
    if (isStill || operation !== "journal.create") return 1;
    isStill = true;
    return 300_000;
  };
  const cancelling = async (): Promise<void> => {
    await new Promise<void>((resume) => runtime.clock.after(150_000, resume));
    await runtime.cancel(jobId, other);
  };
  void cancelling();
  expect(await runtime.runToEnd(jobId, 900)).toBe("cancelled");
  await runtime.run(() => runtime.first.sessions.size === 0, 900);
  await checkEnded(runtime, jobId);
  await runtime.clock.advance(10);
  expect([other.sessions.size, runtime.clock.pending]).toEqual([0, 0]);
});

test("the two-second timer writes nothing that a failing commit has not stored", async () => {
  for (const fault of FAULTS) {
    const { runtime, jobId } = await queued();
    const wrong = watchWrites(runtime, jobId);
    const { session, leave } = await seated(runtime.first, jobId);
    expect(await reasons(claims(session, ["p1"]))).toEqual(["resolved"]);
    failNext(runtime, fault);
    // The timer fires in the middle of the commit.
    runtime.gate.latencyMs = ({ operation }) => (operation === "journal.create" ? 4000 : 1);
    const failing = reasons(claims(session, ["p2", "p3"]));
    await runtime.clock.advance(3000);
    const stored = await runtime.store.jobs.read(jobId);
    expect(stored?.document.seq).toBe(2);
    await runtime.clock.advance(3000);
    expect(await failing).not.toContain("resolved");
    expect((await runtime.store.jobs.read(jobId))?.document.seq).toBe(2);
    runtime.gate.latencyMs = () => 0;
    await leave();
    expect(wrong).toEqual([]);
    expect([runtime.first.sessions.size, runtime.clock.pending]).toEqual([0, 0]);
  }
});

test("whoever enters while the last one leaves gets an open session, at every moment", async () => {
  for (let enterMs = 0; enterMs <= 24; enterMs += 1) {
    const { runtime, jobId } = await queued();
    const one = await seated(runtime.first, jobId);
    await Promise.all(claims(one.session, ["p1"]));
    runtime.gate.latencyMs = () => 5;
    const leaving = one.leave();
    const entering = async (): Promise<void> => {
      await new Promise<void>((resume) => runtime.clock.after(enterMs, resume));
      const two = await seated(runtime.first, jobId);
      expect(two.session.isOpen).toBe(true);
      expect(await reasons(claims(two.session, ["p2"]))).toEqual(["resolved"]);
      await two.leave();
    };
    const entered = entering();
    await runtime.clock.advance(500);
    await Promise.all([leaving, entered]);
    expect(started(runtime, jobId)).toEqual(["p1", "p2"]);
    const stored = await runtime.store.jobs.read(jobId);
    expect(stored?.document.seq).toBe(3);
    expect([runtime.first.sessions.size, runtime.clock.pending]).toEqual([0, 0]);
  }
});

test("those who enter while the store fails all get its error, and the next gets in", async () => {
  const { runtime, jobId } = await queued();
  runtime.gate.rule = ({ operation }) => (operation === "jobs.read" ? "refused" : undefined);
  const errors = await reasons(NAMES.map(() => seated(runtime.first, jobId)));
  expect(new Set(errors).size).toBe(1);
  expect(errors).not.toContain("resolved");
  runtime.gate.rule = () => undefined;
  const { leave } = await seated(runtime.first, jobId);
  await leave();
  expect(runtime.first.sessions.size).toBe(0);
});

test("a fresh session that cannot catch up is left again", async () => {
  const runtime = new TestRuntime({ handlers: [echo] });
  runtime.catalog.put(chain(3));
  const { job } = await runtime.submit({ workflow_id: "chain" });
  let commits = 0;
  let reads = 0;
  runtime.gate.rule = ({ operation, id }) => {
    if (operation === "journal.create") commits += 1;
    if (operation === "journal.create" && commits === 2) return "refused";
    if (operation !== "journal.read" || commits < 2 || id === "0") return undefined;
    reads += 1;
    return reads <= 2 ? "refused" : undefined;
  };
  expect(await runtime.runToEnd(job.job_id, 30)).toBe("completed");
  expect(reads).toBeGreaterThan(2);
  await checkEnded(runtime, job.job_id);
  expect([runtime.first.sessions.size, runtime.clock.pending]).toEqual([0, 0]);
});

test("a fresh session keeps up the leases of attempts that began in a spent one", async () => {
  const { runtime, jobId } = await queued();
  const one = await seated(runtime.first, jobId);
  await Promise.all(claims(one.session, ["p1"]));
  const p1 = { node_id: "p1", attempt: 1, abort: new AbortController() };
  const release = one.session.runs(p1, runtime.clock.now());
  failNext(runtime, "refused");
  await reasons(claims(one.session, ["p2"]));
  const fresh = await seated(runtime.first, jobId);
  await fresh.session.freshen();
  // Whoever judges leases in this process knows that it lives.
  expect(fresh.session.keeper.watch.renewals).toEqual({ "p1:1": runtime.clock.now() });
  await runtime.cancel(jobId);
  expect(p1.abort.signal.aborted).toBe(true);
  release();
  await one.leave();
  await fresh.leave();
  expect([runtime.first.sessions.size, runtime.clock.pending]).toEqual([0, 0]);
});

test("an attempt is told to stop by a state that knows of it, never by an older one", async () => {
  const { runtime, jobId } = await queued();
  const { session, leave } = await seated(runtime.first, jobId);
  const before = session.job;
  await Promise.all(claims(session, ["p1"]));
  const abort = new AbortController();
  const attempts = new LocalAttempts();
  const release = attempts.add({ node_id: "p1", attempt: 1, abort }, session.job);
  attempts.abortUnwanted(before);
  attempts.abortUnwanted(session.job);
  expect(abort.signal.aborted).toBe(false);
  attempts.abortUnwanted({ ...session.job, seq: session.job.seq + 1, status: "cancelling" });
  expect(abort.signal.aborted).toBe(true);
  release();
  expect(attempts.all).toEqual([]);
  await leave();
});
