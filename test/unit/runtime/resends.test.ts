// A turn of sending again is one turn, however many invocations of a process take it at once: as
// many redelivered messages as a dead neighbour held must neither flood the queue nor use up the
// patience of what is late, whose gaps double with every turn.
import { expect, test } from "vitest";
import { WorkflowError } from "../../../src/core/error.ts";
import type { Message } from "../../../src/core/message.ts";
import { processMessage } from "../../../src/runtime/process-message.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { echo, parallel } from "../../support/shapes.ts";

const RESEND_SECONDS = 60;

function waiting(runtime: TestRuntime): readonly Message[] {
  return runtime.queue.receive(32, 1).map(({ text }) => JSON.parse(text) as Message);
}

/** How often each task was sent again, as this process knows it. */
async function turns(runtime: TestRuntime, jobId: string): Promise<readonly number[]> {
  const { sessions } = runtime.first;
  const entered = await sessions.enter(jobId, 0);
  if (entered.kind !== "session") throw new Error("the job is not there");
  const { resends } = entered.session.keeper.watch;
  await sessions.leave(entered.session);
  return Object.values(resends).map(({ n }) => n);
}

/** A job whose four tasks are queued, and whose messages are all lost. */
async function forgotten(): Promise<{ readonly runtime: TestRuntime; readonly jobId: string }> {
  const runtime = new TestRuntime({ handlers: [{ ...echo, run: () => new Promise(() => {}) }] });
  runtime.isSweeping = false;
  runtime.catalog.put(parallel(5));
  const { job } = await runtime.submit({ workflow_id: "parallel" });
  runtime.dispatch();
  await runtime.clock.advance(0);
  for (const message of runtime.queue.receive(32, 1)) runtime.queue.complete(message);
  expect(runtime.queue.length).toBeLessThanOrEqual(1);
  return { runtime, jobId: job.job_id };
}

async function wakeAll(runtime: TestRuntime, jobId: string, times: number): Promise<void> {
  const { sessions, engine } = runtime.first;
  const first_sent_at = runtime.clock.now();
  const body = { v: 1, kind: "wake", job_id: jobId, rev: 0, first_sent_at, deferrals: 0 };
  const given = { body, delivery: { dequeueCount: 2 } };
  await Promise.all(Array.from({ length: times }, () => processMessage(sessions, engine, given)));
}

test("six wakes at once send what is late once, and count one turn", async () => {
  const { runtime, jobId } = await forgotten();
  await runtime.clock.advance((RESEND_SECONDS + 1) * 1000);
  await wakeAll(runtime, jobId, 6);
  const sent = waiting(runtime).filter(({ kind }) => kind === "task");
  expect(sent.map(({ node_id }) => node_id)).toEqual(["p2", "p3", "p4", "p5"]);
  expect(await turns(runtime, jobId)).toEqual([1, 1, 1, 1]);
});

test("a queue that is down uses up no turn, and the next wake sends", async () => {
  const { runtime, jobId } = await forgotten();
  await runtime.clock.advance((RESEND_SECONDS + 1) * 1000);
  runtime.queue.send = () => Promise.reject(new WorkflowError("QUEUE_UNAVAILABLE", "down"));
  await wakeAll(runtime, jobId, 3);
  expect(await turns(runtime, jobId)).toEqual([]);
  Reflect.deleteProperty(runtime.queue, "send");
  await wakeAll(runtime, jobId, 1);
  expect(await turns(runtime, jobId)).toEqual([1, 1, 1, 1]);
});
