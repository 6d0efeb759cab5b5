// What an operator meets: health, settings that are wrong, stores that fail, the rebuild.
// A proxy stands in front of the Cosmos emulator and refuses what it is told to.
import { CosmosClient } from "@azure/cosmos";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LOCAL_KEYS } from "../../src/local/host.ts";
import { startFaultProxy } from "../contract/fault-proxy.ts";
import type { Fault, FaultProxy } from "../contract/fault-proxy.ts";
import type { Answer } from "../support/app-client.ts";
import { appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import { waitFor } from "../support/wait-until.ts";

const SAY = `
workflow_id: say
version: 1
vars: { size: 1 }
nodes:
  start: { type: start, next: say }
  say: { type: task, handler: echo, params: { message: "{{ vars.size }}" }, next: end }
  end: { type: end }
`;

let fixture: AppFixture;
let proxy: FaultProxy;
let proxied: Readonly<Record<string, string>>;

beforeAll(async () => {
  fixture = await appFixture();
});
afterAll(() => fixture.stop());

beforeEach(async () => {
  proxy = await startFaultProxy(fixture.stores.COSMOS_ENDPOINT);
  proxied = { COSMOS_ENDPOINT: `http://127.0.0.1:${proxy.port}` };
  return () => proxy.stop();
});

/** An app for the time of `use`, with SAY in its folder. */
async function withApp(
  env: Readonly<Record<string, string>>,
  use: (app: StartedApp) => Promise<void>,
): Promise<void> {
  const app = await fixture.start({ env, workflows: { "say.yaml": SAY } });
  try {
    await use(app);
  } finally {
    await app.stop();
  }
}

function problemOf({ status, body }: Answer): readonly unknown[] {
  return [status, body.code];
}

const refusing = (answer: number, times = 1): readonly Fault[] =>
  Array.from({ length: times }, () => ({ commits: false, answer }));

const rebuild = (app: StartedApp, query: string): Promise<Answer> =>
  app.call("POST", `/bootstrap/rebuild${query}`, { key: LOCAL_KEYS.master });

describe("health", () => {
  test("a ready app checks every container and each queue", async () => {
    await withApp({}, async (app) => {
      expect((await app.call("GET", "/health/live", { key: null })).body.status).toBe("live");
      const answer = await app.call("GET", "/health/ready", { key: null });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ status: "ready", build: expect.any(String) });
      const checks = answer.body["checks"] as readonly { name: string; ok: boolean }[];
      expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
        ["journal", true], ["jobs", true], ["stats", true], ["definitions", true],
        ["holdfast-work", true], ["holdfast-work-poison", true],
      ]);
    });
  });

  test("wrong settings register every function, and each answer names all of them", async () => {
    const env = { HOLDFAST_LEASE_SECONDS: "long", HOLDFAST_ALLOW_REBUILD: "perhaps" };
    await withApp(env, async (app) => {
      expect((await app.get("/health/live")).status).toBe(200);
      const ready = await app.get("/health/ready");
      expect(ready.status).toBe(503);
      expect(ready.text).toContain("HOLDFAST_LEASE_SECONDS");
      expect(ready.text).toContain("HOLDFAST_ALLOW_REBUILD");
      const answer = await app.post("/jobs", { workflow_id: "say" });
      expect(problemOf(answer)).toEqual([503, "CONFIGURATION_INVALID"]);
      expect(answer.body.issues).toHaveLength(2);
      expect(app.lines.filter(({ event }) => event === "settings.invalid")).toHaveLength(2);
    });
  });

  test("a store that is away makes the app unready, not dead, and it recovers", async () => {
    await withApp(proxied, async (app) => {
      proxy.plan({ on: /./, faults: refusing(403, 6) });
      const away = await app.get("/health/ready");
      expect([away.status, away.body.status]).toEqual([503, "not ready"]);
      // The route is open: it tells the code alone, and the log what the store said.
      expect(away.text).toContain("ACCESS_DENIED");
      expect(away.text).not.toContain("403");
      const told = app.lines.filter(({ event }) => event === "check.failed");
      expect(told.map((line) => line["error"])).toContainEqual(expect.stringContaining("403"));
      expect((await app.get("/health/live")).status).toBe(200);
      // Each look uses some of the planned refusals up.
      const isReady = async () => (await app.get("/health/ready")).status === 200;
      await waitFor(isReady, { what: "the app is ready again" });
      expect((await app.run("say")).status).toBe("completed");
    });
  });

  test("a workflow folder that is missing is a setting that is wrong", async () => {
    await withApp({ HOLDFAST_WORKFLOWS_DIR: "/nowhere/at/all" }, async (app) => {
      expect(problemOf(await app.get("/workflows"))).toEqual([503, "CONFIGURATION_INVALID"]);
      const answer = await app.post("/jobs", { workflow_id: "say" });
      expect(problemOf(answer)).toEqual([503, "CONFIGURATION_INVALID"]);
    });
  });

  test("a var from a setting is pinned; one that does not fit is told", async () => {
    await withApp({ HOLDFAST_VAR_size: "7" }, async (app) => {
      expect((await app.run("say")).result_data["say"]).toMatchObject({ message: 7 });
    });
    await withApp({ HOLDFAST_VAR_size: "seven" }, async (app) => {
      const answer = await app.post("/jobs", { workflow_id: "say" });
      expect(problemOf(answer)).toEqual([503, "CONFIGURATION_INVALID"]);
      expect((await app.get("/jobs")).body["count"]).toBe(0);
    });
  });

  test("links are absolute where the app knows its public address", async () => {
    await withApp({ HOLDFAST_PUBLIC_URL: "https://jobs.example/" }, async (app) => {
      const { headers, body } = await app.post("/jobs", { workflow_id: "say" });
      const self = `https://jobs.example/api/v1/jobs/${body.job_id}`;
      expect(headers.get("location")).toBe(self);
      expect(body["links"]).toMatchObject({ self, events: `${self}/events` });
      await app.ended(body.job_id);
    });
  });
});

describe("the world fails under a request", () => {
  /** Of jobs alone: the numbers over all jobs are read by the timer meanwhile. */
  const READ = /^GET .*\/colls\/jobs\/docs\//;

  test("what stays throttled or broken is 503 with when to ask again", async () => {
    await withApp(proxied, async (app) => {
      const id = (await app.run("say")).job_id;
      const cases = [
        [refusing(429, 8), "STORE_THROTTLED"],
        [refusing(403), "ACCESS_DENIED"],
      ] as const;
      for (const [faults, code] of cases) {
        proxy.plan({ on: READ, faults });
        const answer = await app.get(`/jobs/${id}`);
        expect(problemOf(answer)).toEqual([503, code]);
        expect(answer.headers.get("retry-after")).toBe("5");
      }
      expect((await app.get(`/jobs/${id}`)).status).toBe(200);
    });
  });

  test("a document of a newer build is not touched, a broken one is ours to mend", async () => {
    await withApp({}, async (app) => {
      const id = (await app.run("say")).job_id;
      const client = new CosmosClient({
        endpoint: fixture.stores.COSMOS_ENDPOINT,
        key: fixture.stores.COSMOS_KEY,
        connectionPolicy: { enableEndpointDiscovery: false },
      });
      const database = client.database(app.database);
      const item = database.container("jobs").item("job", id);
      const { resource: good } = await item.read();
      await item.replace({ ...good, schema: 99 });
      expect(problemOf(await app.get(`/jobs/${id}`))).toEqual([503, "SCHEMA_TOO_NEW"]);
      // The journal has what a projection lost.
      await item.replace({ ...good, state: "secret text" });
      expect((await app.get(`/jobs/${id}`)).body).toMatchObject({ status: "completed" });
      expect(app.lines.some(({ event }) => event === "projection.failed")).toBe(true);
      const entry = database.container("journal").item("0", id);
      await entry.replace({ ...(await entry.read()).resource, events: "secret text" });
      const broken = await app.get(`/jobs/${id}`);
      expect(problemOf(broken)).toEqual([500, "DOCUMENT_INVALID"]);
      expect(JSON.stringify([broken.text, app.lines])).not.toContain("secret text");
      expect(app.lines.filter(({ event }) => event === "request.failed").at(-1)).toMatchObject({
        function: "jobs_get",
        invocation_id: String(broken.body["instance"]).slice("urn:invocation:".length),
      });
      await item.replace(good);
      client.dispose();
    });
  });
});

describe("rebuilding the stores", () => {
  const allowed = { HOLDFAST_ALLOW_REBUILD: "true" };

  test("is off unless allowed, and wants the word and the master key", async () => {
    await withApp({}, async (app) => {
      expect(problemOf(await rebuild(app, "?confirm=DESTROY"))).toEqual([403, "REBUILD_DISABLED"]);
    });
    await withApp(allowed, async (app) => {
      const id = (await app.run("say")).job_id;
      for (const query of ["", "?confirm=", "?confirm=destroy"]) {
        expect(problemOf(await rebuild(app, query))).toEqual([400, "CONFIRMATION_MISSING"]);
      }
      const twice = await rebuild(app, "?confirm=DESTROY&confirm=DESTROY");
      expect(problemOf(twice)).toEqual([400, "BAD_REQUEST"]);
      expect((await app.call("POST", "/bootstrap/rebuild?confirm=DESTROY")).status).toBe(401);
      expect((await app.get(`/jobs/${id}`)).status).toBe(200);
    });
  });

  test("recreates everything, reports each statement, and the app goes on", async () => {
    await withApp(allowed, async (app) => {
      const id = (await app.run("say")).job_id;
      const answer = await rebuild(app, "?confirm=DESTROY");
      expect([answer.status, answer.body["rebuilt"]]).toEqual([200, true]);
      const statements = answer.body["statements"] as readonly { statement: string; ok: boolean }[];
      expect(statements.every(({ ok }) => ok)).toBe(true);
      expect(statements.map(({ statement }) => statement)).toEqual(
        expect.arrayContaining([
          "clear queue holdfast-work", "clear queue holdfast-work-poison", "drop container journal",
          "create container journal", "drop container jobs", "create container jobs",
          "drop container stats", "create container stats",
          "drop container definitions", "create container definitions",
        ]),
      );
      expect(problemOf(await app.get(`/jobs/${id}`))).toEqual([404, "JOB_NOT_FOUND"]);
      // The version is free again, also for this process, which had seen its digest.
      app.write("say.yaml", SAY.replace("vars.size", "vars.size + 1"));
      const job = await app.run("say");
      expect(job.result_data["say"]).toMatchObject({ message: 2 });
      expect((await app.get("/jobs")).body["count"]).toBe(1);
    });
  });

  test("changes nothing where the identity may not create containers", async () => {
    await withApp({ ...allowed, ...proxied }, async (app) => {
      const id = (await app.run("say")).job_id;
      proxy.plan({ on: /^POST .*\/colls\/?$/, faults: refusing(403, 8) });
      proxy.seen.length = 0;
      const answer = await rebuild(app, "?confirm=DESTROY");
      expect(problemOf(answer)).toEqual([403, "REBUILD_FORBIDDEN"]);
      expect(answer.body.detail).toContain("infrastructure template");
      expect(proxy.seen.filter((line) => line.startsWith("DELETE"))).toEqual([]);
      expect((await app.job(id)).status).toBe("completed");
    });
  });

  test("reports the statement that failed and does the others", async () => {
    await withApp({ ...allowed, ...proxied }, async (app) => {
      await app.run("say");
      proxy.plan({ on: /^DELETE .*\/colls\/jobs$/, faults: refusing(403) });
      const answer = await rebuild(app, "?confirm=DESTROY");
      expect([answer.status, answer.body["rebuilt"]]).toEqual([500, false]);
      const statements = answer.body["statements"] as readonly Record<string, unknown>[];
      const failed = statements.filter(({ ok }) => ok === false);
      expect(failed).toMatchObject([
        { statement: "drop container jobs", error: expect.stringContaining("403") },
      ]);
    });
  });
});
