// The functions of the app as the platform is told of them: names, and for those behind HTTP
// methods, route and auth level. main.ts registers them as they stand, before anything else of the
// app is compiled, so this file imports types alone; what each does stands in routes.ts and
// triggers.ts.
// The host matches routes in alphabetical order of the functions' names, so the catch-all's name
// comes last. Every route says its auth level; open are health, the page's files and the API's
// description, which say nothing about a job.
import type { HttpMethod } from "@azure/functions";

export interface HttpFunction {
  readonly methods: readonly HttpMethod[];
  /** Below the host's route prefix, `api`. */
  readonly route: string;
  readonly authLevel: "anonymous" | "function" | "admin";
}

const CATCH_ALL: readonly HttpMethod[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

export const HTTP_FUNCTIONS = {
  jobs_submit: write("v1/jobs"),
  jobs_batch: write("v1/jobs/batch"),
  jobs_validate: write("v1/jobs/validate"),
  jobs_list: read("v1/jobs"),
  jobs_get: read("v1/jobs/{job_id}"),
  jobs_events: read("v1/jobs/{job_id}/events"),
  jobs_node: read("v1/jobs/{job_id}/nodes/{node_id}"),
  jobs_timeline: read("v1/jobs/{job_id}/timeline"),
  jobs_snapshot: read("v1/jobs/{job_id}/snapshot"),
  jobs_result: read("v1/jobs/{job_id}/result"),
  jobs_provenance: read("v1/jobs/{job_id}/provenance"),
  jobs_cancel: write("v1/jobs/{job_id}/cancel"),
  workflows_list: read("v1/workflows"),
  workflows_get: read("v1/workflows/{workflow_id}"),
  workflows_validate: write("v1/workflows/validate"),
  handlers_list: read("v1/handlers"),
  stats_get: read("v1/stats"),
  health_live: open("v1/health/live"),
  health_ready: open("v1/health/ready"),
  api_document: open("v1/openapi.json"),
  api_page: open("v1/docs"),
  api_style: open("v1/docs.css"),
  ui: open("ui"),
  ui_script: open("ui/app.js"),
  ui_style: open("ui/app.css"),
  ui_icon: open("ui/favicon.svg"),
  bootstrap_rebuild: { methods: ["POST"], route: "v1/bootstrap/rebuild", authLevel: "admin" },
  zz_not_found: { methods: CATCH_ALL, route: "{*path}", authLevel: "function" },
} as const satisfies Readonly<Record<string, HttpFunction>>;

export type HttpFunctionName = keyof typeof HTTP_FUNCTIONS;

export const HTTP_FUNCTION_NAMES = Object.keys(HTTP_FUNCTIONS) as readonly HttpFunctionName[];

export const WORK_FUNCTION = "process_work";
export const POISON_FUNCTION = "process_poison";
export const SWEEP_FUNCTION = "sweep_jobs";

function read(route: string): HttpFunction {
  return { methods: ["GET"], route, authLevel: "function" };
}

function write(route: string): HttpFunction {
  return { methods: ["POST"], route, authLevel: "function" };
}

function open(route: string): HttpFunction {
  return { methods: ["GET"], route, authLevel: "anonymous" };
}
