// The app with an identity as infra/ makes it, which may read and write documents and nothing else;
// with one whose roles are still on their way; and on an account that it must not write to.
// A proxy in front of the Cosmos emulator refuses as Cosmos DB would.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LOCAL_KEYS } from "../../src/local/host.ts";
import { startFaultProxy } from "../contract/fault-proxy.ts";
import type { Fault, FaultProxy } from "../contract/fault-proxy.ts";
import { appFixture, HOLD_QUEUE, SHORT_LEASES } from "../support/app-fixture.ts";
import type { AppFixture, StartOptions, StartedApp } from "../support/app-fixture.ts";
import { waitFor } from "../support/wait-until.ts";

const SAY = `
workflow_id: say
version: 1
nodes:
  start: { type: start, next: say }
  say: { type: task, handler: echo, params: { message: hello }, next: end }
  end: { type: end }
`;
const CONTAINERS = ["journal", "jobs", "stats", "definitions"];
const DENIED: Fault = { commits: false, answer: 403 };
/** Databases, containers, offers: whatever is not a document. */
const CONTROL = /^(?:POST|PUT|DELETE) \/(?:dbs(?:\/[^/]+(?:\/colls(?:\/[^/]+)?)?)?|offers)\/?$/;

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

async function withApp<T>(
  options: StartOptions,
  use: (app: StartedApp) => Promise<T>,
): Promise<T> {
  const app = await fixture.start({ workflows: { "say.yaml": SAY }, ...options });
  try {
    return await use(app);
  } finally {
    await app.stop();
  }
}

/** A database with everything in it, as the infrastructure template leaves it. */
function provisioned(): Promise<string> {
  return withApp({}, async (app) => {
    expect((await app.get("/health/ready")).status).toBe(200);
    return app.database;
  });
}

const ready = async (app: StartedApp) => {
  const { status, body, text } = await app.call("GET", "/health/ready", { key: null });
  const checks = body["checks"] as readonly { name: string; error?: string; hint?: string }[];
  return { status, checks, text };
};

describe("an identity that may not create containers", () => {
  beforeEach(() => proxy.always({ on: CONTROL, fault: DENIED }));

  test("finds what it needs and works", async () => {
    const database = await provisioned();
    await withApp({ env: proxied, database }, async (app) => {
      expect((await ready(app)).status).toBe(200);
      expect((await app.run("say")).status).toBe("completed");
      expect((await app.get("/jobs")).body["count"]).toBe(1);
      expect((await app.get("/stats")).status).toBe(200);
      expect(proxy.seen.filter((line) => CONTROL.test(line))).toEqual([]);
    });
  });

  test("may not rebuild, and nothing is touched", async () => {
    const database = await provisioned();
    const env = { ...proxied, HOLDFAST_ALLOW_REBUILD: "true" };
    await withApp({ env, database }, async (app) => {
      const job = await app.run("say");
      const path = "/bootstrap/rebuild?confirm=DESTROY";
      const answer = await app.call("POST", path, { key: LOCAL_KEYS.master });
      expect([answer.status, answer.body.code]).toEqual([403, "REBUILD_FORBIDDEN"]);
      expect((await app.job(job.job_id)).status).toBe("completed");
    });
  });

  test("says what is missing and who creates it", async () => {
    await withApp({ env: proxied }, async (app) => {
      const { status, checks } = await ready(app);
      expect(status).toBe(503);
      const missing = checks.filter(({ error }) => error !== undefined);
      expect(missing.map(({ name }) => name)).toEqual(CONTAINERS);
      for (const { error, hint } of missing) {
        expect(error).toBe("RESOURCE_MISSING");
        expect(hint).toContain("infra/");
      }
      expect((await app.post("/jobs", { workflow_id: "say" })).status).toBe(503);
      expect((await app.get("/health/live")).status).toBe(200);
    });
  });
});

test("roles that are on their way are told as such, and the app needs no restart", async () => {
  const database = await provisioned();
  await withApp({ env: proxied, database }, async (app) => {
    expect((await ready(app)).status).toBe(200);
    proxy.plan({ on: /\/colls\//, faults: Array.from({ length: 12 }, () => DENIED) });
    const denied = await app.post("/jobs", { workflow_id: "say" });
    expect([denied.status, denied.body.code]).toEqual([503, "ACCESS_DENIED"]);
    const seen = await waitFor(
      async () => {
        const now = await ready(app);
        return now.status === 503 ? now : undefined;
      },
      { what: "the app is not ready" },
    );
    const told = seen.checks.filter(({ error }) => error === "ACCESS_DENIED");
    expect(told.length).toBeGreaterThan(0);
    for (const { hint } of told) expect(hint).toMatch(/role.*ten minutes/);
    // The open route does not tell what the store said.
    expect(seen.text).not.toContain("403");
    await waitFor(async () => (await ready(app)).status === 200, { what: "the roles arrive" });
    expect((await app.run("say")).status).toBe("completed");
  });
});

describe("an account that accepts writes in several regions", () => {
  beforeEach(() => {
    const change = (account: object) => ({ ...account, enableMultipleWriteLocations: true });
    proxy.always({ on: /^GET \/$/, change });
  });

  test("is not written to: every route of a job answers 503, and ready says why", async () => {
    const database = await provisioned();
    await withApp({ env: proxied, database }, async (app) => {
      const { status, checks } = await ready(app);
      expect(status).toBe(503);
      const stores = checks.filter(({ name }) => CONTAINERS.includes(name));
      expect(stores.map(({ error }) => error)).toEqual(CONTAINERS.map(() => "STORE_UNSUPPORTED"));
      for (const { hint } of stores) expect(hint).toContain("one write region");
      const job = "/jobs/01a202b2-0d8f-7c31-9d3f-5a1b2c3d4e5f";
      const answers = [
        await app.post("/jobs", { workflow_id: "say" }),
        await app.get("/jobs"),
        ...(await Promise.all(
          ["", "/events", "/snapshot", "/provenance", "/timeline"].map((of) => app.get(job + of)),
        )),
        await app.post(`${job}/cancel`, {}),
      ];
      for (const { status: code, body } of answers) {
        expect([code, body.code]).toEqual([503, "STORE_UNSUPPORTED"]);
      }
      expect(proxy.seen.filter((line) => line.includes("/docs"))).toEqual([]);
    });
  });

  test("delays the jobs that were accepted before, and loses none", async () => {
    const held = { ...HOLD_QUEUE, ...SHORT_LEASES };
    const { database, id } = await withApp({ env: held }, async (app) => ({
      database: app.database,
      id: (await app.post("/jobs", { workflow_id: "say" })).body.job_id,
    }));
    await withApp({ env: { ...proxied, ...SHORT_LEASES }, database }, async (app) => {
      await waitFor(() => app.lines.some(({ event }) => event === "message.deferred"), {
        what: "the job's message is put back",
      });
      expect(app.lines.some(({ event }) => event === "message.poisoned")).toBe(false);
    });
    await withApp({ env: SHORT_LEASES, database }, async (app) => {
      expect((await app.ended(id)).status).toBe("completed");
    });
  });
});
