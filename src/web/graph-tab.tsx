// The graph of a job, drawn from its own snapshot, with the panel of the node that is picked and a
// table of all nodes for whoever reads rather than looks.
import { useMemo } from "preact/hooks";
import type { Job, JobNodeRow, Snapshot } from "../api/wire.ts";
import { readDefinition } from "./definition.ts";
import { GraphView } from "./graph-view.tsx";
import { durationText } from "./instant.ts";
import { NodePanel } from "./node-panel.tsx";
import { ScrollBox, TableHead } from "./parts.tsx";
import { links } from "./router.ts";
import { StatusBadge } from "./status-badge.tsx";

interface GraphTabProps {
  readonly job: Job;
  readonly snapshot: Snapshot;
  readonly nodeId: string | undefined;
}

export function GraphTab({ job, snapshot, nodeId }: GraphTabProps) {
  const { nodes } = useMemo(() => readDefinition(snapshot.workflow_snapshot), [snapshot]);
  const rows = useMemo(
    () => new Map(job.nodes.map((row) => [row.node_id, row] as const)),
    [job.nodes],
  );
  const picked = nodeId === undefined ? undefined : rows.get(nodeId);
  const close = (): void => {
    location.hash = links.job(job.job_id);
    document.getElementById(`node-${nodeId ?? ""}`)?.focus();
  };
  return (
    <>
      <div class={nodeId === undefined ? "split" : "split open"}>
        <GraphView
          nodes={nodes}
          rows={rows}
          picked={nodeId}
          linkTo={(id) => links.node(job.job_id, id)}
          label={`Graph of ${job.workflow_id} version ${job.workflow_version}`}
        />
        {nodeId === undefined ? null : (
          <NodePanel
            key={nodeId}
            job={job}
            nodeId={nodeId}
            row={picked}
            definition={nodes.find(({ id }) => id === nodeId)}
            onClose={close}
          />
        )}
      </div>
      <details class="fold">
        <summary>Nodes as a table</summary>
        <NodeTable jobId={job.job_id} rows={job.nodes} />
      </details>
    </>
  );
}

interface NodeTableProps {
  readonly jobId: string;
  readonly rows: readonly JobNodeRow[];
}

function NodeTable({ jobId, rows }: NodeTableProps) {
  return (
    <ScrollBox label="Nodes">
      <table>
        <TableHead titles={["Node", "Status", "Type", "Attempt", "Duration"]} />
        <tbody>
          {rows.map(({ node_id, status, type, attempt, duration_seconds }) => (
            <tr key={node_id}>
              <th scope="row">
                <a href={links.node(jobId, node_id)}>{node_id}</a>
              </th>
              <td>
                <StatusBadge status={status} />
              </td>
              <td>{type ?? "–"}</td>
              <td class="number">{attempt ?? "–"}</td>
              <td class="number">
                {duration_seconds === undefined ? "–" : durationText(duration_seconds)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
