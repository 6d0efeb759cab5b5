// The operations on jobs: start, read, cancel.
// Their examples follow one another: the first starts the job that the later ones read.
import type * as z from "zod";
import * as jobs from "./job-answers.ts";
import { BODY_ERRORS, CATALOG_ERRORS } from "./operation.ts";
import type { Example, Operation } from "./operation.ts";
import * as requests from "./requests.ts";

const SUBMISSION = {
  workflow_id: "echo_test",
  input_params: { message: "hello" },
  submitted_by: "ada",
} as const;
const KEYED = { "idempotency-key": "order-4711" } as const;

export const START_JOBS: readonly Operation[] = [
  {
    name: "jobs_submit",
    method: "post",
    path: "/jobs",
    group: "Jobs",
    summary: "Submit a job",
    auth: "function",
    query: requests.submitQuery,
    headers: ["Idempotency-Key"],
    body: { type: "application/json", schema: requests.submission, required: true },
    answers: {
      200: {
        description: "It was accepted before, or `dry_run`: what it would come to.",
        schema: jobs.submitted,
        headers: ["Location", "Retry-After"],
      },
      202: {
        description: "Accepted.",
        schema: jobs.acceptedJob,
        headers: ["Location", "Retry-After"],
      },
    },
    errors: [
      ...BODY_ERRORS,
      ...CATALOG_ERRORS,
      "INPUT_INVALID",
      "LIMIT_EXCEEDED",
      "IDEMPOTENCY_CONFLICT",
      "TOO_MANY_JOBS",
      "SECRET_MISSING",
    ],
    examples: [
      { summary: "A new job", headers: KEYED, body: SUBMISSION, status: 202 },
      { summary: "The same once more", headers: KEYED, body: SUBMISSION, status: 200 },
      {
        summary: "Another request under the same key",
        headers: KEYED,
        body: { workflow_id: "echo_test" },
        status: 409,
      },
      {
        summary: "What it would come to",
        query: { dry_run: "true" },
        body: SUBMISSION,
        status: 200,
      },
      {
        summary: "Inputs that do not fit",
        body: { workflow_id: "echo_test", input_params: { steps: 99 } },
        status: 422,
      },
    ],
  },
  {
    name: "jobs_batch",
    method: "post",
    path: "/jobs/batch",
    group: "Jobs",
    summary: "Submit up to 100 jobs",
    auth: "function",
    query: requests.noQuery,
    body: { type: "application/json", schema: requests.batch, required: true },
    answers: { 200: { description: "What became of each.", schema: jobs.batchAnswer } },
    errors: BODY_ERRORS,
    examples: [
      {
        summary: "One that is accepted, one that is not",
        body: { jobs: [SUBMISSION, { workflow_id: "no_such_workflow" }] },
        status: 200,
      },
    ],
  },
  {
    name: "jobs_validate",
    method: "post",
    path: "/jobs/validate",
    group: "Jobs",
    summary: "Check a submission",
    auth: "function",
    query: requests.noQuery,
    headers: ["Idempotency-Key"],
    body: { type: "application/json", schema: requests.submission, required: true },
    answers: { 200: { description: "Whether a job could start.", schema: jobs.validation } },
    errors: BODY_ERRORS,
    examples: [
      { summary: "It could", body: SUBMISSION, status: 200 },
      {
        summary: "It could not",
        body: { workflow_id: "echo_test", input_params: { steps: "three", massage: "hello" } },
        status: 200,
      },
    ],
  },
];

/** A read of one job or of a part of it. */
function read(
  name: string,
  part: string,
  more: Pick<Operation, "summary" | "examples"> &
    Partial<Pick<Operation, "query" | "errors">> & { readonly schema: z.ZodType },
): Operation {
  const { schema, summary, examples, query = requests.noQuery, errors = [] } = more;
  return {
    name,
    method: "get",
    path: `/jobs/{job_id}${part}`,
    group: "Jobs",
    summary,
    auth: "function",
    query,
    headers: ["If-None-Match"],
    answers: {
      200: { description: "As it is now.", schema, headers: ["ETag", "Retry-After"] },
      304: { description: "Unchanged since the state of `If-None-Match`.", headers: ["ETag"] },
    },
    errors: ["BAD_REQUEST", "JOB_NOT_FOUND", ...errors],
    examples: [{ summary: "The job of the first example", status: 200 }, ...examples],
  };
}

const UNKNOWN_JOB: Example = {
  summary: "A job that does not exist",
  params: { job_id: "00000000-0000-4000-8000-000000000000" },
  status: 404,
};

export const READ_JOBS: readonly Operation[] = [
  {
    name: "jobs_list",
    method: "get",
    path: "/jobs",
    group: "Jobs",
    summary: "List jobs",
    auth: "function",
    query: requests.listQuery,
    answers: { 200: { description: "A page of them.", schema: jobs.jobList } },
    errors: ["BAD_REQUEST"],
    examples: [
      { summary: "The newest", status: 200 },
      {
        summary: "Open jobs of one workflow, oldest first",
        query: { status: "pending,running", workflow_id: "echo_test", sort: "created_at" },
        status: 200,
      },
      { summary: "A filter that does not exist", query: { state: "failed" }, status: 400 },
    ],
  },
  read("jobs_get", "", {
    summary: "One job",
    schema: jobs.job,
    query: requests.waitQuery,
    examples: [UNKNOWN_JOB, { summary: "Held until it ends", query: { wait: "20" }, status: 200 }],
  }),
  read("jobs_events", "/events", {
    summary: "The history of a job",
    schema: jobs.events,
    query: requests.eventsQuery,
    examples: [{ summary: "What came after", query: { after: "0", limit: "10" }, status: 200 }],
  }),
  read("jobs_node", "/nodes/{node_id}", {
    summary: "One node of a job",
    schema: jobs.jobNode,
    errors: ["NODE_NOT_FOUND"],
    examples: [
      { summary: "A node that does not exist", params: { node_id: "nowhere" }, status: 404 },
    ],
  }),
  read("jobs_timeline", "/timeline", {
    summary: "When what of a job ran",
    schema: jobs.timeline,
    examples: [],
  }),
  read("jobs_snapshot", "/snapshot", {
    summary: "What a job is pinned to",
    schema: jobs.snapshot,
    examples: [],
  }),
  read("jobs_result", "/result", {
    summary: "The results of a job",
    schema: jobs.result,
    errors: ["JOB_NOT_TERMINAL"],
    examples: [],
  }),
  read("jobs_provenance", "/provenance", {
    summary: "Where the results come from",
    schema: jobs.provenance,
    errors: ["JOB_NOT_TERMINAL"],
    examples: [],
  }),
  {
    name: "jobs_cancel",
    method: "post",
    path: "/jobs/{job_id}/cancel",
    group: "Jobs",
    summary: "Cancel a job",
    auth: "function",
    query: requests.noQuery,
    body: { type: "application/json", schema: requests.cancellation, required: false },
    answers: {
      202: {
        description: "It is being cancelled, or was already.",
        schema: jobs.acceptedJob,
        headers: ["Location", "Retry-After"],
      },
    },
    errors: [...BODY_ERRORS, "JOB_NOT_FOUND", "JOB_TERMINAL"],
    examples: [
      { summary: "A job that has ended", body: { reason: "wrong file" }, status: 409 },
      UNKNOWN_JOB,
    ],
  },
];
