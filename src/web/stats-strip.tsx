// Numbers over all jobs, above the list. They are an extra: an app that has none, or keeps them to
// administrators, shows the list without them.
import type { ComponentChildren } from "preact";
import { durationText, exactTime } from "./instant.ts";
import { useLoaded } from "./loading.ts";
import { useSession } from "./session.ts";

/** Asked for with every fourth refresh of the list: they move slowly. */
const EVERY = 4;

export function StatsStrip({ ticks }: { readonly ticks: number }) {
  const { client } = useSession();
  const round = Math.floor(ticks / EVERY);
  const { value } = useLoaded((signal) => client.stats({ signal }), { moved: round });
  if (value?.as_of === undefined) return null;
  const { open, ended, durations, since } = value;
  const allOpen = open.pending + open.running + open.suspended + open.cancelling;
  return (
    <section class="stats" aria-label="Numbers over all jobs">
      <dl>
        <Count name="Open">{allOpen}</Count>
        <Count name="Completed">{ended.completed}</Count>
        <Count name="Failed">{ended.failed}</Count>
        <Count name="Cancelled">{ended.cancelled}</Count>
        {durations?.p50_seconds === undefined ? null : (
          <Count name="Half took less than">{durationText(durations.p50_seconds)}</Count>
        )}
        {durations?.p95_seconds === undefined ? null : (
          <Count name="95 % took less than">{durationText(durations.p95_seconds)}</Count>
        )}
      </dl>
      {since === undefined ? null : <p class="dim">Endings since {exactTime(since)}</p>}
    </section>
  );
}

interface CountProps {
  readonly name: string;
  readonly children: ComponentChildren;
}

function Count({ name, children }: CountProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
