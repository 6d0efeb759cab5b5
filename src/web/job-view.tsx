// One job: what it is, how far it is, and tabs for the rest. It is held up to date by requests that
// wait for its next change; a change of its status is also said.
import { useEffect, useRef } from "preact/hooks";
import type { Job, Snapshot } from "../api/wire.ts";
import { DefinitionTab } from "./definition-tab.tsx";
import { DriftMark } from "./drift-mark.tsx";
import { useDrift } from "./drift.ts";
import { ErrorsTab, InputsTab, ProvenanceTab, ResultTab } from "./facts-tabs.tsx";
import { EventsTab } from "./events-tab.tsx";
import { GraphTab } from "./graph-tab.tsx";
import { JobHeader } from "./job-header.tsx";
import { useJob, useLoaded } from "./loading.ts";
import { PageTitle } from "./page-title.tsx";
import { Failure, Loading } from "./parts.tsx";
import { links } from "./router.ts";
import { isNotFound, useSession } from "./session.ts";
import { statusText } from "./status-badge.tsx";
import { shortId } from "./summary.ts";
import { Tabs } from "./tabs.tsx";
import { TimelineTab } from "./timeline-tab.tsx";

const TABS = [
  { id: "graph", title: "Graph" },
  { id: "timeline", title: "Timeline" },
  { id: "inputs", title: "Inputs" },
  { id: "result", title: "Result" },
  { id: "errors", title: "Errors" },
  { id: "events", title: "Events" },
  { id: "provenance", title: "Provenance" },
  { id: "definition", title: "Definition" },
] as const;
type TabId = (typeof TABS)[number]["id"];

interface JobViewProps {
  readonly jobId: string;
  readonly nodeId: string | undefined;
  readonly query: URLSearchParams;
}

export function JobView({ jobId, nodeId, query }: JobViewProps) {
  const { client } = useSession();
  const { value: job, error, reload } = useJob(client, jobId);
  const snapshot = useLoaded((signal) => client.snapshot(jobId, { signal }));
  useStatusSaid(job);
  if (job === undefined) {
    return (
      <>
        <PageTitle title={`Job ${shortId(jobId)}`} />
        {error === undefined ? <Loading what="the job" /> : <NoJob error={error} />}
      </>
    );
  }
  const asked = TABS.find(({ id }) => id === query.get("tab"))?.id;
  const open: TabId = nodeId === undefined ? (asked ?? "graph") : "graph";
  return (
    <>
      <JobHeader job={job} onCancelled={reload} />
      {error === undefined ? null : <Failure error={error} />}
      {snapshot.error === undefined ? null : <Failure error={snapshot.error} />}
      <Pinned job={job} snapshot={snapshot.value} open={open} nodeId={nodeId} />
    </>
  );
}

interface PinnedProps {
  readonly job: Job;
  readonly snapshot: Snapshot | undefined;
  readonly open: TabId;
  readonly nodeId: string | undefined;
}

function Pinned({ job, snapshot, open, nodeId }: PinnedProps) {
  const drift = useDrift(snapshot);
  const show = (tab: TabId): void => {
    // Not a step of its own: the way back leads to the list.
    location.replace(links.job(job.job_id, tab === "graph" ? {} : { tab }));
  };
  return (
    <>
      {snapshot === undefined ? null : <DriftMark pin={snapshot} drift={drift} />}
      <Tabs label="Parts of the job" tabs={TABS} open={open} onOpen={show}>
        <TabContent {...{ job, snapshot, open, nodeId, drift }} />
      </Tabs>
    </>
  );
}

type TabContentProps = PinnedProps & { readonly drift: ReturnType<typeof useDrift> };

function TabContent({ job, snapshot, open, nodeId, drift }: TabContentProps) {
  switch (open) {
    case "timeline":
      return <TimelineTab job={job} />;
    case "result":
      return <ResultTab job={job} />;
    case "errors":
      return <ErrorsTab job={job} />;
    case "events":
      return <EventsTab job={job} />;
    case "provenance":
      return <ProvenanceTab job={job} />;
    case "graph":
    case "inputs":
    case "definition":
      if (snapshot === undefined) return <Loading what="the snapshot" />;
      if (open === "inputs") return <InputsTab snapshot={snapshot} />;
      if (open === "definition") return <DefinitionTab snapshot={snapshot} drift={drift} />;
      return <GraphTab job={job} snapshot={snapshot} nodeId={nodeId} />;
  }
}

function NoJob({ error }: { readonly error: unknown }) {
  return (
    <Failure error={error}>
      {isNotFound(error) ? (
        <p>
          It may have been deleted after its time, or belong to somebody else.{" "}
          <a href={links.jobs()}>All jobs</a>
        </p>
      ) : null}
    </Failure>
  );
}

/** A reader who does not see the badge hears of each change. */
function useStatusSaid(job: Job | undefined): void {
  const { announce } = useSession();
  const before = useRef<string>(undefined);
  const status = job?.status;
  useEffect(() => {
    if (status === undefined) return;
    if (before.current !== undefined && before.current !== status) {
      announce(`The job is now ${statusText(status)}`);
    }
    before.current = status;
  }, [status, announce]);
}
