// What every store's list of jobs has in common: the members it shows, the filters it knows, and
// paging. Pages are cut by the last row's (created_at, job_id), not by a store's own token: the
// same everywhere, stable while jobs are added, and nothing to keep.
import * as z from "zod";
import { WorkflowError } from "../core/error.ts";
import { isInstant } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import { canonical } from "../core/canonical.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { safeParse } from "../core/safe-parse.ts";
import { sha256 } from "./hash.ts";
import type { JobFilter, JobPage, JobSort } from "./ports.ts";

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

/** Members that a list may be filtered by for equality; `status`, `tag` and times stand beside. */
export const JOB_FILTERS = [
  "workflow_id",
  "workflow_version",
  "workflow_digest",
  "correlation_id",
  "idempotency_key",
  "submitted_by",
  "authenticated_as",
] as const;

export const MAX_PAGE = 200;
export const MAX_DUE = 1_000;

/** Of the digest of a filter: enough that no two filters of one client meet. */
const MARK_CHARS = 16;

const cursorSchema = z.tuple([
  z.string().length(MARK_CHARS),
  z.string().refine(isInstant),
  z.string().min(1).max(255),
]);

/** The place after a row: its `created_at` and its `job_id`. */
export type PagePosition = readonly [Instant, string];

/** A page of `rows` in their order, of which one more than the limit may be given. */
export function pageOf(rows: readonly JsonObject[], filter: JobFilter): JobPage {
  const documents = rows.slice(0, filter.limit);
  const last = documents.at(-1);
  if (rows.length <= filter.limit || last === undefined) return { documents };
  const cursor = JSON.stringify([markOf(filter), last["created_at"], last["job_id"]]);
  return { documents, continuation: Buffer.from(cursor).toString("base64url") };
}

/** BAD_REQUEST for a continuation that no list with this filter and order has answered. */
export function positionOf(filter: JobFilter): PagePosition | undefined {
  const { continuation } = filter;
  if (continuation === undefined) return undefined;
  const parsed = safeParse(cursorSchema, decoded(continuation));
  if (!parsed.success) throw refusedCursor("expected one that a list answered");
  const [mark, at, jobId] = parsed.data;
  if (mark !== markOf(filter)) throw refusedCursor("belongs to another filter or order");
  return [at, jobId];
}

function decoded(continuation: string): unknown {
  try {
    return JSON.parse(Buffer.from(continuation, "base64url").toString());
  } catch {
    return undefined;
  }
}

function refusedCursor(problem: string): WorkflowError {
  const message = `continuation: ${problem}`;
  return new WorkflowError("BAD_REQUEST", message, {
    issues: [{ message, pointer: "/continuation" }],
  });
}

/** Names a filter and its order; the size of a page may change on the way. */
function markOf(filter: JobFilter): string {
  const { continuation: _place, limit: _size, ...rest } = filter;
  const named = { ...rest, sort: sortOf(filter) };
  const members = Object.entries(named).filter(([, value]) => value !== undefined);
  return sha256(canonical(Object.fromEntries(members) as Json)).slice(0, MARK_CHARS);
}

export function sortOf({ sort }: Pick<JobFilter, "sort">): JobSort {
  return sort ?? "-created_at";
}

/** BAD_REQUEST outside 1 to `most`. */
export function assertLimit(limit: number, most: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return;
  throw new WorkflowError("BAD_REQUEST", `limit: expected 1 to ${most}, got ${String(limit)}`);
}
