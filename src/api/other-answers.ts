// What is answered about definitions, handlers, numbers and the app itself. Members that have no
// value are absent; nothing stands in an answer that does not stand here.
import * as z from "zod";
import { count, digest, errorCode, instant, issue, object, seconds, version } from "./shapes.ts";
import { workflowId } from "./shapes.ts";

const fileRow = {
  file: z.string().describe("Below the folder of workflows."),
  workflow_id: z.string().exactOptional(),
  version: z.int().exactOptional(),
  name: z.string().exactOptional(),
  description: z.string().exactOptional(),
  is_active: z.boolean().exactOptional().describe("Whether new jobs may start."),
  workflow_digest: digest.exactOptional(),
  source_digest: digest.exactOptional(),
  status: z
    .enum(["ok", "duplicate", "conflict", "invalid"])
    .describe("Duplicate: the same content twice. Conflict: one version, other content."),
  issues: z.array(issue).exactOptional(),
};

export const workflowList = z
  .strictObject({ workflows: z.array(z.strictObject(fileRow)), count })
  .describe("Every file of the folder as it is now.");

export const workflow = z
  .strictObject({
    workflow_id: workflowId,
    versions: z.array(
      z.strictObject({
        ...fileRow,
        missing_secrets: z.array(z.string()).exactOptional(),
        definition: object.exactOptional().describe("Of an active version, defaults applied."),
        source: z.string().exactOptional(),
      }),
    ),
  })
  .describe("The versions of one workflow.");

export const checkedText = z
  .union([
    z.strictObject({
      valid: z.literal(true),
      issues: z.array(z.never()),
      workflow_id: workflowId,
      version,
      workflow_digest: digest,
    }),
    z.strictObject({ valid: z.literal(false), issues: z.array(issue).min(1) }),
  ])
  .describe("Whether a text would be accepted as a definition.");

export const handlerList = z
  .strictObject({
    handlers: z.array(
      z.strictObject({
        name: z.string(),
        version: z.string(),
        description: z.string(),
        params_schema: object.describe("JSON Schema of what an author writes."),
        output_schema: object,
      }),
    ),
    count,
  })
  .describe("The handlers of the build that answers.");

const durations = z
  .strictObject({
    count: count.describe("Completed jobs that these numbers are of."),
    since: instant,
    p50_seconds: seconds.exactOptional().describe("Half took less; within 5 %."),
    p95_seconds: seconds.exactOptional().describe("95 of 100 took less; within 5 %."),
  })
  .describe("How long completed jobs took, today and yesterday (UTC).");

const endings = { completed: count, failed: count, cancelled: count };

export const stats = z
  .strictObject({
    as_of: instant.exactOptional().describe("True up to here; absent before the first count."),
    since: instant.exactOptional().describe("Endings are counted from here."),
    open: z
      .strictObject({ pending: count, running: count, suspended: count, cancelling: count })
      .describe("Jobs that have not ended, by status."),
    ended: z.strictObject(endings).describe("Jobs that have ended since `since`, by status."),
    durations: durations.exactOptional(),
    workflows: z.array(
      z
        .strictObject({
          workflow_id: workflowId,
          workflow_version: version,
          ...endings,
          last_ended_at: instant,
          durations,
        })
        .describe("One version of a workflow that had an ending."),
    ),
    others: z
      .strictObject(endings)
      .exactOptional()
      .describe("Versions above the 200 that ended last."),
  })
  .describe("Numbers over all jobs, folded forward by the timer.");

export const alive = z.strictObject({ status: z.literal("live") }).describe("The process answers.");

export const readiness = z
  .strictObject({
    status: z.enum(["ready", "not ready"]),
    build: z.string().exactOptional(),
    checks: z.array(
      z.strictObject({
        name: z.string(),
        ok: z.boolean().exactOptional(),
        error: errorCode.exactOptional(),
        hint: z.string().exactOptional(),
      }),
    ),
    error: z.string().exactOptional(),
  })
  .describe("Whether stores, queues and settings are as they must be.");

export const rebuilt = z
  .strictObject({
    rebuilt: z.boolean(),
    statements: z.array(
      z.strictObject({
        statement: z.string(),
        ok: z.boolean(),
        error: z.string().exactOptional(),
      }),
    ),
  })
  .describe("What was dropped and made again.");

export const document = z
  .looseObject({ openapi: z.literal("3.1.0") })
  .describe("An OpenAPI document.");
