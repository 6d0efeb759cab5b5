// More than the real stack can take: a store that throttles everything for longer than a lease, and
// a fan_out of thousands beside a single task. Callers are told to come back, workers wait, no
// attempt is lost and nobody starves.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFaultProxy } from "../contract/fault-proxy.ts";
import type { Fault, FaultProxy } from "../contract/fault-proxy.ts";
import { SHORT_LEASES, appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import { historyProblems } from "../support/job-facts.ts";
import { waitFor } from "../support/wait-until.ts";

const NAP = `
workflow_id: nap
version: 1
inputs: { seconds: { type: number, required: true } }
nodes:
  start: { type: start, next: [nap, beside] }
  nap: { type: task, handler: sleep, params: { seconds: "{{ inputs.seconds }}" }, next: after }
  beside: { type: task, handler: sleep, params: { seconds: "{{ inputs.seconds }}" }, next: end }
  after: { type: task, handler: echo, params: { message: late }, next: end }
  end: { type: end }
`;
const WIDE = `
workflow_id: wide
version: 1
inputs: { list: { type: array, required: true } }
nodes:
  start: { type: start, next: each }
  each:
    type: fan_out
    source: "{{ inputs.list }}"
    task: { handler: sleep, params: { seconds: 0.5 } }
    next: all
  all: { type: fan_in, aggregation: collect, select: "1", next: end }
  end: { type: end }
`;

const LEASE_SECONDS = 12;
const OUTAGE_MS = 15_000;
const THROTTLED: Fault = { commits: false, answer: 429, headers: { "x-ms-retry-after-ms": "100" } };
/** So many items in chunks of 32, 24 chunks at once, are three rounds of half a second. */
const ITEMS = 2_000;

let fixture: AppFixture;
let proxy: FaultProxy;
let app: StartedApp;
let other: StartedApp;

beforeAll(async () => {
  fixture = await appFixture();
  proxy = await startFaultProxy(fixture.stores.COSMOS_ENDPOINT);
  const env = {
    ...SHORT_LEASES,
    HOLDFAST_LEASE_SECONDS: String(LEASE_SECONDS),
    HOLDFAST_RENEW_SECONDS: "4",
    HOLDFAST_RESEND_SECONDS: "12",
    HOLDFAST_LOCAL_LEASE_SECONDS: "60",
    COSMOS_ENDPOINT: `http://127.0.0.1:${proxy.port}`,
  };
  const workflows = { "nap.yaml": NAP, "wide.yaml": WIDE };
  app = await fixture.start({ env, workflows });
  // A second host with a sweeper of its own, which knows nothing of the first one's attempts.
  other = await fixture.start({ env, workflows, database: app.database });
  // Each makes what is missing at its first request.
  for (const one of [app, other]) await one.run("nap", { input_params: { seconds: 0 } });
});
afterAll(async () => {
  await fixture.stop();
  await proxy.stop();
});

class Outage extends RegExp {
  isOn = true;

  override test(line: string): boolean {
    return this.isOn && super.test(line);
  }
}

test("a store that throttles for longer than a lease costs no attempt", async () => {
  const ids = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      (index % 2 === 0 ? app : other).submit("nap", { input_params: { seconds: 4 + index } }),
    ),
  );
  const started = async (id: string): Promise<boolean> =>
    (await app.events(id)).filter(({ type }) => type === "node_started").length === 2;
  for (const id of ids) await waitFor(() => started(id), { what: "both tasks have begun" });
  const outage = new Outage(/./);
  proxy.plan({ on: outage, faults: Array.from({ length: 100_000 }, () => THROTTLED) });
  const began = performance.now();
  const refused = await app.post("/jobs", { workflow_id: "nap", input_params: { seconds: 1 } });
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
  expect(refused.body["code"]).toMatch(/^STORE_(THROTTLED|UNAVAILABLE)$/);
  const isOver = (): boolean => performance.now() - began > OUTAGE_MS;
  await waitFor(isOver, { what: "every lease has run out", timeoutMs: 2 * OUTAGE_MS });
  outage.isOn = false;
  for (const id of ids) {
    expect(await app.ended(id, 30_000)).toMatchObject({ status: "completed" });
    const types = (await app.events(id)).map(({ type }) => type);
    expect(types.filter((type) => type === "node_lost")).toEqual([]);
    expect(await historyProblems(app, id)).toEqual([]);
  }
  const accepted = await app.post("/jobs", { workflow_id: "nap", input_params: { seconds: 0 } });
  expect(accepted.status).toBe(202);
  await app.ended(accepted.body["job_id"] as string);
});

test("a single task is done while another job has thousands of items", async () => {
  const list = Array.from({ length: ITEMS }, (_, index) => index);
  const wide = await app.submit("wide", { input_params: { list } });
  const expanded = async (): Promise<boolean> =>
    (await app.events(wide)).some(({ type }) => type === "chunk_completed");
  await waitFor(expanded, { what: "the items are at work" });
  const began = performance.now();
  const id = await app.submit("nap", { input_params: { seconds: 0 } });
  const single = await app.ended(id, 60_000);
  const seconds = (performance.now() - began) / 1000;
  const before = (await app.job(wide))["status"] as string;
  console.info(`one task beside ${ITEMS} items: ${seconds.toFixed(1)} s, the others ${before}`);
  expect(single.status).toBe("completed");
  expect(await app.ended(wide, 60_000)).toMatchObject({ status: "completed" });
  // In line behind what was there before it, once; never behind all that is still to come.
  expect(seconds).toBeLessThan(30);
}, 90_000);
