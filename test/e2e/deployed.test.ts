// The smoke test that runs after a deployment, against an app that is well and against some that
// are not: each failure says what, where, expected, got.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { smoke } from "../../build/smoke.mjs";
import { LOCAL_KEYS } from "../../src/local/host.ts";
import { appFixture, HOLD_QUEUE, SHIPPED_WORKFLOWS } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import { startServer } from "../support/http-server.ts";
import type { Respond, TestServer } from "../support/http-server.ts";

const QUICK = { readyMs: 300, endMs: 300, pauseMs: 20, runId: "1" };
const JOB = "01a202b2-0d8f-7c31-9d3f-5a1b2c3d4e5f";
const DIGEST = `sha256:${"a".repeat(64)}`;

async function tried(url: string, more: object = {}) {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const isWell = await smoke({ url, key: LOCAL_KEYS.host, say, ...QUICK, ...more });
  return { isWell, lines, last: lines.at(-1) ?? "" };
}

describe("an app that is well", () => {
  let fixture: AppFixture;
  let app: StartedApp;
  beforeAll(async () => {
    fixture = await appFixture();
    app = await fixture.start({ folder: SHIPPED_WORKFLOWS });
  });
  afterAll(() => fixture.stop());

  test("is tried from readiness to provenance", async () => {
    const { isWell, lines } = await tried(app.url, { endMs: 20_000 });
    expect(isWell, lines.join("\n")).toBe(true);
    const words = lines.map((line) => line.split(" ", 1)[0]);
    expect(words).toEqual(["ready", "accepted", "ended", "proven", "repeated", "refused"]);
    expect((await app.get("/jobs")).body["count"]).toBe(1);
  });

  test("with a wrong key the first request that needs one fails", async () => {
    const { isWell, last } = await tried(app.url, { key: "wrong", runId: "2" });
    expect(isWell).toBe(false);
    expect(last).toContain("POST /jobs: status: expected 202, got 401");
  });

  test("a job that does not end is told with its id", async () => {
    const held = await fixture.start({ folder: SHIPPED_WORKFLOWS, env: HOLD_QUEUE });
    const { isWell, last } = await tried(held.url, { runId: "3" });
    expect(isWell).toBe(false);
    expect(last).toMatch(/job [0-9a-f-]{36}: not ended within 0 s: pending/);
  });
});

describe("an app that is not", () => {
  let server: TestServer;
  const url = () => `http://127.0.0.1:${server.port}`;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  /** Answers by method and path; anything else is 404. */
  function answers(given: Readonly<Record<string, readonly [number, object]>>): Respond {
    return (response, { method, url: path, headers }) => {
      const open = headers["x-functions-key"] !== undefined || path.endsWith("/ready");
      const [status, body] = open
        ? (given[`${method} ${path.replace("/api/v1", "")}`] ?? [404, { code: "ROUTE_NOT_FOUND" }])
        : [401, {}];
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
  }
  const ready = [200, { status: "ready", build: "holdfast@0.1.0+x", checks: [] }] as const;
  const accepted = { job_id: JOB, workflow_version: 1, workflow_digest: DIGEST };

  test("that never gets ready is told with what is missing, once", async () => {
    const checks = [
      { name: "journal", ok: false, error: "ACCESS_DENIED", hint: "roles are on their way" },
      { name: "jobs", ok: true },
    ];
    server.answer(answers({ "GET /health/ready": [503, { status: "not ready", checks }] }));
    const { isWell, lines } = await tried(url());
    expect(isWell).toBe(false);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain("journal ACCESS_DENIED (roles are on their way)");
    expect(lines[1]).toMatch(/^FAILED +not ready within 0 s: .*expected 200, got 503/);
  });

  test.each([
    ["failed", { status: "failed" }, "status: expected completed, got failed"],
    [
      "completed by another version",
      { workflow_version: 2 },
      "_provenance.workflow_version: expected 1, got 2",
    ],
    ["without a time", { completed_at: "soon" }, "completed_at: expected a time, got soon"],
  ])("whose job is %s is told", async (_name, change, told) => {
    const provenance = { workflow_id: "hello_world", ...accepted, completed_at: "2026-01-01" };
    const { status = "completed", ...more } = change as { status?: string };
    const result_data = { _provenance: { ...provenance, ...more } };
    server.answer(
      answers({
        "GET /health/ready": ready,
        "POST /jobs": [202, accepted],
        [`GET /jobs/${JOB}`]: [200, { ...accepted, status }],
        [`GET /jobs/${JOB}/result`]: [200, { result_data }],
      }),
    );
    const { isWell, last } = await tried(url());
    expect([isWell, last]).toEqual([false, expect.stringContaining(told)]);
  });

  test("that answers something else than JSON is told with the beginning of it", async () => {
    server.answer((response) => response.end("<html>sign in</html>"));
    const { isWell, last } = await tried(url());
    expect([isWell, last]).toEqual([
      false,
      expect.stringContaining("expected JSON, got 200 <html>sign in"),
    ]);
  });

  test("that nobody answers for is told", async () => {
    const { isWell, last } = await tried("http://127.0.0.1:9");
    expect(isWell).toBe(false);
    expect(last).toMatch(/GET http:\/\/127\.0\.0\.1:9\/api\/v1\/health\/ready: \S+/);
  });
});
