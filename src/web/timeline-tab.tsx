// When what ran: one row per node, one bar per attempt or chunk. The same as a table is one click
// away, for whoever does not see bars.
import { useMemo, useState } from "preact/hooks";
import type { Job, Timeline, TimelineBar } from "../api/wire.ts";
import { durationText, exactTime, secondsBetween } from "./instant.ts";
import { useLoaded, useNow } from "./loading.ts";
import { Empty, Failure, Loading, Moment, ScrollBox, TableHead } from "./parts.tsx";
import { links } from "./router.ts";
import { useSession } from "./session.ts";
import { StatusBadge, statusText, toneOf } from "./status-badge.tsx";
import { isEnded, plural } from "./summary.ts";
import { rowsOf, spanOf, ticksOf } from "./timeline-model.ts";
import type { PlacedBar, TimelineRow, TimelineSpan } from "./timeline-model.ts";

export function TimelineTab({ job }: { readonly job: Job }) {
  const { client } = useSession();
  // Thousands of rows are made only for whoever reads them.
  const [isOpen, setOpen] = useState(false);
  const { value, error } = useLoaded(
    (signal) => client.timeline(job.job_id, { signal }),
    { moved: `${job.seq} ${job.status}` },
  );
  if (value === undefined) {
    return error === undefined ? <Loading what="the timeline" /> : <Failure error={error} />;
  }
  return (
    <>
      {error === undefined ? null : <Failure error={error} />}
      <Bars timeline={value} />
      <details class="fold" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>The timeline as a table</summary>
        {isOpen ? <BarTable bars={value.bars} /> : null}
      </details>
    </>
  );
}

function Bars({ timeline: { bars, status, job_id } }: { readonly timeline: Timeline }) {
  const isRunning = !isEnded(status);
  const now = useNow(isRunning);
  const span = useMemo(() => spanOf(bars, now), [bars, isRunning ? now : 0]);
  const rows = useMemo(() => (span === undefined ? [] : rowsOf(bars, span)), [bars, span]);
  if (span === undefined) return <Empty>Nothing has begun yet.</Empty>;
  return (
    <div class="timeline" data-rows={bars.length}>
      <Axis span={span} />
      <ul>
        {rows.map((row) => (
          <Row key={row.nodeId} row={row} jobId={job_id} />
        ))}
      </ul>
    </div>
  );
}

function Axis({ span }: { readonly span: TimelineSpan }) {
  const seconds = (span.end - span.start) / 1000;
  return (
    <div class="axis" aria-hidden="true">
      {ticksOf(span).map((tick) => (
        <span key={tick} style={{ left: percent(tick / seconds) }}>
          {tick === 0 ? "0" : durationText(tick)}
        </span>
      ))}
    </div>
  );
}

interface RowProps {
  readonly row: TimelineRow;
  readonly jobId: string;
}

function Row({ row: { nodeId, bars, chunks, items }, jobId }: RowProps) {
  return (
    <li>
      <div class="row-name">
        <a href={links.node(jobId, nodeId)} title={nodeId}>
          {nodeId}
        </a>
        {chunks === 0 ? null : (
          <span class="sub">
            {plural(chunks, "chunk")}, {plural(items, "item")}
          </span>
        )}
      </div>
      <div class={chunks > 8 ? "track many" : "track"}>
        {bars.map((bar, index) => (
          <Bar key={index} placed={bar} />
        ))}
      </div>
    </li>
  );
}

function Bar({ placed: { bar, from, length, seconds } }: { readonly placed: PlacedBar }) {
  const text = `${nameOf(bar)}: ${statusText(bar.status)}, ${durationText(seconds)}`;
  return (
    <span
      class={`bar tone-${toneOf(bar.status)}`}
      style={{ left: percent(from), width: percent(length) }}
      title={bar.started_at === undefined ? text : `${text}, from ${exactTime(bar.started_at)}`}
    >
      <span class="unseen">{text}</span>
    </span>
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(3)}%`;
}

function nameOf({ kind, attempt, chunk }: TimelineBar): string {
  switch (kind) {
    case "node":
      return "node";
    case "attempt":
      return `attempt ${attempt ?? 1}`;
    case "chunk":
      return `chunk ${chunk ?? 0}, attempt ${attempt ?? 1}`;
  }
}

function BarTable({ bars }: { readonly bars: readonly TimelineBar[] }) {
  return (
    <ScrollBox label="Timeline">
      <table>
        <TableHead titles={["Node", "What", "Status", "Started", "Ended", "Duration"]} />
        <tbody>
          {bars.map((bar, index) => (
            <tr key={index}>
              <th scope="row">{bar.node_id}</th>
              <td>{nameOf(bar)}</td>
              <td>
                <StatusBadge status={bar.status} />
              </td>
              <td>{bar.started_at === undefined ? "–" : <Moment at={bar.started_at} />}</td>
              <td>{bar.ended_at === undefined ? "–" : <Moment at={bar.ended_at} />}</td>
              <td class="number">{durationOf(bar)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function durationOf({ started_at, ended_at }: TimelineBar): string {
  const seconds = ended_at === undefined ? undefined : secondsBetween(started_at, ended_at);
  return seconds === undefined ? "–" : durationText(seconds);
}
