// One workflow: its versions as the folder holds them today, and of the version that is picked its
// graph, inputs and text.
import { useMemo, useState } from "preact/hooks";
import { readDefinition } from "./definition.ts";
import type { ShownInput } from "./definition.ts";
import type { FileRow } from "./drift-model.ts";
import { GraphView } from "./graph-view.tsx";
import { useLoaded } from "./loading.ts";
import { PageTitle } from "./page-title.tsx";
import {
  CopyButton,
  Digest,
  Empty,
  Failure,
  Loading,
  ScrollBox,
  TableHead,
  TextBlock,
} from "./parts.tsx";
import { links } from "./router.ts";
import { isNotFound, useSession } from "./session.ts";
import { rulesOf } from "./submit-model.ts";
import { FileState, Issues, isStartable } from "./workflows-view.tsx";


export function WorkflowView({ workflowId }: { readonly workflowId: string }) {
  const { client } = useSession();
  const { value, error } = useLoaded((signal) => client.workflow(workflowId, { signal }));
  return (
    <>
      <nav class="crumbs" aria-label="Where you are">
        <a href={links.workflows()}>Workflows</a> / <span>{workflowId}</span>
      </nav>
      <PageTitle title={workflowId} />
      {error === undefined ? null : (
        <Failure error={error}>
          {isNotFound(error) ? (
            <p>
              No file has this workflow today. Its{" "}
              <a href={links.jobs({ workflow_id: workflowId })}>jobs</a> go on as they were pinned.
            </p>
          ) : null}
        </Failure>
      )}
      {value === undefined && error === undefined ? <Loading what="the workflow" /> : null}
      {value === undefined ? null : <Found workflowId={workflowId} rows={value.versions} />}
    </>
  );
}

interface FoundProps {
  readonly workflowId: string;
  readonly rows: readonly FileRow[];
}

function Found({ workflowId, rows }: FoundProps) {
  const [file, setFile] = useState(() => highest(rows)?.file);
  const picked = rows.find((row) => row.file === file);
  return (
    <>
      <div class="buttons">
        {rows.some(isStartable) ? (
          <a class="button primary" href={links.submit(workflowId)}>
            Submit a job
          </a>
        ) : null}
        <a class="button" href={links.jobs({ workflow_id: workflowId })}>
          Its jobs
        </a>
      </div>
      <h2>Versions</h2>
      <ul class="versions">
        {rows.map((row) => (
          <li key={row.file}>
            <button
              type="button"
              class="quiet"
              aria-pressed={row.file === file}
              onClick={() => setFile(row.file)}
            >
              v{row.version ?? "?"}
            </button>
            <code>{row.file}</code>
            {row.workflow_digest === undefined ? null : <Digest digest={row.workflow_digest} />}
            <FileState row={row} />
            <Issues issues={row.issues ?? []} />
          </li>
        ))}
      </ul>
      {picked === undefined ? null : <Version key={picked.file} row={picked} />}
    </>
  );
}

function highest(rows: readonly FileRow[]): FileRow | undefined {
  const startable = rows.filter(isStartable);
  return startable.toSorted((a, b) => (b.version ?? 0) - (a.version ?? 0))[0] ?? rows[0];
}

function Version({ row }: { readonly row: FileRow }) {
  const { definition, source, missing_secrets = [], version } = row;
  const shown = useMemo(
    () => (definition === undefined ? undefined : readDefinition(definition)),
    [definition],
  );
  return (
    <>
      {missing_secrets.length === 0 ? null : (
        <p class="notice bad">
          The app lacks {missing_secrets.length === 1 ? "a secret" : "secrets"} of it:{" "}
          {missing_secrets.join(", ")}. Jobs are refused until the setting is there.
        </p>
      )}
      {shown === undefined ? (
        <Empty>Only versions that can start a job are shown with graph and text.</Empty>
      ) : (
        <>
          {shown.name === undefined ? null : <p class="lead">{shown.name}</p>}
          {shown.description === undefined ? null : <p>{shown.description}</p>}
          <h2>Graph</h2>
          <GraphView nodes={shown.nodes} label={`Graph of version ${version ?? "?"}`} />
          <h2>Inputs</h2>
          <InputTable inputs={shown.inputs} />
        </>
      )}
      {source === undefined ? null : (
        <>
          <div class="title-row">
            <h2>Text</h2>
            <CopyButton text={source} what="the text" />
          </div>
          <TextBlock text={source} label="YAML" />
        </>
      )}
    </>
  );
}

function InputTable({ inputs }: { readonly inputs: readonly ShownInput[] }) {
  if (inputs.length === 0) return <Empty>It takes no inputs.</Empty>;
  return (
    <ScrollBox label="Inputs">
      <table>
        <TableHead titles={["Input", "Rules", "What it is for"]} />
        <tbody>
          {inputs.map((input) => (
            <tr key={input.name}>
              <th scope="row">{input.name}</th>
              <td>{rulesOf(input)}</td>
              <td>{input.description ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
