// The history of a job, in order, page by page: each entry once, and new ones as they come once
// everything before them is shown.
import { useEffect, useState } from "preact/hooks";
import type { Job, JobEvent, JobEvents } from "../api/wire.ts";
import { Empty, Failure, JsonBlock, Loading, Moment, ScrollBox, TableHead } from "./parts.tsx";
import { isAborted, useSession } from "./session.ts";
import { plural } from "./summary.ts";

const ENTRIES = 100;

interface History {
  readonly events: readonly JobEvent[];
  /** The last entry that is shown. */
  readonly seq: number | undefined;
  readonly hasMore: boolean;
}

export function EventsTab({ job }: { readonly job: Job }) {
  const { history, error, isLoading, more } = useHistory(job);
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
          <button type="button" disabled={isLoading} onClick={more}>
            Show more
          </button>
        ) : null}
      </div>
    </>
  );
}

interface HistoryState {
  readonly history: History;
  readonly error: unknown;
  readonly isLoading: boolean;
}

function useHistory(job: Job) {
  const { client } = useSession();
  const [round, setRound] = useState(0);
  const [state, setState] = useState<HistoryState>({
    history: { events: [], seq: undefined, hasMore: true },
    error: undefined,
    isLoading: true,
  });
  const { seq, hasMore } = state.history;
  // Once everything is shown, new entries follow by themselves.
  const isBehind = seq !== undefined && !hasMore && seq < job.seq;
  useEffect(() => {
    if (round === 0 && seq !== undefined && !isBehind) return undefined;
    const stop = new AbortController();
    const { signal } = stop;
    setState((before) => ({ ...before, isLoading: true }));
    client.events(job.job_id, { after: seq, limit: ENTRIES, signal }).then(
      (page) => {
        if (signal.aborted) return;
        setState(({ history }) => {
          return { history: appended(history, page), error: undefined, isLoading: false };
        });
      },
      (error: unknown) => {
        if (signal.aborted || isAborted(error)) return;
        setState((before) => ({ ...before, error, isLoading: false }));
      },
    );
    return () => stop.abort();
  }, [client, job.job_id, round, isBehind ? job.seq : -1]);
  return { ...state, more: () => setRound((count) => count + 1) };
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
