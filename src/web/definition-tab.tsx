// The pinned definition: first how it differs from today's file, where it does, then its exact
// text.
import type { Snapshot } from "../api/wire.ts";
import { DiffView } from "./diff-view.tsx";
import type { Drift, FileRow } from "./drift-model.ts";
import { todayOf } from "./drift-model.ts";
import type { Loaded } from "./loading.ts";
import { CopyButton, TextBlock } from "./parts.tsx";
import { shortDigest } from "./summary.ts";

interface DefinitionTabProps {
  readonly snapshot: Snapshot;
  readonly drift: Loaded<Drift | undefined>;
}

export function DefinitionTab({ snapshot, drift }: DefinitionTabProps) {
  const today = drift.value === undefined ? undefined : todayOf(drift.value);
  return (
    <>
      {today === undefined ? null : <Compared snapshot={snapshot} today={today} />}
      <div class="title-row">
        <h2>Pinned text</h2>
        <CopyButton text={snapshot.workflow_source} what="the pinned text" />
      </div>
      <p class="dim">
        These are the exact bytes that the job was started with, whatever the file says today.
      </p>
      <TextBlock text={snapshot.workflow_source} label="Pinned YAML" />
    </>
  );
}

interface ComparedProps {
  readonly snapshot: Snapshot;
  readonly today: FileRow;
}

function Compared({ snapshot, today }: ComparedProps) {
  const { workflow_version, workflow_digest, workflow_source } = snapshot;
  const pinned = `v${workflow_version} · ${shortDigest(workflow_digest)}`;
  const now = `v${today.version ?? "?"} · ${shortDigest(today.workflow_digest ?? "")}`;
  return (
    <section aria-labelledby="compared">
      <h2 id="compared">Pinned and today</h2>
      {today.source === undefined ? (
        <p class="notice">Today's text is not shown: {today.file} cannot be read as it is.</p>
      ) : (
        <DiffView
          left={workflow_source}
          right={today.source}
          leftTitle={`Pinned: ${pinned}`}
          rightTitle={`Today: ${now} (${today.file})`}
        />
      )}
    </section>
  );
}
