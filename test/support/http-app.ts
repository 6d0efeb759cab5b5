// The HTTP functions on stores in memory, without a host: requests go into the real handlers of the
// real table of routes. What the host does before (keys, routing) is for the end-to-end tests.
import functions from "@azure/functions";
import type { HttpRequest, HttpRequestInit } from "@azure/functions";
import { openApiDocument } from "../../src/api/openapi.ts";
import { documentPage } from "../../src/api/page.ts";
import { FileCatalog } from "../../src/catalog/catalog.ts";
import { checkDefinition } from "../../src/catalog/check-definition.ts";
import type { App, AppResult } from "../../src/functions/app.ts";
import type { AuthMode } from "../../src/functions/caller.ts";
import { Readiness } from "../../src/functions/readiness.ts";
import { ROUTES } from "../../src/functions/routes.ts";
import type { Route } from "../../src/functions/routes.ts";
import { httpHandler } from "../../src/functions/triggers.ts";
import { OpenJobs } from "../../src/runtime/open-jobs.ts";
import { MemoryClock } from "../../src/memory/memory-clock.ts";
import { RateLimit } from "../../src/runtime/rate-limit.ts";
import { JobWait } from "../../src/runtime/wait-for-job.ts";
import { builtinHandlers } from "../../src/tasks/builtin.ts";
import { operationNamed, undocumented } from "./documented.ts";
import type { Given } from "./documented.ts";
import type { LogRow } from "./runtime.ts";
import { TestRuntime } from "./runtime.ts";
import { chain, echo } from "./shapes.ts";

/** As the setting has it. */
export const MAX_WAITING = 8;

export interface HttpAppOptions {
  readonly auth?: AuthMode;
  readonly submitPerMinute?: number;
  readonly readPerMinute?: number;
  readonly maxOpenJobs?: number;
  readonly maxOpenJobsPerCaller?: number;
  readonly allowRebuild?: boolean;
  /** The built-in handlers and the shipped workflows, instead of one handler and one chain. */
  readonly shipped?: boolean;
}

export interface Sent {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** The query as it stands in the address, where that matters: `?a=1&a=2`. */
  readonly search?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, text as it stands. */
  readonly body?: object | string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** As the library makes it; by the module's default, for it names no exports to ES modules. */
export function requestWith(init: HttpRequestInit): HttpRequest {
  return new functions.HttpRequest(init);
}

export function routeOf(name: string): Route {
  const route = ROUTES.find((one) => one.name === name);
  if (route === undefined) throw new Error(`no route ${name}`);
  return route;
}

export class HttpApp {
  readonly runtime: TestRuntime;
  readonly app: App;
  readonly logs: LogRow[] = [];
  /** What readiness is told; by default that all is well. */
  checks: () => Promise<readonly { readonly name: string; readonly error?: string }[]>;

  constructor(options: HttpAppOptions = {}) {
    const builtin = builtinHandlers({ http: { allow: [] }, clock: new MemoryClock() });
    this.runtime = new TestRuntime({ handlers: options.shipped === true ? builtin : [echo] });
    this.runtime.catalog.put(chain(2));
    const { store, catalog, clock } = this.runtime;
    const { engine, sessions, versions } = this.runtime.first;
    const log = {
      write: (level: string, name: string, fields: LogRow["fields"]): void => {
        this.logs.push({ level, name, fields });
      },
    };
    this.checks = () => store.admin.check();
    const files =
      options.shipped === true
        ? new FileCatalog({ folder: "workflows", handlers: engine.handlers.known })
        : undefined;
    const { maxOpenJobs: max = 0, maxOpenJobsPerCaller: maxPerCaller = 0 } = options;
    const openJobs = new OpenJobs({ engine: { ...engine, log }, max, maxPerCaller });
    this.app = {
      engine,
      sessions,
      waits: new JobWait(engine, MAX_WAITING),
      stats: { store: store.stats, engine, delaySeconds: 30 },
      submitter: { engine, catalog: files ?? catalog, versions, vars: {}, openJobs },
      catalog: files ?? {
        find: (id) => catalog.find(id),
        list: async () => [],
        versions: async () => [],
      },
      checkDefinition: async (text) => checkDefinition(text),
      admin: store.admin,
      readiness: new Readiness({ admin: { check: () => this.checks() }, clock, log }),
      auth: options.auth ?? { mode: "keys" },
      rates: {
        submit: this.#rate(options.submitPerMinute ?? 0),
        read: this.#rate(options.readPerMinute ?? 0),
      },
      allowRebuild: options.allowRebuild ?? false,
      prepared: async () => undefined,
    };
  }

  #rate(perMinute: number): RateLimit {
    return new RateLimit({ clock: this.runtime.clock, perMinute, burst: perMinute });
  }

  async call(name: string, sent: Sent = {}): Promise<Answered> {
    const { body, params, query } = sent;
    const route = routeOf(name);
    const isJson = typeof body === "object";
    const headers = { ...(isJson ? { "content-type": "application/json" } : {}), ...sent.headers };
    const init: HttpRequestInit = {
      method: route.methods[0] ?? "GET",
      url: `https://a.example/api/${route.route.replace(/[{}*]/g, "")}${sent.search ?? ""}`,
      headers,
      ...(params === undefined ? {} : { params: { ...params } }),
      ...(query === undefined ? {} : { query: { ...query } }),
      ...(body === undefined ? {} : { body: { string: isJson ? JSON.stringify(body) : body } }),
    };
    return this.send(name, requestWith(init));
  }

  async send(name: string, request: HttpRequest): Promise<Answered> {
    const log = { write: () => undefined };
    const app = (): AppResult => ({ ok: true, app: this.app });
    const handler = httpHandler(routeOf(name), { app, log, files: apiFile });
    const answer = await handler(request, { invocationId: "the-invocation" } as never);
    const text = (answer.body as string | undefined) ?? "";
    const headers = answer.headers as Readonly<Record<string, string>>;
    const status = answer.status ?? 200;
    assertDocumented(name, { status, type: headers["content-type"] ?? "", text });
    const isJson = text !== "" && (headers["content-type"] ?? "").includes("json");
    return { status, headers, text, body: isJson ? (JSON.parse(text) as Answered["body"]) : {} };
  }

  /** Submits and answers the job's id. */
  async submit(headers: Readonly<Record<string, string>> = {}, more: object = {}): Promise<string> {
    const answer = await this.call("jobs_submit", {
      headers,
      body: { workflow_id: "chain", ...more },
    });
    if (answer.status !== 202) throw new Error(`submit: ${answer.status} ${answer.text}`);
    return String(answer.body["job_id"]);
  }
}

const document = openApiDocument("0.0.0");
/** As the build writes them; what a test does not read is a word. */
const FILES: Readonly<Record<string, string>> = {
  "openapi.json": JSON.stringify(document),
  "docs.html": documentPage(document),
};

async function apiFile(name: string): Promise<string> {
  return FILES[name] ?? "/* the file */";
}

/** Every answer that a test gets is one that the document describes. */
function assertDocumented(name: string, given: Given): void {
  const operation = operationNamed(name);
  const problem = operation === undefined ? undefined : undocumented(operation, given);
  if (problem !== undefined) throw new Error(`not as documented: ${problem}`);
}

/** Files of the build: the same for everybody, whatever the settings are. */
export function isFile(name: string): boolean {
  return /^(?:api|ui)(?:_|$)/.test(name);
}

/** Open to everybody: health, and files of the build. */
export function isOpen(name: string): boolean {
  return name.startsWith("health_") || isFile(name);
}

export const PLATFORM: AuthMode = { mode: "platform", adminRole: "Holdfast.Admin" };

/** The headers that App Service authentication puts in for a signed-in caller of Entra. */
export function principal(id: string, roles: readonly string[] = []): Record<string, string> {
  const claims = [
    { typ: "http://schemas.microsoft.com/identity/claims/objectidentifier", val: id },
    { typ: "http://schemas.microsoft.com/identity/claims/tenantid", val: "tenant" },
    ...roles.map((val) => ({ typ: "roles", val })),
  ];
  return {
    "x-ms-client-principal": encoded({
      auth_typ: "aad",
      name_typ: "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
      role_typ: "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
      claims,
    }),
    "x-ms-client-principal-id": id,
    "x-ms-client-principal-name": `${id}@example.org`,
    "x-ms-client-principal-idp": "aad",
  };
}

export function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64");
}
