// `kill -9` of the host while queue and store live on: what was in flight is taken up by the next
// process and finishes, each outcome is recorded once, and provenance tells the truth.
import { afterAll, beforeAll, expect, test } from "vitest";
import { SHORT_LEASES } from "../support/app-fixture.ts";
import { processFixture } from "../support/app-process.ts";
import type { AppProcess, ProcessFixture } from "../support/app-process.ts";
import { historyProblems } from "../support/job-facts.ts";
import { waitFor } from "../support/wait-until.ts";

const JOBS = 8;
const ITEMS = 40;
/** Long enough to be caught asleep, short against the lease. */
const MIXED = `
workflow_id: mixed
version: 1
nodes:
  start: { type: start, next: [nap, flaky, each] }
  nap: { type: task, handler: sleep, params: { seconds: 1 }, next: second_nap }
  second_nap: { type: task, handler: sleep, params: { seconds: 1 }, next: end }
  flaky:
    type: task
    handler: flaky_echo
    params: { fail_times: 1, message: done }
    retry: { max_attempts: 2, backoff: fixed, initial_delay_seconds: 1, jitter: 0 }
    next: end
  each:
    type: fan_out
    source: "{{ [${Array.from({ length: ITEMS }, (_, n) => n).join(", ")}] }}"
    task: { handler: sleep, params: { seconds: "{{ item / 100 }}" } }
    next: all
  all: { type: fan_in, aggregation: sum, select: value.slept_seconds, next: end }
  end: { type: end }
`;

let fixture: ProcessFixture;

beforeAll(async () => {
  fixture = await processFixture({ "mixed.yaml": MIXED });
});
afterAll(() => {
  fixture.stop();
});

function startHost(): Promise<AppProcess> {
  return fixture.start({
    ...SHORT_LEASES,
    HOLDFAST_LOCAL_POLL_MS: "50",
    HOLDFAST_LOCAL_RELEASE_SECONDS: "1",
  });
}

const count = (host: AppProcess, event: string): number =>
  host.lines.filter((line) => line.event === event).length;

test("jobs outlive two kills; every outcome is recorded once", async () => {
  const first = await startHost();
  const ids = await Promise.all(Array.from({ length: JOBS }, () => first.submit("mixed")));
  await waitFor(() => count(first, "node.started") >= JOBS, { what: "the first tasks run" });
  await first.kill();

  const second = await startHost();
  await waitFor(() => count(second, "node.ended") >= JOBS / 2, { what: "it goes on" });
  await second.kill();

  const third = await startHost();
  const sums = Array.from({ length: ITEMS }, (_, n) => n / 100).reduce((sum, n) => sum + n, 0);
  let lost = 0;
  for (const id of ids) {
    const job = await third.ended(id, 40_000);
    expect(job).toMatchObject({
      status: "completed",
      result_data: {
        nap: { slept_seconds: 1 },
        second_nap: { slept_seconds: 1 },
        flaky: { message: "done" },
        all: { total: expect.closeTo(sums, 6), count: ITEMS },
        _provenance: { status: "completed", job_id: id, workflow_version: 1 },
      },
    });
    expect(await historyProblems(third, id)).toEqual([]);
    const { body } = await third.get(`/jobs/${id}/provenance`);
    expect(body["builds"]).toHaveLength(1);
    lost += (await third.events(id)).filter(({ type }) => type.endsWith("_lost")).length;
  }
  // The kills hit something, or this test shows nothing.
  expect(lost).toBeGreaterThan(0);
  const list = await third.get("/jobs?status=completed&limit=200");
  expect(list.body["count"]).toBe(JOBS);
  expect(await third.interrupt()).toBe(0);
});

test("a job accepted just before the kill is not lost", async () => {
  const first = await startHost();
  const answers = Array.from({ length: JOBS }, (_, n) =>
    first.post("/jobs", { workflow_id: "mixed", idempotency_key: `key-${n}` }),
  );
  const settled = Promise.allSettled(answers);
  const one = await Promise.race(answers);
  await first.kill();
  // What the kill cut off was perhaps accepted: the same request says, and does not double it.
  await settled;
  const second = await startHost();
  const accepted = await Promise.all(
    Array.from({ length: JOBS }, (_, n) =>
      second.post("/jobs", { workflow_id: "mixed", idempotency_key: `key-${n}` }),
    ),
  );
  expect(accepted.map(({ status }) => status).every((status) => status < 300)).toBe(true);
  expect(accepted.map(({ body }) => body.job_id)).toContain(one.body.job_id);
  for (const { body } of accepted) {
    expect((await second.ended(body.job_id, 40_000)).status).toBe("completed");
    expect(await historyProblems(second, body.job_id)).toEqual([]);
  }
  expect(await second.interrupt()).toBe(0);
});
