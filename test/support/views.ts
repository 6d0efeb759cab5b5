// What the routes of a job answer, for a request: the job is read first, then shown.
import type { JsonObject } from "../../src/core/json.ts";
import { eventsPage } from "../../src/runtime/history-views.ts";
import * as views from "../../src/runtime/job-views.ts";
import * as node from "../../src/runtime/node-view.ts";
import type { JobRequest } from "../../src/runtime/job-access.ts";
import { readJob } from "../../src/runtime/read-job.ts";
import type { Reader } from "../../src/runtime/read-job.ts";

type View = (engine: Reader, request: JobRequest) => Promise<JsonObject>;

export const jobView: View = async (engine, request) =>
  views.jobView(engine, await readJob(engine, request));

export const resultView: View = async (engine, request) =>
  views.resultView(engine, await readJob(engine, request));

export const provenanceView: View = async (engine, request) =>
  views.provenanceView(engine, await readJob(engine, request));

export const eventsView: View = async (engine, request) =>
  eventsPage(engine, await readJob(engine, request), { limit: 1_000 });

export async function nodeView(
  engine: Reader,
  request: JobRequest,
  nodeId: string,
): Promise<JsonObject> {
  return node.nodeView(engine, await readJob(engine, request), nodeId);
}
