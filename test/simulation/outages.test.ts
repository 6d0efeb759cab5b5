// Longer faults: a store or queue that is down for minutes, many faults at once in three processes,
// a cancel or a deadline in the middle of everything. Jobs end, in bounded time, and never lie.
import { describe, expect, test } from "vitest";
import { epochMs } from "../../src/core/instant.ts";
import { defineHandler } from "../../src/runtime/handlers.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import type { Fault, Request } from "../support/faults.ts";
import { checkEnded, watchWrites, withoutAttempts } from "../support/job-checks.ts";
import { TestRuntime } from "../support/runtime.ts";
import { chain, conditional, diamond, echo, fan, flaky } from "../support/shapes.ts";
import { numbers, parallel, retrying, task, workflow } from "../support/shapes.ts";

type Shape = Readonly<Record<string, unknown>>;

const SHAPES: readonly Shape[] = [
  chain(3),
  diamond(),
  conditional(),
  retrying(),
  parallel(5),
  fan(),
  fan({ max_parallel: 2 }),
];

async function accepted(shape: Shape, processes: number): Promise<[TestRuntime, string]> {
  const runtime = new TestRuntime({ handlers: [echo, flaky, pausing()], restarts: true });
  running = runtime;
  for (let n = 1; n < processes; n += 1) runtime.addProcess();
  runtime.catalog.put(shape);
  const { job } = await runtime.submit({
    workflow_id: String(shape["workflow_id"]),
    ...("inputs" in shape ? { input_params: { list: [...numbers(12)] } } : {}),
  });
  runtime.gate.requests = [];
  return [runtime, job.job_id];
}

let running: TestRuntime | undefined;

/** Takes a second, or ends at once when it is told to stop. */
function pausing() {
  return defineHandler({
    name: "pausing",
    version: "1",
    params: echo.params,
    output: echo.output,
    run: ({ params, signal }) =>
      new Promise((resolve, reject) => {
        running?.clock.after(1000, () => resolve(params));
        signal.addEventListener("abort", () => reject(new Error("stopped")));
      }),
  });
}

async function expectedOf(shape: Shape): Promise<[unknown, readonly Request[]]> {
  const [runtime, jobId] = await accepted(shape, 1);
  expect(await runtime.runToEnd(jobId)).toBe("completed");
  return [resultsOf(runtime, jobId), runtime.gate.requests];
}

function resultsOf(runtime: TestRuntime, jobId: string): unknown {
  const { _provenance: _stamp, ...results } = runtime.result(jobId);
  return withoutAttempts(results);
}

function secondsSince(runtime: TestRuntime, began: string): number {
  return (epochMs(runtime.clock.now()) - epochMs(began)) / 1000;
}

describe.each(SHAPES)("$workflow_id", (shape) => {
  test("ends after a store that was down for three minutes, whenever that began", async () => {
    const [expected, requests] = await expectedOf(shape);
    for (let from = 1; from <= requests.length; from += 1) {
      for (const fault of ["refused", "unanswered"] as const) {
        const [runtime, jobId] = await accepted(shape, 1);
        const began = runtime.clock.now();
        // Only the first write is applied without an answer: then nobody is there.
        runtime.gate.rule = ({ number, operation }) => {
          if (number < from || secondsSince(runtime, began) > 180) return undefined;
          if (operation.startsWith("queue")) return undefined;
          return number === from ? fault : "refused";
        };
        expect(await runtime.runToEnd(jobId, 480), `${fault} from ${from}`).toBe("completed");
        expect(resultsOf(runtime, jobId)).toEqual(expected);
        await checkEnded(runtime, jobId);
      }
    }
  });

  test("ends after a queue that took no message for three minutes", async () => {
    const [expected] = await expectedOf(shape);
    const [runtime, jobId] = await accepted(shape, 1);
    const began = runtime.clock.now();
    runtime.gate.rule = ({ operation }) =>
      operation.startsWith("queue") && secondsSince(runtime, began) < 180 ? "refused" : undefined;
    expect(await runtime.runToEnd(jobId, 420)).toBe("completed");
    expect(resultsOf(runtime, jobId)).toEqual(expected);
    await checkEnded(runtime, jobId);
  });

  test("ends as it must under seeded faults in three processes", async () => {
    const [expected] = await expectedOf(shape);
    let faults = 0;
    for (let seed = 0; seed < 12; seed += 1) {
      const [runtime, jobId] = await accepted(shape, 3);
      const wrong = watchWrites(runtime, jobId);
      const began = runtime.clock.now();
      const rate = [0.02, 0.1, 0.25][seed % 3] ?? 0;
      runtime.gate.latencyMs = ({ number }) => 1 + Math.floor(20 * chance(seed, number, "ms"));
      runtime.gate.rule = (request) => {
        // Faults stop after ten minutes, so that the job must end.
        if (secondsSince(runtime, began) > 600) return undefined;
        if (chance(seed, request.number, "fault") > rate) return undefined;
        faults += 1;
        return faultFor(seed, request);
      };
      const status = await runtime.runToEnd(jobId, 600 + 900);
      if (status === "failed") {
        // Three lost attempts in a row are an honest end.
        expect(JSON.stringify(runtime.entries(jobId).at(-1)), `seed ${seed}`).toContain(
          "WORKER_LOST",
        );
      } else expect(resultsOf(runtime, jobId), `seed ${seed}`).toEqual(expected);
      await checkEnded(runtime, jobId);
      expect(wrong, `seed ${seed}`).toEqual([]);
    }
    expect(faults).toBeGreaterThan(10);
  });
});

function chance(seed: number, number: number, what: string): number {
  return parseInt(sha256(`${seed} ${number} ${what}`).slice(0, 8), 16) / 2 ** 32;
}

function faultFor(seed: number, { number, operation }: Request): Fault {
  const faults: readonly Fault[] = [
    "refused",
    "unanswered",
    "throttled",
    "dies_before",
    "dies_after",
    ...(operation === "journal.read" || operation === "jobs.read" ? (["unseen"] as const) : []),
  ];
  return faults[Math.floor(chance(seed, number, "which") * faults.length)] ?? "refused";
}

describe("a cancel at any moment", () => {
  const shapes = [
    workflow("tasks", {
      start: { type: "start", next: ["a", "b"] },
      a: task("c", { handler: "pausing" }),
      b: task("c", { handler: "pausing" }),
      c: task("end", { handler: "pausing" }),
      end: { type: "end" },
    }),
    fan({ task: { handler: "pausing", params: { v: "{{ item }}" } } }),
  ];

  test.each(shapes)("ends $workflow_id within seconds, by either process", async (shape) => {
    for (let ms = 0; ms <= 2600; ms += 200) {
      for (const index of [0, 1]) {
        const [runtime, jobId] = await accepted(shape, 2);
        const wrong = watchWrites(runtime, jobId);
        const end = epochMs(runtime.clock.now()) + ms;
        await runtime.run(
          () => epochMs(runtime.clock.now()) >= end || runtime.status(jobId) === "completed",
          10,
        );
        const process = runtime.processes[index];
        if (runtime.status(jobId) === "completed") {
          await expect(runtime.cancel(jobId, process)).rejects.toThrow("nothing to cancel");
          continue;
        }
        const began = runtime.clock.now();
        await runtime.cancel(jobId, process);
        const again = await runtime.cancel(jobId, process).catch((error: Error) => error);
        expect(again instanceof Error ? again.message : again.status).toMatch(/cancel/);
        expect(await runtime.runToEnd(jobId, 60)).toBe("cancelled");
        expect(secondsSince(runtime, began)).toBeLessThanOrEqual(41);
        await checkEnded(runtime, jobId);
        expect(wrong).toEqual([]);
      }
    }
  });

  test("ends the job although every process died with it", async () => {
    for (const shape of shapes) {
      const [runtime, jobId] = await accepted(shape, 2);
      await runtime.run(() => runtime.entries(jobId).length > 1, 10);
      await runtime.cancel(jobId);
      for (const process of runtime.processes) process.die();
      const began = runtime.clock.now();
      expect(await runtime.runToEnd(jobId, 240)).toBe("cancelled");
      expect(secondsSince(runtime, began)).toBeLessThanOrEqual(190);
      await checkEnded(runtime, jobId);
    }
  });
});

describe("a deadline", () => {
  test("ends the job within four minutes, although its worker died", async () => {
    for (const dies of [false, true]) {
      const shape = workflow(
        "late",
        {
          start: { type: "start", next: "a" },
          a: task("end", { handler: "stuck" }),
          end: { type: "end" },
        },
        { timeout_seconds: 100 },
      );
      const stuck = defineHandler({
        name: "stuck",
        version: "1",
        params: echo.params,
        output: echo.output,
        run: () => new Promise<null>(() => undefined),
      });
      const runtime = new TestRuntime({ handlers: [stuck], restarts: true });
      runtime.catalog.put(shape);
      const { job } = await runtime.submit({ workflow_id: "late" });
      await runtime.run(() => runtime.entries(job.job_id).length > 1, 10);
      if (dies) runtime.first.die();
      expect(await runtime.runToEnd(job.job_id, 100 + 240)).toBe("failed");
      expect(JSON.stringify(runtime.entries(job.job_id).at(-1))).toContain("DEADLINE_EXCEEDED");
      await checkEnded(runtime, job.job_id);
    }
  });
});
