// The operations on workflows and handlers, and on the app itself.
// Those that are open to everybody say so here, and nowhere else.
import { CATALOG_ERRORS } from "./operation.ts";
import type { Operation } from "./operation.ts";
import * as others from "./other-answers.ts";
import * as requests from "./requests.ts";

/** What a file of the build may answer instead of itself. */
const FILE_ANSWERS: Operation["answers"] = {
  304: { description: "Unchanged.", headers: ["ETag"] },
  308: { description: "It is where this is without the slash at its end.", headers: ["Location"] },
};

export const WORKFLOWS: readonly Operation[] = [
  {
    name: "workflows_list",
    method: "get",
    path: "/workflows",
    group: "Workflows",
    summary: "List workflow files",
    auth: "function",
    query: requests.noQuery,
    answers: { 200: { description: "Every file.", schema: others.workflowList } },
    errors: ["BAD_REQUEST"],
    examples: [{ summary: "All of them", status: 200 }],
  },
  {
    name: "workflows_get",
    method: "get",
    path: "/workflows/{workflow_id}",
    group: "Workflows",
    summary: "One workflow",
    auth: "function",
    query: requests.noQuery,
    answers: { 200: { description: "Its versions.", schema: others.workflow } },
    errors: ["BAD_REQUEST", ...CATALOG_ERRORS],
    examples: [
      { summary: "The smallest one", status: 200 },
      {
        summary: "One that does not exist",
        params: { workflow_id: "no_such_workflow" },
        status: 404,
      },
    ],
  },
  {
    name: "workflows_validate",
    method: "post",
    path: "/workflows/validate",
    group: "Workflows",
    summary: "Check the text of a workflow",
    auth: "function",
    query: requests.noQuery,
    body: { type: "application/yaml", required: true },
    answers: { 200: { description: "Whether it is good.", schema: others.checkedText } },
    errors: ["BAD_REQUEST", "BODY_TOO_LARGE"],
    examples: [
      {
        summary: "A good one",
        body:
          "workflow_id: smallest\nversion: 1\n" +
          "nodes: { start: { type: start, next: end }, end: { type: end } }\n",
        status: 200,
      },
      { summary: "A bad one", body: "workflow_id: Smallest\nnodes: {}\n", status: 200 },
    ],
  },
  {
    name: "handlers_list",
    method: "get",
    path: "/handlers",
    group: "Workflows",
    summary: "List handlers",
    auth: "function",
    query: requests.noQuery,
    answers: { 200: { description: "Those of this build.", schema: others.handlerList } },
    errors: ["BAD_REQUEST"],
    examples: [{ summary: "All of them", status: 200 }],
  },
];

export const APP: readonly Operation[] = [
  {
    name: "stats_get",
    method: "get",
    path: "/stats",
    group: "App",
    summary: "Numbers over all jobs",
    auth: "function",
    query: requests.noQuery,
    answers: { 200: { description: "As of the last fold.", schema: others.stats } },
    errors: ["BAD_REQUEST", "ROLE_REQUIRED"],
    examples: [{ summary: "All of them", status: 200 }],
  },
  {
    name: "health_live",
    method: "get",
    path: "/health/live",
    group: "App",
    summary: "Alive?",
    auth: "anonymous",
    query: requests.noQuery,
    answers: { 200: { description: "The process answers.", schema: others.alive } },
    errors: ["BAD_REQUEST"],
    examples: [{ summary: "It is", status: 200 }],
  },
  {
    name: "health_ready",
    method: "get",
    path: "/health/ready",
    group: "App",
    summary: "Ready?",
    auth: "anonymous",
    query: requests.noQuery,
    answers: {
      200: { description: "Ready.", schema: others.readiness },
      503: { description: "Not ready.", schema: others.readiness, headers: ["Retry-After"] },
    },
    errors: ["BAD_REQUEST"],
    examples: [{ summary: "It is", status: 200 }],
  },
  {
    name: "api_document",
    method: "get",
    path: "/openapi.json",
    group: "App",
    summary: "This document",
    auth: "anonymous",
    query: requests.noQuery,
    headers: ["If-None-Match"],
    answers: {
      200: { description: "OpenAPI 3.1.", schema: others.document, headers: ["ETag"] },
      ...FILE_ANSWERS,
    },
    errors: ["BAD_REQUEST"],
    examples: [{ summary: "The document", status: 200 }],
  },
  {
    name: "api_page",
    method: "get",
    path: "/docs",
    group: "App",
    summary: "This document, to read",
    auth: "anonymous",
    query: requests.noQuery,
    headers: ["If-None-Match"],
    answers: {
      200: { description: "A page.", type: "text/html", headers: ["ETag"] },
      ...FILE_ANSWERS,
    },
    errors: ["BAD_REQUEST"],
    examples: [{ summary: "The page", status: 200 }],
  },
  {
    name: "bootstrap_rebuild",
    method: "post",
    path: "/bootstrap/rebuild",
    group: "App",
    summary: "Rebuild the stores: deletes every job",
    auth: "admin",
    query: requests.rebuildQuery,
    answers: {
      200: { description: "Everything was made anew.", schema: others.rebuilt },
      500: { description: "A statement failed.", schema: others.rebuilt },
    },
    errors: [
      "BAD_REQUEST",
      "CONFIRMATION_MISSING",
      "REBUILD_DISABLED",
      "REBUILD_FORBIDDEN",
      "ROLE_REQUIRED",
    ],
    examples: [{ summary: "Where it is switched off", status: 403 }],
  },
];
