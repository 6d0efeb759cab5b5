// Tabs that show what the app says with little of their own: inputs, result, errors, provenance.
// What is only true of a job that has ended is asked for then.
import type { Job, JobNodeRow, Provenance, Snapshot } from "../api/wire.ts";
import { useLoaded } from "./loading.ts";
import {
  CopyButton,
  Empty,
  Fact,
  Facts,
  Failure,
  JsonBlock,
  Loading,
  Moment,
  ScrollBox,
  TableHead,
} from "./parts.tsx";
import { links } from "./router.ts";
import { useSession } from "./session.ts";
import { StatusBadge } from "./status-badge.tsx";
import { isEnded } from "./summary.ts";

export function InputsTab({ snapshot: { inputs, vars } }: { readonly snapshot: Snapshot }) {
  return (
    <>
      <h2>Inputs</h2>
      <JsonBlock value={inputs} label="Inputs, defaults applied" />
      {Object.keys(vars).length === 0 ? null : (
        <>
          <h2>Vars</h2>
          <JsonBlock value={vars} label="Vars, as pinned" />
        </>
      )}
    </>
  );
}

export function ResultTab({ job }: { readonly job: Job }) {
  if (!isEnded(job.status)) {
    return (
      <>
        <p class="notice">The result comes when the job has ended. Outputs so far:</p>
        <Outputs nodes={job.nodes} />
      </>
    );
  }
  return <EndedResult jobId={job.job_id} />;
}

function EndedResult({ jobId }: { readonly jobId: string }) {
  const { client } = useSession();
  const { value, error } = useLoaded((signal) => client.result(jobId, { signal }));
  if (error !== undefined) return <Failure error={error} />;
  if (value === undefined) return <Loading what="the result" />;
  const { _provenance: _, ...outputs } = value.result_data;
  const names = Object.keys(outputs);
  if (names.length === 0) return <Empty>No node gave an output.</Empty>;
  return (
    <>
      {names.map((name) => (
        <Output key={name} name={name} value={outputs[name]} />
      ))}
    </>
  );
}

function Outputs({ nodes }: { readonly nodes: readonly JobNodeRow[] }) {
  const given = nodes.filter(({ output }) => output !== undefined);
  if (given.length === 0) return <Empty>None yet.</Empty>;
  return (
    <>
      {given.map(({ node_id, output }) => (
        <Output key={node_id} name={node_id} value={output} />
      ))}
    </>
  );
}

function Output({ name, value }: { readonly name: string; readonly value: unknown }) {
  return (
    <section class="output">
      <h2>{name}</h2>
      <JsonBlock value={value} label={`Output of ${name}`} />
    </section>
  );
}

export function ErrorsTab({ job }: { readonly job: Job }) {
  const failed = job.nodes.filter(({ error }) => error !== undefined);
  if (failed.length === 0 && job.error === undefined) return <Empty>Nothing went wrong.</Empty>;
  return (
    <>
      {job.error === undefined ? null : (
        <section>
          <h2>The job</h2>
          <p>
            <strong>{job.error.code}</strong>: <span class="message">{job.error.message}</span>
          </p>
        </section>
      )}
      {failed.map(({ node_id, error, status }) => (
        <section key={node_id}>
          <h2>
            <a href={links.node(job.job_id, node_id)}>{node_id}</a> <StatusBadge status={status} />
          </h2>
          <p>
            <strong>{error?.code}</strong>: <span class="message">{error?.message}</span>
          </p>
        </section>
      ))}
    </>
  );
}

export function ProvenanceTab({ job }: { readonly job: Job }) {
  if (!isEnded(job.status)) {
    return <Empty>The provenance is complete when the job has ended.</Empty>;
  }
  return <EndedProvenance jobId={job.job_id} />;
}

function EndedProvenance({ jobId }: { readonly jobId: string }) {
  const { client } = useSession();
  const { value, error } = useLoaded((signal) => client.provenance(jobId, { signal }));
  if (error !== undefined) return <Failure error={error} />;
  if (value === undefined) return <Loading what="the provenance" />;
  return (
    <>
      <h2>What ran</h2>
      <Facts>
        {Object.entries(value._provenance).map(([name, fact]) => (
          <Fact key={name} name={name}>
            <code class="whole">{String(fact)}</code>{" "}
            {String(fact).startsWith("sha256:") ? (
              <CopyButton text={String(fact)} what={name} />
            ) : null}
          </Fact>
        ))}
      </Facts>
      <h2>Builds</h2>
      <ul>
        {value.builds.map((build) => (
          <li key={build}>
            <code>{build}</code>
          </li>
        ))}
      </ul>
      <h2>Attempts</h2>
      <Attempts nodes={value.nodes} />
    </>
  );
}

function Attempts({ nodes }: { readonly nodes: Provenance["nodes"] }) {
  const rows = nodes.flatMap(({ node_id, attempts }) =>
    attempts.map((attempt) => ({ node_id, attempt })),
  );
  if (rows.length === 0) return <Empty>No node needed an attempt.</Empty>;
  return (
    <ScrollBox label="Attempts">
      <table>
        <TableHead
          titles={["Node", "Attempt", "Status", "Started", "Handler version", "Build", "Params"]}
        />
        <tbody>
          {rows.map(({ node_id, attempt }) => (
            <tr key={`${node_id} ${attempt.attempt}`}>
              <th scope="row">{node_id}</th>
              <td>{attempt.attempt}</td>
              <td>
                <StatusBadge status={attempt.status} />
              </td>
              <td>
                <Moment at={attempt.started_at} />
              </td>
              <td>{attempt.handler_version}</td>
              <td>
                <code>{attempt.build}</code>
              </td>
              <td>
                <code class="digest" title={attempt.params_digest}>
                  {attempt.params_digest.slice(7, 19)}…
                </code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
