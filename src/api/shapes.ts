// Parts that requests and answers of the HTTP API share. Every schema of this folder describes what
// is sent, under the names that are sent; requests are parsed with them, answers are described by
// them in the OpenAPI document and held against them by tests.
import * as z from "zod";
import { WORKFLOW_ID } from "../core/definition.ts";
import { ERROR_CODES } from "../core/error.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { JOB_STATUSES, NODE_STATUSES } from "../core/job.ts";
import { MAX_LABEL_CHARS } from "../core/limits.ts";

export const label = z.string().min(1).max(MAX_LABEL_CHARS);
export const workflowId = z.string().regex(WORKFLOW_ID, { error: "expected a workflow_id" });
export const version = z.int().min(1);
export const jobId = z.uuid().describe("Names a job.");
export const nodeId = z.string().min(1).max(64);
export const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, { error: "expected sha256: and 64 hexadecimal digits" })
  .describe("A SHA-256 digest.");
export const instant = z
  .string()
  .meta({ format: "date-time" })
  .describe("UTC with milliseconds, as 2026-11-22T20:40:51.845Z.");
export const seconds = z.number().min(0);
export const count = z.int().min(0);
export const sequence = z.int().min(0).describe("The number of a journal entry.");

/** Every body is JSON all through before a schema sees it; asking again would take far longer. */
export const object = z
  .custom<JsonObject>(isJsonObject, { error: "expected an object" })
  .meta({ type: "object" });

/** Any JSON value. Answers hold what jobs gave back; nobody looks through it again. */
export const anyJson = z.unknown().describe("Any JSON value.");

export const jobStatus = z.enum(JOB_STATUSES).describe("The status of a job.");
export const nodeStatus = z.enum(NODE_STATUSES).describe("The status of a node.");
export const errorCode = z.string().describe("A stable code, see the page of errors.");

export const issue = z
  .strictObject({
    message: z.string().describe("What is wrong, where, what was expected and what came."),
    code: z.enum(ERROR_CODES).exactOptional(),
    file: z.string().exactOptional(),
    line: z.int().min(1).exactOptional(),
    column: z.int().min(1).exactOptional(),
    pointer: z.string().exactOptional().describe("JSON pointer into the request or document."),
    hint: z.string().exactOptional(),
  })
  .describe("One thing that is wrong, at one place.");

/** RFC 9457, application/problem+json. */
export const problem = z
  .strictObject({
    type: z.string().describe("`urn:holdfast:error:` and the code."),
    title: z.string(),
    status: z.int().min(400).max(599),
    code: z.enum(ERROR_CODES),
    detail: z.string(),
    instance: z.string().describe("Names the invocation in the log."),
    issues: z.array(issue).exactOptional().describe("Everything that is wrong, at most 100."),
    job_status: jobStatus.exactOptional(),
    retry_after_seconds: z.number().exactOptional(),
    first_request: digest.exactOptional().describe("Of an idempotency conflict."),
    this_request: digest.exactOptional(),
    first_digest: digest.exactOptional().describe("Of a version conflict."),
    this_digest: digest.exactOptional(),
    workflow_id: z.string().exactOptional().describe("Of files that conflict."),
    version: z.int().exactOptional(),
    file: z.string().exactOptional(),
    workflow_digest: digest.exactOptional(),
    other_file: z.string().exactOptional(),
    other_workflow_digest: digest.exactOptional(),
    bytes: count.exactOptional().describe("Of a LIMIT_EXCEEDED."),
    limit: count.exactOptional(),
  })
  .describe("What went wrong, as RFC 9457 has it.");
