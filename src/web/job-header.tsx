// What stands above the tabs of a job: status, pin, progress, who and when, and the way to cancel.
// While the job moves its duration is counted on here, by the reader's clock.
import type { Job } from "../api/wire.ts";
import { CancelJob } from "./cancel-job.tsx";
import { durationText, secondsBetween } from "./instant.ts";
import { useNow } from "./loading.ts";
import { PageTitle } from "./page-title.tsx";
import { CopyButton, Digest, ExactTime, Fact, Facts, TimeAgo } from "./parts.tsx";
import { links } from "./router.ts";
import { StatusBadge } from "./status-badge.tsx";
import { isEnded, progressOf, shortId } from "./summary.ts";

interface JobHeaderProps {
  readonly job: Job;
  readonly onCancelled: () => void;
}

export function JobHeader({ job, onCancelled }: JobHeaderProps) {
  const isOver = isEnded(job.status);
  const { ended, total } = progressOf(job.summary);
  return (
    <section class="job-header" aria-label="Summary">
      <nav class="crumbs" aria-label="Where you are">
        <a href={links.jobs()}>Jobs</a> / <span>{job.job_id}</span>
        <CopyButton text={job.job_id} what="the job's id" />
      </nav>
      <div class="title-row">
        <PageTitle title={`${job.workflow_id} ${shortId(job.job_id)}`}>
          <a href={links.workflow(job.workflow_id)}>{job.workflow_id}</a>{" "}
          <span class="version">v{job.workflow_version}</span>
        </PageTitle>
        <StatusBadge status={job.status} />
        {isOver ? null : <CancelJob job={job} onCancelled={onCancelled} />}
      </div>
      <div class="percent">
        <progress
          class={job.status}
          value={job.percent_complete}
          max={100}
          aria-label="Nodes that have ended"
        />
        <span>
          {job.percent_complete} % · {ended} of {total} nodes have ended
        </span>
      </div>
      {job.error === undefined ? null : <JobError job={job} error={job.error} />}
      <JobFacts job={job} />
    </section>
  );
}

function JobError({ job, error }: { readonly job: Job; readonly error: Job["error"] & object }) {
  const { node_id, code, message } = error;
  return (
    <div class={job.status === "cancelled" ? "notice" : "notice bad"}>
      <p>
        <strong>{code}</strong>
        {node_id === undefined ? null : (
          <>
            {" "}
            in <a href={links.node(job.job_id, node_id)}>{node_id}</a>
          </>
        )}
        : <span class="message">{message}</span>
      </p>
    </div>
  );
}

function JobFacts({ job }: { readonly job: Job }) {
  const now = useNow(!isEnded(job.status));
  const seconds = job.duration_seconds ?? secondsBetween(job.started_at, now);
  return (
    <Facts>
      <Fact name="Digest">
        <Digest digest={job.workflow_digest} />
        {job.redefined === true ? " redefined before it started" : null}
      </Fact>
      <Fact name="Created">
        <TimeAgo at={job.created_at} now={now} />
      </Fact>
      <Fact name="Duration">{seconds === undefined ? "not started" : durationText(seconds)}</Fact>
      {isEnded(job.status) ? null : (
        <Fact name="Deadline">
          <ExactTime at={job.deadline_at} />
        </Fact>
      )}
      <Fact name="Submitted by">
        {job.submitted_by ?? "–"} <span class="dim">({job.authenticated_as})</span>
      </Fact>
      {job.correlation_id === undefined ? null : (
        <Fact name="Correlation id">
          <a href={links.jobs({ correlation_id: job.correlation_id })}>{job.correlation_id}</a>
        </Fact>
      )}
      {job.tags === undefined || job.tags.length === 0 ? null : (
        <Fact name="Tags">
          {job.tags.map((tag) => (
            <a key={tag} class="tag" href={links.jobs({ tag })}>
              {tag}
            </a>
          ))}
        </Fact>
      )}
    </Facts>
  );
}
