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
import { documentSchema, storedState, wholeState } from "../core/stored.ts";
import { pruneWatch, wakeAt } from "../core/watch.ts";
import type { Engine } from "./engine.ts";
import { ttlSeconds } from "./journal.ts";
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
    ttl: ttlSeconds(job, now),
    summary: countByStatus(job, nodeIds),
    state: storedState(job),
    watch: kept,
  };
}

function present(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

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
  watch: z.object({
    renewals: z.record(z.string(), z.string()),
    resends: z.record(z.string(), z.object({ at: z.string(), n: z.int() })),
    suspects: z.record(z.string(), z.string()).optional(),
  }),
});

/** A stored `job` document. SCHEMA_TOO_NEW for a later shape, DOCUMENT_INVALID for a broken one. */
export function parseProjection(document: JobDocument): Projected {
  if (document.schema > NEWEST_SCHEMA) {
    const message = `job ${document.job_id}: schema ${document.schema} is newer than this build`;
    throw new WorkflowError("SCHEMA_TOO_NEW", message, { retryable: true });
  }
  const parsed = projectionSchema.safeParse(document);
  if (!parsed.success) {
    const message = `job ${document.job_id}: the stored projection is not of the expected shape`;
    throw new WorkflowError("DOCUMENT_INVALID", message, { cause: parsed.error });
  }
  const { decisions_version } = parsed.data.state;
  if (decisions_version > DECISIONS_VERSION) {
    // The snapshot may be in memory: then nobody reads entry 0, which says so as well.
    const found = `decisions_version ${decisions_version} is newer than this build`;
    throw new WorkflowError("SCHEMA_TOO_NEW", `job ${document.job_id}: ${found}`, {
      retryable: true,
    });
  }
  const state = parsed.data.state as unknown as Parameters<typeof wholeState>[0];
  const { suspects, ...watch } = parsed.data.watch;
  const whole = suspects === undefined ? watch : { ...watch, suspects };
  return { job: wholeState(state), watch: whole };
}

/** Whether `at` is earlier than what the stored projection would wake the sweeper for. */
export function mustLowerWake(stored: Instant | undefined, needed: Instant | undefined): boolean {
  return needed !== undefined && (stored === undefined || needed < stored);
}
