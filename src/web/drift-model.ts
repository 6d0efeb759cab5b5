// What a job is pinned to against what the folder of workflows holds today. A job never changes
// with its file; this tells a reader whether the file has gone on without it.
import type { Snapshot, WorkflowVersions } from "../api/wire.ts";

export type FileRow = WorkflowVersions["versions"][number];

export type Pin = Pick<
  Snapshot,
  "workflow_version" | "workflow_digest" | "source_digest" | "workflow_source"
>;

export type Drift =
  /** Today's file is the pinned one, byte for byte or but for its comments. */
  | { readonly kind: "same"; readonly file: string; readonly remarked: boolean }
  /** The same version says something else today. */
  | { readonly kind: "redefined"; readonly today: FileRow }
  /** New jobs get another version. */
  | { readonly kind: "moved"; readonly today: FileRow; readonly isKept: boolean }
  /** Files are there, and none of them can start a job. */
  | { readonly kind: "unusable"; readonly rows: readonly FileRow[] }
  | { readonly kind: "gone" };

/** `versions` is undefined where the workflow is not found today. */
export function driftOf(pin: Pin, versions: readonly FileRow[] | undefined): Drift {
  if (versions === undefined || versions.length === 0) return { kind: "gone" };
  const usable = versions.filter(isUsable);
  const own = usable.find(({ version }) => version === pin.workflow_version);
  if (own !== undefined && own.workflow_digest !== pin.workflow_digest) {
    return { kind: "redefined", today: own };
  }
  const [highest] = usable.toSorted((a, b) => (b.version ?? 0) - (a.version ?? 0));
  if (highest === undefined) return { kind: "unusable", rows: versions };
  if (own === undefined || highest.version !== own.version) {
    return { kind: "moved", today: highest, isKept: own !== undefined };
  }
  return { kind: "same", file: own.file, remarked: own.source_digest !== pin.source_digest };
}

function isUsable({ status, is_active }: FileRow): boolean {
  return (status === "ok" || status === "duplicate") && is_active === true;
}

/** The text that today's jobs get, to be shown beside the pinned one. */
export function todayOf(drift: Drift): FileRow | undefined {
  switch (drift.kind) {
    case "redefined":
    case "moved":
      return drift.today;
    case "same":
    case "unusable":
    case "gone":
      return undefined;
  }
}
