// What asking costs: store requests of each call of the API, counted at the stores. The table is
// docs/api-costs.md, written anew with `npx vitest run <this file> -u`.
import { beforeAll, expect, test } from "vitest";
import { OPERATIONS } from "../../../src/api/operations.ts";
import { foldStats } from "../../../src/runtime/fold-stats.ts";
import { HttpApp, isOpen } from "../../support/http-app.ts";
import type { Sent } from "../../support/http-app.ts";

const STEP_MS = 100;
const CHAIN = { workflow_id: "chain" };

interface Call extends Sent {
  readonly name: string;
  readonly status: number;
  /** What the page says beside method and path. */
  readonly when?: string;
}

const app = new HttpApp({ allowRebuild: true });
const rows: (readonly [what: string, requests: ReadonlyMap<string, number>])[] = [];
const asked = new Set<string>();
let ended = "";
let waiting = "";
let tag = "";

beforeAll(async () => {
  ended = await app.submit();
  await app.runtime.runToEnd(ended);
  waiting = await app.submit();
  await app.runtime.clock.advance(60_000);
  const { headers } = await app.call("jobs_get", { params: { job_id: ended } });
  tag = headers["etag"] ?? "";
});

async function counted(what: string, act: () => Promise<unknown>): Promise<number> {
  const before = new Map(app.runtime.store.requests);
  await act();
  const after = [...app.runtime.store.requests];
  const spent = after.map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  const requests = new Map(spent.filter(([, count]) => count > 0));
  rows.push([what, requests]);
  return [...requests.values()].reduce((sum, count) => sum + count, 0);
}

/** How many store requests a call makes. About the job that has ended, unless it says otherwise. */
async function cost({ name, status, when, ...sent }: Call): Promise<number> {
  const operation = OPERATIONS.find((one) => one.name === name);
  if (operation === undefined) throw new Error(`no operation ${name}`);
  asked.add(name);
  const what = `\`${operation.method.toUpperCase()} ${operation.path}\``;
  return counted(when === undefined ? what : `${what}, ${when}`, async () => {
    let isAnswered = false;
    const answer = app.call(name, { params: { job_id: ended, node_id: "t1" }, ...sent });
    void answer.finally(() => (isAnswered = true));
    await Promise.race([answer, new Promise((resolve) => setImmediate(resolve))]);
    while (!isAnswered) await app.runtime.clock.advance(STEP_MS);
    expect([name, (await answer).status]).toEqual([name, status]);
  });
}

test("starting costs what the engine costs; a question about it, at most one read", async () => {
  expect(await cost({ name: "jobs_submit", status: 202, body: CHAIN })).toBe(2);
  const again = { ...CHAIN, idempotency_key: "k" };
  await cost({ name: "jobs_submit", status: 202, body: again, when: "with a key" });
  const repeated = { name: "jobs_submit", status: 200, body: again, when: "repeated" };
  expect(await cost(repeated)).toBe(3);
  const dry = { query: { dry_run: "true" }, when: "`dry_run`" };
  expect(await cost({ name: "jobs_submit", status: 200, body: CHAIN, ...dry })).toBe(0);
  expect(await cost({ name: "jobs_validate", status: 200, body: CHAIN })).toBe(0);
  const jobs = Array.from({ length: 100 }, () => CHAIN);
  const batch = { name: "jobs_batch", status: 200, body: { jobs }, when: "100 jobs" };
  expect(await cost(batch)).toBe(200);
});

test("reading a job costs one read, held or not modified as well as whole", async () => {
  const same = { headers: { "if-none-match": tag } };
  expect(await cost({ name: "jobs_get", status: 200 })).toBe(1);
  expect(await cost({ name: "jobs_get", status: 304, ...same, when: "not modified" })).toBe(1);
  const held = { params: { job_id: waiting }, query: { wait: "20" } };
  const when = "`wait=20`, nothing happens";
  expect(await cost({ name: "jobs_get", status: 200, ...held, when })).toBeLessThanOrEqual(27);
  expect(await cost({ name: "jobs_result", status: 200 })).toBe(2);
  expect(await cost({ name: "jobs_snapshot", status: 200 })).toBe(2);
});

test("looking back costs one read for each entry", async () => {
  const back = ["jobs_events", "jobs_timeline", "jobs_node", "jobs_provenance"] as const;
  const costs = [];
  for (const name of back) {
    costs.push(await cost({ name, status: 200, when: "a job of 4 entries" }));
  }
  expect(costs).toEqual([5, 5, 5, 6]);
});

test("lists, numbers and the rest cost one request or none", async () => {
  expect(await cost({ name: "jobs_list", status: 200, when: "a page" })).toBe(1);
  expect(await cost({ name: "stats_get", status: 200 })).toBe(1);
  const named = { params: { workflow_id: "chain" } };
  const source = { headers: { "content-type": "text/plain" }, body: "a: [" };
  expect(await cost({ name: "workflows_list", status: 200 })).toBe(0);
  expect(await cost({ name: "workflows_get", status: 404, ...named })).toBe(0);
  expect(await cost({ name: "workflows_validate", status: 200, ...source })).toBe(0);
  expect(await cost({ name: "handlers_list", status: 200 })).toBe(0);
  await cost({ name: "jobs_cancel", status: 202, params: { job_id: waiting } });
  expect(await counted("the timer, numbers over all jobs, each minute", async () => {
    await foldStats(app.app.stats);
  })).toBe(7);
});

test("docs/api-costs.md shows these numbers, of every operation but the rebuild", async () => {
  const missing = OPERATIONS.map(({ name }) => name).filter((name) => !asked.has(name));
  expect(missing.filter((name) => !isOpen(name))).toEqual(["bootstrap_rebuild"]);
  await expect(page()).toMatchFileSnapshot("../../../docs/api-costs.md");
});

function page(): string {
  const lines = rows.map(([what, requests]) => {
    const counts = [...requests].sort(([one], [other]) => (one < other ? -1 : 1));
    const sum = counts.reduce((total, [, count]) => total + count, 0);
    const told = counts.map(([name, count]) => `${name} ${count}`).join(", ");
    return `| ${what} | ${told === "" ? "none" : told} | ${sum} |`;
  });
  return `${HEAD}\n${lines.join("\n")}\n`;
}

const HEAD = `# What asking costs

Store requests of the [HTTP API](http-api.md), counted at the stores by
\`test/unit/functions/cost.test.ts\`, which also writes this page. What a job costs by itself is on
[another page](costs.md). A read of a document up to 1 KB is one request unit, at Strong consistency
two; a query is three or more.

| Call | Requests | Sum |
|---|---|---|`;
