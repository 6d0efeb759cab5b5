// The operator's cancel. It goes through the same reducer as everything else; nothing edits a job
// beside it. The stored wake is lowered first, so that a lost message cannot hide the command.
import { WorkflowError } from "../core/error.ts";
import type { JobState } from "../core/job.ts";
import { isTerminalJob } from "../core/job.ts";
import { addSeconds } from "../core/instant.ts";
import { deliver } from "./deliver.ts";
import type { Engine } from "./engine.ts";
import { assertVisible, jobNotFound } from "./job-access.ts";
import type { JobRequest } from "./job-access.ts";
import type { Sessions } from "./sessions.ts";
import { traced } from "./telemetry.ts";
import type { SpanStart, Telemetry } from "./telemetry.ts";

export interface CancelRequest extends JobRequest {
  readonly requested_by: string;
  readonly reason?: string;
}

/**
 * Begins the cancel, or finds that it has begun. Errors: JOB_NOT_FOUND, JOB_TERMINAL, the store's.
 */
export function cancelJob(
  sessions: Sessions,
  engine: Engine,
  request: CancelRequest,
): Promise<JobState> {
  const { job_id } = request;
  const start = (telemetry: Telemetry): SpanStart => {
    const parent = telemetry.job(job_id);
    return { sort: "cancel", name: "cancel job", parent, attributes: { job_id } };
  };
  return traced(engine.telemetry, start, () => cancelNow(sessions, engine, request));
}

async function cancelNow(
  sessions: Sessions,
  engine: Engine,
  request: CancelRequest,
): Promise<JobState> {
  const { job_id, requested_by, reason } = request;
  const entered = await sessions.enter(job_id, 0);
  if (entered.kind !== "session") {
    throw jobNotFound(job_id);
  }
  const { session } = entered;
  try {
    assertVisible(request, session.job.authenticated_as);
    const before = await session.catchUp();
    assertLive(before);
    if (before.status === "cancelling") return before;
    const soon = addSeconds(engine.clock.now(), engine.timing.resend_seconds);
    await session.keeper.lowerWake(soon);
    const occurrence = {
      type: "cancel_requested",
      requested_by,
      ...(reason === undefined ? {} : { reason }),
    } as const;
    const { job, effects, changed } = await session.commit(occurrence, { canContinue: false });
    // Somebody else may have ended it between the look and the commit.
    if (!changed) assertLive(job);
    await deliver(session, effects);
    return job;
  } finally {
    await sessions.leave(session);
  }
}

function assertLive(job: JobState): void {
  if (!isTerminalJob(job)) return;
  const message = `job ${job.job_id}: already ${job.status}, nothing to cancel`;
  throw new WorkflowError("JOB_TERMINAL", message, { facts: { job_status: job.status } });
}
