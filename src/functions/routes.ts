// What each HTTP function does: the functions of function-table.ts with their handlers. Who calls,
// and how often, is judged here, before a handler sees the request.
import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import { noQuery } from "../api/requests.ts";
import type { App, AppResult } from "./app.ts";
import { readyApp } from "./app.ts";
import { callerOf } from "./caller.ts";
import type { HttpCaller } from "./caller.ts";
import { HTTP_FUNCTION_NAMES, HTTP_FUNCTIONS } from "./function-table.ts";
import type { HttpFunction, HttpFunctionName } from "./function-table.ts";
import {
  getEvents,
  getJob,
  getNode,
  getProvenance,
  getResult,
  getSnapshot,
  getTimeline,
  listJobs,
  postCancel,
} from "./jobs.ts";
import { noRoute } from "./no-route.ts";
import { getStats, live, ready, rebuild } from "./operations.ts";
import { readQuery } from "./request.ts";
import { staticFile } from "./static-files.ts";
import type { StaticFileName, StaticFiles } from "./static-files.ts";
import { postBatch, postJob, validateJob } from "./submissions.ts";
import { getWorkflow, listHandlers, listWorkflows, validateWorkflow } from "./workflows.ts";

type Handle = (
  result: AppResult,
  request: HttpRequest,
  files: StaticFiles,
) => Promise<HttpResponseInit>;

export interface Route extends HttpFunction {
  readonly name: HttpFunctionName;
  readonly handle: Handle;
}

type AppHandler = (
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
) => Promise<HttpResponseInit>;

/** Who calls and how often is judged before a body is read or a store is asked. */
function withApp(handler: AppHandler, rate: keyof App["rates"] = "read"): Handle {
  return async (result, request) => {
    const app = await readyApp(result);
    return handler(app, request, admitted(app, request, rate));
  };
}

/** Errors: UNAUTHENTICATED, RATE_LIMITED. */
function admitted(app: App, request: HttpRequest, rate: keyof App["rates"]): HttpCaller {
  const caller = callerOf(request, app.auth);
  app.rates[rate].take(caller.authenticated_as);
  return caller;
}

/** A parameter that does nothing here is a mistake of the caller, who would not learn of it. */
function bare(handler: AppHandler): AppHandler {
  return async (app, request, caller) => {
    readQuery(request, noQuery);
    return handler(app, request, caller);
  };
}

/** `handler` reads its own query. */
function write(handler: AppHandler): Handle {
  return withApp(handler, "submit");
}

/** A file of the build: the same for everybody, whatever the settings are. */
function file(fileName: StaticFileName): Handle {
  return async (_result, request, files) => {
    readQuery(request, noQuery);
    return staticFile(files, fileName, request);
  };
}

const HANDLES: Readonly<Record<HttpFunctionName, Handle>> = {
  jobs_submit: write(postJob),
  jobs_batch: write(bare(postBatch)),
  jobs_validate: write(bare(validateJob)),
  jobs_list: withApp(listJobs),
  jobs_get: withApp(getJob),
  jobs_events: withApp(getEvents),
  jobs_node: withApp(getNode),
  jobs_timeline: withApp(getTimeline),
  jobs_snapshot: withApp(getSnapshot),
  jobs_result: withApp(getResult),
  jobs_provenance: withApp(getProvenance),
  jobs_cancel: write(bare(postCancel)),
  workflows_list: withApp(bare(listWorkflows)),
  workflows_get: withApp(bare(getWorkflow)),
  workflows_validate: write(bare(validateWorkflow)),
  handlers_list: withApp(bare(listHandlers)),
  stats_get: withApp(bare(getStats)),
  health_live: async (_result, request) => {
    readQuery(request, noQuery);
    return live();
  },
  health_ready: async (result, request) => {
    readQuery(request, noQuery);
    return ready(result);
  },
  api_document: file("openapi.json"),
  api_page: file("docs.html"),
  api_style: file("docs.css"),
  ui: file("index.html"),
  ui_script: file("app.js"),
  ui_style: file("app.css"),
  ui_icon: file("favicon.svg"),
  bootstrap_rebuild: withApp(rebuild),
  zz_not_found: async (result, request) => {
    if (result.ok) admitted(result.app, request, "read");
    throw noRoute(request, KNOWN);
  },
};

export const ROUTES: readonly Route[] = HTTP_FUNCTION_NAMES.map((name) => {
  return { name, ...HTTP_FUNCTIONS[name], handle: HANDLES[name] };
});

/** All but the catch-all. */
const KNOWN = ROUTES.filter(({ name }) => name !== "zz_not_found");
