// The job routes: submit, list, read, cancel. Trigger shape → runtime call → answer.
// What the runtime answers is shown as it stands; nothing about a job is decided here.
import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import * as z from "zod";
import { WORKFLOW_ID } from "../core/definition.ts";
import { JOB_STATUSES } from "../core/job.ts";
import type { JobState } from "../core/job.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { MAX_LABEL_CHARS, MAX_TAGS } from "../core/limits.ts";
import { safeParse } from "../core/safe-parse.ts";
import { cancelJob } from "../runtime/cancel-job.ts";
import type { JobRequest } from "../runtime/job-access.ts";
import type { JobFilter } from "../runtime/ports.ts";
import {
  eventsView,
  jobFacts,
  jobView,
  nodeView,
  provenanceView,
  resultView,
  snapshotView,
} from "../runtime/read-job.ts";
import { submitJob } from "../runtime/submit-job.ts";
import type { Submission } from "../runtime/submit-job.ts";
import type { App } from "./app.ts";
import type { HttpCaller } from "./caller.ts";
import { json, retryAfter } from "./problem.ts";
import { jobIdOf, readJson, readOptionalJson, readQuery, refused } from "./request.ts";

const label = z.string().min(1).max(MAX_LABEL_CHARS);
const workflowId = z.string().regex(WORKFLOW_ID, { error: "expected a workflow_id" });
const version = z.int().min(1);

/** Every body is JSON all through before a schema sees it; asking again would take far longer. */
const object = z.custom<JsonObject>(isJsonObject, { error: "expected an object" });

const submissionSchema = z.strictObject({
  workflow_id: workflowId,
  version: version.exactOptional(),
  input_params: object.exactOptional(),
  correlation_id: label.exactOptional(),
  submitted_by: label.exactOptional(),
  tags: z.array(label).max(MAX_TAGS).exactOptional(),
  idempotency_key: label.exactOptional(),
});

/** A moving job is worth another look after so long. */
const RETRY_AFTER = retryAfter(1);

export async function postJob(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  const { idempotency_key, ...submission } = await readJson(request, submissionSchema);
  const key = keyOf(request, idempotency_key);
  const { job, created } = await submitJob(app.submitter, submission as Submission, {
    authenticated_as: caller.authenticated_as,
    ...(key === undefined ? {} : { idempotency_key: key }),
  });
  const location = linkTo(app, job.job_id);
  const headers = { location, ...RETRY_AFTER };
  return json(created ? 202 : 200, { ...jobFacts(job), links: links(app, job) }, headers);
}

function keyOf(request: HttpRequest, inBody: string | undefined): string | undefined {
  const inHeader = request.headers.get("idempotency-key") ?? undefined;
  if (inHeader === undefined) return inBody;
  if (inBody !== undefined && inBody !== inHeader) {
    const message = "the key in the body and the one in the header differ";
    throw refused([message], () => ({ message, pointer: "/idempotency_key" }));
  }
  const parsed = safeParse(label, inHeader);
  if (!parsed.success) {
    const message = `header Idempotency-Key: 1 to ${MAX_LABEL_CHARS} characters`;
    throw refused([message], () => ({ message }));
  }
  return parsed.data;
}

function linkTo(app: App, jobId: string): string {
  return `${app.publicUrl ?? ""}/api/v1/jobs/${jobId}`;
}

function links(app: App, job: JobState): JsonObject {
  const self = linkTo(app, job.job_id);
  const parts = ["events", "snapshot", "result", "provenance", "cancel"];
  return { self, ...Object.fromEntries(parts.map((part) => [part, `${self}/${part}`])) };
}

/** The job of the route, as this caller may see it. */
function asked(request: HttpRequest, caller: HttpCaller): JobRequest {
  const job_id = jobIdOf(request);
  return caller.isAdmin ? { job_id } : { job_id, owner: caller.authenticated_as };
}

function onlyOf({ isAdmin, authenticated_as }: HttpCaller): Pick<JobFilter, "authenticated_as"> {
  return isAdmin ? {} : { authenticated_as };
}

const wholeNumber = z
  .string()
  .regex(/^[1-9]\d{0,15}$/, { error: "expected a whole number of at least 1" })
  .transform(Number);

const listSchema = z.strictObject({
  status: z.enum(JOB_STATUSES).exactOptional(),
  workflow_id: workflowId.exactOptional(),
  workflow_version: wholeNumber.exactOptional(),
  correlation_id: label.exactOptional(),
  idempotency_key: label.exactOptional(),
  limit: wholeNumber.pipe(z.int().max(200, { error: "at most 200" })).default(50),
  continuation: z.string().min(1).max(4096).exactOptional(),
});

export async function listJobs(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  const filter: JobFilter = { ...readQuery(request, listSchema), ...onlyOf(caller) };
  const page = await app.engine.jobs.list(filter);
  const jobs = page.documents.map(listRow);
  const { continuation } = page;
  return json(200, {
    jobs,
    count: jobs.length,
    ...(continuation === undefined ? {} : { continuation }),
  });
}

const HIDDEN: ReadonlySet<string> = new Set(["id", "schema", "write_id", "wake_at", "updated_at"]);

/** A row of a list comes from the projection: exact as of `as_of`, never with the snapshot. */
function listRow(document: JsonObject): JsonObject {
  const shown = Object.entries(document).filter(([name]) => !HIDDEN.has(name));
  return { ...Object.fromEntries(shown), as_of: document["updated_at"] ?? null } as JsonObject;
}

export async function getJob(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  const view = await jobView(app.engine, asked(request, caller));
  const isMoving = view["completed_at"] === undefined;
  return json(200, view, isMoving ? RETRY_AFTER : {});
}

export async function getEvents(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  return json(200, await eventsView(app.engine, asked(request, caller)));
}

export async function getNode(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  const nodeId = request.params["node_id"] ?? "";
  return json(200, await nodeView(app.engine, asked(request, caller), nodeId));
}

export async function getSnapshot(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  return json(200, await snapshotView(app.engine, asked(request, caller)));
}

export async function getResult(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  return json(200, await resultView(app.engine, asked(request, caller)));
}

export async function getProvenance(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  return json(200, await provenanceView(app.engine, asked(request, caller)));
}

const cancelSchema = z.strictObject({ reason: label.exactOptional() });

export async function postCancel(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  const reason = (await readOptionalJson(request, cancelSchema))?.reason;
  const job = await cancelJob(app.sessions, app.engine, {
    ...asked(request, caller),
    requested_by: caller.authenticated_as,
    ...(reason === undefined ? {} : { reason }),
  });
  const headers = { location: linkTo(app, job.job_id), ...RETRY_AFTER };
  return json(202, { ...jobFacts(job), links: links(app, job) }, headers);
}

