// States that do not fit the document that projects them. Lists, sweeps and leases go on by what is
// left of it, and whoever needs the state folds the journal.
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { WorkflowError } from "../../../src/core/error.ts";
import { epochMs } from "../../../src/core/instant.ts";
import { defineHandler } from "../../../src/runtime/handlers.ts";
import type { JobDocument, JobStore } from "../../../src/runtime/ports.ts";
import { parseProjection } from "../../../src/runtime/projection.ts";
import { jobView } from "../../support/views.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, echo, fan, numbers, parallel, workflow } from "../../support/shapes.ts";

/** A store of projections that takes so many characters and no more. */
function narrow(jobs: JobStore, chars: number): JobStore {
  return {
    ...jobs,
    replace: async (document, etag) => {
      if (JSON.stringify(document).length <= chars) return jobs.replace(document, etag);
      throw new WorkflowError("LIMIT_EXCEEDED", `document "job": expected at most ${chars}`);
    },
  };
}

/** Two processes with such a store. */
function crowded(chars: number): TestRuntime {
  const runtime = new TestRuntime({ handlers: [echo, pausing(() => runtime)], restarts: false });
  runtime.first.die();
  Object.assign(runtime.store, { jobs: narrow(runtime.store.jobs, chars) });
  for (let n = 0; n < 2; n += 1) runtime.addProcess();
  return runtime;
}

/** Takes ten seconds. */
function pausing(runtime: () => TestRuntime) {
  return defineHandler({
    name: "pausing",
    version: "1",
    params: z.unknown(),
    output: z.unknown(),
    run: ({ params }) =>
      new Promise((resolve) => runtime().clock.after(10_000, () => resolve(params))),
  });
}

async function begun(runtime: TestRuntime, shape: object, input: object = {}): Promise<string> {
  const { workflow_id } = runtime.catalog.put(shape).definition;
  const [, process] = runtime.processes;
  const submission = { workflow_id, input_params: { ...input } };
  const { job } = await runtime.submit(submission, process === undefined ? {} : { process });
  return job.job_id;
}

async function stored(runtime: TestRuntime, jobId: string): Promise<JobDocument> {
  const found = await runtime.store.jobs.read(jobId);
  if (found === undefined) throw new Error("no projection");
  return found.document;
}

function cuts(runtime: TestRuntime): number {
  return runtime.logs.filter(({ name }) => name === "projection.cut").length;
}

describe("a projection without its state", () => {
  const shapes = [chain(6), parallel(6), fan({ max_parallel: 2 })];
  test.each(shapes)("$workflow_id ends, and is seen to have ended", async (shape) => {
    const runtime = crowded(1_400);
    const input = shape["workflow_id"] === "fan" ? { list: [...numbers(12)] } : {};
    const jobId = await begun(runtime, shape, input);
    expect(await runtime.runToEnd(jobId)).toBe("completed");
    const document = await stored(runtime, jobId);
    expect(document["state"]).toBeUndefined();
    expect(document).toMatchObject({ status: "completed" });
    expect(document.wake_at).toBeUndefined();
    expect(cuts(runtime)).toBeGreaterThan(0);
    const { engine } = runtime.processes.at(-1) ?? runtime.first;
    const view = await jobView(engine, { job_id: jobId });
    expect(view).toMatchObject({ status: "completed", percent_complete: 100 });
    await runtime.sweep();
    expect(runtime.sweeps.at(-1)).toMatchObject({ jobs: 0 });
  });

  test("a worker that dies is suspected, lost, and its attempt made again elsewhere", async () => {
    const runtime = crowded(1_400);
    const shape = workflow("slow", {
      start: { type: "start", next: "a" },
      a: { type: "task", handler: "pausing", params: { pad: "x".repeat(900) }, next: "end" },
      end: { type: "end" },
    });
    const jobId = await begun(runtime, shape);
    const isRunning = (): boolean => runtime.logs.some(({ name }) => name === "node.started");
    await runtime.run(isRunning, 60);
    const began = epochMs(runtime.clock.now());
    for (const process of runtime.processes) process.die();
    runtime.addProcess();
    expect(await runtime.runToEnd(jobId, 900)).toBe("completed");
    expect(epochMs(runtime.clock.now()) - began).toBeLessThan(400_000);
  });
});

test("of ended chunks first that is left out which nobody needs", async () => {
  const whole = crowded(1_000_000);
  const list = [...numbers(40)];
  const first = await begun(whole, fan({ max_parallel: 1 }), { list });
  expect(await whole.runToEnd(first)).toBe("completed");
  const size = JSON.stringify(await stored(whole, first)).length;
  const runtime = crowded(size - 1_000);
  const jobId = await begun(runtime, fan({ max_parallel: 1 }), { list });
  expect(await runtime.runToEnd(jobId)).toBe("completed");
  const { fan: state } = parseProjection(await stored(runtime, jobId)).job.nodes["split"] ?? {};
  expect(state?.chunks).toHaveLength(40);
  // What has ended since the last time that it did not fit is whole.
  expect(state?.chunks.filter((chunk) => "queued_at" in chunk).length).toBeLessThan(20);
  expect(cuts(runtime)).toBe(0);
});

test("where a fan_out has many chunks, its workers hand in less often", async () => {
  const mixed = defineHandler({
    name: "mixed",
    version: "1",
    params: z.object({ n: z.number() }),
    output: z.unknown(),
    run: ({ params }) =>
      new Promise((resolve, reject) => {
        if (params.n % 2 === 1) runtime.clock.after(3_000, () => resolve(params.n));
        else reject(new Error("not now"));
      }),
  });
  const runtime = new TestRuntime({ handlers: [mixed] });
  const shape = fan({
    max_parallel: 2,
    retry: { max_attempts: 2, initial_delay_seconds: 600 },
    task: { handler: "mixed", params: { n: "{{ item }}" } },
  });
  const entriesOf = async (count: number): Promise<number> => {
    const jobId = await begun(runtime, shape, { list: [...numbers(count)] });
    const isHandedIn = (): boolean =>
      JSON.stringify(runtime.entries(jobId)).includes('"remaining":[]');
    await runtime.run(isHandedIn, 60);
    return runtime.entries(jobId).length;
  };
  expect(await entriesOf(10)).toBe(4);
  expect(await entriesOf(2_000)).toBe(3);
});
