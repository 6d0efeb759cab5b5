// What every answer carries and what none does: headers that keep it from being cached, sniffed,
// framed or run; Retry-After on each 429 and 503; no stack, host or text of a store.
import { describe, expect, test } from "vitest";
import { ERROR_CODES, WorkflowError } from "../../../src/core/error.ts";
import type { ErrorCode } from "../../../src/core/error.ts";
import type { Json } from "../../../src/core/json.ts";
import { MAX_JSON_DEPTH } from "../../../src/core/limits.ts";
import { ready } from "../../../src/functions/operations.ts";
import { json, problem, statusOf } from "../../../src/functions/problem.ts";
import { ROUTES } from "../../../src/functions/routes.ts";
import {
  isFile,
  isOpen,
  HttpApp,
  PLATFORM,
  principal,
  requestWith,
  routeOf,
} from "../../support/http-app.ts";

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};
const HOSTILE = "<script>alert(1)</script>";

const NAMES = ROUTES.map(({ name }) => name).filter((name) => !isFile(name));

test("files of the build run no script of their own and load nothing from elsewhere", async () => {
  const files = ROUTES.map(({ name }) => name).filter(isFile);
  for (const name of files) {
    const { headers } = await new HttpApp().call(name);
    const policy = headers["content-security-policy"] ?? "";
    expect(policy, name).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(policy, name).not.toMatch(/unsafe|https?:|\*/);
    expect(headers, name).toMatchObject({ "x-content-type-options": "nosniff" });
    const known = { "if-none-match": headers["etag"] ?? "" };
    const again = await new HttpApp().call(name, { headers: known });
    expect([again.status, again.text], name).toEqual([304, ""]);
  }
  expect(files.length).toBeGreaterThan(2);
});

test("a file asked for with a slash at its end is at the address without", async () => {
  for (const name of ROUTES.map((one) => one.name).filter(isFile)) {
    const url = `https://a.example/before/api/${routeOf(name).route}`;
    const request = requestWith({ method: "GET", url: `${url}/` });
    const answer = await new HttpApp().send(name, request);
    const { location = "none" } = answer.headers;
    expect([answer.status, new URL(location, `${url}/`).href], name).toEqual([308, url]);
  }
});

test.each(NAMES)("%s answers with the security headers", async (name) => {
  const params = { job_id: HOSTILE, node_id: HOSTILE, workflow_id: HOSTILE };
  for (const http of [new HttpApp(), new HttpApp({ auth: PLATFORM })]) {
    const answer = await http.call(name, { params });
    expect(answer.headers).toMatchObject(HEADERS);
    expect(answer.headers["content-type"]).toMatch(/^application\/(?:problem\+)?json; charset=/);
  }
});

const DETAIL = "ECONNREFUSED 10.1.2.3:443 acme.documents.azure.com\n    at Socket.on (x.js)";
const LEAKS = /10\.1\.2\.3|acme|documents\.azure|x\.js|ECONN/;

test.each(ERROR_CODES)("%s as an answer: Retry-After if it is a brake, never a stack", (code) => {
  const cause = new Error(DETAIL);
  const answer = problem(new WorkflowError(code, "told on purpose", { cause }), "id");
  expect(answer.headers).toMatchObject(HEADERS);
  expect(answer.body).not.toMatch(LEAKS);
  const status = statusOf(new WorkflowError(code, "x"));
  const shouldWait = status === 429 || status === 503 || code === "JOB_NOT_TERMINAL";
  expect("retry-after" in (answer.headers as object)).toBe(shouldWait);
});

test.each<ErrorCode>(["STORE_UNAVAILABLE", "STORE_THROTTLED", "QUEUE_UNAVAILABLE", "INTERNAL"])(
  "%s tells nothing of the text it came with",
  (code) => {
    expect(problem(new WorkflowError(code, DETAIL), "id").body).not.toMatch(LEAKS);
  },
);

test("an error of no kind of ours is INTERNAL, with the invocation and nothing else", () => {
  for (const error of [new TypeError(DETAIL), DETAIL, undefined, { message: DETAIL }]) {
    const answer = problem(error, "the-invocation");
    expect(answer.status).toBe(500);
    expect(answer.body).not.toMatch(LEAKS);
    expect(answer.body).toContain("urn:invocation:the-invocation");
  }
});

test("an answer is as long as what it holds, however deep that is nested", () => {
  let value: Json = Array.from({ length: 10_000 }, () => 0);
  for (let depth = 1; depth < MAX_JSON_DEPTH; depth += 1) value = [value];
  expect(json(200, { value }).body).toHaveLength(JSON.stringify({ value }).length + 1);
});

describe("rates", () => {
  test("who submits too often is told when to come back; reads and others go on", async () => {
    const http = new HttpApp({ auth: PLATFORM, submitPerMinute: 2 });
    const body = { workflow_id: "chain" };
    const sent = (id: string) => http.call("jobs_submit", { headers: principal(id), body });
    const statuses = [(await sent("ann")).status, (await sent("ann")).status];
    http.runtime.store.resetRequests();
    const refused = await sent("ann");
    expect(http.runtime.store.requestCount).toBe(0);
    expect([...statuses, refused.status]).toEqual([202, 202, 429]);
    expect(refused.body).toMatchObject({ code: "RATE_LIMITED", retry_after_seconds: 30 });
    expect(refused.headers["retry-after"]).toBe("30");
    expect((await sent("ben")).status).toBe(202);
    expect((await http.call("jobs_list", { headers: principal("ann") })).status).toBe(200);
    await http.runtime.clock.advance(30_000);
    expect((await sent("ann")).status).toBe(202);
  });

  test("every route that is not open has a rate", async () => {
    const http = new HttpApp({ submitPerMinute: 1, readPerMinute: 1 });
    await http.call("handlers_list");
    await http.call("workflows_validate", { body: "a" });
    for (const { name } of ROUTES) {
      const { status } = await http.call(name);
      expect([name, status]).toEqual([name, isOpen(name) ? 200 : 429]);
    }
  });
});

describe("readiness", () => {
  const down = { name: "journal", error: `STORE_UNAVAILABLE: read: ${DETAIL}` };

  test("tells an open door the code alone, and the log the rest", async () => {
    const http = new HttpApp();
    http.checks = async () => [down, { name: "jobs", error: DETAIL }, { name: "holdfast-work" }];
    const answer = await http.call("health_ready");
    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("5");
    expect(answer.text).not.toMatch(LEAKS);
    expect(answer.body["checks"]).toEqual([
      { name: "journal", ok: false, error: "STORE_UNAVAILABLE" },
      { name: "jobs", ok: false, error: "INTERNAL" },
      { name: "holdfast-work", ok: true },
    ]);
    expect(http.logs).toMatchObject([
      { name: "check.failed", fields: { name: "journal", error: down.error } },
      { name: "check.failed" },
    ]);
  });

  test("asks the stores at most once a second, however many ask", async () => {
    const http = new HttpApp();
    let asked = 0;
    http.checks = async () => {
      asked += 1;
      return [];
    };
    const ask = () => Promise.all(Array.from({ length: 50 }, () => http.call("health_ready")));
    await ask();
    await http.runtime.clock.advance(999);
    await ask();
    expect(asked).toBe(1);
    await http.runtime.clock.advance(1);
    await ask();
    expect(asked).toBe(2);
  });

  test("a check that hangs is waited for, not asked again", async () => {
    const http = new HttpApp();
    let asked = 0;
    let answer: (checks: []) => void = () => undefined;
    http.checks = () => {
      asked += 1;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const first = http.call("health_ready");
    await http.runtime.clock.advance(5_000);
    const second = http.call("health_ready");
    await http.runtime.clock.advance(0);
    answer([]);
    expect([(await first).status, (await second).status, asked]).toEqual([200, 200, 1]);
  });

  test("wrong settings are told with Retry-After", async () => {
    const answer = await ready({ ok: false, issues: [{ message: "COSMOS_KEY: missing" }] });
    expect(answer.status).toBe(503);
    expect(answer.headers).toMatchObject({ ...HEADERS, "retry-after": "5" });
  });
});

describe("a submission that meets a store that is down", () => {
  const body = { workflow_id: "chain" };
  const headers = { "idempotency-key": "k" };

  test.each(["refused", "unanswered", "throttled"] as const)(
    "at any request, %s: 503 with Retry-After or accepted, and the key brings the one job",
    async (fault) => {
      for (let failing = 1; failing <= 4; failing += 1) {
        const http = new HttpApp();
        const { gate, store } = http.runtime;
        gate.rule = ({ number }) => (number === failing ? fault : undefined);
        const first = await http.call("jobs_submit", { headers, body });
        expect([202, 503]).toContain(first.status);
        if (first.status === 503) expect(first.headers["retry-after"]).toBe("5");
        gate.rule = () => undefined;
        const again = await http.call("jobs_submit", { headers, body });
        expect([200, 202]).toContain(again.status);
        const ids = store.allJobs().map((job) => job["job_id"]);
        expect(ids).toEqual([again.body["job_id"]]);
        if (first.status === 202) expect(again.body["job_id"]).toBe(first.body["job_id"]);
        expect(await http.runtime.runToEnd(ids[0] as string)).toBe("completed");
      }
    },
  );

  test("a queue that is down accepts: the sweeper sends", async () => {
    const http = new HttpApp();
    http.runtime.gate.rule = ({ operation }) =>
      operation === "queue.send" ? "refused" : undefined;
    const jobId = await http.submit();
    http.runtime.gate.rule = () => undefined;
    expect(await http.runtime.runToEnd(jobId)).toBe("completed");
  });
});
