// The cap on open jobs: soft, counted seldom, paid for by no submission, and never a reason to
// refuse what was accepted before or what cannot be counted.
import { describe, expect, test } from "vitest";
import { WorkflowError } from "../../../src/core/error.ts";
import { MemoryClock } from "../../../src/memory/memory-clock.ts";
import { OpenJobs } from "../../../src/runtime/open-jobs.ts";
import type { Place } from "../../../src/runtime/open-jobs.ts";
import { HttpApp, PLATFORM, principal } from "../../support/http-app.ts";

interface Caps {
  readonly max?: number;
  readonly maxPerCaller?: number;
}

function counted({ max = 0, maxPerCaller = 0 }: Caps) {
  const clock = new MemoryClock();
  const asked: (string | undefined)[] = [];
  const logged: string[] = [];
  const store = { open: 0, isDown: false, gate: undefined as Promise<void> | undefined };
  const countOpen = async (by?: string): Promise<number> => {
    asked.push(by);
    const { open } = store;
    await store.gate;
    if (store.isDown) throw new WorkflowError("STORE_UNAVAILABLE", "down", { retryable: true });
    return open;
  };
  const log = { write: (_level: string, name: string) => void logged.push(name) };
  const engine = { jobs: { countOpen } as never, clock, log };
  const cap = new OpenJobs({ engine, max, maxPerCaller });
  /** 0 where the submission was let in, else the seconds to wait. */
  const enter = async (caller = "a"): Promise<number> => {
    try {
      (await cap.enter(caller)).settle(true);
      store.open += 1;
      return 0;
    } catch (error) {
      if (!(error instanceof WorkflowError) || error.code !== "TOO_MANY_JOBS") throw error;
      return Number(error.facts["retry_after_seconds"]);
    }
  };
  return { asked, cap, clock, enter, logged, store };
}

test("without a cap nothing is counted", async () => {
  const { asked, enter } = counted({});
  for (let index = 0; index < 500; index += 1) expect(await enter()).toBe(0);
  expect(asked).toEqual([]);
});

test("one count serves ten seconds, what is accepted meanwhile is added", async () => {
  const { asked, clock, enter, store } = counted({ max: 5 });
  store.open = 2;
  expect([await enter(), await enter(), await enter(), await enter()]).toEqual([0, 0, 0, 10]);
  await clock.advance(9_500);
  expect(await enter()).toBe(1);
  expect(asked).toHaveLength(1);
  store.open = 4;
  await clock.advance(500);
  expect([await enter(), await enter()]).toEqual([0, 10]);
  expect(asked).toHaveLength(2);
});

test("many at once wait for one count, and no more are let in than there is room", async () => {
  const { asked, enter, store } = counted({ max: 20 });
  store.open = 5;
  const answers = await Promise.all(Array.from({ length: 60 }, () => enter()));
  expect(answers.filter((answer) => answer === 0)).toHaveLength(15);
  expect(asked).toHaveLength(1);
});

test("who accepts little never counts, who accepts much does every ten seconds", async () => {
  const { asked, clock, enter } = counted({ max: 100_000 });
  for (let index = 0; index < 100; index += 1) await enter();
  expect(asked).toHaveLength(0);
  for (let index = 0; index < 1_000; index += 1) await enter();
  expect(asked).toHaveLength(1);
  await clock.advance(10_000);
  await enter();
  expect(asked).toHaveLength(2);
  await clock.advance(10_000);
  for (let index = 0; index < 50; index += 1) await enter();
  expect(asked).toHaveLength(2);
});

test("near the cap every old count is renewed, however little a process accepts", async () => {
  const { asked, clock, enter, store } = counted({ max: 100_000 });
  for (let index = 0; index < 100; index += 1) await enter();
  store.open = 100_000;
  expect(await enter()).toBe(10);
  await clock.advance(10_000);
  store.open = 5;
  expect(await enter()).toBe(0);
  expect(asked).toHaveLength(2);
});

test("a count that hangs is waited for, not asked again", async () => {
  const { asked, clock, enter, store } = counted({ max: 3 });
  let answer = (): void => undefined;
  store.gate = new Promise((resolve) => {
    answer = resolve;
  });
  const first = enter();
  await clock.advance(60_000);
  const second = enter();
  await clock.advance(0);
  answer();
  expect([await first, await second]).toEqual([0, 0]);
  expect(asked).toHaveLength(1);
});

test("what comes to nothing gives its place back", async () => {
  const { cap, enter } = counted({ max: 2 });
  const places: Place[] = [await cap.enter("a"), await cap.enter("a")];
  expect(await enter()).toBeGreaterThan(0);
  for (const place of places) place.settle(false);
  expect([await enter(), await enter(), await enter()]).toEqual([0, 0, 10]);
});

test("what is under way while a count runs stays counted", async () => {
  const { cap, clock, enter, store } = counted({ max: 3 });
  await enter();
  const slow = await cap.enter("a");
  await clock.advance(10_000);
  let answer = (): void => undefined;
  store.gate = new Promise((resolve) => {
    answer = resolve;
  });
  const waiting = [enter(), enter()];
  answer();
  // One is stored and one under way: there is room for one more.
  expect((await Promise.all(waiting)).toSorted((a, b) => a - b)).toEqual([0, 10]);
  slow.settle(true);
});

test("a count that fails refuses nobody, is told, and is tried again", async () => {
  const { asked, clock, enter, logged, store } = counted({ max: 3 });
  store.isDown = true;
  store.open = 1_000;
  for (let entered = 0; entered < 10; entered += 1) expect(await enter()).toBe(0);
  expect(logged).toEqual(["count.failed"]);
  await clock.advance(10_000);
  store.isDown = false;
  expect(await enter()).toBe(10);
  expect(asked).toHaveLength(2);
});

test("callers have caps of their own, and the app one above them", async () => {
  const { asked, enter } = counted({ max: 5, maxPerCaller: 2 });
  const answers = [await enter("a"), await enter("a"), await enter("a")];
  expect(answers).toEqual([0, 0, 10]);
  expect(asked).toEqual([undefined, "a"]);
});

describe("over HTTP", () => {
  const body = { workflow_id: "chain" };

  test("the cap answers 429 with Retry-After, and a job that ends makes room", async () => {
    const http = new HttpApp({ maxOpenJobs: 2 });
    const first = await http.submit();
    await http.submit();
    const refused = await http.call("jobs_submit", { body });
    expect([refused.status, refused.body["code"]]).toEqual([429, "TOO_MANY_JOBS"]);
    expect(refused.headers["retry-after"]).toBe("10");
    expect(refused.body["retry_after_seconds"]).toBe(10);
    await http.runtime.runToEnd(first);
    await http.runtime.clock.advance(10_000);
    await http.submit();
  });

  test("an accepted key is answered over the cap, a new one is not", async () => {
    const http = new HttpApp({ maxOpenJobs: 1 });
    const headers = { "idempotency-key": "k" };
    const jobId = await http.submit(headers);
    const again = await http.call("jobs_submit", { headers, body });
    expect([again.status, again.body["job_id"]]).toEqual([200, jobId]);
    const other = await http.call("jobs_submit", { headers: { "idempotency-key": "l" }, body });
    expect(other.status).toBe(429);
    expect(http.runtime.store.allJobs()).toHaveLength(1);
  });

  test("a submission writes no more with a cap than without", async () => {
    const requests = async (maxOpenJobs: number): Promise<Record<string, number>> => {
      const http = new HttpApp({ maxOpenJobs });
      await http.submit();
      http.runtime.store.resetRequests();
      for (let index = 0; index < 20; index += 1) await http.submit();
      return Object.fromEntries(http.runtime.store.requests);
    };
    expect(await requests(500)).toEqual(await requests(0));
    expect(await requests(0)).toEqual({ "journal.create": 20, "jobs.create": 20 });
  });

  test("with sign-in a caller's cap leaves others alone", async () => {
    const http = new HttpApp({ auth: PLATFORM, maxOpenJobsPerCaller: 1 });
    await http.submit(principal("ann"));
    const more = await http.call("jobs_submit", { headers: principal("ann"), body });
    expect([more.status, more.body["detail"]]).toEqual([429, expect.stringContaining("of yours")]);
    await http.submit(principal("ben"));
  });
});
