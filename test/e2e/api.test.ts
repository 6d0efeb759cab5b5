// The HTTP surface: who may call, what is refused and how, in which shape. Every refusal is a
// problem with a stable code, says everything that is wrong at once, and creates nothing.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  POISON_FUNCTION,
  SWEEP_FUNCTION,
  WORK_FUNCTION,
} from "../../src/functions/function-table.ts";
import { ROUTES } from "../../src/functions/routes.ts";
import { LOCAL_KEYS } from "../../src/local/host.ts";
import { pathOfRoute } from "../support/app-client.ts";
import type { Answer, CallOptions } from "../support/app-client.ts";
import { appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";

const UNKNOWN_JOB = "01890000-0000-7000-8000-000000000000";
const GREET = `
workflow_id: greet
version: 1
inputs:
  name: { type: string, required: true, min: 2 }
  count: { type: integer, default: 1, max: 9 }
nodes:
  start: { type: start, next: hi }
  hi: { type: task, handler: echo, params: { message: "{{ inputs.name }}" }, next: end }
  end: { type: end }
`;
const BROKEN = `workflow_id: broken
version: 1
nodes:
  start: { type: start, next: nowhere }
  end: { type: ent }
`;

let fixture: AppFixture;
let app: StartedApp;

beforeAll(async () => {
  fixture = await appFixture();
  app = await fixture.start({
    workflows: {
      "greet.yaml": GREET,
      "greet-2.yaml": GREET.replace("version: 1", "version: 2").replace("max: 9", "max: 99"),
      "greet-3.yaml": GREET.replace("version: 1", "version: 3\nis_active: false"),
      "resting.yaml": GREET.replace("greet\nversion: 1", "resting\nversion: 1\nis_active: false"),
      "broken.yaml": BROKEN,
      "twin.yaml": GREET.replace("greet", "twin"),
      "twin-too.yaml": GREET.replace("greet", "twin").replace("max: 9", "max: 8"),
    },
  });
});
afterAll(() => fixture.stop());

/** A problem as RFC 9457 has it, with our code, and never an answer of another kind. */
function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.body.code, answer.text]).toEqual([status, code, answer.text]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.body).toMatchObject({
    type: `urn:holdfast:error:${code}`,
    title: expect.stringMatching(/^[A-Z][a-z ]+$/),
    status,
    detail: expect.stringMatching(/./),
    instance: expect.stringMatching(/^urn:invocation:./),
  });
}

function posted(path: string, options: CallOptions): Promise<Answer> {
  return app.call("POST", path, options);
}

function pointers({ body }: Answer): readonly string[] {
  return (body.issues ?? []).map(({ pointer }) => pointer ?? "none").toSorted();
}

const jsonBody = { headers: { "content-type": "application/json" } };

describe("who may call", () => {
  test("every route but health and files asks for a key, rebuild for the master key", async () => {
    for (const { name, methods, route, authLevel } of ROUTES) {
      const path = pathOfRoute(route, UNKNOWN_JOB);
      const isOpen = authLevel === "anonymous";
      expect([name, isOpen]).toEqual([name, /^(?:health|api|ui)(?:_|$)/.test(name)]);
      const none = await app.call(methods[0] ?? "GET", path, { key: null });
      expect([name, none.status]).toEqual([name, isOpen ? 200 : 401]);
      const wrong = await app.call(methods[0] ?? "GET", path, { key: "wrong" });
      expect([name, wrong.status]).toEqual([name, isOpen ? 200 : 401]);
      const isAdmin = name === "bootstrap_rebuild";
      expect([name, authLevel]).toEqual([
        name,
        isOpen ? "anonymous" : isAdmin ? "admin" : "function",
      ]);
    }
    expect((await app.call("POST", "/bootstrap/rebuild")).status).toBe(401);
  });

  test("a client's own principal header is not believed", async () => {
    const headers = { "x-ms-client-principal-id": "root" };
    const body = { workflow_id: "greet", input_params: { name: "me" } };
    const { body: job } = await app.call("POST", "/jobs", { body, headers });
    expect(job["authenticated_as"]).toBe("key");
  });
});

describe("what is not there", () => {
  test("a file's address with a slash at its end leads to the one without", async () => {
    for (const path of ["/../ui", "/docs", "/openapi.json"]) {
      const asked = await app.call("GET", path, { key: null });
      const slashed = await app.call("GET", `${path}/`, { key: null });
      expect([slashed.status, slashed.text === asked.text]).toEqual([200, true]);
    }
  });

  test("an unknown method of a path is a problem that names the others", async () => {
    for (const [method, path, allow] of [
      ["DELETE", "/jobs", "POST, GET"],
      ["PUT", `/jobs/${UNKNOWN_JOB}`, "GET"],
      ["PATCH", "/workflows/greet", "GET"],
      ["POST", "/Health/live/", "GET"],
      ["GET", "/bootstrap/rebuild", "POST"],
    ] as const) {
      const answer = await app.call(method, path);
      expectProblem(answer, 405, "METHOD_NOT_ALLOWED");
      expect([answer.headers.get("allow"), answer.body["allow"]]).toEqual([allow, allow]);
    }
    expect((await app.call("HEAD", "/jobs")).status).toBe(405);
  });

  test("an unknown path is a problem", async () => {
    const nowhere = [
      ["GET", "/nothing"], ["GET", ""], ["GET", "/jobs/a/b/c/d"], ["PUT", "/jobs/a/nodes"],
      ["GET", "/../v2/jobs"],
    ] as const;
    for (const [method, path] of nowhere) {
      const answer = await app.call(method, path);
      expectProblem(answer, 404, "ROUTE_NOT_FOUND");
      expect(answer.body.detail).toContain(method);
    }
  });

  test("a job id that is none, odd or unknown names no job", async () => {
    const ids = [UNKNOWN_JOB, "x", "%00", "a%2Fb", "%F0%9F%92%A5", "'or 1=1", "_", "0"];
    for (const id of ids) {
      for (const part of ["", "/events", "/snapshot", "/result", "/provenance", "/nodes/a"]) {
        expectProblem(await app.get(`/jobs/${id}${part}`), 404, "JOB_NOT_FOUND");
      }
      expectProblem(await app.call("POST", `/jobs/${id}/cancel`), 404, "JOB_NOT_FOUND");
    }
  });

  test("a message shows only the beginning of a long id, on one line", async () => {
    const { body } = await app.get(`/jobs/${"a".repeat(500)}%0Ab`);
    expect(body.detail).not.toMatch(/\n|a{65}/);
  });

  test("an unknown node, workflow or version is named", async () => {
    const jobId = await app.submit("greet", { input_params: { name: "me" } });
    for (const node of ["nope", "_provenance", "__proto__", "constructor", "a%2Fb", "HI"]) {
      expectProblem(await app.get(`/jobs/${jobId}/nodes/${node}`), 404, "NODE_NOT_FOUND");
    }
    for (const id of ["nope", "__proto__", "Greet", "a%20b"]) {
      expectProblem(await app.get(`/workflows/${id}`), 404, "WORKFLOW_NOT_FOUND");
    }
    const unknown = await app.post("/jobs", { workflow_id: "gret" });
    expectProblem(unknown, 404, "WORKFLOW_NOT_FOUND");
    expect(unknown.body.detail).toContain('did you mean "greet"');
    const version = await app.post("/jobs", { workflow_id: "greet", version: 9 });
    expectProblem(version, 404, "WORKFLOW_NOT_FOUND");
    expect(version.body.detail).toContain("found 1, 2, 3");
    await app.ended(jobId);
  });
});

describe("what a body may be", () => {
  test("JSON in UTF-8 that says it is", async () => {
    const good = '{"workflow_id": "greet", "input_params": {"name": "me"}}';
    const cases: readonly (readonly [string, CallOptions, number, string])[] = [
      ["no type", { body: new TextEncoder().encode(good) }, 415, "UNSUPPORTED_MEDIA_TYPE"],
      ["text", { body: good, headers: { "content-type": "text/plain" } }, 415,
        "UNSUPPORTED_MEDIA_TYPE"],
      ["a form", { body: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } },
        415, "UNSUPPORTED_MEDIA_TYPE"],
      ["no JSON", { body: "{", ...jsonBody }, 400, "BAD_REQUEST"],
      ["nothing", { body: "", ...jsonBody }, 400, "BAD_REQUEST"],
      ["a list", { body: "[]", ...jsonBody }, 400, "BAD_REQUEST"],
      ["null", { body: "null", ...jsonBody }, 400, "BAD_REQUEST"],
      ["a number", { body: "1e999", ...jsonBody }, 400, "BAD_REQUEST"],
      ["bad UTF-8", { body: Uint8Array.of(0x22, 0xff, 0x22), ...jsonBody }, 400, "BAD_REQUEST"],
      ["a lone surrogate", { body: '{"workflow_id": "\\ud800"}', ...jsonBody }, 400, "BAD_REQUEST"],
      ["deep nesting", { body: `${"[".repeat(90)}${"]".repeat(90)}`, ...jsonBody }, 400,
        "BAD_REQUEST"],
    ];
    for (const [, options, status, code] of cases) {
      expectProblem(await posted("/jobs", options), status, code);
    }
    const charset = { "content-type": "application/json; charset=utf-8" };
    expect((await posted("/jobs", { body: good, headers: charset })).status).toBe(202);
    const suffix = { "content-type": "application/vnd.api+json" };
    expect((await posted("/jobs", { body: good, headers: suffix })).status).toBe(202);
  });

  test("at most 512 KiB", async () => {
    const body = JSON.stringify({ workflow_id: "greet", pad: "x".repeat(512 * 1024) });
    expectProblem(await posted("/jobs", { body, ...jsonBody }), 413, "BODY_TOO_LARGE");
    const yaml = "#".repeat(64 * 1024 + 1);
    expectProblem(await posted("/workflows/validate", { body: yaml }), 413, "BODY_TOO_LARGE");
  });

  test("only known fields, each of its kind, all told at once", async () => {
    const answer = await app.post("/jobs", {
      workflow_id: "Greet!", version: 1.5, input_params: [], correlation_id: "", tags: ["", 1],
      submitted_by: "x".repeat(257), job_id: "mine", "a/b~c": 1,
    });
    expectProblem(answer, 400, "BAD_REQUEST");
    expect(pointers(answer)).toEqual([
      "/a~1b~0c", "/correlation_id", "/input_params", "/job_id", "/submitted_by", "/tags/0",
      "/tags/1", "/version", "/workflow_id",
    ]);
    expect(answer.text).toContain('unknown field \\"job_id\\"');
    const empty = await app.post("/jobs", {});
    expect(empty.text).toContain("/workflow_id: expected string, got nothing");
  });

  test("no key that could reach a prototype", async () => {
    for (const key of ["__proto__", "constructor", "prototype"]) {
      const body = `{"workflow_id": "greet", "input_params": {"${key}": {"a": 1}}}`;
      const answer = await posted("/jobs", { body, ...jsonBody });
      expectProblem(answer, 400, "BAD_REQUEST");
      expect(pointers(answer)).toEqual([`/input_params/${key}`]);
    }
  });
});

describe("what is refused by the definition", () => {
  test("inputs, all problems at once", async () => {
    const input_params = { name: "x", count: 100, other: true };
    const answer = await app.post("/jobs", { workflow_id: "greet", input_params });
    expectProblem(answer, 422, "INPUT_INVALID");
    expect(pointers(answer)).toEqual([
      "/input_params/count", "/input_params/name", "/input_params/other",
    ]);
    const missing = await app.post("/jobs", { workflow_id: "greet" });
    expect(pointers(missing)).toEqual(["/input_params/name"]);
  });

  test("a broken file, with file, line, column and hint, and it hides no other", async () => {
    const answer = await app.post("/jobs", { workflow_id: "broken" });
    expectProblem(answer, 422, "DEFINITION_INVALID");
    expect(answer.body.issues.length).toBeGreaterThan(0);
    for (const issue of answer.body.issues) {
      expect(issue).toMatchObject({ file: "broken.yaml", line: expect.any(Number) });
      expect(issue.column).toBeGreaterThan(0);
    }
    expect(answer.body.issues.some(({ hint }) => hint !== undefined)).toBe(true);
  });

  test("an inactive workflow or version, and two files for one version", async () => {
    const input_params = { name: "me" };
    const resting = await app.post("/jobs", { workflow_id: "resting", input_params });
    expectProblem(resting, 409, "WORKFLOW_INACTIVE");
    const third = await app.post("/jobs", { workflow_id: "greet", version: 3, input_params });
    expectProblem(third, 409, "WORKFLOW_INACTIVE");
    const newest = await app.post("/jobs", { workflow_id: "greet", input_params });
    expect(newest.body.workflow_version).toBe(2);
    const twin = await app.post("/jobs", { workflow_id: "twin", input_params });
    expectProblem(twin, 409, "VERSION_CONFLICT");
    expect(twin.text.match(/sha256:[0-9a-f]{64}/g)).toHaveLength(2);
  });

  test("nothing that was refused left a job behind", async () => {
    const ids = ["broken", "resting", "twin", "gret"];
    const lists = await Promise.all(ids.map((id) => app.get(`/jobs?workflow_id=${id}`)));
    expect(lists.map(({ body }) => body["count"])).toEqual([0, 0, 0, 0]);
  });
});

describe("workflows and handlers", () => {
  test("the list has every file with its standing", async () => {
    const { body } = await app.get("/workflows");
    const rows = body["workflows"] as readonly Record<string, unknown>[];
    const standing = rows.map(({ file, status, version }) => [file, status, version]);
    expect(standing).toEqual([
      ["broken.yaml", "invalid", 1], ["greet.yaml", "ok", 1], ["greet-2.yaml", "ok", 2],
      ["greet-3.yaml", "ok", 3], ["resting.yaml", "ok", 1], ["twin-too.yaml", "conflict", 1],
      ["twin.yaml", "conflict", 1],
    ]);
    expect(rows[0]?.["issues"]).toMatchObject([{ file: "broken.yaml" }, { file: "broken.yaml" }]);
  });

  test("one workflow comes with every version's definition, source and digest", async () => {
    const { body } = await app.get("/workflows/greet");
    expect(body["versions"]).toMatchObject([
      { version: 1, source: GREET, definition: { inputs: { count: { max: 9 } } } },
      { version: 2, definition: { inputs: { count: { max: 99 } } } },
      { version: 3, is_active: false },
    ]);
    const broken = (await app.get("/workflows/broken")).body["versions"];
    expect(broken).toMatchObject([{ status: "invalid", version: 1 }]);
    const twins = (await app.get("/workflows/twin")).body["versions"];
    expect(twins).toMatchObject([{ status: "conflict" }, { status: "conflict" }]);
  });

  test("validate answers 200 with the issues or the digest that a job would pin", async () => {
    const good = await posted("/workflows/validate", { body: GREET });
    expect(good.body).toMatchObject({ valid: true, issues: [], workflow_id: "greet", version: 1 });
    const input_params = { name: "me" };
    const job = await app.post("/jobs", { workflow_id: "greet", version: 1, input_params });
    expect(good.body.workflow_digest).toBe(job.body.workflow_digest);
    const bad = await posted("/workflows/validate", { body: BROKEN });
    expect([bad.status, bad.body["valid"]]).toEqual([200, false]);
    expect(bad.body.issues[0]).toMatchObject({ line: expect.any(Number) });
    const binary = await posted("/workflows/validate", { body: Uint8Array.of(0xc3, 0x28) });
    expectProblem(binary, 400, "BAD_REQUEST");
    const empty = await posted("/workflows/validate", { body: "" });
    expect([empty.status, empty.body["valid"]]).toEqual([200, false]);
  });

  test("every handler is listed with its version and schemas", async () => {
    const { body } = await app.get("/handlers");
    const handlers = body["handlers"] as readonly Record<string, unknown>[];
    expect(handlers.map(({ name }) => name)).toEqual([
      "check", "chunk", "echo", "fail", "flaky_echo", "hello_world", "http_request", "parse_csv",
      "sleep", "transform",
    ]);
    expect(handlers[0]).toMatchObject({ version: "1", description: expect.any(String) });
  });
});

test("the host's own list names exactly the functions of the table", async () => {
  const response = await fetch(`${app.url}/admin/functions`, {
    headers: { "x-functions-key": LOCAL_KEYS.master },
  });
  const names = ((await response.json()) as readonly { name: string }[]).map(({ name }) => name);
  const expected = [...ROUTES.map(({ name }) => name), WORK_FUNCTION, POISON_FUNCTION];
  expect(names.toSorted()).toEqual([...expected, SWEEP_FUNCTION].toSorted());
});
