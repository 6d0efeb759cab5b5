// Where a job and its parts are: absolute where the app knows its own address, else from the root
// of the host that answered.
import type { JobState } from "../core/job.ts";
import type { JsonObject } from "../core/json.ts";
import { jobFacts } from "../runtime/job-views.ts";
import type { App } from "./app.ts";

const PARTS = ["events", "timeline", "snapshot", "result", "provenance", "cancel"] as const;

export function linkTo(app: Pick<App, "publicUrl">, jobId: string): string {
  return `${app.publicUrl ?? ""}/api/v1/jobs/${jobId}`;
}

/** An accepted job as it is answered, with the links to its parts. */
export function acceptedJob(app: Pick<App, "publicUrl">, job: JobState): JsonObject {
  const self = linkTo(app, job.job_id);
  const parts = Object.fromEntries(PARTS.map((part) => [part, `${self}/${part}`]));
  return { ...jobFacts(job), links: { self, ...parts } };
}
