// The two queries of the `jobs` container, and the paging of lists. Pages are cut by the last row's
// (created_at, job_id), not by the service's token: the same everywhere, stable while jobs are
// added, and nothing to keep.
import type { SqlQuerySpec } from "@azure/cosmos";
import * as z from "zod";
import { WorkflowError } from "../core/error.ts";
import { isInstant } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import type { JsonObject } from "../core/json.ts";
import type { JobFilter, JobPage } from "../runtime/ports.ts";
import { JOB_LIST_FIELDS, SORTED_FILTERS } from "./names.ts";

const EQUALITY_FILTERS = [
  "status",
  "workflow_id",
  "workflow_version",
  "correlation_id",
  "idempotency_key",
  "authenticated_as",
] as const;

const MAX_PAGE = 200;
const MAX_DUE = 1_000;

const positionSchema = z.tuple([z.string().refine(isInstant), z.string().min(1).max(255)]);

export function dueQuery(now: Instant, limit: number): SqlQuerySpec {
  assertLimit(limit, MAX_DUE);
  return {
    query:
      `SELECT TOP ${limit} c.job_id FROM c ` +
      "WHERE IS_DEFINED(c.wake_at) AND c.wake_at <= @now ORDER BY c.wake_at",
    parameters: [{ name: "@now", value: now }],
  };
}

/** Asks for one row more than the page, to know whether another page follows. */
export function listQuery(filter: JobFilter): SqlQuerySpec {
  assertLimit(filter.limit, MAX_PAGE);
  const conditions: string[] = [];
  const parameters: { name: string; value: string | number }[] = [];
  for (const field of EQUALITY_FILTERS) {
    const value = filter[field];
    if (value === undefined) continue;
    conditions.push(`c.${field} = @${field}`);
    parameters.push({ name: `@${field}`, value });
  }
  if (filter.continuation !== undefined) {
    const [at, jobId] = positionOf(filter.continuation);
    conditions.push("(c.created_at < @at OR (c.created_at = @at AND c.job_id < @job_id))");
    parameters.push({ name: "@at", value: at }, { name: "@job_id", value: jobId });
  }
  const sorted = SORTED_FILTERS.find((field) => filter[field] !== undefined);
  const order = [
    ...(sorted === undefined ? [] : [`c.${sorted} ASC`]),
    "c.created_at DESC",
    "c.job_id DESC",
  ];
  const fields = JOB_LIST_FIELDS.map((field) => `c.${field}`).join(", ");
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return {
    query:
      `SELECT TOP ${filter.limit + 1} ${fields} FROM c${where} ORDER BY ${order.join(", ")}`,
    parameters,
  };
}

export function pageOf(rows: readonly JsonObject[], limit: number): JobPage {
  const documents = rows.slice(0, limit);
  const last = documents.at(-1);
  if (rows.length <= limit || last === undefined) return { documents };
  const position = JSON.stringify([last["created_at"], last["job_id"]]);
  return { documents, continuation: Buffer.from(position).toString("base64url") };
}

function positionOf(continuation: string): readonly [Instant, string] {
  try {
    return positionSchema.parse(JSON.parse(Buffer.from(continuation, "base64url").toString()));
  } catch (error) {
    throw new WorkflowError("BAD_REQUEST", "continuation: expected one that a list answered", {
      cause: error,
    });
  }
}

function assertLimit(limit: number, most: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return;
  throw new WorkflowError("BAD_REQUEST", `limit: expected 1 to ${most}, got ${String(limit)}`);
}
