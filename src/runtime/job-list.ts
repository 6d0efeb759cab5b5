// What every store's list of jobs has in common: the members it shows, the filters it knows, and
// paging. Pages are cut by the last row's (created_at, job_id), not by a store's own token: the
// same everywhere, stable while jobs are added, and nothing to keep.
import * as z from "zod";
import { WorkflowError } from "../core/error.ts";
import { isInstant } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import type { JsonObject } from "../core/json.ts";
import type { JobPage } from "./ports.ts";

/**
 * What a list shows of a job document. Named one by one, because the query language cannot say
 * "all but `state`", and `state` is most of a document.
 */
export const JOB_LIST_FIELDS = [
  "id",
  "job_id",
  "schema",
  "write_id",
  "seq",
  "status",
  "workflow_id",
  "workflow_version",
  "workflow_digest",
  "correlation_id",
  "idempotency_key",
  "submitted_by",
  "authenticated_as",
  "tags",
  "created_at",
  "started_at",
  "updated_at",
  "completed_at",
  "deadline_at",
  "wake_at",
  "error",
  "summary",
] as const;

/** Members that a list may be filtered by; equality only. */
export const JOB_FILTERS = [
  "status",
  "workflow_id",
  "workflow_version",
  "correlation_id",
  "idempotency_key",
  "authenticated_as",
] as const;

export const MAX_PAGE = 200;
export const MAX_DUE = 1_000;

const positionSchema = z.tuple([z.string().refine(isInstant), z.string().min(1).max(255)]);

/** The place after a row: its `created_at` and its `job_id`. */
export type PagePosition = readonly [Instant, string];

/** A page of `rows`, newest first, of which one more than `limit` may be given. */
export function pageOf(rows: readonly JsonObject[], limit: number): JobPage {
  const documents = rows.slice(0, limit);
  const last = documents.at(-1);
  if (rows.length <= limit || last === undefined) return { documents };
  const position = JSON.stringify([last["created_at"], last["job_id"]]);
  return { documents, continuation: Buffer.from(position).toString("base64url") };
}

/** BAD_REQUEST for a continuation that no list has answered. */
export function positionOf(continuation: string): PagePosition {
  try {
    return positionSchema.parse(JSON.parse(Buffer.from(continuation, "base64url").toString()));
  } catch (error) {
    throw new WorkflowError("BAD_REQUEST", "continuation: expected one that a list answered", {
      cause: error,
    });
  }
}

/** BAD_REQUEST outside 1 to `most`. */
export function assertLimit(limit: number, most: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return;
  throw new WorkflowError("BAD_REQUEST", `limit: expected 1 to ${most}, got ${String(limit)}`);
}
