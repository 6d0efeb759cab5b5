// Every request of a fault-free run, one at a time: it fails, fails after it took effect, or the
// process dies before or after it. Whatever happens the job ends as it would have, each node's
// outcome is recorded once, within a bounded time, and the stored wake is never too late.
import { describe, expect, test } from "vitest";
import type { Fault } from "../../support/faults.ts";
import { checkEnded, watchWrites, withoutAttempts } from "../../support/job-checks.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, conditional, diamond, echo, fan, flaky } from "../../support/shapes.ts";
import { numbers, parallel, retrying } from "../../support/shapes.ts";

interface Case {
  readonly name: string;
  readonly shape: Readonly<Record<string, unknown>>;
  readonly input?: { readonly list: readonly number[] };
}

const CASES: readonly Case[] = [
  { name: "a chain", shape: chain(3) },
  { name: "a diamond", shape: diamond() },
  { name: "a conditional", shape: conditional() },
  { name: "a retry", shape: retrying() },
  { name: "parallel tasks", shape: parallel(5) },
  { name: "a fan_out", shape: fan(), input: { list: numbers(12) } },
  { name: "a throttled fan_out", shape: fan({ max_parallel: 2 }), input: { list: numbers(4) } },
];

const FAULTS: readonly Fault[] = [
  "refused",
  "unanswered",
  "throttled",
  "dies_before",
  "dies_after",
];

/** One fault costs at most a lease, a sweep that just missed it, a re-send and a back-off. */
const MAX_SECONDS = 190;

async function accepted(one: Case, processes: number): Promise<[TestRuntime, string]> {
  const runtime = new TestRuntime({ handlers: [echo, flaky], restarts: true });
  for (let n = 1; n < processes; n += 1) runtime.addProcess();
  runtime.catalog.put(one.shape);
  const { job } = await runtime.submit({
    workflow_id: String(one.shape["workflow_id"]),
    ...(one.input === undefined ? {} : { input_params: { list: [...one.input.list] } }),
  });
  runtime.gate.requests = [];
  return [runtime, job.job_id];
}

interface Ended {
  readonly status: string;
  readonly results: Record<string, unknown>;
}

async function end(runtime: TestRuntime, jobId: string): Promise<Ended> {
  const status = await runtime.runToEnd(jobId, MAX_SECONDS);
  const { _provenance: _stamp, ...results } = runtime.result(jobId);
  return { status, results };
}

describe.each(CASES)("$name", (one) => {
  test("without faults needs no rescue", async () => {
    const [runtime, jobId] = await accepted(one, 2);
    const { status, results } = await end(runtime, jobId);
    expect(status).toBe("completed");
    if (one.input !== undefined) {
      const { list } = one.input;
      const join = { results: list.map((n) => n * 2), count: list.length, failed: [] };
      expect(results).toEqual({ join });
    }
    await checkEnded(runtime, jobId);
    await runtime.run(() => runtime.processes.every(({ sessions }) => sessions.size === 0));
    expect(runtime.rescues).toBe(0);
    expect(runtime.clock.pending).toBe(0);
  });

  test.each(FAULTS)("ends the same when a request %s", async (fault) => {
    const [plain, plainId] = await accepted(one, 1);
    const expected = await end(plain, plainId);
    const count = plain.gate.requests.length;
    expect(count).toBeGreaterThan(4);
    for (let number = 1; number <= count; number += 1) {
      const [runtime, jobId] = await accepted(one, 1);
      const wrong = watchWrites(runtime, jobId);
      runtime.gate.rule = (request) => (request.number === number ? fault : undefined);
      const where = `${fault} at ${number}: ${plain.gate.requests[number - 1]?.operation}`;
      const ended = await end(runtime, jobId).catch((error: unknown) => {
        throw new Error(where, { cause: error });
      });
      expect(ended.status, where).toBe(expected.status);
      expect(withoutAttempts(ended.results), where).toEqual(withoutAttempts(expected.results));
      await checkEnded(runtime, jobId);
      expect(wrong, where).toEqual([]);
    }
  });
});
