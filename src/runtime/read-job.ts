// Reading one job: its state at this moment, looking past the projection to the journal's end, and
// waiting for it to move. Nothing here writes.
import type { JobState } from "../core/job.ts";
import { isTerminalJob } from "../core/job.ts";
import type { Engine } from "./engine.ts";
import { assertVisible, jobNotFound } from "./job-access.ts";
import type { JobRequest } from "./job-access.ts";
import { foldToEnd } from "./journal.ts";
import { projectedOf } from "./projected-state.ts";

export type Reader = Pick<Engine, "journal" | "jobs" | "snapshots" | "clock" | "log">;

/** The job's state at this moment. Errors: JOB_NOT_FOUND, the store's. */
export async function readJob(engine: Reader, request: JobRequest): Promise<JobState> {
  const stored = await engine.jobs.read(request.job_id);
  if (stored === undefined) throw jobNotFound(request.job_id);
  assertVisible(request, stored.document["authenticated_as"]);
  const { job } = await projectedOf(engine, stored.document);
  return isTerminalJob(job) ? job : foldToEnd(engine.journal, job);
}
