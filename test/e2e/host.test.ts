// The local host's HTTP face with real emulators behind it: what Azure's host does with routes,
// keys and bodies, read in its sources, holds here too.

import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startStores, type Stores } from "../../src/local/emulators.ts";
import type { RunningHost } from "../../src/local/host.ts";
import { newControl, type Control } from "../fixtures/host-app/control.ts";
import { hostFixture } from "../support/host-fixture.ts";
import { waitFor } from "../support/wait-until.ts";

let stores: Stores;
let host: RunningHost;
let control: Control;

beforeAll(async () => {
  stores = await startStores();
  const fixture = await hostFixture("host-app/main.ts");
  control = newControl();
  host = await fixture.start({
    env: {
      ...stores.env,
      FIXTURE_QUEUE: "http-work",
      FIXTURE_SCHEDULE: "00:10:00",
      FIXTURE_SETTING: "given",
      "AzureWebJobs.sleeping.Disabled": "true",
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: "1000",
    },
    keys: { functions: { keyed: "only-for-keyed" } },
  });
});

afterAll(async () => {
  await host.stop();
  await stores.stop();
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${host.url}${path}`, { headers });

async function checkEmpty(path: string, status: number, init: RequestInit = {}): Promise<void> {
  const response = await fetch(`${host.url}${path}`, init);
  expect([path, response.status, await response.text()]).toEqual([path, status, ""]);
}

async function checkAnswer(path: string, name: string, params: object): Promise<void> {
  const response = await get(path);
  expect([path, await response.json()]).toEqual([path, { name, params }]);
}

test("the first function by name wins, not the more specific route", async () => {
  await checkAnswer("/api/jobs/summary", "a-jobs", { id: "summary" });
});

test("routes match without case and with one trailing slash", async () => {
  await checkAnswer("/API/Jobs/X1/", "a-jobs", { id: "X1" });
  await checkEmpty("/api/jobs//", 404);
});

test("constraints, optional and catch-all parameters hold", async () => {
  await checkAnswer("/api/things/7", "number", { n: "7" });
  await checkEmpty("/api/things/2", 404);
  await checkEmpty("/api/things/x", 404);
  await checkAnswer("/api/maybe", "maybe", {});
  await checkAnswer("/api/maybe/1", "maybe", { id: "1" });
  await checkAnswer("/api/files/a/b%20c", "files", { path: "a/b c" });
});

test("an unknown route and an undeclared method are an empty 404, never 405", async () => {
  await checkEmpty("/api/none", 404);
  await checkEmpty("/none", 404);
  await checkEmpty("/api/jobs/1", 404, { method: "POST" });
  await checkEmpty("/api/jobs/1", 404, { method: "HEAD" });
  await checkEmpty("/api/jobs/1", 404, { method: "OPTIONS" });
});

test("a function without a route answers under its name, and a hook may replace it", async () => {
  expect(await (await get("/api/unrouted")).text()).toBe("replaced by a hook");
});

test("a missing or wrong key is an empty 401", async () => {
  await checkEmpty("/api/keyed", 401);
  await checkEmpty("/api/keyed?code=wrong", 401);
  await checkEmpty("/api/keyed", 401, { headers: { "x-functions-key": "wrong" } });
});

test("the header decides over the query", async () => {
  const path = `/api/keyed?code=${host.functionKey}`;
  expect((await get(path)).status).toBe(200);
  await checkEmpty(path, 401, { headers: { "x-functions-key": "wrong" } });
});

test("host, function and master keys open what they should", async () => {
  const status = async (path: string, key: string): Promise<number> =>
    (await get(path, { "x-functions-key": key })).status;
  expect(await status("/api/keyed", host.functionKey)).toBe(200);
  expect(await status("/api/keyed", "only-for-keyed")).toBe(200);
  expect(await status("/api/other-keyed", "only-for-keyed")).toBe(401);
  expect(await status("/api/other-keyed", host.masterKey)).toBe(200);
  expect(await status("/api/masters", host.functionKey)).toBe(401);
  expect(await status("/api/masters", host.masterKey)).toBe(200);
  expect(await status("/api/maybe", "wrong")).toBe(200);
});

test("a disabled function is 404 but for the master", async () => {
  await checkEmpty("/api/sleeping", 404);
  const response = await get("/api/sleeping", { "x-functions-key": host.masterKey });
  expect(response.status).toBe(200);
});

test("nothing returned is 204; an exception or a bare string is an empty 500", async () => {
  await checkEmpty("/api/nothing", 204);
  await checkEmpty("/api/throws", 500);
  await checkEmpty("/api/text", 500);
});

test("a request reaches the function as Azure sends it", async () => {
  const response = await fetch(`${host.url}/api/echo?a=1&a=2&b=x%20y`, {
    method: "POST",
    headers: [
      ["x-many", "1"],
      ["X-Many", "2"],
      ["traceparent", `00-${"a".repeat(32)}-${"b".repeat(16)}-01`],
    ],
    body: "héllo",
  });
  expect(response.status).toBe(201);
  expect(response.headers.get("set-cookie")).toBe("c=a%20b; path=/; httponly");
  expect(response.headers.get("x-trace")).toMatch(new RegExp(`^00-${"a".repeat(32)}-.{16}-01$`));
  expect(await response.json()).toEqual({
    method: "POST",
    url: `${host.url}/api/echo?a=1&a=2&b=x%20y`,
    body: "héllo",
    query: { a: "1,2", b: "x y" },
    header: "1, 2",
    development: "Development",
    setting: "given",
  });
});

test("a chunked body arrives empty", async () => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("lost"));
      controller.close();
    },
  });
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  const answer = await (await fetch(`${host.url}/api/echo`, init)).json();
  expect(answer).toMatchObject({ body: "" });
});

test("a body above the limit is 413, one at the limit passes", async () => {
  await checkEmpty("/api/echo", 413, { method: "POST", body: "x".repeat(1001) });
  const response = await fetch(`${host.url}/api/echo`, { method: "POST", body: "x".repeat(1000) });
  expect(response.status).toBe(201);
});

test("a malformed request target is 400", async () => {
  const status = await new Promise((resolve, reject) => {
    const { port } = new URL(host.url);
    httpRequest({ port, host: "127.0.0.1", path: "http://[", method: "GET" }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(400);
});

test("the homepage and the ping are open, the rest of admin needs the master key", async () => {
  const home = await get("/");
  expect(home.status).toBe(200);
  expect(home.headers.get("content-type")).toBe("text/html; charset=utf-8");
  await checkEmpty("/admin/host/ping", 200);
  await checkEmpty("/admin/host/status", 401);
  await checkEmpty("/admin/functions", 401, { headers: { "x-functions-key": host.functionKey } });
  const master = { "x-functions-key": host.masterKey };
  const status = await get("/admin/host/status", master);
  expect(await status.json()).toMatchObject({ state: "Running" });
  const list = (await (await get("/admin/functions", master)).json()) as { name: string }[];
  expect(list.map(({ name }) => name)).toEqual([...host.functions]);
  await checkEmpty("/admin/functions/none", 404, { headers: master });
  expect(await (await get("/admin/functions/maybe", master)).json()).toMatchObject({
    name: "maybe",
    invoke_url_template: `${host.url}/api/maybe/{id?}`,
  });
});

test("an admin starts a queue function and a timer by hand", async () => {
  const start = async (name: string, body: string): Promise<number> => {
    const headers = { "x-functions-key": host.masterKey, "content-type": "application/json" };
    const response = await fetch(`${host.url}/admin/functions/${name}`, {
      method: "POST",
      headers,
      body,
    });
    return response.status;
  };
  expect(await start("work", '{"input": "{\\"by\\": \\"hand\\"}"}')).toBe(202);
  expect(await start("tick", "{}")).toBe(202);
  expect(await start("work", "no json")).toBe(400);
  await waitFor(() => control.calls.length > 0, { what: "the queue function ran" });
  expect(control.calls[0]?.input).toEqual({ by: "hand" });
  await waitFor(() => control.timerInputs.length > 0, { what: "the timer ran" });
  expect(control.timerInputs[0]).toMatchObject({
    isPastDue: false,
    schedule: { adjustForDST: false },
    scheduleStatus: { last: "0001-01-01T00:00:00+00:00" },
  });
});

test("hooks run around the app and its invocations", async () => {
  await get("/api/maybe");
  expect(control.hooks[0]).toBe("appStart");
  expect(control.hooks).toContain("postInvocation:fine");
});
