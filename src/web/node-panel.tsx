// One node of a job: what it is, its attempts, error, output and log. It is asked for when it opens
// and again whenever the node moves.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Job, JobNode, JobNodeRow } from "../api/wire.ts";
import type { ShownNode } from "./definition.ts";
import { countsText } from "./fan-out-counts.tsx";
import { durationText, secondsBetween } from "./instant.ts";
import { useLoaded } from "./loading.ts";
import {
  CopyButton,
  ExactTime,
  Fact,
  Facts,
  Failure,
  JsonBlock,
  Loading,
  Moment,
  TextBlock,
} from "./parts.tsx";
import { useSession } from "./session.ts";
import { StatusBadge } from "./status-badge.tsx";

interface NodePanelProps {
  readonly job: Job;
  readonly nodeId: string;
  /** Undefined where the job has no such node. */
  readonly row: JobNodeRow | undefined;
  readonly definition: ShownNode | undefined;
  readonly onClose: () => void;
}

export function NodePanel({ job, nodeId, row, definition, onClose }: NodePanelProps) {
  const title = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => title.current?.focus(), []);
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Escape") onClose();
  };
  return (
    <aside class="panel card" aria-labelledby="panel-title" onKeyDown={press}>
      <div class="title-row">
        <h2 id="panel-title" ref={title} tabIndex={-1}>
          {nodeId}
        </h2>
        {row === undefined ? null : <StatusBadge status={row.status} />}
        <button type="button" class="quiet" onClick={onClose}>
          Close
        </button>
      </div>
      {definition?.description === undefined ? null : <p>{definition.description}</p>}
      {row === undefined ? (
        <p class="notice">This job has no node of this name.</p>
      ) : (
        <NodeDetails job={job} row={row} definition={definition} />
      )}
    </aside>
  );
}

interface NodeDetailsProps {
  readonly job: Job;
  readonly row: JobNodeRow;
  readonly definition: ShownNode | undefined;
}

function NodeDetails({ job, row, definition }: NodeDetailsProps) {
  const { client } = useSession();
  // A fan_out moves without a change of its status; its chunks are in the job's own answer.
  const moved = `${row.status} ${row.attempt ?? 0} ${row.ended_at ?? ""}`;
  const { value, error } = useLoaded(
    (signal) => client.node(job.job_id, row.node_id, { signal }),
    { moved },
  );
  return (
    <>
      <Facts>
        <Fact name="Type">{row.type ?? definition?.type ?? "–"}</Fact>
        {definition?.handler === undefined ? null : (
          <Fact name="Handler">{definition.handler}</Fact>
        )}
        {row.branch === undefined ? null : <Fact name="Branch taken">{row.branch}</Fact>}
        {row.items === undefined ? null : (
          <Fact name="Items">
            {countsText(row.items)}, in {row.items.chunks} chunks
          </Fact>
        )}
        {row.started_at === undefined ? null : (
          <Fact name="Started">
            <Moment at={row.started_at} />
          </Fact>
        )}
        {row.duration_seconds === undefined ? null : (
          <Fact name="Duration">{durationText(row.duration_seconds)}</Fact>
        )}
        {row.not_before === undefined ? null : (
          <Fact name="Next attempt">
            <ExactTime at={row.not_before} />
          </Fact>
        )}
        {row.missing_since === undefined ? null : (
          <Fact name="No handler since">
            <ExactTime at={row.missing_since} />
          </Fact>
        )}
      </Facts>
      {row.error === undefined ? null : (
        <div class="notice bad">
          <strong>{row.error.code}</strong>: <span class="message">{row.error.message}</span>
        </div>
      )}
      {error === undefined ? null : <Failure error={error} />}
      {value === undefined ? <Loading what="the node" /> : <WholeNode node={value} />}
    </>
  );
}

function WholeNode({ node }: { readonly node: JobNode }) {
  return (
    <>
      {node.output === undefined ? null : (
        <section>
          <h3>Output</h3>
          <JsonBlock value={node.output} label={`Output of ${node.node_id}`} />
        </section>
      )}
      {node.log.length === 0 ? null : (
        <section>
          <h3>Log</h3>
          <TextBlock text={node.log.join("\n")} label={`Log of ${node.node_id}`} />
        </section>
      )}
      {node.attempts.length === 0 ? null : (
        <section>
          <h3>Attempts</h3>
          <ol class="attempts">
            {node.attempts.map((attempt) => (
              <AttemptRow key={attempt.attempt} attempt={attempt} />
            ))}
          </ol>
        </section>
      )}
    </>
  );
}

type Attempt = JobNode["attempts"][number];

function AttemptRow({ attempt }: { readonly attempt: Attempt }) {
  const { status, started_at, ended_at, error, params_digest, build, handler_version } = attempt;
  const seconds = ended_at === undefined ? undefined : secondsBetween(started_at, ended_at);
  return (
    <li value={attempt.attempt}>
      <StatusBadge status={status} /> {seconds === undefined ? null : durationText(seconds)}
      {error === undefined ? null : (
        <p class="bad-text">
          {error.code}: <span class="message">{error.message}</span>
        </p>
      )}
      <p class="dim">
        handler {handler_version} · {build} · params{" "}
        <code class="digest" title={params_digest}>
          {params_digest.slice(7, 19)}…
        </code>{" "}
        <CopyButton text={params_digest} what={`the params digest of attempt ${attempt.attempt}`} />
      </p>
    </li>
  );
}
