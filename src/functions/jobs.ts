// The routes that read and cancel jobs. Trigger shape → runtime call → answer. What the runtime
// answers is shown as it stands; nothing about a job is decided here. A read of a job carries a tag
// of its state, so that asking again costs an answer without a body, or waits for a change.
import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import type * as z from "zod";
import { cancellation, eventsQuery, listQuery, noQuery, waitQuery } from "../api/requests.ts";
import { isTerminalJob } from "../core/job.ts";
import type { JobState } from "../core/job.ts";
import type { JsonObject } from "../core/json.ts";
import { cancelJob } from "../runtime/cancel-job.ts";
import { eventsPage } from "../runtime/history-views.ts";
import type { JobRequest } from "../runtime/job-access.ts";
import * as views from "../runtime/job-views.ts";
import { nodeView } from "../runtime/node-view.ts";
import type { JobFilter } from "../runtime/ports.ts";
import { readJob } from "../runtime/read-job.ts";
import { timelineView } from "../runtime/timeline.ts";
import type { App } from "./app.ts";
import type { HttpCaller } from "./caller.ts";
import { isKnown, jobTag } from "./job-tag.ts";
import { acceptedJob, linkTo } from "./links.ts";
import { json, notModified, retryAfter } from "./problem.ts";
import { jobIdOf, readOptionalJson, readQuery } from "./request.ts";

/** A moving job is worth another look after so long. */
const RETRY_AFTER = retryAfter(1);

/** The job of the route, as this caller may see it. */
function asked(request: HttpRequest, caller: HttpCaller): JobRequest {
  const job_id = jobIdOf(request);
  return caller.isAdmin ? { job_id } : { job_id, owner: caller.authenticated_as };
}

function onlyOf({ isAdmin, authenticated_as }: HttpCaller): Pick<JobFilter, "authenticated_as"> {
  return isAdmin ? {} : { authenticated_as };
}

export async function listJobs(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  const filter: JobFilter = { ...readQuery(request, listQuery), ...onlyOf(caller) };
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

type View<Query> = (app: App, job: JobState, query: Query) => Promise<JsonObject>;

interface Reading<Shape extends z.ZodRawShape> {
  readonly query: z.ZodObject<Shape, z.core.$strict>;
  readonly view: View<z.output<z.ZodObject<Shape, z.core.$strict>>>;
}

type Handler = (
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
) => Promise<HttpResponseInit>;

/** A read of one job: 304 where the caller knows this state, held as long as its query asks. */
function reading<Shape extends z.ZodRawShape>({ query, view }: Reading<Shape>): Handler {
  return async (app, request, caller) => {
    const given = readQuery(request, query);
    const job = await awaited(app, request, {
      job: await readJob(app.engine, asked(request, caller)),
      query: given,
    });
    const headers = { etag: jobTag(app.engine, job), ...(isTerminalJob(job) ? {} : RETRY_AFTER) };
    if (isKnown(request, headers.etag)) return notModified(headers);
    return json(200, await view(app, job, given), headers);
  };
}

/** Until it differs from what the caller knows, or has entries that it does not, or has ended. */
async function awaited(
  app: App,
  request: HttpRequest,
  { job, query }: { readonly job: JobState; readonly query: object },
): Promise<JobState> {
  const { wait = 0, after } = query as { readonly wait?: number; readonly after?: number };
  const isTagged = request.headers.has("if-none-match");
  const isNews = (one: JobState): boolean => {
    if (after !== undefined) return one.seq > after;
    return isTagged && !isKnown(request, jobTag(app.engine, one));
  };
  return app.waits.until(job, isNews, wait);
}

export const getJob = reading({
  query: waitQuery,
  view: ({ engine }, job) => views.jobView(engine, job),
});

export const getEvents = reading({
  query: eventsQuery,
  view: async ({ engine }, job, { after, limit }) => {
    const page = { limit, ...(after === undefined ? {} : { after }) };
    const events = await eventsPage(engine, job, page);
    return { ...views.pinFacts(job), status: job.status, ...events };
  },
});

export const getTimeline = reading({
  query: noQuery,
  view: ({ engine }, job) => timelineView(engine, job),
});

export const getSnapshot = reading({
  query: noQuery,
  view: ({ engine }, job) => views.snapshotView(engine, job),
});

export const getResult = reading({
  query: noQuery,
  view: ({ engine }, job) => views.resultView(engine, job),
});

export const getProvenance = reading({
  query: noQuery,
  view: ({ engine }, job) => views.provenanceView(engine, job),
});

export const getNode: Handler = async (app, request, caller) => {
  const nodeId = request.params["node_id"] ?? "";
  return reading({ query: noQuery, view: ({ engine }, job) => nodeView(engine, job, nodeId) })(
    app,
    request,
    caller,
  );
};

export async function postCancel(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  const reason = (await readOptionalJson(request, cancellation))?.reason;
  const job = await cancelJob(app.sessions, app.engine, {
    ...asked(request, caller),
    requested_by: caller.authenticated_as,
    ...(reason === undefined ? {} : { reason }),
  });
  const headers = { location: linkTo(app, job.job_id), ...RETRY_AFTER };
  return json(202, acceptedJob(app, job), headers);
}
