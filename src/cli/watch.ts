// Following a job: in place on a terminal, line by line elsewhere. Answers are held by the app
// until something changes, so a job that stands still costs a request in twenty seconds.
import type { Job, JobEvent, JobNodeRow } from "../api/wire.ts";
import type { Call, Command } from "./command.ts";
import { printJson, textOf } from "./command.ts";
import { instantOf } from "../core/instant.ts";
import { jobIdOf } from "./job-reference.ts";
import { eventLine, hasEnded, nodeLines, watchHead } from "./job-text.ts";
import type { View } from "./job-text.ts";
import { CommandProblem, EXIT, safe } from "./terminal.ts";
import type { Exit } from "./terminal.ts";
import { cut, statusText } from "./text-layout.ts";

const WAIT_SECONDS = 20;
/** An app that holds as many requests as it may answers at once: nobody asks faster than this. */
const LEAST_MS = 1_000;

/** Every state of the job that the app tells, the last one when it has ended. */
async function* states(call: Call, jobId: string): AsyncGenerator<Job> {
  const client = await call.client();
  const { signal } = call.terminal;
  let etag: string | undefined;
  let wait: number | undefined;
  for (;;) {
    const began = call.terminal.nowMs();
    const answer = await client.job(jobId, { etag, wait, signal });
    etag = answer.etag;
    wait = WAIT_SECONDS;
    if (answer.body === undefined) {
      await rest(call, began);
      continue;
    }
    yield answer.body;
    if (hasEnded(answer.body)) return;
  }
}

/** What is left of the least time between two questions. */
async function rest({ terminal }: Call, began: number): Promise<void> {
  const left = began + LEAST_MS - terminal.nowMs();
  if (left > 0) await terminal.pause(left);
}

export async function watchJob(call: Call, jobId: string): Promise<Exit> {
  const { terminal, paint } = call;
  const known = new Map<string, string>();
  let last: Job | undefined;
  for await (const job of states(call, jobId)) {
    last = job;
    const view: View = { paint, nowMs: terminal.nowMs() };
    if (call.isJson) terminal.out(JSON.stringify(job));
    else if (terminal.isTty) terminal.redraw(screen(job, view, terminal.columns));
    else for (const line of changes(job, known, view)) terminal.out(line);
  }
  return last?.status === "completed" ? EXIT.ok : EXIT.no;
}

function screen(job: Job, view: View, width: number): readonly string[] {
  const error = job.error === undefined ? [] : [safe(`${job.error.code}: ${job.error.message}`)];
  const lines = [watchHead(job, view), "", ...nodeLines(job.nodes, view).slice(1), ...error];
  return lines.map((line) => cutShown(line, width));
}

/** A line that is too long would wrap, and redrawing would leave its rest behind. */
function cutShown(line: string, width: number): string {
  return line.includes("\u001b") ? line : cut(line, width);
}

/** A line for each node whose status is news, and one for the job's own. */
function changes(job: Job, known: Map<string, string>, view: View): readonly string[] {
  const at = instantOf(view.nowMs);
  const lines: string[] = [];
  const tell = (name: string, state: string, text: string): void => {
    if (known.get(name) === state) return;
    known.set(name, state);
    lines.push(`${at}  ${text}`);
  };
  for (const node of job.nodes) {
    if (node.status === "pending") continue;
    tell(` ${node.node_id}`, stateOf(node), nodeText(node, view));
  }
  const percent = `${job.percent_complete} %`;
  const { error } = job;
  const why = error === undefined ? "" : `  ${safe(`${error.code}: ${error.message}`)}`;
  tell("", job.status, `job ${statusText(job.status, view.paint)} ${percent}${why}`);
  return lines;
}

function stateOf({ status, attempt, items }: JobNodeRow): string {
  return `${status} ${attempt ?? ""} ${items?.completed ?? ""} ${items?.failed ?? ""}`;
}

function nodeText({ node_id, status, attempt, items, error }: JobNodeRow, { paint }: View): string {
  const tried = attempt === undefined || attempt === 1 ? "" : ` attempt ${attempt}`;
  const done = items === undefined ? "" : ` ${items.completed} of ${items.count} items`;
  const told = error === undefined ? "" : ` ${safe(`${error.code}: ${error.message}`)}`;
  return `${safe(node_id)} ${statusText(status, paint)}${tried}${done}${told}`;
}

/** Every event after `after`; with `isFollowing` until the job has ended. */
async function* eventsOf(
  call: Call,
  jobId: string,
  isFollowing: boolean,
): AsyncGenerator<JobEvent> {
  const client = await call.client();
  const { signal } = call.terminal;
  let after: number | undefined;
  for (;;) {
    const wait = isFollowing && after !== undefined ? WAIT_SECONDS : undefined;
    const began = call.terminal.nowMs();
    const page = await client.events(jobId, { after, wait, signal });
    yield* page.events;
    after = page.seq;
    if (page.has_more) continue;
    if (!isFollowing || hasEnded(page)) return;
    if (page.count === 0) await rest(call, began);
  }
}

async function events(call: Call): Promise<Exit> {
  const { terminal, values, paint } = call;
  const jobId = await jobIdOf(await call.client(), call.operands[0] ?? "", terminal.signal);
  const isFollowing = values["follow"] === true;
  const all: JobEvent[] = [];
  for await (const event of eventsOf(call, jobId, isFollowing)) {
    if (!call.isJson) terminal.out(eventLine(event, { paint }));
    else if (isFollowing) terminal.out(JSON.stringify(event));
    else all.push(event);
  }
  if (call.isJson && !isFollowing) printJson(call, { job_id: jobId, events: all });
  return EXIT.ok;
}

async function logs(call: Call): Promise<Exit> {
  const { terminal, values, paint } = call;
  const jobId = await jobIdOf(await call.client(), call.operands[0] ?? "", terminal.signal);
  const only = textOf(values, "node");
  let isAny = false;
  for await (const event of eventsOf(call, jobId, values["follow"] === true)) {
    const node = typeof event["node_id"] === "string" ? event["node_id"] : "";
    if (only !== undefined && node !== only) continue;
    for (const line of logOf(event)) {
      isAny = true;
      const attempt = typeof event["attempt"] === "number" ? event["attempt"] : undefined;
      if (call.isJson) terminal.out(JSON.stringify({ at: event.at, node_id: node, attempt, line }));
      else terminal.out(`${paint("dim", event.at)}  ${safe(node)}  ${safe(line)}`);
    }
  }
  if (!isAny && !call.isJson) {
    if (only === undefined) terminal.err("no attempt has logged anything");
    else throw new CommandProblem(`no attempt of node "${safe(only)}" has logged anything`);
  }
  return EXIT.ok;
}

/** The log that an event brought: of an attempt, or of the items of a chunk. */
function logOf(event: JobEvent): readonly string[] {
  const items = Array.isArray(event["items"]) ? (event["items"] as readonly unknown[]) : [];
  return [event, ...items].flatMap((one) => {
    const { log } = (one ?? {}) as { readonly log?: unknown };
    return Array.isArray(log) ? log.filter((line): line is string => typeof line === "string") : [];
  });
}

const FOLLOW = { type: "boolean", short: "f", text: "go on until the job has ended" } as const;

export const HISTORY_COMMANDS: readonly Command[] = [
  {
    name: "events",
    summary: "the history of a job",
    operands: "JOB",
    takes: [1, 1],
    options: { follow: FOLLOW },
    examples: ["holdfast events last --follow"],
    run: events,
  },
  {
    name: "logs",
    summary: "what the attempts of a job logged",
    operands: "JOB",
    takes: [1, 1],
    options: { follow: FOLLOW, node: { type: "string", value: "NODE", text: "of this node only" } },
    examples: ["holdfast logs last --node echo"],
    run: logs,
  },
];
