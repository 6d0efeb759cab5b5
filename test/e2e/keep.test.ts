// `npm start -- --keep DIR`: what the stores hold outlasts the host, however it ends, and a job
// that was under way goes on where it was.
import { afterAll, beforeAll, expect, test } from "vitest";
import { SHORT_LEASES } from "../support/app-fixture.ts";
import { processFixture } from "../support/app-process.ts";
import type { ProcessFixture } from "../support/app-process.ts";

const WAITS = [
  "workflow_id: waits",
  "version: 1",
  "inputs: { seconds: { type: number, required: true } }",
  "nodes:",
  "  start: { type: start, next: first }",
  "  first: { type: task, handler: echo, params: { message: once }, next: wait }",
  "  wait:",
  "    type: task",
  "    handler: sleep",
  '    params: { seconds: "{{ inputs.seconds }}" }',
  "    retry: { max_attempts: 3, initial_delay_seconds: 0 }",
  "    next: end",
  "  end: { type: end }",
].join("\n");

let fixture: ProcessFixture;
beforeAll(async () => {
  fixture = await processFixture({ "waits.yaml": WAITS });
});
afterAll(() => fixture.stop());

const submission = (seconds: number) => ({ workflow_id: "waits", input_params: { seconds } });

test("jobs that ended are still there, and one that was under way ends", async () => {
  const first = await fixture.startKept(SHORT_LEASES);
  const done = (await first.post("/jobs", submission(0))).body.job_id;
  await first.ended(done);
  const result = (await first.get(`/jobs/${done}/result`)).text;
  const going = (await first.post("/jobs", { ...submission(2), idempotency_key: "k" })).body.job_id;
  await first.get(`/jobs/${going}/events?after=1&wait=20`);
  await first.kill();

  const second = await fixture.startKept(SHORT_LEASES);
  expect((await second.get(`/jobs/${done}/result`)).text).toBe(result);
  expect((await second.get("/jobs")).body.jobs.map(({ job_id }) => job_id)).toEqual([going, done]);
  const again = await second.post("/jobs", { ...submission(2), idempotency_key: "k" });
  expect([again.status, again.body.job_id]).toEqual([200, going]);
  expect((await second.ended(going)).status).toBe("completed");

  await expect(fixture.startKept()).rejects.toThrow("is kept by a host that runs");
  expect(await second.interrupt()).toBe(0);
  const third = await fixture.startKept(SHORT_LEASES);
  expect((await third.get(`/jobs/${going}`)).body.status).toBe("completed");
  await third.interrupt();
});
