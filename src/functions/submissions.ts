// The routes that start jobs: one, a batch, and the two that only say what a submission would come
// to. Each submission of a batch stands for itself: one that is refused stops no other.
import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import { batch, submission, submitQuery } from "../api/requests.ts";
import { label } from "../api/shapes.ts";
import type { Issue, WorkflowError } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";
import { MAX_ISSUES, MAX_LABEL_CHARS } from "../core/limits.ts";
import { safeParse } from "../core/safe-parse.ts";
import { errorText } from "../runtime/error-text.ts";
import { objections, preflight } from "../runtime/preflight.ts";
import { submitJob } from "../runtime/submit-job.ts";
import type { Caller, Submission } from "../runtime/submission.ts";
import type { App } from "./app.ts";
import type { HttpCaller } from "./caller.ts";
import { acceptedJob, linkTo } from "./links.ts";
import { json, problemBody, retryAfter, statusOf } from "./problem.ts";
import { fitting, readJson, readQuery, refused } from "./request.ts";

/** A moving job is worth another look after so long. */
const RETRY_AFTER = retryAfter(1);
/** Submissions of a batch that are worked on side by side: they are all I/O. */
const PARALLEL = 8;

interface Sent {
  readonly wanted: Submission;
  readonly caller: Caller;
}

export async function postJob(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  const { dry_run: isDryRun = false } = readQuery(request, submitQuery);
  const { wanted, caller: by } = await sent(request, caller);
  if (isDryRun) return json(200, await dryRun(app, { wanted, caller: by }));
  const { job, created } = await submitJob(app.submitter, wanted, by);
  const headers = { location: linkTo(app, job.job_id), ...RETRY_AFTER };
  return json(created ? 202 : 200, acceptedJob(app, job), headers);
}

async function sent(request: HttpRequest, caller: HttpCaller): Promise<Sent> {
  const { idempotency_key, ...wanted } = await readJson(request, submission);
  return sentBy(caller, wanted as Submission, keyOf(request, idempotency_key));
}

function sentBy({ authenticated_as }: HttpCaller, wanted: Submission, key?: string): Sent {
  const keyed = key === undefined ? {} : { idempotency_key: key };
  return { wanted, caller: { authenticated_as, ...keyed } };
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

async function dryRun(app: App, { wanted, caller }: Sent): Promise<JsonObject> {
  const found = await preflight(app.submitter, wanted, caller);
  if (found.would === "answer") {
    const { job_id, workflow_id, workflow_version, workflow_digest } = found.job;
    const pin = { job_id, workflow_id, workflow_version, workflow_digest };
    return { dry_run: true, would: "answer", ...pin };
  }
  return { dry_run: true, would: "create", ...pinShown(found) };
}

function pinShown(found: Extract<Awaited<ReturnType<typeof preflight>>, { would: "create" }>) {
  const { entry, inputs, vars } = found;
  const { workflow_id, version: workflow_version } = entry.definition;
  const { workflow_digest } = entry;
  return { workflow_id, workflow_version, workflow_digest, inputs, vars };
}

/** 200 with `valid` either way, for the question itself was fine. */
export async function validateJob(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  const { wanted, caller: by } = await sent(request, caller);
  const found = await objections(app.submitter, wanted, by);
  if (found.length > 0) {
    const issues = found.flatMap(issuesOf).slice(0, MAX_ISSUES);
    return json(200, { valid: false, issues: issues.map((issue): JsonObject => ({ ...issue })) });
  }
  const answer = await preflight(app.submitter, wanted, by);
  if (answer.would === "create") {
    return json(200, { valid: true, issues: [], ...pinShown(answer) });
  }
  const { job_id, workflow_id, workflow_version, workflow_digest } = answer.job;
  const pin = { job_id, workflow_id, workflow_version, workflow_digest };
  return json(200, { valid: true, issues: [], ...pin });
}

/** What an error says at each of its places, with its code. */
function issuesOf({ code, message, issues }: WorkflowError): readonly Issue[] {
  const found = issues.length > 0 ? issues : [{ message }];
  return found.map((issue) => ({ ...issue, code }));
}

export async function postBatch(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  const { jobs } = await readJson(request, batch);
  // One request took one place; the others of the batch count as well.
  app.rates.submit.charge(caller.authenticated_as, jobs.length - 1);
  const items: JsonObject[] = [];
  for (let from = 0; from < jobs.length; from += PARALLEL) {
    const group = jobs.slice(from, from + PARALLEL);
    const answers = group.map((one, place) => batchItem(app, caller, [from + place, one]));
    items.push(...(await Promise.all(answers)));
  }
  const having = (status: number): number => items.filter((one) => one["status"] === status).length;
  const accepted = having(202);
  const repeated = having(200);
  const refusals = items.length - accepted - repeated;
  return json(200, { count: items.length, accepted, repeated, refused: refusals, items });
}

async function batchItem(
  app: App,
  caller: HttpCaller,
  [index, given]: readonly [number, unknown],
): Promise<JsonObject> {
  try {
    const { idempotency_key, ...wanted } = fitting(given, submission);
    const one = sentBy(caller, wanted as Submission, idempotency_key);
    const { job, created } = await submitJob(app.submitter, one.wanted, one.caller);
    return { index, status: created ? 202 : 200, job: acceptedJob(app, job) };
  } catch (error) {
    const status = statusOf(error);
    if (status >= 500) {
      const fields = { function: "jobs_batch", error: errorText(error) };
      app.engine.log.write("error", "request.failed", fields);
    }
    return { index, status, problem: problemBody(error) };
  }
}
