// What the projection's keeper and a session's fold must not do in the windows between their
// requests: go backwards, write what is older, keep a wake that a command had raised. And what
// one entry's occurrences find of each other, which no store can tell them yet.
import { expect, test } from "vitest";
import type { Occurrence } from "../../../src/core/effect.ts";
import { addSeconds } from "../../../src/core/instant.ts";
import { wakeAt } from "../../../src/core/watch.ts";
import { defineHandler } from "../../../src/runtime/handlers.ts";
import type { JobSession } from "../../../src/runtime/job-session.ts";
import { parseProjection } from "../../../src/runtime/projection.ts";
import { checkEnded } from "../../support/job-checks.ts";
import { TestRuntime } from "../../support/runtime.ts";
import type { TestProcess } from "../../support/runtime.ts";
import { echo, fan, numbers, parallel } from "../../support/shapes.ts";

const START: Occurrence = {
  type: "message_received",
  message: { kind: "start" },
  redelivered: false,
};

function claim(node_id: string): Occurrence {
  const message = { kind: "task", node_id, attempt: 1 } as const;
  return { type: "message_received", message, redelivered: false };
}

async function enter(process: TestProcess, jobId: string) {
  const entered = await process.sessions.enter(jobId, 0);
  if (entered.kind !== "session") throw new Error(entered.kind);
  const { session } = entered;
  return { session, leave: () => process.sessions.leave(session) };
}

async function commit(session: JobSession, occurrence: Occurrence): Promise<void> {
  await session.commit(occurrence, { canContinue: true });
}

/** Three queued tasks, seen by two processes. */
async function shared() {
  const runtime = new TestRuntime({ handlers: [echo] });
  const other = runtime.addProcess();
  runtime.catalog.put(parallel(3));
  const { job } = await runtime.submit({ workflow_id: "parallel" });
  const starting = await enter(runtime.first, job.job_id);
  await starting.session.commit(START, { canContinue: false });
  await starting.leave();
  return { runtime, other, jobId: job.job_id };
}

async function storedOf(runtime: TestRuntime, jobId: string) {
  const stored = await runtime.store.jobs.read(jobId);
  if (stored === undefined) throw new Error("no projection");
  return stored.document;
}

test("a keeper that knows of a newer projection writes no older state over it", async () => {
  const { runtime, other, jobId } = await shared();
  const mine = await enter(runtime.first, jobId);
  // A commit of this process is under way: its state cannot move for four seconds.
  runtime.gate.latencyMs = ({ operation }) => (operation === "journal.create" ? 4000 : 0);
  const committing = commit(mine.session, claim("p1"));
  await runtime.clock.advance(1500);
  runtime.gate.latencyMs = () => 0;
  const theirs = await enter(other, jobId);
  await commit(theirs.session, claim("p2"));
  await commit(theirs.session, claim("p3"));
  await theirs.leave();
  const further = (await storedOf(runtime, jobId)).seq;
  expect(further).toBe(3);
  // It looks at the newer projection, and has a lease to write at the same time.
  const looking = mine.session.freshen();
  await runtime.clock.advance(0);
  mine.session.keeper.noteLease("p3:1", runtime.clock.now());
  const refreshing = mine.session.keeper.refresh();
  await runtime.clock.advance(100);
  expect((await storedOf(runtime, jobId)).seq).toBeGreaterThanOrEqual(further);
  await runtime.clock.advance(5000);
  await Promise.all([looking, refreshing, committing]);
  await mine.leave();
  const last = await storedOf(runtime, jobId);
  expect([last.seq, mine.session.job.seq]).toEqual([4, 4]);
  expect(parseProjection(last).watch.renewals).toMatchObject({ "p3:1": expect.any(String) });
});

test("a projection that was read before the state moved on does not take it back", async () => {
  const { runtime, other, jobId } = await shared();
  const mine = await enter(runtime.first, jobId);
  runtime.gate.latencyMs = ({ operation }) => (operation === "journal.create" ? 4000 : 0);
  const committing = commit(mine.session, claim("p1"));
  await runtime.clock.advance(1500);
  runtime.gate.latencyMs = () => 0;
  const theirs = await enter(other, jobId);
  await commit(theirs.session, claim("p2"));
  await theirs.leave();
  expect((await storedOf(runtime, jobId)).seq).toBe(2);
  // Read now, at entry 2; taken once the commit is through, which ends at entry 3.
  const looking = mine.session.keeper.lookAgain();
  await runtime.clock.advance(5000);
  await Promise.all([looking, committing]);
  expect(mine.session.job.seq).toBe(3);
  expect(mine.session.job.nodes["p1"]?.status).toBe("running");
  await mine.leave();
  expect((await storedOf(runtime, jobId)).seq).toBe(3);
});

test("a look that finds nothing new asks for no refresh", async () => {
  const { runtime, jobId } = await shared();
  const { session, leave } = await enter(runtime.first, jobId);
  await session.catchUp();
  await session.freshen();
  expect(runtime.clock.pending).toBe(0);
  await leave();
});

test("a wake that was lowered for nothing is raised again by the last to leave", async () => {
  const { runtime, jobId } = await shared();
  const { session, leave } = await enter(runtime.first, jobId);
  const due = (await storedOf(runtime, jobId)).wake_at;
  const soon = addSeconds(runtime.clock.now(), 1);
  await session.keeper.lowerWake(soon);
  expect((await storedOf(runtime, jobId)).wake_at).toBe(soon);
  await leave();
  const last = await storedOf(runtime, jobId);
  expect(last.wake_at).toBe(due);
  const { job, watch } = parseProjection(last);
  expect(last.wake_at).toBe(wakeAt(job, { watch, timing: runtime.first.engine.timing }));
});

test("a suspicion counts only where it was stored", async () => {
  const { runtime, jobId } = await shared();
  const { session, leave } = await enter(runtime.first, jobId);
  await commit(session, claim("p1"));
  runtime.gate.rule = ({ operation }) => (operation === "jobs.replace" ? "refused" : undefined);
  expect(await session.keeper.suspect(["p1:1"])).toBe(false);
  expect(session.keeper.watch.suspects).toBeUndefined();
  runtime.gate.rule = () => undefined;
  expect(await session.keeper.suspect(["p1:1"])).toBe(true);
  const at = runtime.clock.now();
  expect(session.keeper.watch.suspects).toEqual({ "p1:1": at });
  expect(parseProjection(await storedOf(runtime, jobId)).watch.suspects).toEqual({ "p1:1": at });
  await leave();
});

test("an end is stored once, whatever is noted of leases after it", async () => {
  const { runtime, other, jobId } = await shared();
  const mine = await enter(runtime.first, jobId);
  const theirs = await enter(other, jobId);
  await commit(theirs.session, { type: "cancel_requested", requested_by: "ann" });
  await theirs.leave();
  expect(runtime.status(jobId)).toBe("cancelled");
  const { write_id } = await storedOf(runtime, jobId);
  await mine.session.freshen();
  mine.session.keeper.noteLease("p1:1", runtime.clock.now());
  expect(await mine.session.keeper.suspect(["p1:1"])).toBe(true);
  expect(await mine.session.keeper.refresh()).toBe(true);
  await mine.leave();
  expect((await storedOf(runtime, jobId)).write_id).toBe(write_id);
});

interface Held {
  readonly answer: (value: { readonly v: number }) => void;
}

function holding(held: Held[]) {
  return defineHandler({
    name: "hold",
    version: "1",
    params: echo.params,
    output: echo.output,
    run: () => new Promise((answer) => held.push({ answer })),
  });
}

test("outcomes of one entry find each other, which no store can tell them yet", async () => {
  for (const pad of ["", "x".repeat(9000)]) {
    const held: Held[] = [];
    const runtime = new TestRuntime({ handlers: [echo, holding(held)] });
    runtime.catalog.put(fan({ task: { handler: "hold", params: { v: "{{ item }}" } } }));
    const input_params = { list: [...numbers(3)] };
    const { job } = await runtime.submit({ workflow_id: "fan", input_params });
    await runtime.run(() => held.length === 3, 10);
    runtime.gate.requests = [];
    const entries = runtime.entries(job.job_id).length;
    // The first is being recorded while the others hand in: they become one entry.
    runtime.gate.latencyMs = ({ operation }) => (operation === "journal.create" ? 50 : 0);
    for (const [index, { answer }] of held.entries()) answer({ v: index, pad } as never);
    expect(await runtime.runToEnd(job.job_id, 5)).toBe("completed");
    expect(runtime.entries(job.job_id)).toHaveLength(entries + 2);
    expect(runtime.result(job.job_id)["join"]).toMatchObject({ results: [0, 1, 2] });
    const created = new Set<string>();
    const unseen = runtime.gate.requests.filter(({ operation, id }) => {
      if (operation === "journal.create") created.add(id);
      return operation === "journal.read" && !created.has(id);
    });
    expect(unseen).toEqual([]);
    expect(runtime.logs.filter(({ level }) => level !== "info")).toEqual([]);
    await checkEnded(runtime, job.job_id);
  }
});

test("a snapshot that is refused wakes the job whose chunks are at work elsewhere", async () => {
  const held: Held[] = [];
  const runtime = new TestRuntime({ handlers: [echo, holding(held)] });
  runtime.catalog.put(fan({ task: { handler: "hold", params: { v: "{{ item }}" } } }));
  const input_params = { list: [...numbers(3)] };
  const { job } = await runtime.submit({ workflow_id: "fan", input_params });
  await runtime.run(() => held.length === 3, 10);
  const other = runtime.addProcess();
  const { journal } = runtime.store;
  Object.assign(other.engine.journal, {
    read: async (jobId: string, id: string) => {
      const document = await journal.read(jobId, id);
      return id === "0" ? { ...document, workflow_snapshot: "{}" } : document;
    },
  });
  runtime.gate.requests = [];
  const { leave } = await enter(other, job.job_id);
  await leave();
  expect(runtime.status(job.job_id)).toBe("cancelling");
  const sends = runtime.gate.requests.filter(({ operation }) => operation === "queue.send");
  expect(sends.map(({ id }) => id)).toEqual(["wake"]);
});
