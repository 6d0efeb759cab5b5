// Commands about jobs: submit, list, show, follow, cancel. Each asks the HTTP API and nothing
// else.
import type { JobRow, Snapshot, Submission } from "../api/wire.ts";
import { instantOf } from "../core/instant.ts";
import { ApiError } from "../client/client.ts";
import type { Call, Command } from "./command.ts";
import { numberOf, printJson, textOf, textsOf } from "./command.ts";
import { PAIRS, inputsOf } from "./inputs.ts";
import { jobIdOf } from "./job-reference.ts";
import { hasEnded, jobLines, provenanceLines, shortId, showLines, viewOf } from "./job-text.ts";
import { CommandProblem, EXIT, jsonText, safe } from "./terminal.ts";
import type { Exit } from "./terminal.ts";
import { watchJob } from "./watch.ts";

const JOB = "JOB";

async function named(call: Call): Promise<string> {
  const client = await call.client();
  return jobIdOf(client, call.operands[0] ?? "last", call.terminal.signal);
}

async function submit(call: Call): Promise<Exit> {
  const { terminal, values, operands } = call;
  const client = await call.client();
  const workflow_id = operands[0] ?? "";
  const { signal } = terminal;
  const version = numberOf(values, "version", [1, Number.MAX_SAFE_INTEGER]);
  const tags = textsOf(values, "tag");
  const submission: Submission = {
    workflow_id,
    ...(version === undefined ? {} : { version }),
    input_params: await inputsOf(call, { client, workflowId: workflow_id, version }),
    ...optional("correlation_id", textOf(values, "correlation-id")),
    ...optional("submitted_by", textOf(values, "submitted-by")),
    ...optional("idempotency_key", textOf(values, "key")),
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
  };
  if (values["dry-run"] === true) {
    const found = await client.dryRun(submission, { signal });
    if (call.isJson) printJson(call, found);
    else {
      const { would, workflow_version: pinned, workflow_digest: digest } = found;
      const what = would === "create" ? "a new job" : `job ${found.job_id ?? ""}, which is there`;
      terminal.out(`would start ${what}: ${safe(workflow_id)} version ${pinned}, ${digest}`);
    }
    return EXIT.ok;
  }
  const job = await client.submit(submission, { signal });
  if (values["watch"] === true) {
    if (!call.isJson) terminal.err(`job ${job.job_id}`);
    return watchJob(call, job.job_id);
  }
  if (call.isJson) printJson(call, job);
  else terminal.out(job.job_id);
  return EXIT.ok;
}

function optional(name: string, value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [name]: value };
}

const PERIOD = /^(\d+)([smhd])$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function since(call: Call): string | undefined {
  const text = textOf(call.values, "since");
  if (text === undefined) return undefined;
  const [, count = "", unit = ""] = PERIOD.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (ms <= call.terminal.nowMs()) {
    return instantOf(call.terminal.nowMs() - ms);
  }
  const message = `--since: expected a time such as 30m, 2h or 7d, got "${safe(text)}"`;
  throw new CommandProblem(message, { exit: EXIT.usage });
}

async function jobs(call: Call): Promise<Exit> {
  const { terminal, values } = call;
  const client = await call.client();
  const isAll = values["all"] === true;
  const filter = {
    status: textOf(values, "status"),
    workflow_id: textOf(values, "workflow"),
    workflow_version: numberOf(values, "version", [1, Number.MAX_SAFE_INTEGER]),
    tag: textOf(values, "tag"),
    correlation_id: textOf(values, "correlation-id"),
    submitted_by: textOf(values, "submitted-by"),
    created_from: since(call),
    limit: numberOf(values, "limit", [1, 200]) ?? (isAll ? 200 : 20),
    signal: terminal.signal,
  };
  const rows: JobRow[] = [];
  let continuation: string | undefined;
  do {
    const page = await client.jobs({ ...filter, continuation });
    rows.push(...page.jobs);
    continuation = page.continuation;
  } while (isAll && continuation !== undefined);
  if (call.isJson) printJson(call, { jobs: rows, count: rows.length, continuation });
  else {
    for (const line of jobLines(rows, viewOf(call))) terminal.out(line);
    if (rows.length === 0) terminal.err("no jobs");
    else if (continuation !== undefined) terminal.err("there are more: --all, or --limit");
  }
  return EXIT.ok;
}

async function show(call: Call): Promise<Exit> {
  const { terminal } = call;
  const client = await call.client();
  const jobId = await named(call);
  const { signal } = terminal;
  const { body: job } = await client.job(jobId, { signal });
  if (job === undefined) throw new CommandProblem("the app answered without a body");
  const provenance = hasEnded(job) ? await client.provenance(jobId, { signal }) : undefined;
  if (call.isJson) printJson(call, { ...job, provenance });
  else {
    for (const line of showLines(job, viewOf(call))) terminal.out(line);
    const lines = provenance === undefined ? [] : provenanceLines(provenance, viewOf(call));
    for (const line of lines.length === 0 ? [] : ["", ...lines]) terminal.out(line);
  }
  return EXIT.ok;
}

async function result(call: Call): Promise<Exit> {
  const client = await call.client();
  const found = await client.result(await named(call), call.terminal);
  if (call.isJson) printJson(call, found);
  else call.terminal.out(jsonText(found.result_data, 2));
  return found.status === "completed" ? EXIT.ok : EXIT.no;
}

async function snapshot(call: Call): Promise<Exit> {
  const client = await call.client();
  const found = await client.snapshot(await named(call), call.terminal);
  if (call.isJson) printJson(call, found);
  else if (call.values["source"] === true) call.terminal.out(sourceText(call, found));
  else call.terminal.out(jsonText(found.workflow_snapshot, 2));
  return EXIT.ok;
}

/** The exact text in a pipeline; on a terminal, what would drive it is written out. */
function sourceText({ terminal }: Call, { workflow_source: source }: Snapshot): string {
  const text = source.endsWith("\n") ? source.slice(0, -1) : source;
  return terminal.isTty ? text.split("\n").map(safe).join("\n") : text;
}

async function provenance(call: Call): Promise<Exit> {
  const client = await call.client();
  const found = await client.provenance(await named(call), call.terminal);
  if (call.isJson) printJson(call, found);
  else for (const line of provenanceLines(found, viewOf(call))) call.terminal.out(line);
  return EXIT.ok;
}

async function cancel(call: Call): Promise<Exit> {
  const { terminal, values } = call;
  const client = await call.client();
  const jobId = await named(call);
  if (values["yes"] !== true && terminal.canAsk) {
    const answer = await terminal.ask(`Cancel job ${jobId}? [y/N] `);
    if (!/^y(?:es)?$/i.test(answer.trim())) {
      terminal.err("nothing was done");
      return EXIT.no;
    }
  }
  try {
    const job = await client.cancel(jobId, textOf(values, "reason"), terminal);
    if (call.isJson) printJson(call, job);
    else terminal.out(`${shortId(jobId)} ${job.status}`);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ApiError && error.problem?.code === "JOB_TERMINAL") {
      throw new CommandProblem(`job ${jobId} has ended: ${error.problem.job_status ?? ""}`);
    }
    throw error;
  }
}

const FILTERS = {
  workflow: { type: "string", short: "w", value: "ID", text: "of this workflow" },
  version: { type: "string", value: "N", text: "of this version" },
  tag: { type: "string", short: "t", value: "TAG", text: "with this tag" },
  "correlation-id": { type: "string", value: "ID", text: "with this correlation id" },
  "submitted-by": { type: "string", value: "WHO", text: "submitted by" },
} as const;

export const JOB_COMMANDS: readonly Command[] = [
  {
    name: "submit",
    summary: "start a job",
    operands: "WORKFLOW",
    takes: [1, 1],
    options: {
      input: { ...PAIRS, text: `an input; ${PAIRS.text}` },
      "input-file": { type: "string", value: "FILE", text: "inputs: JSON, or YAML up to 64 KiB" },
      version: { type: "string", value: "N", text: "this version; else the highest active one" },
      key: { type: "string", value: "KEY", text: "idempotency key: repeating is safe" },
      tag: { type: "string", short: "t", multiple: true, value: "TAG", text: "a tag" },
      "correlation-id": { type: "string", value: "ID", text: "yours, to find the job by" },
      "submitted-by": { type: "string", value: "WHO", text: "who you say you are" },
      "dry-run": { type: "boolean", text: "say what would happen, create nothing" },
      watch: { type: "boolean", text: "follow it to its end; exit 1 unless it completes" },
    },
    examples: [
      "holdfast submit echo_test -i message=hello --watch",
      "holdfast submit order_import --input-file orders.yaml --key order-4711",
      "holdfast submit routing -i amount=700 --dry-run",
    ],
    run: submit,
  },
  {
    name: "jobs",
    summary: "list jobs, newest first",
    operands: "",
    takes: [0, 0],
    options: {
      status: { type: "string", short: "s", value: "STATUS", text: "one, or several with commas" },
      ...FILTERS,
      since: { type: "string", value: "TIME", text: "created in the last 30m, 2h, 7d" },
      limit: { type: "string", short: "n", value: "N", text: "rows; 20" },
      all: { type: "boolean", text: "every page" },
    },
    examples: ["holdfast jobs", "holdfast jobs --status failed --workflow routing --since 2h"],
    run: jobs,
  },
  {
    name: "show",
    summary: "a job with its nodes, attempts, errors and provenance",
    operands: JOB,
    takes: [1, 1],
    options: {},
    examples: ["holdfast show last", "holdfast show 67dd1104eb35"],
    run: show,
  },
  {
    name: "watch",
    summary: "follow a job to its end; exit 1 unless it completes",
    operands: JOB,
    takes: [1, 1],
    options: {},
    examples: ["holdfast watch last"],
    run: async (call) => watchJob(call, await named(call)),
  },
  {
    name: "result",
    summary: "the results of a job that has ended; exit 1 unless it completed",
    operands: JOB,
    takes: [1, 1],
    options: {},
    examples: ["holdfast result last"],
    run: result,
  },
  {
    name: "snapshot",
    summary: "what a job is pinned to",
    operands: JOB,
    takes: [1, 1],
    options: { source: { type: "boolean", text: "the exact YAML instead" } },
    examples: ["holdfast snapshot last --source"],
    run: snapshot,
  },
  {
    name: "provenance",
    summary: "where the results of a job come from",
    operands: JOB,
    takes: [1, 1],
    options: {},
    examples: ["holdfast provenance last --json"],
    run: provenance,
  },
  {
    name: "cancel",
    summary: "cancel a job",
    operands: JOB,
    takes: [1, 1],
    options: {
      reason: { type: "string", value: "TEXT", text: "kept in its history" },
      yes: { type: "boolean", short: "y", text: "do not ask; in a pipeline nobody is asked" },
    },
    examples: ["holdfast cancel last --reason 'wrong file' --yes"],
    run: cancel,
  },
];
