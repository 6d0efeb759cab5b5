// The projection: the `job` document with the folded state, what lists show, and when the sweeper
// must look. It follows the journal and never leads; losing a refresh is harmless.
import * as z from "zod";
import type { Watch } from "../core/effect.ts";
import { WorkflowError } from "../core/error.ts";
import { DECISIONS_VERSION, NEWEST_SCHEMA } from "../core/event.ts";
import type { Workflow } from "../core/graph.ts";
import type { Instant } from "../core/instant.ts";
import { countByStatus } from "../core/job.ts";
import type { JobState } from "../core/job.ts";
import { projectionTtl } from "../core/retention.ts";
import { safeParse } from "../core/safe-parse.ts";
import { documentSchema, leanState, storedState, wholeState } from "../core/stored.ts";
import { pruneWatch, wakeAt } from "../core/watch.ts";
import type { Engine } from "./engine.ts";
import type { JobDocument } from "./ports.ts";

export const NO_WATCH: Watch = { renewals: {}, resends: {} };

export interface Projected {
  readonly job: JobState;
  readonly watch: Watch;
}

/** The `job` document of a state. `workflow` is absent only where the snapshot is refused. */
export function projectionOf(
  engine: Pick<Engine, "clock" | "randomness" | "timing">,
  { job, watch }: Projected,
  workflow: Workflow | undefined,
): JobDocument {
  const now = engine.clock.now();
  const kept = pruneWatch(job, watch);
  const wake = wakeAt(job, { watch: kept, timing: engine.timing });
  const nodeIds = workflow?.order ?? Object.keys(job.nodes);
  return {
    id: "job",
    job_id: job.job_id,
    schema: documentSchema(job),
    write_id: engine.randomness.writeId(),
    seq: job.seq,
    status: job.status,
    workflow_id: job.workflow_id,
    workflow_version: job.workflow_version,
    workflow_digest: job.workflow_digest,
    authenticated_as: job.authenticated_as,
    created_at: job.created_at,
    deadline_at: job.deadline_at,
    ...present({
      started_at: job.started_at,
      completed_at: job.completed_at,
      submitted_by: job.submitted_by,
      correlation_id: job.correlation_id,
      idempotency_key: job.idempotency_key,
      tags: job.tags,
      error: job.error,
      wake_at: wake,
    }),
    updated_at: now,
    ttl: projectionTtl(job, now, engine.timing.retention_seconds),
    summary: countByStatus(job, nodeIds),
    state: storedState(job),
    watch: kept,
  };
}

function present(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

const watchSchema = z.object({
  renewals: z.record(z.string(), z.string()),
  resends: z.record(z.string(), z.object({ at: z.string(), n: z.int() })),
  suspects: z.record(z.string(), z.string()).optional(),
});

const projectionSchema = z.looseObject({
  schema: z.int(),
  seq: z.int().min(0),
  state: z.looseObject({
    job_id: z.string(),
    workflow_id: z.string(),
    workflow_version: z.int().min(1),
    workflow_digest: z.string().min(1),
    decisions_version: z.int().default(DECISIONS_VERSION),
    status: z.string(),
    seq: z.int().min(0),
    head: z.string(),
    nodes: z.record(z.string(), z.looseObject({ status: z.string() })),
  }),
  watch: watchSchema,
});

/** A stored `job` document. SCHEMA_TOO_NEW for a later shape, DOCUMENT_INVALID for a broken one. */
export function parseProjection(document: JobDocument): Projected {
  assertKnownShape(document, { decisions_version: 0 });
  const parsed = safeParse(projectionSchema, document);
  if (!parsed.success) {
    const message = `job ${document.job_id}: the stored projection is not of the expected shape`;
    throw new WorkflowError("DOCUMENT_INVALID", message, { cause: parsed.error });
  }
  assertKnownShape(document, parsed.data.state);
  const state = parsed.data.state as unknown as Parameters<typeof wholeState>[0];
  return { job: wholeState(state), watch: wholeWatch(parsed.data.watch) };
}

/** SCHEMA_TOO_NEW where a later build's shape or rules hold. */
export function assertKnownShape(
  { job_id, schema }: JobDocument,
  { decisions_version }: { readonly decisions_version: number },
): void {
  // The snapshot may be in memory: then nobody reads entry 0, which says so as well.
  const isKnown = schema <= NEWEST_SCHEMA && decisions_version <= DECISIONS_VERSION;
  if (isKnown) return;
  const found =
    schema > NEWEST_SCHEMA ? `schema ${schema}` : `decisions_version ${decisions_version}`;
  const message = `job ${job_id}: ${found} is newer than this build`;
  throw new WorkflowError("SCHEMA_TOO_NEW", message, { retryable: true });
}

/** What a document says beside its state; nothing where that cannot be read. */
export function watchOf(document: JobDocument): Watch {
  const parsed = safeParse(watchSchema, document["watch"]);
  return parsed.success ? wholeWatch(parsed.data) : NO_WATCH;
}

function wholeWatch({ suspects, ...watch }: z.infer<typeof watchSchema>): Watch {
  return suspects === undefined ? watch : { ...watch, suspects };
}

/** For a document that is too large: smaller ones, which all say when to look and who works. */
export function* smaller(document: JobDocument, job: JobState): Generator<JobDocument> {
  yield { ...document, state: leanState(job) };
  const { state: _tooLarge, ...kept } = document;
  yield kept;
}

/** Whether `at` is earlier than what the stored projection would wake the sweeper for. */
export function mustLowerWake(stored: Instant | undefined, needed: Instant | undefined): boolean {
  return needed !== undefined && (stored === undefined || needed < stored);
}
