// The app's doors on the real stack: who gets through the host and the app with which key and
// principal, what becomes of bodies that lie, and how the brakes answer. The finer cases are in
// test/unit/functions; here it is shown that they hold behind the host, through sockets.
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ROUTES } from "../../src/functions/routes.ts";
import { LOCAL_KEYS } from "../../src/local/host.ts";
import { pathOfRoute } from "../support/app-client.ts";
import type { Answer } from "../support/app-client.ts";
import { appFixture, HOLD_QUEUE } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import { isOpen, principal } from "../support/http-app.ts";

const ABSENT = "01890000-0000-7000-8000-000000000000";
const GREET = `
workflow_id: greet
version: 1
nodes:
  start: { type: start, next: hi }
  hi: { type: task, handler: echo, params: { message: hello }, next: end }
  end: { type: end }
`;
const workflows = { "greet.yaml": GREET };
const SUBMISSION = { workflow_id: "greet" };

let fixture: AppFixture;
let keyed: StartedApp;

beforeAll(async () => {
  fixture = await appFixture();
  keyed = await fixture.start({ workflows, env: HOLD_QUEUE });
});
afterAll(() => fixture.stop());

const pathOf = (route: string) => pathOfRoute(route, ABSENT);

describe("keys", () => {
  /** Without a key, with a function key, with the master key. */
  const STATUSES: Readonly<Record<string, readonly [number, number, number]>> = {
    jobs_submit: [401, 202, 202],
    jobs_batch: [401, 415, 415],
    jobs_validate: [401, 415, 415],
    jobs_list: [401, 200, 200],
    jobs_get: [401, 404, 404],
    jobs_events: [401, 404, 404],
    jobs_node: [401, 404, 404],
    jobs_timeline: [401, 404, 404],
    jobs_snapshot: [401, 404, 404],
    jobs_result: [401, 404, 404],
    jobs_provenance: [401, 404, 404],
    jobs_cancel: [401, 404, 404],
    workflows_list: [401, 200, 200],
    workflows_get: [401, 404, 404],
    workflows_validate: [401, 200, 200],
    handlers_list: [401, 200, 200],
    stats_get: [401, 200, 200],
    health_live: [200, 200, 200],
    health_ready: [200, 200, 200],
    api_document: [200, 200, 200],
    api_page: [200, 200, 200],
    api_style: [200, 200, 200],
    ui: [200, 200, 200],
    ui_script: [200, 200, 200],
    ui_style: [200, 200, 200],
    ui_icon: [200, 200, 200],
    bootstrap_rebuild: [401, 401, 403],
    zz_not_found: [401, 404, 404],
  };

  test("each route lets in exactly whom it should", async () => {
    for (const { name, methods, route } of ROUTES) {
      const body = name === "jobs_submit" ? { body: SUBMISSION } : {};
      const statuses: number[] = [];
      for (const key of [null, LOCAL_KEYS.host, LOCAL_KEYS.master]) {
        const answer = await keyed.call(methods[0] ?? "GET", pathOf(route), { key, ...body });
        statuses.push(answer.status);
      }
      expect([name, statuses]).toEqual([name, STATUSES[name]]);
    }
  });

  test("a principal that a client makes up changes nothing", async () => {
    const headers = principal("root", ["Holdfast.Admin"]);
    for (const { name, methods, route } of ROUTES) {
      const answer = await keyed.call(methods[0] ?? "GET", pathOf(route), { key: null, headers });
      expect([name, answer.status]).toEqual([name, isOpen(name) ? 200 : 401]);
    }
    const job = await keyed.call("POST", "/jobs", { body: SUBMISSION, headers });
    expect(job.body["authenticated_as"]).toBe("key");
  });
});

test("with sign-in a principal is needed beside the key, and jobs are their owner's", async () => {
  const env = { HOLDFAST_AUTH: "platform", ...HOLD_QUEUE };
  const app = await fixture.start({ workflows, env });
  onTestFinished(() => app.stop());
  for (const { name, methods, route } of ROUTES) {
    const key = LOCAL_KEYS.master;
    const answer = await app.call(methods[0] ?? "GET", pathOf(route), { key });
    expect([name, answer.status]).toEqual([name, isOpen(name) ? 200 : 401]);
    if (!isOpen(name)) expect(answer.body.code).toBe("UNAUTHENTICATED");
  }
  const [ann, ben] = [principal("ann"), principal("ben")];
  const admin = principal("root", ["Holdfast.Admin"]);
  const job = await app.call("POST", "/jobs", { body: SUBMISSION, headers: ann });
  expect(job.body["authenticated_as"]).toBe("principal:ann");
  const path = `/jobs/${job.body.job_id}`;
  const read = async (headers: Record<string, string>) => {
    const one = await app.call("GET", path, { headers });
    const list = await app.call("GET", "/jobs", { headers });
    return [one.status, list.body.jobs.length];
  };
  expect(await read(ben)).toEqual([404, 0]);
  expect(await read(ann)).toEqual([200, 1]);
  expect(await read(admin)).toEqual([200, 1]);
  expect((await app.call("POST", `${path}/cancel`, { headers: ben })).status).toBe(404);
  expect((await app.call("POST", `${path}/cancel`, { headers: admin })).status).toBe(202);
  // The key alone opens the host's door; the role is the app's.
  const rebuild = { key: LOCAL_KEYS.master, headers: ann };
  const refused = await app.call("POST", "/bootstrap/rebuild?confirm=DESTROY", rebuild);
  expect([refused.status, refused.body.code]).toEqual([403, "ROLE_REQUIRED"]);
});

/** Writes bytes to the app and answers what comes back until the connection ends. */
function raw(app: StartedApp, head: readonly string[], body: string): Promise<string> {
  const { hostname, port } = new URL(app.url);
  const { promise, resolve } = deferred();
  const socket = connect(Number(port), hostname);
  let text = "";
  socket.on("data", (data) => {
    text += data.toString("latin1");
  });
  socket.on("error", () => resolve(text)).on("close", () => resolve(text));
  socket.write([...head, "", body].join("\r\n"), "latin1");
  return promise;
}

function deferred() {
  let resolve = (_text: string): void => undefined;
  const promise = new Promise<string>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: (text: string) => resolve(text) };
}

describe("bodies that lie", () => {
  const head = (more: readonly string[]) => [
    "POST /api/v1/jobs HTTP/1.1",
    `host: ${new URL(keyed.url).host}`,
    `x-functions-key: ${LOCAL_KEYS.host}`,
    "content-type: application/json",
    "connection: close",
    ...more,
  ];
  const good = JSON.stringify(SUBMISSION);

  const length = (value: string) => `content-length: ${value}`;
  const chunked = "transfer-encoding: chunked";
  const inChunks = "3\r\n{}x\r\n0\r\n\r\n";
  test.each<readonly [string, readonly string[], string, string]>([
    ["a length and chunks", [length("3"), chunked], inChunks, "400"],
    ["two lengths", [length("3"), length("9")], good, "400"],
    ["a length that is no number", [length("many")], good, "400"],
    ["a length below zero", [length("-5")], good, "400"],
    ["a length that is too short", [length("5")], good, "400"],
    ["a length above the host's limit", [length("999999999999")], "{", "413"],
    ["a length above ours", [length("600000")], "x".repeat(600_000), "413 BODY_TOO_LARGE"],
    ["chunks, which arrive empty", [chunked], inChunks, "400 BAD_REQUEST"],
  ])("%s", async (...[, more, body, expected]) => {
    const [status = "", code] = expected.split(" ");
    const text = await raw(keyed, head(more), body);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (code !== undefined) expect(text).toContain(`"code":"${code}"`);
    expect(text).not.toContain(" 202 ");
  });

  test("a body that never comes holds nobody else up", async () => {
    const { hostname, port } = new URL(keyed.url);
    const sockets = Array.from({ length: 50 }, () => connect(Number(port), hostname));
    for (const socket of sockets) {
      socket.on("error", () => undefined);
      socket.write([...head(["content-length: 100000"]), "", "{"].join("\r\n"));
    }
    const answer = await keyed.call("POST", "/jobs", { body: SUBMISSION });
    expect(answer.status).toBe(202);
    for (const socket of sockets) socket.destroy();
  });
});

describe("brakes", () => {
  const retryAfter = ({ headers }: Answer) => Number(headers.get("retry-after"));

  test("a caller above the rate is told when to come back", async () => {
    const env = { ...HOLD_QUEUE, HOLDFAST_SUBMIT_RATE_PER_MINUTE: "3" };
    const app = await fixture.start({ workflows, env });
    onTestFinished(() => app.stop());
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => app.post("/jobs", SUBMISSION)),
    );
    const having = (status: number) => answers.filter((answer) => answer.status === status);
    expect([having(202).length, having(429).length]).toEqual([3, 5]);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body.code).toBe("RATE_LIMITED");
    expect(refused === undefined ? 0 : retryAfter(refused)).toBeGreaterThan(0);
    expect((await app.get("/jobs")).body.jobs).toHaveLength(3);
  });

  test("with as many open jobs as may be, new ones wait and known ones are answered", async () => {
    const env = { ...HOLD_QUEUE, HOLDFAST_MAX_OPEN_JOBS: "3" };
    const app = await fixture.start({ workflows, env });
    onTestFinished(() => app.stop());
    const first = await app.post("/jobs", { ...SUBMISSION, idempotency_key: "k" });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => app.post("/jobs", SUBMISSION)),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(2);
    const refused = answers.filter(({ body }) => body.code === "TOO_MANY_JOBS");
    expect(refused).toHaveLength(6);
    for (const answer of refused) expect(retryAfter(answer)).toBeGreaterThan(0);
    const again = await app.post("/jobs", { ...SUBMISSION, idempotency_key: "k" });
    expect([again.status, again.body.job_id]).toEqual([200, first.body.job_id]);
  });
});

test("nothing that a client says breaks a line of the log", async () => {
  const hostile = 'a\r\n{"event":"job.ended"}\u001b[31m\u2028\u202e';
  const texts = [hostile, encodeURIComponent(hostile)];
  for (const text of texts) {
    await keyed.post("/jobs", { workflow_id: text, correlation_id: text, tags: [text] });
    await keyed.get(`/jobs/${encodeURIComponent(text)}`);
    await keyed.get(`/${encodeURIComponent(text)}`);
    await keyed.call("POST", "/workflows/validate", { body: `workflow_id: "${text}"` });
  }
  const job = await keyed.post("/jobs", { ...SUBMISSION, submitted_by: hostile, tags: [hostile] });
  expect(job.status).toBe(202);
  await keyed.call("POST", `/jobs/${job.body.job_id}/cancel`, { body: { reason: hostile } });
  const lines = keyed.lines.map((line) => JSON.stringify(line));
  expect(lines.length).toBeGreaterThan(0);
  for (const line of [...lines, ...keyed.hostLog.map(({ message }) => message)]) {
    expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
    expect(line).not.toContain("[31m");
  }
});
