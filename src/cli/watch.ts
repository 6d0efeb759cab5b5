// Following a job: in place on a terminal, line by line elsewhere. Answers are held by the app
// until something changes, so a job that stands still costs a request in twenty seconds.
import type { Job, JobNodeRow } from "../api/wire.ts";
import type { Call } from "./command.ts";
import { instantOf } from "../core/instant.ts";
import { hasEnded, nodeLines, viewOf, watchHead } from "./job-text.ts";
import type { View } from "./job-text.ts";
import { NEWS_MS, WAIT_SECONDS, patiently, restSince } from "./patience.ts";
import { EXIT, jsonText, safe } from "./terminal.ts";
import type { Exit, Terminal } from "./terminal.ts";
import { cutShown, statusText } from "./text-layout.ts";

/** Every state of the job that the app tells, the last one when it has ended. */
async function* states(
  call: Call,
  jobId: string,
  tell?: (away: string | undefined) => void,
): AsyncGenerator<Job> {
  const client = await call.client();
  const { signal } = call.terminal;
  let etag: string | undefined;
  for (let isFirst = true; ; isFirst = false) {
    const began = call.terminal.nowMs();
    const wait = etag === undefined ? undefined : WAIT_SECONDS;
    const ask = () => client.job(jobId, { etag, wait, signal });
    const { body, etag: next } = await (isFirst ? ask() : patiently(call, ask, tell));
    etag = next;
    if (body !== undefined) yield body;
    if (body !== undefined && hasEnded(body)) return;
    const isNews = body !== undefined && etag !== undefined;
    await restSince(call, began, isNews ? NEWS_MS : undefined);
  }
}

export async function watchJob(call: Call, jobId: string): Promise<Exit> {
  const { terminal } = call;
  try {
    const last = await (terminal.isTty ? watchScreen(call, jobId) : watchLines(call, jobId));
    return last?.status === "completed" ? EXIT.ok : EXIT.no;
  } catch (error) {
    if (terminal.signal.aborted) terminal.err(`the job goes on: holdfast watch ${jobId}`);
    throw error;
  }
}

async function watchLines(call: Call, jobId: string): Promise<Job | undefined> {
  const known = new Map<string, string>();
  let last: Job | undefined;
  for await (const job of states(call, jobId)) {
    last = job;
    if (call.isJson) call.terminal.out(jsonText(job));
    else for (const line of changes(job, known, viewOf(call))) call.terminal.out(line);
  }
  return last;
}

/** Drawn anew with each state, and each second for the times in it. */
async function watchScreen(call: Call, jobId: string): Promise<Job | undefined> {
  const { terminal } = call;
  let last: Job | undefined;
  let away: string | undefined;
  const draw = (): void => {
    if (last === undefined) return;
    const note = away === undefined ? [] : [away];
    terminal.redraw(screen(last, viewOf(call), { ...sizeOf(terminal), note }));
  };
  const tell = (now: string | undefined): void => {
    away = now;
    draw();
  };
  const stop = terminal.everySecond(draw);
  try {
    for await (const job of states(call, jobId, tell)) {
      last = job;
      draw();
    }
  } finally {
    stop();
  }
  return last;
}

interface Room {
  readonly rows: number;
  readonly columns: number;
  readonly note: readonly string[];
}

function sizeOf({ rows, columns }: Terminal): Omit<Room, "note"> {
  return { rows, columns };
}

/** No line wraps and none leaves the screen: redrawing would leave the rest behind. */
function screen(job: Job, view: View, { rows, columns, note }: Room): readonly string[] {
  const error = job.error === undefined ? [] : [safe(`${job.error.code}: ${job.error.message}`)];
  const others = [watchHead(job, view), "", ...error, ...note];
  const { shown, left } = fitting(job.nodes, Math.max(1, rows - 1 - others.length));
  const nodes = nodeLines(shown, view).slice(1);
  const [head = "", gap = "", ...below] = others;
  return [head, gap, ...nodes, ...left, ...below].map((line) => cutShown(line, columns));
}

/** The first to be shown where not all have room. */
const URGENCY: readonly JobNodeRow["status"][] = ["running", "failed", "queued", "waiting"];

/** Nodes in their order, and a line that counts those which have no room. */
function fitting(nodes: readonly JobNodeRow[], room: number) {
  if (nodes.length <= room) return { shown: nodes, left: [] };
  const rank = ({ status }: JobNodeRow): number => (URGENCY.indexOf(status) + 5) % 5;
  const kept = new Set(nodes.toSorted((a, b) => rank(a) - rank(b)).slice(0, room - 1));
  const more = nodes.length - kept.size;
  return { shown: nodes.filter((node) => kept.has(node)), left: [`… and ${more} more nodes`] };
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
