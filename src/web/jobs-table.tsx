// Rows of jobs. On a narrow screen each row becomes a card whose cells name themselves. A row is
// drawn anew only when it says something else, so that a refresh of 500 costs little.
import { useLayoutEffect } from "preact/hooks";
import { memo } from "./memo.ts";
import type { JobRow } from "../api/wire.ts";
import { durationText, exactTime, nowMillis, relativeTime, secondsBetween } from "./instant.ts";
import { Digest, ProgressBar, TableHead } from "./parts.tsx";
import { links } from "./router.ts";
import { StatusBadge } from "./status-badge.tsx";
import { progressOf, shortId } from "./summary.ts";

const TITLES = ["Status", "Job", "Workflow", "Progress", "Created", "Duration", "Submitter, tags"];

export function JobsTable({ jobs }: { readonly jobs: readonly JobRow[] }) {
  const now = nowMillis();
  // For whoever measures how long a list takes to be there.
  useLayoutEffect(() => void performance.mark("holdfast.rows"), []);
  return (
    <table class="jobs cards">
      <caption class="unseen">Jobs</caption>
      <TableHead titles={TITLES} />
      <tbody>
        {jobs.map((job) => (
          <Row key={job.job_id} job={job} {...timesOf(job, now)} />
        ))}
      </tbody>
    </table>
  );
}

/** What of a row follows from the clock: it is drawn anew when one of these says something else. */
interface Times {
  readonly created: string;
  readonly duration: string;
}

function timesOf({ created_at, started_at, completed_at }: JobRow, now: number): Times {
  const seconds = secondsBetween(started_at, completed_at ?? now);
  const duration = seconds === undefined ? "–" : durationText(seconds);
  return { created: relativeTime(created_at, now), duration };
}

const Row = memo(
  ({ job, created, duration }: Times & { readonly job: JobRow }) => {
    const { job_id, status, workflow_id, workflow_version, workflow_digest, created_at } = job;
    const progress = progressOf(job.summary);
    const { ended, total } = progress;
    return (
      <tr>
        <td data-name="Status">
          <StatusBadge status={status} />
        </td>
        <th scope="row" data-name="Job">
          <a href={links.job(job_id)} title={job_id}>
            {shortId(job_id)}
          </a>
          {job.correlation_id === undefined ? null : (
            <span class="sub clip" title={job.correlation_id}>
              {job.correlation_id}
            </span>
          )}
        </th>
        <td data-name="Workflow">
          <a href={links.workflow(workflow_id)}>{workflow_id}</a>
          <span class="sub">
            v{workflow_version} · <Digest digest={workflow_digest} />
          </span>
        </td>
        <td data-name="Progress">
          <ProgressBar {...{ progress, status }} label={`${ended} of ${total} nodes`} />
          {job.error === undefined ? null : (
            <span class="sub bad-text clip" title={job.error.message}>
              {job.error.code}
            </span>
          )}
        </td>
        <td data-name="Created">
          <time dateTime={created_at} title={`${exactTime(created_at)} (${created_at})`}>
            {created}
          </time>
        </td>
        <td data-name="Duration" class="number">
          {duration}
        </td>
        <td data-name="By, tags">
          <span class="clip" title={job.submitted_by}>
            {job.submitted_by ?? "–"}
          </span>
          {(job.tags ?? []).map((tag) => (
            <a key={tag} class="tag clip" href={links.jobs({ tag })} title={`Jobs with ${tag}`}>
              {tag}
            </a>
          ))}
        </td>
      </tr>
    );
  },
  (one, other) =>
    one.created === other.created
    && one.duration === other.duration
    && one.job.seq === other.job.seq
    && one.job.status === other.job.status,
);
