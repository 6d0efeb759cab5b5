// Endings that take time or room: an attempt out of time, a job past its deadline, outputs that do
// not fit their entry, and a fan_out whose failed items are tried again. All with provenance.
import { afterAll, beforeAll, expect, test } from "vitest";
import { SHORT_LEASES, appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import { historyProblems } from "../support/job-facts.ts";

const LARGE = `
workflow_id: large
version: 1
inputs:
  text: { type: string, required: true }
nodes:
  start: { type: start, next: keep }
  keep: { type: task, handler: echo, params: { message: "{{ inputs.text }}" }, next: measure }
  measure:
    type: task
    handler: transform
    params: { input: "{{ nodes.keep.output.message }}", output: { size: size(input) } }
    next: each
  each:
    type: fan_out
    source: "{{ [1, 2, 3] }}"
    task: { handler: echo, params: { message: "{{ nodes.keep.output.message }}" } }
    next: all
  all: { type: fan_in, aggregation: collect, select: size(value.message), next: end }
  end: { type: end }
`;
const OUT_OF_TIME = `
workflow_id: out_of_time
version: 1
nodes:
  start: { type: start, next: nap }
  nap:
    type: task
    handler: sleep
    params: { seconds: 60 }
    timeout_seconds: 1
    retry: { max_attempts: 2, initial_delay_seconds: 0, jitter: 0 }
    next: end
  end: { type: end }
`;
const DEADLINE = `
workflow_id: deadline
version: 1
timeout_seconds: 3
nodes:
  start: { type: start, next: first }
  first: { type: task, handler: echo, params: { message: kept }, next: nap }
  nap: { type: task, handler: sleep, params: { seconds: 60 }, timeout_seconds: 2, on_error: again,
    next: end }
  again: { type: task, handler: sleep, params: { seconds: 60 }, timeout_seconds: 2, next: end }
  end: { type: end }
`;
const ITEMS = `
workflow_id: items
version: 1
nodes:
  start: { type: start, next: each }
  each:
    type: fan_out
    source: "{{ [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] }}"
    task: { handler: flaky_echo, params: { fail_times: "{{ item % 3 }}", message: "{{ item }}" } }
    retry: { max_attempts: 2, initial_delay_seconds: 0, jitter: 0 }
    on_error: continue
    next: all
  all: { type: fan_in, aggregation: collect, select: value.message, next: end }
  end: { type: end }
`;

const FORGED = `
workflow_id: forged
version: 1
nodes:
  start: { type: start, next: say }
  say: { type: task, handler: echo, params: { _provenance: { status: forged } }, next: end }
  end: { type: end }
`;

let fixture: AppFixture;
let app: StartedApp;

beforeAll(async () => {
  fixture = await appFixture();
  const workflows = {
    "large.yaml": LARGE,
    "out-of-time.yaml": OUT_OF_TIME,
    "deadline.yaml": DEADLINE,
    "items.yaml": ITEMS,
    "forged.yaml": FORGED,
  };
  app = await fixture.start({ env: SHORT_LEASES, workflows });
});
afterAll(() => fixture.stop());

test.each([100, 9_000, 120_000])("a text of %i characters comes back whole", async (length) => {
  const text = "é".repeat(length);
  const job = await app.run("large", { input_params: { text } });
  expect(job.status).toBe("completed");
  expect(job.result_data["keep"]).toEqual({ message: text, steps: 0, echoed: true });
  expect(job.result_data["measure"]).toEqual({ size: length });
  expect(job.result_data["all"]).toEqual({
    results: [length, length, length],
    count: 3,
    failed: [],
  });
  expect(await historyProblems(app, job.job_id)).toEqual([]);
  // Whoever looks at the job gets a reference, whoever asks for the result the value.
  const view = await app.get(`/jobs/${job.job_id}`);
  expect(view.text.length).toBeLessThan(25_000);
});

test("an attempt out of time is tried again, then fails its job", async () => {
  const job = await app.run("out_of_time");
  expect(job).toMatchObject({ status: "failed", error: { code: "TIMED_OUT" } });
  const { body } = await app.get(`/jobs/${job.job_id}/nodes/nap`);
  expect(body["attempts"]).toMatchObject([
    { attempt: 1, status: "timed_out" },
    { attempt: 2, status: "timed_out" },
  ]);
  expect(job.result_data["_provenance"]).toMatchObject({ status: "failed" });
  expect(await historyProblems(app, job.job_id)).toEqual([]);
});

test("a job past its deadline fails with it and keeps what completed", async () => {
  const job = await app.run("deadline");
  expect(job).toMatchObject({ status: "failed", error: { code: "DEADLINE_EXCEEDED" } });
  expect(job.result_data["first"]).toMatchObject({ message: "kept" });
  expect(await historyProblems(app, job.job_id)).toEqual([]);
});

test("items that fail are tried again by themselves; what fails for good is told", async () => {
  const job = await app.run("items");
  expect(job.status).toBe("completed");
  const all = job.result_data["all"] as { results: unknown[]; count: number; failed: object[] };
  const expected = Array.from({ length: 12 }, (_, n) => (n % 3 === 2 ? null : n));
  expect(all.results).toEqual(expected);
  expect(all.failed).toMatchObject(
    [2, 5, 8, 11].map((index) => ({ index, code: "HANDLER_FAILED" })),
  );
});

test("no output and no node can stand where provenance stands", async () => {
  const job = await app.run("forged");
  expect(job.result_data["say"]).toMatchObject({ _provenance: { status: "forged" } });
  expect(job.result_data["_provenance"]).toMatchObject({ status: "completed", job_id: job.job_id });
  const named = FORGED.replace("next: say", "next: _provenance").replace("say:", "_provenance:");
  const { body } = await app.call("POST", "/workflows/validate", { body: named });
  expect(body["valid"]).toBe(false);
  expect(body.issues.map(({ pointer }) => pointer)).toContain("/nodes/_provenance");
});
