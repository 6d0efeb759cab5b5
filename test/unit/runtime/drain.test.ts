// A process that is told to go away: it begins nothing more, hands back what runs, records what
// has ended, and is gone within seconds, whatever its handlers do.
import { expect, test } from "vitest";
import { epochMs } from "../../../src/core/instant.ts";
import { defineHandler } from "../../../src/runtime/handlers.ts";
import { checkEnded } from "../../support/job-checks.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, echo, fan, numbers } from "../../support/shapes.ts";

interface Slow {
  /** Whether it ends at once when told to, or only when its time has come. */
  readonly listens: boolean;
  readonly ms: number;
}

function slow(runtime: () => TestRuntime, given: Slow) {
  return defineHandler({
    name: "slow",
    version: "1",
    params: echo.params,
    output: echo.output,
    run: ({ params, signal }) =>
      new Promise((resolve, reject) => {
        runtime().clock.after(given.ms, () => resolve(params));
        if (given.listens) signal.addEventListener("abort", () => reject(new Error("stopped")));
      }),
  });
}

async function draining(given: Slow, shape: "chain" | "fan") {
  const runtime: TestRuntime = new TestRuntime({ handlers: [slow(() => runtime, given)] });
  runtime.catalog.put(chain(3, { handler: "slow" }));
  runtime.catalog.put(fan({ task: { handler: "slow", params: { v: "{{ item }}" } } }));
  const input_params = shape === "fan" ? { list: [...numbers(5)] } : {};
  const { job } = await runtime.submit({ workflow_id: shape, input_params });
  const begun = shape === "fan" ? 6 : 1;
  await runtime.run(() => runtime.store.journalOf(job.job_id).length > begun, 10);
  const other = runtime.addProcess();
  const began = epochMs(runtime.clock.now());
  let left: number | undefined;
  void runtime.first.sessions.drain().then(() => {
    left = (epochMs(runtime.clock.now()) - began) / 1000;
    runtime.first.die();
  });
  await runtime.run(() => left !== undefined, 10);
  return { runtime, other, jobId: job.job_id, seconds: left ?? -1 };
}

function typesOf(runtime: TestRuntime, jobId: string): readonly string[] {
  return runtime
    .entries(jobId)
    .flatMap((entry) => (entry["events"] as { type: string }[]).map(({ type }) => type));
}

test.each(["chain", "fan"] as const)("what runs of a %s is handed back at once", async (shape) => {
  const { runtime, jobId, seconds } = await draining({ listens: true, ms: 30_000 }, shape);
  expect(seconds).toBeLessThan(1);
  const types = typesOf(runtime, jobId);
  expect(types).toContain(shape === "chain" ? "node_lost" : "chunk_lost");
  // Nobody waits for a lease: what was handed back runs elsewhere now.
  expect(await runtime.runToEnd(jobId, shape === "chain" ? 100 : 40)).toBe("completed");
  expect(runtime.rescues).toBe(0);
  await checkEnded(runtime, jobId);
});

test("an outcome that comes in time is recorded, and the next task is left to others", async () => {
  const { runtime, jobId, seconds } = await draining({ listens: false, ms: 1000 }, "chain");
  expect(seconds).toBeLessThan(1.5);
  const types = typesOf(runtime, jobId);
  expect(types.filter((type) => type === "node_completed")).toHaveLength(2);
  // Queued by the one that goes, claimed by the one that stays.
  expect(types.slice(-2)).toEqual(["node_queued", "node_started"]);
  expect(await runtime.runToEnd(jobId, 10)).toBe("completed");
  expect(typesOf(runtime, jobId)).not.toContain("node_lost");
});

test("a handler that does not listen holds the process for its grace only", async () => {
  const { runtime, jobId, seconds } = await draining({ listens: false, ms: 50_000 }, "chain");
  expect(seconds).toBeGreaterThanOrEqual(2);
  expect(seconds).toBeLessThan(2.5);
  expect(typesOf(runtime, jobId)).toContain("node_lost");
  expect(await runtime.runToEnd(jobId, 200)).toBe("completed");
});

test("a store that is down does not hold the process longer than the platform waits", async () => {
  const handler = slow(() => runtime, { listens: true, ms: 30_000 });
  const runtime: TestRuntime = new TestRuntime({ handlers: [handler] });
  runtime.catalog.put(chain(1, { handler: "slow" }));
  const { job } = await runtime.submit({ workflow_id: "chain" });
  await runtime.run(() => runtime.entries(job.job_id).length > 1, 10);
  runtime.gate.rule = ({ operation }) => (operation.startsWith("queue") ? undefined : "refused");
  const began = epochMs(runtime.clock.now());
  let seconds = 0;
  void runtime.first.sessions.drain().then(() => {
    seconds = (epochMs(runtime.clock.now()) - began) / 1000;
  });
  await runtime.run(() => seconds > 0, 10);
  expect(seconds).toBeLessThan(4.5);
});

test("a message that still comes is put back for another process", async () => {
  const runtime = new TestRuntime({ handlers: [echo] });
  runtime.catalog.put(chain(1));
  await runtime.first.sessions.drain();
  const { job } = await runtime.submit({ workflow_id: "chain" });
  runtime.dispatch();
  await runtime.clock.advance(0);
  expect(runtime.entries(job.job_id)).toHaveLength(1);
  runtime.first.die();
  runtime.addProcess();
  expect(await runtime.runToEnd(job.job_id, 10)).toBe("completed");
});
