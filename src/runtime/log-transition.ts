// A transition as log lines, metrics and spans: once, where it is saved. Ids, counts and codes;
// never a payload. Only what a person follows is told: attempts, ends, and what went wrong.
import { attemptKey } from "../core/effect.ts";
import type { JournalEvent } from "../core/event.ts";
import { secondsBetween } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import { isTerminalJob, nodeState } from "../core/job.ts";
import type { JobState } from "../core/job.ts";
import type { Workflow } from "../core/graph.ts";
import type { Engine } from "./engine.ts";
import type { Log, LogFields } from "./ports.ts";
import { spanIdOfAttempt } from "./telemetry.ts";
import type { Telemetry } from "./telemetry.ts";

export interface Transition {
  /** After the transition. */
  readonly job: JobState;
  readonly workflow: Workflow;
  readonly events: readonly JournalEvent[];
}

export function logTransition(
  { log, telemetry }: Pick<Engine, "log" | "telemetry">,
  { job, workflow, events }: Transition,
): void {
  const { job_id, workflow_id, workflow_version } = job;
  const facts = { job_id, workflow_id, workflow_version };
  for (const event of events) {
    logEvent(log, event, facts);
    if (telemetry !== undefined) tellEvent(telemetry, event, { job, workflow });
  }
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

/** What only the journal knows: beginnings, ends, and attempts whose worker cannot tell. */
function tellEvent(
  telemetry: Telemetry,
  event: JournalEvent,
  { job, workflow }: Pick<Transition, "job" | "workflow">,
): void {
  const { workflow_id, workflow_version } = job;
  if (event.type === "job_started") {
    telemetry.measure("holdfast.jobs.started", 1, { workflow_id, workflow_version });
  }
  if (event.type === "node_lost") tellLost(telemetry, event, { job, workflow });
  if (event.type === "chunk_lost") tellLost(telemetry, event, { job, workflow });
  if (isTerminalJob(job) && isEnd(event)) tellEnd(telemetry, job);
}

function isEnd({ type }: JournalEvent): boolean {
  return type === "job_completed" || type === "job_failed" || type === "job_cancelled";
}

function tellEnd(telemetry: Telemetry, job: JobState): void {
  const { workflow_id, workflow_version, status, created_at: from } = job;
  const to = job.completed_at ?? job.at;
  const workflow = { workflow_id, workflow_version };
  telemetry.measure("holdfast.jobs.ended", 1, { ...workflow, status });
  const seconds = secondsBetween(from, to);
  telemetry.measure("holdfast.job.duration", seconds, { ...workflow, status });
  const code = job.error?.code;
  telemetry.ended(telemetry.job(job.job_id, job.traceparent), {
    name: `job ${workflow_id}`,
    from,
    to,
    attributes: { ...jobAttributes(job), status, code },
    ...(status === "completed" ? {} : { error: code ?? status }),
  });
}

/** The attributes that every span of a job has. */
export function jobAttributes(job: JobState): LogFields {
  const { job_id, workflow_id, workflow_version, workflow_digest } = job;
  return { job_id, workflow_id, workflow_version, workflow_digest };
}

/** The span that the worker cannot write, for it is gone. */
function tellLost(
  telemetry: Telemetry,
  event: { readonly node_id: string; readonly attempt: number; readonly chunk?: number },
  { job, workflow }: Pick<Transition, "job" | "workflow">,
): void {
  const { node_id, attempt, chunk } = event;
  const { workflow_id, workflow_version, at } = job;
  const seconds = secondsBetween(begunAt(job, event), at);
  const handler = handlerOf(workflow, node_id);
  const outcome = "lost";
  telemetry.measure("holdfast.attempt.duration", seconds, {
    workflow_id,
    workflow_version,
    node_id,
    handler,
    outcome,
  });
  const sort = chunk === undefined ? "attempt" : "chunk";
  telemetry.past(
    {
      sort,
      name: `${sort} ${node_id}`,
      parent: telemetry.job(job.job_id, job.traceparent),
      span_id: spanIdOfAttempt(job.job_id, attemptKey(node_id, attempt, chunk)),
      attributes: { ...jobAttributes(job), node_id, attempt, chunk, handler, outcome },
    },
    seconds * 1000,
    "WORKER_LOST",
  );
}

/** When a chunk was claimed stands in a document of its own, which nobody reads for this. */
function begunAt(
  job: JobState,
  { node_id, chunk }: { readonly node_id: string; readonly chunk?: number },
): Instant {
  const { started_at = job.at } = nodeState(job, node_id);
  return chunk === undefined ? started_at : job.at;
}

function handlerOf(workflow: Workflow, nodeId: string): string {
  const node = workflow.definition.nodes[nodeId];
  if (node?.type === "task") return node.handler;
  return node?.type === "fan_out" ? node.task.handler : "unknown";
}
