// The world fails under running jobs: answers are lost, requests refused, messages not sent, a
// lease runs out. Every job ends right and tells it; without faults nothing is sent twice.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startFaultProxy } from "../contract/fault-proxy.ts";
import type { Fault, FaultProxy } from "../contract/fault-proxy.ts";
import { SHORT_LEASES, appFixture } from "../support/app-fixture.ts";
import type { AppFixture, AppLine, StartedApp } from "../support/app-fixture.ts";
import { historyProblems } from "../support/job-facts.ts";
import { waitFor } from "../support/wait-until.ts";

const CHAIN = `
workflow_id: chain
version: 1
nodes:
  start: { type: start, next: one }
  one: { type: task, handler: echo, params: { message: 1 }, next: two }
  two: { type: task, handler: echo, params: { message: 2 }, next: [left, right] }
  left: { type: task, handler: echo, params: { message: left }, next: each }
  right: { type: task, handler: echo, params: { message: right }, next: each }
  each:
    type: fan_out
    source: "{{ [1, 2, 3, 4] }}"
    task: { handler: echo, params: { message: "{{ item }}" } }
    next: sum
  sum: { type: fan_in, aggregation: sum, select: value.message, next: end }
  end: { type: end }
`;
const NAP = `
workflow_id: nap
version: 1
inputs: { seconds: { type: number, required: true } }
nodes:
  start: { type: start, next: nap }
  nap:
    type: task
    handler: sleep
    params: { seconds: "{{ inputs.seconds }}" }
    next: [after]
  # Two nodes after the nap: one goes on in the same invocation, the other needs a message.
  after: { type: task, handler: echo, params: { message: "{{ nodes.nap.status }}" }, next: end }
  beside: { type: task, handler: echo, depends_on: { all_of: [nap] }, next: end }
  end: { type: end }
`;

/** A rule of a proxy that can be switched off; each is, when its test has ended. */
class Switch extends RegExp {
  isOn = true;
  turns = 0;

  override test(line: string): boolean {
    if (!this.isOn || !super.test(line)) return false;
    this.turns += 1;
    return this.matches(this.turns);
  }

  /** Whether the rule holds for its nth request. */
  protected matches(_turn: number): boolean {
    return true;
  }
}

class EverySecond extends Switch {
  protected override matches(turn: number): boolean {
    return turn % 2 === 1;
  }
}

let fixture: AppFixture;
let cosmos: FaultProxy;
let queues: FaultProxy;
let app: StartedApp;

let began: number;
const switches: Switch[] = [];

beforeAll(async () => {
  fixture = await appFixture();
  const connection = fixture.stores.AzureWebJobsStorage;
  const queueUrl = /QueueEndpoint=([^;]+)/.exec(connection)?.[1] ?? "";
  cosmos = await startFaultProxy(fixture.stores.COSMOS_ENDPOINT);
  queues = await startFaultProxy(queueUrl);
  app = await fixture.start({
    env: {
      ...SHORT_LEASES,
      HOLDFAST_RESEND_SECONDS: "3",
      COSMOS_ENDPOINT: `http://127.0.0.1:${cosmos.port}`,
      AzureWebJobsStorage: connection.replace(
        new URL(queueUrl).host,
        `127.0.0.1:${queues.port}`,
      ),
    },
    workflows: { "chain.yaml": CHAIN, "nap.yaml": NAP },
  });
});
afterAll(async () => {
  await fixture.stop();
  await Promise.all([cosmos.stop(), queues.stop()]);
});

beforeEach(() => {
  began = app.lines.length;
  return () => {
    for (const one of switches.splice(0)) one.isOn = false;
  };
});

/** Lets `proxy` fail requests that match, until the test ends or switches it off. */
function plan(proxy: FaultProxy, on: Switch, faults: readonly Fault[]): Switch {
  switches.push(on);
  proxy.plan({ on, faults });
  return on;
}

const WRITE = /^(POST|PUT) .*\/docs/;
const CREATE = /^POST .*\/colls\/(journal|jobs)\/docs/;
const REPLACE = /^PUT .*\/colls\/jobs\/docs/;
const READ = /^GET .*\/colls\/(journal|jobs)\/docs\//;
const SEND = /^POST .*holdfast-work\/messages/;

const times = (count: number, fault: Fault): readonly Fault[] =>
  Array.from({ length: count }, () => fault);

/** What the app logged under this name since the test began. */
function logged(event: string): readonly AppLine[] {
  return app.lines.slice(began).filter((line) => line.event === event);
}

function resent(): number {
  const sweeps = logged("sweep.done");
  return sweeps.reduce((sum, line) => sum + Number(line["resent"]), 0);
}

async function expectRight(id: string): Promise<void> {
  const job = await app.ended(id);
  expect(job).toMatchObject({
    status: "completed",
    result_data: {
      one: { message: 1 },
      two: { message: 2 },
      left: { message: "left" },
      right: { message: "right" },
      sum: { total: 10, count: 4 },
    },
  });
  expect(await historyProblems(app, id)).toEqual([]);
}

const FAULTS: readonly (readonly [string, Fault])[] = [
  ["the connection is cut after the commit", { commits: true, answer: "cut" }],
  ["half an answer comes", { commits: true, answer: "truncated" }],
  ["500 is answered after the commit", { commits: true, answer: 500 }],
  ["408 is answered before it", { commits: false, answer: 408 }],
  ["449 is answered", { commits: false, answer: 449 }],
  ["429 is answered", { commits: false, answer: 429, headers: { "x-ms-retry-after-ms": "5" } }],
];

test.each(FAULTS)("a job ends right when now and then %s", async (what, fault) => {
  plan(cosmos, new Switch(WRITE), times(8, fault));
  const key = { idempotency_key: what };
  const first = await app.post("/jobs", { workflow_id: "chain", ...key });
  expect([202, 503]).toContain(first.status);
  const again = await app.post("/jobs", { workflow_id: "chain", ...key });
  expect([200, 202]).toContain(again.status);
  await expectRight(again.body.job_id);
  const { body } = await app.get(`/jobs?idempotency_key=${encodeURIComponent(what)}`);
  expect(body["count"]).toBe(1);
});

test("a job ends right when every second write loses its answer", async () => {
  const faults = times(500, { commits: true, answer: "cut" });
  const writes = plan(cosmos, new EverySecond(CREATE), faults);
  const ids = await Promise.all(Array.from({ length: 5 }, () => app.submit("chain")));
  for (const id of ids) await expectRight(id);
  expect(writes.turns).toBeGreaterThan(50);
});

test("a job whose first message was not sent is accepted; the sweeper starts it", async () => {
  const sends = plan(queues, new Switch(SEND), times(100, { commits: false, answer: 500 }));
  const id = await app.submit("chain");
  sends.isOn = false;
  expect(logged("send.failed")).not.toEqual([]);
  await expectRight(id);
  expect(logged("sweep.done").some(({ advanced }) => Number(advanced) > 0)).toBe(true);
});

test("a node whose message was lost is sent again, and counted", async () => {
  const sends = plan(queues, new Switch(SEND), times(100, { commits: false, answer: 500 }));
  sends.isOn = false;
  const id = await app.submit("nap", { input_params: { seconds: 0.5 } });
  const isNapping = async (): Promise<boolean> =>
    (await app.events(id)).some(({ type }) => type === "node_started");
  await waitFor(isNapping, { what: "the first message is being handled" });
  sends.isOn = true;
  const isUnsent = (): boolean => logged("send.failed").length > 0;
  await waitFor(isUnsent, { what: "a message could not be sent" });
  expect((await app.job(id)).status).toBe("running");
  sends.isOn = false;
  expect((await app.ended(id)).status).toBe("completed");
  expect(await historyProblems(app, id)).toEqual([]);
  expect(resent()).toBeGreaterThan(0);
});

test("a lease that runs out loses the attempt; its late outcome changes nothing", async () => {
  // Longer than a lease and the time until who suspects is sure.
  const id = await app.submit("nap", { input_params: { seconds: 8 } });
  const isNapping = async (): Promise<boolean> =>
    (await app.events(id)).some(({ type }) => type === "node_started");
  await waitFor(isNapping, { what: "the nap starts" });
  const refused = times(1000, { commits: false, answer: 403 });
  const renewals = plan(cosmos, new Switch(REPLACE), refused);
  // Another instance, which reaches the stores: all it knows of the first is what is stored.
  const { folder, database } = app;
  const other = await fixture.start({ env: { ...SHORT_LEASES }, folder, database });
  const isLost = async (): Promise<boolean> =>
    (await other.events(id)).some(({ type }) => type === "node_lost");
  await waitFor(isLost, { what: "the attempt is lost" });
  renewals.isOn = false;
  const job = await other.ended(id);
  const { body } = await other.get(`/jobs/${id}/nodes/nap`);
  const problems = await historyProblems(other, id);
  await other.stop();
  expect(job.status).toBe("completed");
  expect(problems).toEqual([]);
  expect(body["attempts"]).toMatchObject([
    { attempt: 1, status: "lost" },
    { attempt: 2, status: "completed" },
  ]);
});

test("reads that fail under a message put it back, and the job goes on", async () => {
  plan(cosmos, new Switch(READ), times(3, { commits: false, answer: 503 }));
  await expectRight(await app.submit("chain"));
});

test("without faults nothing is sent again, however often the sweeper looks", async () => {
  const nap = { input_params: { seconds: 4 } };
  const ids = await Promise.all([
    ...Array.from({ length: 4 }, () => app.submit("nap", nap)),
    ...Array.from({ length: 6 }, () => app.submit("chain")),
  ]);
  for (const id of ids) {
    expect((await app.ended(id)).status).toBe("completed");
    expect(await historyProblems(app, id)).toEqual([]);
  }
  expect(resent()).toBe(0);
  const unwanted = ["send.failed", "sweep.failed", "message.failed", "projection.failed"];
  expect(unwanted.flatMap(logged)).toEqual([]);
});
