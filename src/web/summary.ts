// Numbers and short texts about jobs that several views show: statuses, progress, digests, counts.
// Pure, and the same wherever they are shown.
import type { Job, JobNodeRow, JobRow } from "../api/wire.ts";

export type JobStatus = Job["status"];
export type NodeStatus = JobNodeRow["status"];

export const JOB_STATUSES = [
  "pending",
  "running",
  "suspended",
  "cancelling",
  "completed",
  "failed",
  "cancelled",
] as const satisfies readonly JobStatus[];

const ENDED: ReadonlySet<JobStatus> = new Set(["completed", "failed", "cancelled"]);

export function isEnded(status: JobStatus): boolean {
  return ENDED.has(status);
}

export interface Progress {
  readonly ended: number;
  readonly total: number;
}

/** Of nodes, not of time. */
export function progressOf(summary: JobRow["summary"]): Progress {
  const { completed = 0, failed = 0, skipped = 0, cancelled = 0 } = summary;
  const total = Object.values(summary).reduce((sum, count) => sum + count, 0);
  return { ended: completed + failed + skipped + cancelled, total };
}

/** `sha256:3f2a…` without its prefix, as short as people can compare. */
export function shortDigest(digest: string): string {
  return `${digest.replace(/^sha256:/, "").slice(0, 8)}…`;
}

/** Ids begin with their time, so those of one day differ at their end. */
export function shortId(id: string): string {
  return id.length > 13 ? `…${id.slice(-8)}` : id;
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
