// A transition as log lines: once, where it is saved. Ids, counts and codes; never a payload.
// Only what a person follows is logged: attempts, ends, and what went wrong.
import type { JournalEvent } from "../core/event.ts";
import type { JobState } from "../core/job.ts";
import type { Log, LogFields } from "./ports.ts";

export function logTransition(log: Log, job: JobState, events: readonly JournalEvent[]): void {
  const { job_id, workflow_id, workflow_version } = job;
  const facts = { job_id, workflow_id, workflow_version };
  for (const event of events) logEvent(log, event, facts);
}

function logEvent(log: Log, event: JournalEvent, facts: LogFields): void {
  switch (event.type) {
    case "job_started":
      log.write("info", "job.started", facts);
      return;
    case "node_started": {
      const { node_id, attempt } = event;
      log.write("info", "node.started", { ...facts, node_id, attempt });
      return;
    }
    case "node_completed":
      if (event.attempt !== undefined) logEnd(log, event, facts);
      return;
    case "node_failed":
    case "node_retried":
      logEnd(log, event, { ...facts, code: event.error.code });
      return;
    case "node_timed_out":
    case "node_lost":
      logEnd(log, event, facts);
      return;
    case "job_completed":
      log.write("info", "job.ended", { ...facts, status: "completed" });
      return;
    case "job_failed":
    case "job_cancelled": {
      const status = event.type === "job_failed" ? "failed" : "cancelled";
      log.write("info", "job.ended", { ...facts, status, code: event.error.code });
      return;
    }
    case "job_created":
    case "node_queued":
    case "node_skipped":
    case "node_cancelled":
    case "node_expanded":
    case "chunk_completed":
    case "chunk_lost":
    case "chunk_cancelled":
    case "message_poisoned":
    case "handler_missing":
    case "outcome_orphaned":
    case "job_cancelling":
  }
}

function logEnd(
  log: Log,
  event: { readonly type: string; readonly node_id: string; readonly attempt?: number },
  facts: LogFields,
): void {
  const { type, node_id, attempt } = event;
  log.write("info", "node.ended", { ...facts, node_id, attempt, how: type });
}
