// The history of a job, on a terminal or in a pipeline: its events, and what its attempts logged.
// Both follow a job to its end if asked to.
import type { JobEvent } from "../api/wire.ts";
import type { Call, Command } from "./command.ts";
import { printJson, textOf } from "./command.ts";
import { jobIdOf } from "./job-reference.ts";
import { eventLine, hasEnded } from "./job-text.ts";
import { NEWS_MS, WAIT_SECONDS, patiently, restSince } from "./patience.ts";
import { CommandProblem, EXIT, jsonText, safe } from "./terminal.ts";
import type { Exit } from "./terminal.ts";

/** Every event so far; with `isFollowing` until the job has ended. */
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
    const ask = () => client.events(jobId, { after, wait, signal });
    const page = await (after === undefined ? ask() : patiently(call, ask));
    yield* page.events;
    after = page.seq;
    if (page.has_more) continue;
    if (!isFollowing || hasEnded(page)) return;
    await restSince(call, began, page.count === 0 ? undefined : NEWS_MS);
  }
}

async function events(call: Call): Promise<Exit> {
  const { terminal, values, paint } = call;
  const jobId = await jobIdOf(await call.client(), call.operands[0] ?? "", terminal.signal);
  const isFollowing = values["follow"] === true;
  const all: JobEvent[] = [];
  for await (const event of eventsOf(call, jobId, isFollowing)) {
    if (!call.isJson) terminal.out(eventLine(event, { paint }));
    else if (isFollowing) terminal.out(jsonText(event));
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
      if (call.isJson) terminal.out(jsonText({ at: event.at, node_id: node, attempt, line }));
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
