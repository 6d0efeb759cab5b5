// A fan_out of 1,000 items on the real stack: results in order, requests counted on the wire, and
// one item that does not end holds none of the others back.
import { CosmosClient } from "@azure/cosmos";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFaultProxy } from "../contract/fault-proxy.ts";
import type { FaultProxy } from "../contract/fault-proxy.ts";
import type { JobEvent } from "../support/app-client.ts";
import { appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import { startGate } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { waitFor } from "../support/wait-until.ts";

const ITEMS = 1000;
const SLOW = 500;
const CHUNK = 32;
const CHUNKS = Math.ceil(ITEMS / CHUNK);
/** Entry 0, the projection, and the first use of the version. */
const SUBMIT_REQUESTS = 3;

let fixture: AppFixture;
let gate: Gate;
let proxy: FaultProxy;
let app: StartedApp;

beforeAll(async () => {
  [fixture, gate] = await Promise.all([appFixture(), startGate()]);
  proxy = await startFaultProxy(fixture.stores.COSMOS_ENDPOINT);
  app = await fixture.start({
    env: {
      COSMOS_ENDPOINT: `http://127.0.0.1:${proxy.port}`,
      HOLDFAST_HTTP_ALLOW: `127.0.0.1:${gate.port}`,
    },
    workflows: { "many.yaml": manyItems() },
  });
});
afterAll(async () => {
  await fixture.stop();
  await Promise.all([proxy.stop(), gate.close()]);
});

function manyItems(): string {
  return `
workflow_id: many
version: 1
inputs:
  doors: { type: array, required: true }
nodes:
  start: { type: start, next: each }
  each:
    type: fan_out
    source: "{{ inputs.doors }}"
    task:
      handler: http_request
      params: { url: "http://127.0.0.1:${gate.port}/{{ item }}", query: { n: "{{ index }}" } }
    next: [all, first, last]
  all: { type: fan_in, aggregation: collect, select: value.url, next: end }
  first: { type: fan_in, aggregation: first, select: value.url, next: end }
  last: { type: fan_in, aggregation: last, select: value.url, next: end }
  end: { type: end }
`;
}

/** The outcomes in the journal, read beside the app so that its own requests stay countable. */
function outcomesCounter(jobId: string): () => Promise<number> {
  const client = new CosmosClient({
    endpoint: fixture.stores.COSMOS_ENDPOINT,
    key: fixture.stores.COSMOS_KEY,
    connectionPolicy: { enableEndpointDiscovery: false },
  });
  const journal = client.database(app.database).container("journal");
  let next = 1;
  let outcomes = 0;
  return async () => {
    for (;;) {
      const { resource } = await journal.item(String(next), jobId).read();
      if (resource === undefined) return outcomes;
      next += 1;
      outcomes += doneIn(resource["events"] as readonly JobEvent[]);
    }
  };
}

function doneIn(events: readonly JobEvent[]): number {
  const chunks = events.filter(({ type }) => type === "chunk_completed");
  return chunks.reduce((sum, event) => sum + Number(event["done"]) + Number(event["failed"]), 0);
}

const ofDocuments = (line: string): boolean => /\/docs/.test(line);

test("1,000 items end in order, within the bound, and a slow one holds nobody back", async () => {
  const doors = Array.from({ length: ITEMS }, (_, n) => (n === SLOW ? "slow" : `item-${n}`));
  for (const door of doors) if (door !== "slow") gate.open(door);
  proxy.seen.length = 0;
  const id = await app.submit("many", { input_params: { doors } });
  const outcomes = outcomesCounter(id);
  await waitFor(async () => (await outcomes()) === ITEMS - 1, {
    what: "all items but the slow one are recorded",
    timeoutMs: 40_000,
  });
  gate.open("slow");
  const hasEnded = (): boolean =>
    app.lines.some(({ event, job_id }) => event === "job.ended" && job_id === id);
  await waitFor(hasEnded, { what: "the job ends" });
  const requests = proxy.seen.filter(ofDocuments);

  const job = await app.ended(id);
  const url = (door: string): string => `http://127.0.0.1:${gate.port}/${door}`;
  expect(job.status).toBe("completed");
  expect(job.result_data["all"]).toEqual({ results: doors.map(url), count: ITEMS, failed: [] });
  expect(job.result_data["first"]).toEqual({ result: url("item-0"), count: ITEMS });
  expect(job.result_data["last"]).toEqual({ result: url(`item-${ITEMS - 1}`), count: ITEMS });
  console.log(`requests of ${ITEMS} items in ${CHUNKS} chunks: ${requests.length}`);
  expect(requests.length).toBeLessThanOrEqual(SUBMIT_REQUESTS + 6 * CHUNKS + 10);

  const events = await app.events(id);
  const slow = Math.floor(SLOW / CHUNK);
  const handed = events.filter(({ type, chunk }) => type === "chunk_completed" && chunk === slow);
  expect(handed.at(0)).toMatchObject({ remaining: [SLOW] });
  expect(handed.at(-1)).toMatchObject({ done: 1, remaining: [] });
  expect(doneIn(events)).toBe(ITEMS);
});

test("a fan_out of no item goes on at once", async () => {
  const job = await app.run("many", { input_params: { doors: [] } });
  expect(job.status).toBe("completed");
  expect(job.result_data["all"]).toEqual({ results: [], count: 0, failed: [] });
  expect(job.result_data["first"]).toEqual({ result: null, count: 0 });
});

test("an item that fails for good cancels the rest and fails the job with its index", async () => {
  const doors = ["bad", "bad", "never", "never"];
  const id = await app.submit("many", { input_params: { doors } });
  await gate.waiting("never", 2);
  gate.fail("bad");
  const job = await app.ended(id);
  expect(job).toMatchObject({ status: "failed", error: { code: "ITEM_FAILED" } });
  expect(String((job["error"] as { message: string }).message)).toMatch(/item [01]\b/);
  expect(job.result_data["_provenance"]).toMatchObject({ status: "failed" });
});
