// Who may see a job. Ownership is what entry 0 recorded as `authenticated_as`; the projection
// repeats it, so asking costs no request of its own. A job that somebody may not see is not there:
// the same answer as for an id that nobody ever used.
import { WorkflowError } from "../core/error.ts";

/** A job as somebody asks for it. */
export interface JobRequest {
  readonly job_id: string;
  /** Only if this caller submitted it; absent for whoever may see every job. */
  readonly owner?: string;
}

export function assertVisible(request: JobRequest, authenticatedAs: unknown): void {
  if (request.owner === undefined || request.owner === authenticatedAs) return;
  throw jobNotFound(request.job_id);
}

export function jobNotFound(jobId: string): WorkflowError {
  return new WorkflowError("JOB_NOT_FOUND", `job ${jobId}: not found`);
}
