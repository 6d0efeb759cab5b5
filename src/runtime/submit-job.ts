// Creates jobs. The only code that reads the live catalog, and the only moment it is read: what it
// finds is pinned in entry 0, the job's commit point. A job is accepted when entry 0 and its
// projection stand; the message may fail, the sweeper will send it.
import { createJob, pinnedWorkflow } from "../core/create-job.ts";
import { WorkflowError } from "../core/error.ts";
import type { JournalEntry } from "../core/event.ts";
import { applyEntry } from "../core/apply.ts";
import { compileWorkflow } from "../core/graph.ts";
import { isTerminalJob } from "../core/job.ts";
import type { JobState } from "../core/job.ts";
import { MESSAGE_SCHEMA } from "../core/message.ts";
import { journalTtl } from "../core/retention.ts";
import { storedEntry } from "../core/stored.ts";
import { traceparentOf } from "../core/trace.ts";
import { send } from "./deliver.ts";
import type { Engine } from "./engine.ts";
import { findPin } from "./find-pin.ts";
import type { FoundPin } from "./find-pin.ts";
import { sha256 } from "./hash.ts";
import { foldToEnd, readEntry } from "./journal.ts";
import { projectedOf } from "./projected-state.ts";
import { NO_WATCH, projectionOf } from "./projection.ts";
import { digestOfRequest, idFor } from "./submission.ts";
import type { Caller, Submission, Submitted, Submitter } from "./submission.ts";
import { traced } from "./telemetry.ts";
import type { SpanStart, Telemetry } from "./telemetry.ts";

/**
 * Accepts a submission, or answers the job that the same request created before. Errors: those of
 * the catalog; INPUT_INVALID with its issues; CONFIGURATION_INVALID for a setting of a var;
 * IDEMPOTENCY_CONFLICT; TOO_MANY_JOBS, but never for a request that was accepted before;
 * SECRET_MISSING; the store's.
 */
export async function submitJob(
  submitter: Submitter,
  submission: Submission,
  caller: Caller,
): Promise<Submitted> {
  const { engine, openJobs } = submitter;
  const request_digest = digestOfRequest(submission);
  const job_id = idFor(engine, submission, caller);
  if (caller.idempotency_key !== undefined) {
    // Before the catalog: the job answers even where its definition is gone.
    const first = await readEntry(engine.journal, job_id, 0);
    if (first !== undefined) return answerFirst(engine, first, request_digest);
  }
  const found = await findPin(submitter, submission);
  // Nothing has been written so far: what is refused above, or here, leaves no trace.
  const place = await openJobs?.enter(caller.authenticated_as);
  let isNewJob = false;
  try {
    const submitted = await pinned(submitter, {
      ...found,
      job_id,
      request_digest,
      submission,
      caller,
    });
    isNewJob = submitted.created;
    return submitted;
  } finally {
    place?.settle(isNewJob);
  }
}

interface Pin extends FoundPin {
  readonly job_id: string;
  readonly request_digest: string;
  readonly submission: Submission;
  readonly caller: Caller;
}

/** Creates entry 0, the commit point, and accepts; or answers the job that stands there. */
function pinned(submitter: Submitter, pin: Pin): Promise<Submitted> {
  const { telemetry } = submitter.engine;
  const { job_id } = pin;
  const { workflow_id, version } = pin.entry.definition;
  const start = (given: Telemetry): SpanStart => ({
    sort: "submit",
    name: `submit ${workflow_id}`,
    parent: given.job(job_id),
    attributes: { job_id, workflow_id, workflow_version: version },
  });
  return traced(telemetry, start, () => pinnedNow(submitter, pin));
}

async function pinnedNow({ engine, versions }: Submitter, pin: Pin): Promise<Submitted> {
  const { job_id, caller, entry, request_digest } = pin;
  const { definition, source, source_digest } = entry;
  const { redefined } = await versions.claim(entry);
  const now = engine.clock.now();
  const { correlation_id, submitted_by, tags } = pin.submission;
  const created = createJob(
    {
      job_id,
      at: now,
      write_id: engine.randomness.writeId(),
      build: engine.build,
      definition,
      source,
      source_digest,
      inputs: pin.inputs,
      vars: pin.vars,
      request_digest,
      retention: engine.timing.retention_seconds,
      ...(submitted_by === undefined ? {} : { submitted_by }),
      authenticated_as: caller.authenticated_as,
      ...(correlation_id === undefined ? {} : { correlation_id }),
      ...(caller.idempotency_key === undefined ? {} : { idempotency_key: caller.idempotency_key }),
      ...(tags === undefined ? {} : { tags }),
      ...(redefined ? { redefined } : {}),
      ...(engine.telemetry && { traceparent: traceparentOf(engine.telemetry.job(job_id)) }),
    },
    sha256,
  );
  const { entry: first, job } = created;
  const ttl = journalTtl(job, now);
  if ((await engine.journal.create({ ...storedEntry(first, undefined), ttl })) === "exists") {
    const theirs = await readEntry(engine.journal, job_id, 0);
    if (theirs !== undefined) return answerFirst(engine, theirs, request_digest);
    const message = `job ${job_id}: entry 0 exists and cannot be read`;
    throw new WorkflowError("STORE_UNAVAILABLE", message, { retryable: true });
  }
  engine.snapshots.keep(compileWorkflow(definition, job.workflow_digest));
  await accept(engine, job, true);
  engine.log.write("info", "job.accepted", facts(job));
  const { workflow_id, workflow_version } = job;
  engine.telemetry?.measure("holdfast.jobs.accepted", 1, { workflow_id, workflow_version });
  return { job, created: true };
}

function facts(job: JobState): Record<string, string | number> {
  const { job_id, workflow_id, workflow_version, workflow_digest } = job;
  return { job_id, workflow_id, workflow_version, workflow_digest };
}

/** Entry 0 is there already: the same request gets its job, another one is refused. */
async function answerFirst(
  engine: Engine,
  entry: JournalEntry,
  requestDigest: string,
): Promise<Submitted> {
  assertSameRequest(entry, requestDigest);
  const first = applyEntry(undefined, entry, sha256);
  keepSnapshot(engine, entry, first);
  return { job: await accept(engine, first), created: false };
}

/** IDEMPOTENCY_CONFLICT where the job of `entry` was created by another request. */
export function assertSameRequest(entry: JournalEntry, requestDigest: string): void {
  const [event] = entry.events;
  if (event?.type !== "job_created") {
    throw new WorkflowError("DOCUMENT_INVALID", `job ${entry.job_id}: entry 0 is not its creation`);
  }
  if (event.request_digest === requestDigest) return;
  throw new WorkflowError(
    "IDEMPOTENCY_CONFLICT",
    `the idempotency key was used for another request, which created job ${entry.job_id}`,
    { facts: { first_request: event.request_digest, this_request: requestDigest } },
  );
}

/** The projection counts nodes; a snapshot that does not hold is left to whoever runs the job. */
function keepSnapshot(engine: Engine, entry: JournalEntry, job: JobState): void {
  if (engine.snapshots.get(job.workflow_digest) !== undefined) return;
  try {
    engine.snapshots.keep(pinnedWorkflow(entry, sha256));
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
  }
}

/** An operator's purge took the former job of this key, and its projection goes last. */
function halfPurged(jobId: string): WorkflowError {
  const message = `job ${jobId}: the former job of this id is being purged`;
  return new WorkflowError("STORE_UNAVAILABLE", message, { retryable: true });
}

/** Creates the projection and sends the start message where that has not been done yet. */
async function accept(engine: Engine, job: JobState, isNew = false): Promise<JobState> {
  const workflow = engine.snapshots.get(job.workflow_digest);
  const document = projectionOf(engine, { job, watch: NO_WATCH }, workflow);
  const outcome = await engine.jobs.create(document);
  if (outcome === "exists") {
    const stored = await engine.jobs.read(job.job_id);
    if (stored !== undefined && stored.document.created_at !== job.created_at) {
      throw halfPurged(job.job_id);
    }
    const known = stored === undefined ? job : (await projectedOf(engine, stored.document)).job;
    if (isTerminalJob(known) || known.seq > 0) return known;
  }
  const { job_id } = job;
  const first_sent_at = engine.clock.now();
  const start = { v: MESSAGE_SCHEMA, kind: "start", job_id, rev: 0, first_sent_at } as const;
  await send(engine, { ...start, deferrals: 0 }, 0);
  // Whoever asks again may be the first to get here, or the projection went before its journal.
  return outcome === "created" && !isNew ? foldToEnd(engine.journal, job) : job;
}
