// The history of a job, in order, page by page: each entry once, and new ones as they come once
// everything before them is shown.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Job, JobEvent, JobEvents } from "../api/wire.ts";
import { useRefresher } from "./loading.ts";
import { Empty, Failure, JsonBlock, Loading, Moment, ScrollBox, TableHead } from "./parts.tsx";
import { useSession } from "./session.ts";
import { plural } from "./summary.ts";

const ENTRIES = 100;

interface History {
  readonly events: readonly JobEvent[];
  /** The last entry that is shown. */
  readonly seq: number | undefined;
  readonly hasMore: boolean;
}

export function EventsTab({ job }: { readonly job: Job }) {
  const { history, error, more } = useHistory(job);
  if (history.seq === undefined) {
    return error === undefined ? <Loading what="the history" /> : <Failure error={error} />;
  }
  const { events, hasMore } = history;
  return (
    <>
      {error === undefined ? null : <Failure error={error} />}
      {events.length === 0 ? <Empty>No event yet.</Empty> : <EventTable events={events} />}
      <div class="title-row">
        <p class="dim">{plural(events.length, "event")} shown.</p>
        {hasMore ? (
          <button type="button" onClick={more}>
            Show more
          </button>
        ) : null}
      </div>
    </>
  );
}

const NOTHING: History = { events: [], seq: undefined, hasMore: true };

function useHistory(job: Job) {
  const { client } = useSession();
  const [history, setHistory] = useState(NOTHING);
  const [error, setError] = useState<unknown>();
  // What the next question goes on from, drawn or not.
  const known = useRef(NOTHING);
  const keep = (next: History): void => {
    known.current = next;
    setHistory(next);
    setError(undefined);
  };
  const ask = useRefresher<JobEvents>(job.job_id, {
    load: (signal) =>
      client.events(job.job_id, { after: known.current.seq, limit: ENTRIES, signal }),
    onBegin: () => keep(NOTHING),
    onValue: (page) => keep(appended(known.current, page)),
    onError: setError,
  });
  const { seq, hasMore } = history;
  // Once everything is shown, new entries follow by themselves.
  const isBehind = seq !== undefined && !hasMore && seq < job.seq;
  useEffect(() => {
    if (isBehind) ask();
  }, [isBehind, job.seq]);
  return { history, error, more: ask };
}

function appended({ events, seq }: History, page: JobEvents): History {
  const fresh = page.events.filter((event) => seq === undefined || event.seq > seq);
  return { events: [...events, ...fresh], seq: page.seq, hasMore: page.has_more };
}

function EventTable({ events }: { readonly events: readonly JobEvent[] }) {
  return (
    <ScrollBox label="Events">
      <table class="events">
        <caption class="unseen">Events, oldest first</caption>
        <TableHead titles={["Entry", "When", "Event", "Lane", "Says"]} />
        <tbody>
          {events.map((event) => (
            <Row key={event.hash} event={event} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function Row({ event }: { readonly event: JobEvent }) {
  const { seq, at, lane, type, ...says } = event;
  return (
    <tr>
      <td class="number">{seq}</td>
      <td>
        <Moment at={at} />
      </td>
      <td>
        <code>{type}</code>
      </td>
      <td>{lane}</td>
      <td>
        <details class="inline">
          <summary>{plural(Object.keys(says).length, "field")}</summary>
          <JsonBlock value={says} label={`Event ${type} of entry ${seq}`} />
        </details>
      </td>
    </tr>
  );
}
