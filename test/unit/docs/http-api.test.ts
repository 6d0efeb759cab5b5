// docs/http-api.md against the table of routes, the statuses of codes, and answers of the real
// handlers on stores in memory.
import { HttpRequest } from "@azure/functions";
import type { HttpRequestInit, HttpResponseInit } from "@azure/functions";
import { beforeAll, describe, expect, test } from "vitest";
import { checkDefinition } from "../../../src/catalog/check-definition.ts";
import { FileCatalog } from "../../../src/catalog/catalog.ts";
import { ERROR_CODES, WorkflowError } from "../../../src/core/error.ts";
import type { App } from "../../../src/functions/app.ts";
import { statusOf } from "../../../src/functions/problem.ts";
import { Readiness } from "../../../src/functions/readiness.ts";
import { ROUTES } from "../../../src/functions/routes.ts";
import { httpHandler } from "../../../src/functions/triggers.ts";
import { RateLimit } from "../../../src/runtime/rate-limit.ts";
import { foldStats } from "../../../src/runtime/fold-stats.ts";
import { VersionRegistry } from "../../../src/runtime/version-registry.ts";
import { JobWait } from "../../../src/runtime/wait-for-job.ts";
import { builtinHandlers } from "../../../src/tasks/builtin.ts";
import { MemoryClock } from "../../../src/memory/memory-clock.ts";
import { isFile } from "../../support/http-app.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { codeOf, headingsOf, readPage, tableOf } from "./page.ts";

const page = readPage("docs/http-api.md");
const rows = tableOf(page, "Routes");

test("the page has every route with its methods, auth level and function", () => {
  const shown = rows.map(([methods = "", path, auth, name]) => ({
    methods: methods.split(", "),
    route: codeOf(path).startsWith("/api/") ? codeOf(path).slice(5) : `v1${codeOf(path)}`,
    authLevel: auth,
    name: codeOf(name),
  }));
  const known = ROUTES.map(({ methods, route, authLevel, name }) => ({
    methods: [...methods],
    route,
    authLevel,
    name,
  }));
  expect(shown).toEqual(known);
});

test("each route leads to a part of the page that shows it", () => {
  const parts = page.text.split(/^## /m);
  for (const [methods = "", path, , name, what = ""] of rows) {
    if (codeOf(name) === "zz_not_found") continue;
    const anchor = /\(#([\w-]+)\)/.exec(what)?.[1] ?? "none";
    const title = headingsOf(page).find((one) => one.toLowerCase().replaceAll(" ", "-") === anchor);
    const part = parts.find((one) => one.startsWith(`${String(title)}\n`)) ?? "";
    expect(part.replace("?confirm=DESTROY", ""), codeOf(name)).toContain(
      `\`${methods} ${codeOf(path)}\``,
    );
  }
});

test("codes that the page names exist, with the status that stands before them", () => {
  const lines = page.text.replaceAll("\n", " ").matchAll(/Errors: (.*?)(?:With any|```|<!--|## )/g);
  let examined = 0;
  for (const [, list = ""] of lines) {
    for (const group of list.split("·")) {
      const status = Number(/\d{3}/.exec(group)?.[0]);
      for (const [, name = ""] of group.matchAll(/`([A-Z]+_[A-Z_]+)`/g)) {
        const code = ERROR_CODES.find((one) => one === name);
        expect(code, name).toBeDefined();
        expect(statusOf(new WorkflowError(code ?? "INTERNAL", "x")), name).toBe(status);
        examined += 1;
      }
    }
  }
  expect(examined).toBeGreaterThan(20);
});

type Answer = Readonly<Record<string, unknown>>;

/** The answer that the page shows for a function. */
function shownAnswer(name: string): Answer {
  const [, block] =
    new RegExp(`<!-- answer: ${name} -->\\s*\`\`\`json\\n(.*?)\`\`\``, "s").exec(page.text) ?? [];
  if (block === undefined) throw new Error(`no answer of ${name}`);
  return JSON.parse(block) as Answer;
}

/** Every way into a value; the places of a list count as one. */
function pathsOf(value: unknown, path = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => pathsOf(one, `${path}[]`));
  if (typeof value !== "object" || value === null) return [path];
  const inside = Object.entries(value).flatMap(([key, one]) => pathsOf(one, `${path}.${key}`));
  return [path, ...inside];
}

describe("answers", () => {
  const answers = new Map<string, { readonly status: number; readonly body: Answer }>();
  const clock = new MemoryClock();
  const handlers = builtinHandlers({ http: { allow: [] }, clock });
  const runtime = new TestRuntime({ handlers });
  let app: App;

  async function call(name: string, url: string, init: Partial<HttpRequestInit> = {}) {
    const route = ROUTES.find((one) => one.name === name);
    if (route === undefined) throw new Error(`no route ${name}`);
    const handler = httpHandler(route, {
      app: () => ({ ok: true, app }),
      log: { write: () => undefined },
    });
    const [method = "GET"] = route.methods;
    const target = `https://a.example/api/v1${url}`;
    const request = new HttpRequest({ method, url: target, ...init });
    const response: HttpResponseInit = await handler(request, { invocationId: "i" } as never);
    const body = JSON.parse(response.body as string) as Answer;
    answers.set(name, { status: Number(response.status), body });
    return body;
  }

  const json = { "content-type": "application/json" };
  const submission = { workflow_id: "echo_test", input_params: { message: "hello" } };

  async function submit(more: object, headers: Readonly<Record<string, string>> = {}) {
    const body = { string: JSON.stringify({ ...submission, ...more }) };
    const answer = await call("jobs_submit", "/jobs", { headers: { ...json, ...headers }, body });
    return String(answer["job_id"]);
  }

  beforeAll(async () => {
    const { engine, sessions } = runtime.first;
    const catalog = new FileCatalog({ folder: "workflows", handlers: engine.handlers.known });
    const versions = new VersionRegistry(engine, runtime.store.definitions, { mayRedefine: false });
    const rate = new RateLimit({ clock, perMinute: 0, burst: 0 });
    app = {
      engine,
      sessions,
      waits: new JobWait(engine, 8),
      stats: { store: runtime.store.stats, engine, delaySeconds: 30 },
      submitter: { engine, catalog, versions, vars: {} },
      catalog,
      admin: runtime.store.admin,
      readiness: new Readiness({ ...engine, admin: runtime.store.admin }),
      auth: { mode: "keys" },
      rates: { submit: rate, read: rate },
      allowRebuild: true,
      checkDefinition: async (text) => checkDefinition(text),
      prepared: async () => undefined,
    };
    const cancelled = await submit({});
    const reason = { string: JSON.stringify({ reason: "wrong file" }) };
    await call("jobs_cancel", `/jobs/${cancelled}/cancel`, {
      params: { job_id: cancelled },
      headers: { ...json, "content-length": "23" },
      body: reason,
    });
    const job_id = await submit({ submitted_by: "ada" }, { "idempotency-key": "order-4711" });
    await runtime.runToEnd(job_id);
    const params = { job_id, node_id: "echo" };
    for (const part of ["get", "events", "timeline", "snapshot", "result", "provenance"]) {
      await call(`jobs_${part}`, `/jobs/${job_id}/${part}`, { params });
    }
    await call("jobs_node", `/jobs/${job_id}/nodes/echo`, { params });
    const body = { string: JSON.stringify(submission) };
    await call("jobs_validate", "/jobs/validate", { headers: json, body });
    await runtime.clock.advance(60_000);
    await foldStats(app.stats);
    await call("stats_get", "/stats");
    await call("jobs_list", "/jobs", { query: { limit: "1", workflow_id: "echo_test" } });
    const jobs = [submission, { workflow_id: "none" }];
    const batch = { string: JSON.stringify({ jobs }) };
    await call("jobs_batch", "/jobs/batch", { headers: json, body: batch });
    await call("workflows_list", "/workflows");
    await call("workflows_get", "/workflows/echo_test", { params: { workflow_id: "echo_test" } });
    const nodes = "nodes: { s: { type: start, next: e }, e: { type: end } }";
    const yaml = `workflow_id: a\nversion: 1\n${nodes}`;
    await call("workflows_validate", "/workflows/validate", { body: { string: yaml } });
    await call("handlers_list", "/handlers");
    await call("health_live", "/health/live");
    await call("health_ready", "/health/ready");
    await call("bootstrap_rebuild", "/bootstrap/rebuild", { query: { confirm: "DESTROY" } });
  });

  const names = ROUTES.map(({ name }) => name).filter(
    (name) => name !== "zz_not_found" && !isFile(name),
  );

  test.each(names)("%s answers with the members that the page shows", (name) => {
    const answer = answers.get(name);
    const shown = shownAnswer(name);
    expect(answer?.status).toBe(name === "jobs_submit" || name === "jobs_cancel" ? 202 : 200);
    expect(Object.keys(answer?.body ?? {}).sort()).toEqual(Object.keys(shown).sort());
    const real = new Set(pathsOf(answer?.body));
    expect(pathsOf(shown).filter((path) => !real.has(path))).toEqual([]);
  });

  test("a refused submission is answered as the problem that the page shows", async () => {
    const shownProblem = /\{\s+"type": "urn:holdfast:error:INPUT_INVALID".*?\n\}/s;
    const [block = ""] = shownProblem.exec(page.text) ?? [];
    const problem = await call("jobs_submit", "/jobs", {
      headers: json,
      body: { string: JSON.stringify({ ...submission, input_params: { steps: 99 } }) },
    });
    expect(problem["code"]).toBe("INPUT_INVALID");
    expect(Object.keys(problem)).toEqual(Object.keys(JSON.parse(block) as Answer));
    const missing = await call("jobs_submit", "/jobs", {
      headers: json,
      body: { string: JSON.stringify({ workflow_id: "no_such" }) },
    });
    expect(missing["code"]).toBe("WORKFLOW_NOT_FOUND");
  });
});
