// The list of jobs: filters from the address, rows that refresh while somebody looks, and more of
// them on demand. A refresh asks for as many rows as are shown, so that none of them grows old.
import { useEffect, useRef, useState } from "preact/hooks";
import type { JobRow } from "../api/wire.ts";
import type { Client, ListOptions } from "../client/client.ts";
import { instantOfLocal } from "./instant.ts";
import { JobsFilter } from "./jobs-filter.tsx";
import { JobsTable } from "./jobs-table.tsx";
import { useLoaded, useTicks } from "./loading.ts";
import { PageTitle } from "./page-title.tsx";
import { Empty, Failure, Loading } from "./parts.tsx";
import { useSession } from "./session.ts";
import { StatsStrip } from "./stats-strip.tsx";
import { plural } from "./summary.ts";

const PAGE_ROWS = 100;
const MOST_PER_REQUEST = 200;
const REFRESH_MS = 2500;

interface Rows {
  readonly jobs: readonly JobRow[];
  readonly hasMore: boolean;
}

export function JobsView({ query }: { readonly query: URLSearchParams }) {
  const { client, announce } = useSession();
  const [isLive, setLive] = useState(true);
  const [wanted, setWanted] = useState(PAGE_ROWS);
  const ticks = useTicks(REFRESH_MS, isLive);
  const search = String(query);
  useEffect(() => setWanted(PAGE_ROWS), [search]);
  const { value, error } = useLoaded<Rows>(
    (signal) => rowsOf(client, { filters: filtersOf(query), wanted, signal }),
    { subject: search, moved: `${wanted} ${ticks}` },
  );
  // What was asked for is awaited first; a button that is disabled would lose the focus.
  const more = (): void => {
    if ((value?.jobs.length ?? 0) >= wanted) setWanted(wanted + PAGE_ROWS);
  };
  useCountSaid(value?.jobs.length, announce);
  return (
    <>
      <div class="title-row">
        <PageTitle title="Jobs" />
        <label class="check live">
          <input
            type="checkbox"
            checked={isLive}
            onChange={(event) => setLive(event.currentTarget.checked)}
          />{" "}
          Refresh by itself
        </label>
      </div>
      <StatsStrip ticks={ticks} />
      <JobsFilter query={query} />
      {error === undefined ? null : <Failure error={error} />}
      {value === undefined && error === undefined ? <Loading what="jobs" /> : null}
      {value === undefined ? null : (
        <RowsFound rows={value} isFiltered={search !== ""} />
      )}
      {value?.hasMore === true ? (
        <button type="button" onClick={more}>
          Show more
        </button>
      ) : null}
    </>
  );
}

interface RowsFoundProps {
  readonly rows: Rows;
  readonly isFiltered: boolean;
}

function RowsFound({ rows: { jobs, hasMore }, isFiltered }: RowsFoundProps) {
  if (jobs.length === 0) {
    return (
      <Empty>
        {isFiltered
          ? "No job fits these filters."
          : "There are no jobs yet. Pick a workflow to submit one."}
      </Empty>
    );
  }
  return (
    <>
      <JobsTable jobs={jobs} />
      <p class="dim">
        {plural(jobs.length, "job")} shown{hasMore ? ", and there are more" : ""}.
      </p>
    </>
  );
}

/** Says how many there are when that changes, and not with each refresh. */
function useCountSaid(count: number | undefined, announce: (message: string) => void): void {
  const before = useRef<number>(undefined);
  useEffect(() => {
    if (count === undefined) return;
    if (before.current !== undefined && before.current !== count) {
      announce(`${plural(count, "job")} shown`);
    }
    before.current = count;
  }, [count, announce]);
}

interface RowsWanted {
  readonly filters: ListOptions;
  readonly wanted: number;
  readonly signal: AbortSignal;
}

async function rowsOf(client: Client, { filters, wanted, signal }: RowsWanted): Promise<Rows> {
  const jobs: JobRow[] = [];
  let continuation: string | undefined;
  do {
    const limit = Math.min(MOST_PER_REQUEST, wanted - jobs.length);
    const page = await client.jobs({ ...filters, limit, continuation, signal });
    jobs.push(...page.jobs);
    continuation = page.continuation;
  } while (continuation !== undefined && jobs.length < wanted);
  return { jobs, hasMore: continuation !== undefined };
}

/** The address as a query of the API; a day without a time begins at midnight here. */
function filtersOf(query: URLSearchParams): ListOptions {
  const text = (name: string): string | undefined => query.get(name) ?? undefined;
  const version = Number(query.get("workflow_version") ?? Number.NaN);
  return {
    status: text("status"),
    workflow_id: text("workflow_id"),
    workflow_version: Number.isInteger(version) && version > 0 ? version : undefined,
    tag: text("tag"),
    correlation_id: text("correlation_id"),
    submitted_by: text("submitted_by"),
    created_from: instantOfLocal(query.get("created_from") ?? ""),
    created_before: instantOfLocal(query.get("created_before") ?? ""),
    sort: query.get("sort") === "created_at" ? "created_at" : undefined,
  };
}
