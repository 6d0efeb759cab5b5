// The HTTP functions on stores in memory, without a host: requests go into the real handlers of the
// real table of routes. What the host does before (keys, routing) is for the end-to-end tests.
import functions from "@azure/functions";
import type { HttpRequest, HttpRequestInit } from "@azure/functions";
import { checkDefinition } from "../../src/catalog/check-definition.ts";
import type { App } from "../../src/functions/app.ts";
import type { AuthMode } from "../../src/functions/caller.ts";
import { Readiness } from "../../src/functions/readiness.ts";
import { ROUTES } from "../../src/functions/routes.ts";
import type { Route } from "../../src/functions/routes.ts";
import { httpHandler } from "../../src/functions/triggers.ts";
import { OpenJobs } from "../../src/runtime/open-jobs.ts";
import { RateLimit } from "../../src/runtime/rate-limit.ts";
import type { LogRow } from "./runtime.ts";
import { TestRuntime } from "./runtime.ts";
import { chain, echo } from "./shapes.ts";

export interface HttpAppOptions {
  readonly auth?: AuthMode;
  readonly submitPerMinute?: number;
  readonly readPerMinute?: number;
  readonly maxOpenJobs?: number;
  readonly maxOpenJobsPerCaller?: number;
  readonly allowRebuild?: boolean;
}

export interface Sent {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
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
    this.runtime = new TestRuntime({ handlers: [echo] });
    this.runtime.catalog.put(chain(2));
    const { store, catalog, clock } = this.runtime;
    const { engine, sessions, versions } = this.runtime.first;
    const log = {
      write: (level: string, name: string, fields: LogRow["fields"]): void => {
        this.logs.push({ level, name, fields });
      },
    };
    this.checks = () => store.admin.check();
    const { maxOpenJobs: max = 0, maxOpenJobsPerCaller: maxPerCaller = 0 } = options;
    const openJobs = new OpenJobs({ engine: { ...engine, log }, max, maxPerCaller });
    this.app = {
      engine,
      sessions,
      submitter: { engine, catalog, versions, vars: {}, openJobs },
      catalog: {
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
      url: `https://a.example/api/${route.route.replace(/[{}*]/g, "")}`,
      headers,
      ...(params === undefined ? {} : { params: { ...params } }),
      ...(query === undefined ? {} : { query: { ...query } }),
      ...(body === undefined ? {} : { body: { string: isJson ? JSON.stringify(body) : body } }),
    };
    return this.send(name, requestWith(init));
  }

  async send(name: string, request: HttpRequest): Promise<Answered> {
    const log = { write: () => undefined };
    const handler = httpHandler(routeOf(name), { app: () => ({ ok: true, app: this.app }), log });
    const answer = await handler(request, { invocationId: "the-invocation" } as never);
    const text = answer.body as string;
    return {
      status: answer.status ?? 200,
      headers: answer.headers as Readonly<Record<string, string>>,
      text,
      body: JSON.parse(text) as Answered["body"],
    };
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
