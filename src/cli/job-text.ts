// Jobs, nodes and events as lines for people. What came from outside is made printable; times are
// told as ages and durations.
import type { Job, JobEvent, JobNodeRow, JobRow, Provenance } from "../api/wire.ts";
import { epochMs } from "../core/instant.ts";
import { isTerminalStatus } from "../core/job.ts";
import type { Call } from "./command.ts";
import { brief, safe } from "./terminal.ts";
import {
  ageText,
  bar,
  columns,
  cut,
  durationText,
  shortDigest,
  statusText,
} from "./text-layout.ts";
import type { Paint } from "./text-layout.ts";

export interface View {
  readonly paint: Paint;
  readonly nowMs: number;
}

export function viewOf({ terminal, paint }: Call): View {
  return { paint, nowMs: terminal.nowMs() };
}

export function hasEnded({ status }: { readonly status: string }): boolean {
  return isTerminalStatus(status);
}

/** The last group of an id: the part that tells jobs of one minute apart. */
export function shortId(id: string): string {
  return id.slice(-12);
}

export function jobLines(rows: readonly JobRow[], { paint, nowMs }: View): readonly string[] {
  const heads = ["JOB", "STATUS", "WORKFLOW", "VERSION", "DIGEST", "CREATED", "TOOK", "NODES"];
  return columns(
    heads,
    rows.map((row) => [
      shortId(row.job_id),
      statusText(row.status, paint),
      safe(row.workflow_id),
      String(row.workflow_version),
      paint("dim", shortDigest(row.workflow_digest)),
      ageText(row.created_at, nowMs),
      tookText(row, nowMs),
      summaryText(row.summary),
    ]),
  );
}

function tookText(
  job: Pick<JobRow, "started_at" | "completed_at">,
  nowMs: number,
): string {
  if (job.started_at === undefined) return "";
  const endMs = job.completed_at === undefined ? nowMs : epochMs(job.completed_at);
  return durationText(Math.max(0, endMs - epochMs(job.started_at)) / 1000);
}

function summaryText(summary: Readonly<Record<string, number | undefined>>): string {
  const all = Object.values(summary).reduce<number>((sum, count) => sum + (count ?? 0), 0);
  const parts = ["completed", "failed", "running", "queued", "skipped", "cancelled"];
  const told = parts.filter((name) => (summary[name] ?? 0) > 0);
  if (told.length === 0) return `${all} pending`;
  return `${told.map((name) => `${summary[name]} ${name}`).join(", ")} of ${all}`;
}

/** The facts of a job, one a line, then its nodes. */
export function showLines(job: Job, view: View): readonly string[] {
  return [...factLines(job, view), "", ...nodeLines(job.nodes, view)];
}

function factLines(job: Job, { paint, nowMs }: View): readonly string[] {
  const error = job.error;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["job", job.job_id],
    ["status", `${statusText(job.status, paint)} ${job.percent_complete} %`],
    ["workflow", `${safe(job.workflow_id)} version ${job.workflow_version}`],
    ["digest", job.workflow_digest],
    ["created", `${job.created_at} (${ageText(job.created_at, nowMs)})`],
    ["took", job.started_at === undefined ? undefined : tookText(job, nowMs)],
    ["deadline", hasEnded(job) ? undefined : job.deadline_at],
    ["submitted by", safely(job.submitted_by)],
    ["as", safe(job.authenticated_as)],
    ["correlation", safely(job.correlation_id)],
    ["key", safely(job.idempotency_key)],
    ["tags", safely(job.tags?.join(", "))],
    ["redefined", job.redefined === true ? "its version had other content before" : undefined],
    ["becomes", job.ending?.becomes],
    ["error", error === undefined ? undefined : safe(errorText(error))],
  ];
  return facts.flatMap(([name, text]) =>
    text === undefined || text === "" ? [] : [`${paint("dim", name.padEnd(13))}${text}`],
  );
}

function safely(text: string | undefined): string | undefined {
  return text === undefined ? undefined : safe(text);
}

function errorText(error: {
  readonly code: string;
  readonly message: string;
  readonly node_id?: string;
}): string {
  const where = error.node_id === undefined ? "" : ` at ${error.node_id}`;
  return `${error.code}${where}: ${error.message}`;
}

export function nodeLines(nodes: readonly JobNodeRow[], { paint, nowMs }: View): readonly string[] {
  const heads = ["NODE", "TYPE", "STATUS", "ATTEMPT", "TOOK", ""];
  return columns(
    heads,
    nodes.map((node) => [
      safe(node.node_id),
      node.type ?? "",
      statusText(node.status, paint),
      node.attempt === undefined ? "" : String(node.attempt),
      nodeTook(node, nowMs),
      cut(nodeRemark(node), 100),
    ]),
  );
}

function nodeTook(node: JobNodeRow, nowMs: number): string {
  if (node.duration_seconds !== undefined) return durationText(node.duration_seconds);
  if (node.started_at === undefined || node.status !== "running") return "";
  return durationText(Math.max(0, nowMs - epochMs(node.started_at)) / 1000);
}

function nodeRemark(node: JobNodeRow): string {
  const { items, branch, error, not_before: notBefore, missing_since: missing, output } = node;
  if (error !== undefined) return safe(errorText(error));
  if (items !== undefined) {
    const failed = items.failed === 0 ? "" : `, ${items.failed} failed`;
    return `${items.completed} of ${items.count} items${failed}`;
  }
  if (missing !== undefined) return `no build has its handler since ${missing}`;
  if (branch !== undefined) return `→ ${safe(branch)}`;
  if (notBefore !== undefined) return `not before ${notBefore}`;
  return output === undefined ? "" : brief(output, 80);
}

/** One event on a line: time, lane, type, and what else it says. */
export function eventLine(event: JobEvent, { paint }: Pick<View, "paint">): string {
  const { seq, at, lane, type, hash: _chain, ...data } = event;
  const number = paint("dim", String(seq).padStart(4));
  const told = Object.keys(data).length === 0 ? "" : ` ${brief(data, 160)}`;
  const what = `${safe(lane).padEnd(16)} ${safe(type).padEnd(18)}`;
  return `${number}  ${safe(at)}  ${what}${paint("dim", told)}`;
}

export function provenanceLines(found: Provenance, { paint }: View): readonly string[] {
  const facts = Object.entries(found._provenance);
  const attempts = found.nodes.reduce((sum, node) => sum + node.attempts.length, 0);
  return [
    paint("bold", "provenance"),
    ...facts.map(([name, value]) => `  ${paint("dim", name.padEnd(17))}${safe(String(value))}`),
    `  ${paint("dim", "builds".padEnd(17))}${found.builds.map(safe).join(", ")}`,
    `  ${paint("dim", "attempts".padEnd(17))}${attempts}`,
  ];
}

/** The head of a job that is being watched. */
export function watchHead(job: Job, { paint, nowMs }: View): string {
  const done = bar(job.percent_complete, 20);
  const percent = `${String(job.percent_complete).padStart(3)} %`;
  const what = `${safe(job.workflow_id)} v${job.workflow_version}`;
  const took = tookText(job, nowMs);
  return [statusText(job.status, paint), `${done} ${percent}`, took, what].join("  ");
}
