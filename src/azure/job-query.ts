// The queries of the `jobs` container. Filters, members and paging are those of every store.
// Everything a client says goes in as a parameter, never as text of the query.
import type { SqlQuerySpec } from "@azure/cosmos";
import type { Instant } from "../core/instant.ts";
import {
  assertLimit,
  JOB_FILTERS,
  JOB_LIST_FIELDS,
  MAX_DUE,
  MAX_PAGE,
  positionOf,
} from "../runtime/job-list.ts";
import type { JobFilter } from "../runtime/ports.ts";
import { SORTED_FILTERS } from "./names.ts";

export function dueQuery(now: Instant, limit: number, from?: Instant): SqlQuerySpec {
  assertLimit(limit, MAX_DUE);
  const isLater = from === undefined ? "" : " AND c.wake_at >= @from";
  return {
    query:
      `SELECT TOP ${limit} c.job_id, c.wake_at FROM c ` +
      `WHERE IS_DEFINED(c.wake_at) AND c.wake_at <= @now${isLater} ORDER BY c.wake_at`,
    parameters: [
      { name: "@now", value: now },
      ...(from === undefined ? [] : [{ name: "@from", value: from }]),
    ],
  };
}

/** An open job is one that the sweeper may still have to look at. */
export function openQuery(authenticatedAs?: string): SqlQuerySpec {
  const query = "SELECT VALUE COUNT(1) FROM c WHERE IS_DEFINED(c.wake_at)";
  if (authenticatedAs === undefined) return { query };
  return {
    query: `${query} AND c.authenticated_as = @authenticated_as`,
    parameters: [{ name: "@authenticated_as", value: authenticatedAs }],
  };
}

/** Asks for one row more than the page, to know whether another page follows. */
export function listQuery(filter: JobFilter): SqlQuerySpec {
  assertLimit(filter.limit, MAX_PAGE);
  const conditions: string[] = [];
  const parameters: { name: string; value: string | number }[] = [];
  for (const field of JOB_FILTERS) {
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
