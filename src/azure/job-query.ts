// The queries of the `jobs` container. Filters, members and paging are those of every store.
// Everything a client says goes in as a parameter, never as text of the query.
import type { SqlQuerySpec } from "@azure/cosmos";
import type { Instant } from "../core/instant.ts";
import { TERMINAL_JOB_STATUSES } from "../core/job.ts";
import {
  assertLimit,
  JOB_FILTERS,
  JOB_LIST_FIELDS,
  MAX_DUE,
  MAX_PAGE,
  positionOf,
  sortOf,
} from "../runtime/job-list.ts";
import type { ArchiveFilter } from "../runtime/job-archive.ts";
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

export function statusQuery(status: string): SqlQuerySpec {
  return {
    query: "SELECT VALUE COUNT(1) FROM c WHERE c.status = @status",
    parameters: [{ name: "@status", value: status }],
  };
}

/** `_ts`, which is always indexed, is when the store made the last write, in whole seconds. */
export function endedQuery(from: number, to: number, limit: number): SqlQuerySpec {
  const names = TERMINAL_JOB_STATUSES.map((_, index) => `@status${index}`);
  const fields = ENDED_FIELDS.map((field) => `c.${field}`).join(", ");
  return {
    query:
      `SELECT TOP ${limit} ${fields} FROM c ` +
      `WHERE c._ts > @from AND c._ts <= @to AND c.status IN (${names.join(", ")})`,
    parameters: [
      { name: "@from", value: from },
      { name: "@to", value: to },
      ...TERMINAL_JOB_STATUSES.map((value, index) => ({ name: `@status${index}`, value })),
    ],
  };
}

const ENDED_FIELDS = [
  "workflow_id",
  "workflow_version",
  "status",
  "started_at",
  "completed_at",
] as const;

type Parameter = { readonly name: string; readonly value: string | number };

interface Conditions {
  readonly texts: string[];
  readonly parameters: Parameter[];
}

/** Asks for one row more than the page, to know whether another page follows. */
export function listQuery(filter: JobFilter): SqlQuerySpec {
  assertLimit(filter.limit, MAX_PAGE);
  const conditions = conditionsOf(filter);
  addPosition(filter, conditions);
  const { texts, parameters } = conditions;
  const fields = JOB_LIST_FIELDS.map((field) => `c.${field}`).join(", ");
  const where = texts.length === 0 ? "" : ` WHERE ${texts.join(" AND ")}`;
  const order = orderOf(filter).join(", ");
  return {
    query: `SELECT TOP ${filter.limit + 1} ${fields} FROM c${where} ORDER BY ${order}`,
    parameters,
  };
}

/** Rows in no order. `created_at` is indexed, and nothing ends before it was created. */
export function archiveQuery(
  { ended_before, ...filter }: ArchiveFilter,
  fields: readonly string[],
  limit: number,
): SqlQuerySpec {
  const { texts, parameters } = conditionsOf({ ...filter, created_before: ended_before });
  const where = [...texts, "c.completed_at < @created_before"].join(" AND ");
  const members = fields.map((field) => `c.${field}`).join(", ");
  return { query: `SELECT TOP ${limit} ${members} FROM c WHERE ${where}`, parameters };
}

function conditionsOf(filter: Omit<JobFilter, "limit" | "sort" | "continuation">): Conditions {
  const conditions: Conditions = { texts: [], parameters: [] };
  const add = (name: string, value: string | number | undefined, text: string): void => {
    if (value === undefined) return;
    conditions.texts.push(text);
    conditions.parameters.push({ name: `@${name}`, value });
  };
  for (const field of JOB_FILTERS) add(field, filter[field], `c.${field} = @${field}`);
  const statuses = filter.status ?? [];
  if (statuses.length > 0) {
    const names = statuses.map((_, index) => `@status${index}`);
    const test = names.length === 1 ? `= ${names.join("")}` : `IN (${names.join(", ")})`;
    conditions.texts.push(`c.status ${test}`);
    statuses.forEach((value, index) => {
      conditions.parameters.push({ name: `@status${index}`, value });
    });
  }
  add("tag", filter.tag, "ARRAY_CONTAINS(c.tags, @tag)");
  add("created_from", filter.created_from, "c.created_at >= @created_from");
  add("created_before", filter.created_before, "c.created_at < @created_before");
  return conditions;
}

/** What follows the last row of the page before. */
function addPosition(filter: JobFilter, { texts, parameters }: Conditions): void {
  const position = positionOf(filter);
  if (position === undefined) return;
  const [at, jobId] = position;
  const is = sortOf(filter) === "created_at" ? ">" : "<";
  texts.push(`(c.created_at ${is} @at OR (c.created_at = @at AND c.job_id ${is} @job_id))`);
  parameters.push({ name: "@at", value: at }, { name: "@job_id", value: jobId });
}

/** As one composite index has it, or as its exact reverse. */
function orderOf(filter: JobFilter): readonly string[] {
  const isReverse = sortOf(filter) === "created_at";
  const sorted = SORTED_FILTERS.find((field) =>
    field === "status" ? filter.status?.length === 1 : filter[field] !== undefined,
  );
  const [own, time] = isReverse ? ["DESC", "ASC"] : ["ASC", "DESC"];
  return [
    ...(sorted === undefined ? [] : [`c.${sorted} ${own}`]),
    `c.created_at ${time}`,
    `c.job_id ${time}`,
  ];
}
