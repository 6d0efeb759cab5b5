// Every function of the app in one table: name, trigger, auth level, handler. main.ts registers it
// as it stands. The host matches routes in alphabetical order of the functions' names, so the
// catch-all's name comes last. Every route says its auth level; open are health, the page's files
// and the API's description, which say nothing about a job.
import type { HttpMethod, HttpRequest, HttpResponseInit } from "@azure/functions";
import { noQuery } from "../api/requests.ts";
import type { App, AppResult } from "./app.ts";
import { readyApp } from "./app.ts";
import { callerOf } from "./caller.ts";
import type { HttpCaller } from "./caller.ts";
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

export interface Route {
  readonly name: string;
  readonly methods: readonly HttpMethod[];
  /** Below the host's route prefix, `api`. */
  readonly route: string;
  readonly authLevel: "anonymous" | "function" | "admin";
  readonly handle: (
    result: AppResult,
    request: HttpRequest,
    files: StaticFiles,
  ) => Promise<HttpResponseInit>;
}

type AppHandler = (
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
) => Promise<HttpResponseInit>;

/** Who calls and how often is judged before a body is read or a store is asked. */
function withApp(handler: AppHandler, rate: keyof App["rates"] = "read"): Route["handle"] {
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
function read(name: string, route: string, handler: AppHandler): Route {
  return { name, methods: ["GET"], route, authLevel: "function", handle: withApp(handler) };
}

/** `handler` reads its own query. */
function write(name: string, route: string, handler: AppHandler): Route {
  const handle = withApp(handler, "submit");
  return { name, methods: ["POST"], route, authLevel: "function", handle };
}

/** A file of the build: the same for everybody, whatever the settings are. */
function file(name: string, route: string, fileName: StaticFileName): Route {
  return {
    name,
    methods: ["GET"],
    route,
    authLevel: "anonymous",
    handle: async (_result, request, files) => {
      readQuery(request, noQuery);
      return staticFile(files, fileName, request);
    },
  };
}

const KNOWN: readonly Route[] = [
  write("jobs_submit", "v1/jobs", postJob),
  write("jobs_batch", "v1/jobs/batch", bare(postBatch)),
  write("jobs_validate", "v1/jobs/validate", bare(validateJob)),
  read("jobs_list", "v1/jobs", listJobs),
  read("jobs_get", "v1/jobs/{job_id}", getJob),
  read("jobs_events", "v1/jobs/{job_id}/events", getEvents),
  read("jobs_node", "v1/jobs/{job_id}/nodes/{node_id}", getNode),
  read("jobs_timeline", "v1/jobs/{job_id}/timeline", getTimeline),
  read("jobs_snapshot", "v1/jobs/{job_id}/snapshot", getSnapshot),
  read("jobs_result", "v1/jobs/{job_id}/result", getResult),
  read("jobs_provenance", "v1/jobs/{job_id}/provenance", getProvenance),
  write("jobs_cancel", "v1/jobs/{job_id}/cancel", bare(postCancel)),
  read("workflows_list", "v1/workflows", bare(listWorkflows)),
  read("workflows_get", "v1/workflows/{workflow_id}", bare(getWorkflow)),
  write("workflows_validate", "v1/workflows/validate", bare(validateWorkflow)),
  read("handlers_list", "v1/handlers", bare(listHandlers)),
  read("stats_get", "v1/stats", bare(getStats)),
  {
    name: "health_live",
    methods: ["GET"],
    route: "v1/health/live",
    authLevel: "anonymous",
    handle: async (_result, request) => {
      readQuery(request, noQuery);
      return live();
    },
  },
  {
    name: "health_ready",
    methods: ["GET"],
    route: "v1/health/ready",
    authLevel: "anonymous",
    handle: async (result, request) => {
      readQuery(request, noQuery);
      return ready(result);
    },
  },
  file("api_document", "v1/openapi.json", "openapi.json"),
  file("api_page", "v1/docs", "docs.html"),
  file("api_style", "v1/docs.css", "docs.css"),
  file("ui", "ui", "index.html"),
  file("ui_script", "ui/app.js", "app.js"),
  file("ui_style", "ui/app.css", "app.css"),
  file("ui_icon", "ui/favicon.svg", "favicon.svg"),
  {
    name: "bootstrap_rebuild",
    methods: ["POST"],
    route: "v1/bootstrap/rebuild",
    authLevel: "admin",
    handle: withApp(rebuild),
  },
];

export const ROUTES: readonly Route[] = [
  ...KNOWN,
  {
    name: "zz_not_found",
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    route: "{*path}",
    authLevel: "function",
    handle: async (result, request) => {
      if (result.ok) admitted(result.app, request, "read");
      throw noRoute(request, KNOWN);
    },
  },
];

export const WORK_FUNCTION = "process_work";
export const POISON_FUNCTION = "process_poison";
export const SWEEP_FUNCTION = "sweep_jobs";
