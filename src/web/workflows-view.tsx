// Every file of the folder of workflows as it is now, with what is wrong with it. Also how the
// state of a file is said, wherever one is shown.
import type { ProblemIssue, WorkflowList } from "../api/wire.ts";
import { useLoaded } from "./loading.ts";
import { PageTitle } from "./page-title.tsx";
import { Digest, Empty, Failure, Loading, TableHead } from "./parts.tsx";
import { links } from "./router.ts";
import { useSession } from "./session.ts";

type FileRow = WorkflowList["workflows"][number];

export function WorkflowsView() {
  const { client } = useSession();
  const { value, error } = useLoaded((signal) => client.workflows({ signal }));
  return (
    <>
      <PageTitle title="Workflows" />
      {error === undefined ? null : <Failure error={error} />}
      {value === undefined && error === undefined ? <Loading what="workflows" /> : null}
      {value?.count === 0 ? <Empty>The folder of workflows holds no file.</Empty> : null}
      {value === undefined || value.count === 0 ? null : <FileTable rows={value.workflows} />}
    </>
  );
}

function FileTable({ rows }: { readonly rows: readonly FileRow[] }) {
  return (
    <table class="cards">
      <caption class="unseen">Workflow files</caption>
      <TableHead titles={["Workflow", "Version", "File", "State", "Start"]} />
      <tbody>
        {rows.map((row) => (
          <Row key={row.file} row={row} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row }: { readonly row: FileRow }) {
  const { workflow_id, version, name, description, workflow_digest, file, issues } = row;
  return (
    <tr>
      <th scope="row" data-name="Workflow">
        {workflow_id === undefined ? (
          "–"
        ) : (
          <a href={links.workflow(workflow_id)}>{name ?? workflow_id}</a>
        )}
        {name === undefined ? null : <span class="sub">{workflow_id}</span>}
        {description === undefined ? null : <span class="sub description">{description}</span>}
      </th>
      <td data-name="Version">
        {version === undefined ? "–" : `v${version}`}
        {workflow_digest === undefined ? null : (
          <span class="sub">
            <Digest digest={workflow_digest} />
          </span>
        )}
      </td>
      <td data-name="File">
        <code>{file}</code>
      </td>
      <td data-name="State">
        <FileState row={row} />
        <Issues issues={issues ?? []} />
      </td>
      <td data-name="Start">
        {workflow_id !== undefined && isStartable(row) ? (
          <a class="button small" href={links.submit(workflow_id)}>
            Submit a job
          </a>
        ) : (
          "–"
        )}
      </td>
    </tr>
  );
}

export function isStartable({ status, is_active }: Pick<FileRow, "status" | "is_active">): boolean {
  return status === "ok" && is_active === true;
}

const STATES: Readonly<Record<FileRow["status"], string>> = {
  ok: "✓ ready",
  duplicate: "= duplicate of another file",
  conflict: "✗ conflicts with another file",
  invalid: "✗ invalid",
};

export function FileState({ row: { status, is_active } }: FileStateProps) {
  const isFine = status === "ok" || status === "duplicate";
  if (status === "ok" && is_active === false) return <span class="dim">○ inactive</span>;
  return <span class={isFine ? "good-text" : "bad-text"}>{STATES[status]}</span>;
}

interface FileStateProps {
  readonly row: Pick<FileRow, "status" | "is_active">;
}

export function Issues({ issues }: { readonly issues: readonly ProblemIssue[] }) {
  if (issues.length === 0) return null;
  return (
    <ul class="issues">
      {issues.map(({ message, line, column, hint }, index) => (
        <li key={index}>
          {line === undefined ? null : (
            <span class="dim">
              line {line}
              {column === undefined ? "" : `:${column}`}{" "}
            </span>
          )}
          {message}
          {hint === undefined ? null : <span class="hint"> {hint}</span>}
        </li>
      ))}
    </ul>
  );
}
