// Says in one line whether the job's definition is still the one that new jobs get. A comparison
// that failed is said as well, for silence would read as "same".
import type { Snapshot } from "../api/wire.ts";
import type { Drift } from "./drift-model.ts";
import { todayOf } from "./drift-model.ts";
import type { Loaded } from "./loading.ts";
import { Digest } from "./parts.tsx";
import { links } from "./router.ts";
import { errorText } from "./session.ts";

interface DriftMarkProps {
  readonly pin: Snapshot;
  readonly drift: Loaded<Drift | undefined>;
}

export function DriftMark({ pin, drift: { value, error } }: DriftMarkProps) {
  if (value === undefined) {
    if (error === undefined) return <p class="drift dim">Comparing with today's file…</p>;
    return <p class="drift dim">Could not compare with today's file: {errorText(error)}</p>;
  }
  const today = todayOf(value);
  return (
    <p class={value.kind === "same" ? "drift same" : "drift moved"} data-drift={value.kind}>
      <span class="drift-sign" aria-hidden="true">
        {value.kind === "same" ? "=" : "≠"}
      </span>
      <span>
        <strong>{sentenceOf(value)}</strong> Pinned v{pin.workflow_version} ·{" "}
        <Digest digest={pin.workflow_digest} />
        {today?.workflow_digest === undefined ? null : (
          <>
            ; today v{today.version} · <Digest digest={today.workflow_digest} />
          </>
        )}{" "}
        {today === undefined ? null : (
          <a href={links.job(pin.job_id, { tab: "definition" })}>Compare the two</a>
        )}
      </span>
    </p>
  );
}

function sentenceOf(drift: Drift): string {
  switch (drift.kind) {
    case "same":
      return drift.remarked
        ? "Same definition as today's file; only its text differs."
        : "Same as today's file.";
    case "redefined":
      return "Today's file says something else under the same version.";
    case "moved":
      return drift.isKept
        ? "New jobs get another version."
        : "This version has no active file any more; new jobs get another one.";
    case "unusable":
      return "Today's file cannot start a job: it is invalid, in conflict, or inactive.";
    case "gone":
      return "The workflow has no file today.";
  }
}
