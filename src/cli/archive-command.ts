// The operator's commands for jobs that have ended: write them out, take them from the stores. They
// know ports only; the program beside it says where the stores are.
import { invariant, WorkflowError } from "../core/error.ts";
import { addSeconds, isInstant } from "../core/instant.ts";
import { isTerminalStatus, TERMINAL_JOB_STATUSES } from "../core/job.ts";
import { errorText } from "../runtime/error-text.ts";
import { exportJob, MIN_ENDED_SECONDS, purgeJob } from "../runtime/job-archive.ts";
import type {
  ArchiveFilter,
  ArchivePorts,
  ArchiveRow,
  ExportFolder,
} from "../runtime/job-archive.ts";
import { printable } from "../runtime/printable.ts";
import { parsedBy, runCommand, tellError } from "./operator-command.ts";
import type { Output } from "./operator-command.ts";
import { jsonText } from "./terminal.ts";
import { columns } from "./text-layout.ts";

export const USAGE = [
  "Jobs that have ended: write them to files, and take them from the stores.",
  "",
  "  npm run --silent export -- [JOB…] [FILTER] --to DIR [--json]",
  "  npm run --silent purge -- [JOB…] [FILTER] --to DIR --yes [--json]",
  "  npm run --silent purge -- [JOB…] [FILTER] --without-export --yes [--json]",
  "",
  "JOB…                ids of jobs; export takes open ones too. Or, instead of ids, a filter:",
  "--ended-before T    jobs that ended before T, as 2026-01-31 or 2026-01-31T12:00:00.000Z, in UTC",
  "--status S          completed, failed or cancelled; may be given several times; default all",
  "--workflow ID       jobs of this workflow; with --version N of this version alone",
  "--tag TAG           jobs with this tag",
  "--to DIR            one file for each job, checked by reading it again; purge deletes only",
  "                    what was exported, unless --without-export",
  "--yes               without it purge says what it would delete, and deletes nothing",
  "",
  "A run takes 10,000 jobs at most; run it again for more. Your identity needs the role that",
  "infra/ gives to operatorPrincipalIds. The settings are those of the app: see docs/lifecycle.md.",
];

const OPTIONS = {
  "ended-before": { type: "string" },
  status: { type: "string", multiple: true },
  workflow: { type: "string" },
  version: { type: "string" },
  tag: { type: "string" },
  to: { type: "string" },
  "without-export": { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

export const MAX_JOBS = 10_000;
const MAX_SHOWN_BYTES = 200;
const DAY = /^\d{4}-\d\d-\d\d$/;

export interface ArchiveTools {
  /** Called only once the arguments are understood. */
  ports(): ArchivePorts;
  folder(path: string): ExportFolder;
}

interface Asked {
  readonly verb: "export" | "purge";
  readonly ids: readonly string[];
  readonly filter?: ArchiveFilter;
  readonly to?: string;
  readonly yes: boolean;
  readonly json: boolean;
}

interface Outcome {
  readonly job_id: string;
  readonly documents?: number;
  readonly file?: string;
  readonly error?: string;
}

const PAST = { export: "exported", purge: "purged" } as const;

/** Never rejects. */
export async function archiveCommand(
  args: readonly string[],
  tools: ArchiveTools,
  output: Output,
): Promise<number> {
  const command = {
    usage: USAGE,
    help: "npm run --silent purge -- --help",
    understood,
    perform: (asked: Asked) => perform(asked, tools, output),
    hintFor,
  };
  return runCommand(command, args, output);
}

/** What was asked, "help", or what is wrong with it. */
function understood(args: readonly string[]): Asked | string {
  const parsed = parsedBy(OPTIONS, args);
  if (typeof parsed === "string") return parsed;
  const { values, positionals } = parsed;
  const [verb, ...ids] = positionals;
  if (values.help || verb === "help" || args.length === 0) return "help";
  if (verb !== "export" && verb !== "purge") return "expected export or purge";
  const filter = filterOf(values);
  if (typeof filter === "string") return filter;
  const problem = problemOf({ verb, ids, hasFilter: filter !== undefined, values });
  if (problem !== undefined) return problem;
  const { to, yes, json } = values;
  return {
    verb,
    ids: [...new Set(ids)],
    ...(filter === undefined ? {} : { filter }),
    ...(to === undefined ? {} : { to }),
    yes,
    json,
  };
}

type Values = Exclude<ReturnType<typeof parsedBy<typeof OPTIONS>>, string>["values"];

interface Given {
  readonly verb: "export" | "purge";
  readonly ids: readonly string[];
  readonly hasFilter: boolean;
  readonly values: Values;
}

function problemOf({ verb, ids, hasFilter, values }: Given): string | undefined {
  if (ids.length > 0 === hasFilter) {
    return `${verb}: expected either ids of jobs, or a filter with --ended-before`;
  }
  const to = values.to !== undefined;
  const without = values["without-export"];
  if (verb === "export") {
    if (without || values.yes) return "export: --without-export and --yes belong to purge";
    return to ? undefined : "export: expected --to DIR";
  }
  if (to && without) return "purge: --to and --without-export exclude each other";
  if (values.yes && !to && !without) return "purge: expected --to DIR, or --without-export";
  return undefined;
}

/** Undefined where nothing of a filter is given. */
function filterOf(values: Values): ArchiveFilter | string | undefined {
  const { workflow, version, tag, "ended-before": before } = values;
  const given = [values.status, workflow, version, tag, before];
  if (given.every((value) => value === undefined)) return undefined;
  if (before === undefined) return "a filter needs --ended-before, such as 2026-01-31";
  const ended_before = DAY.test(before) ? `${before}T00:00:00.000Z` : before;
  if (!isInstant(ended_before)) {
    return `--ended-before: expected 2026-01-31 or 2026-01-31T12:00:00.000Z, got ${shown(before)}`;
  }
  const status = values.status ?? TERMINAL_JOB_STATUSES;
  const unknown = status.find((one) => !isTerminalStatus(one));
  if (unknown !== undefined) {
    return `--status: expected ${TERMINAL_JOB_STATUSES.join(", ")}; got ${shown(unknown)}`;
  }
  if (version !== undefined && !/^[1-9]\d{0,8}$/.test(version)) {
    return `--version: expected a whole number of at least 1, got ${shown(version)}`;
  }
  return {
    status: status.filter(isTerminalStatus),
    ended_before,
    ...(workflow === undefined ? {} : { workflow_id: workflow }),
    ...(version === undefined ? {} : { workflow_version: Number(version) }),
    ...(tag === undefined ? {} : { tag }),
  };
}

async function perform(asked: Asked, tools: ArchiveTools, output: Output): Promise<number> {
  const ports = tools.ports();
  const rows = await rowsOf(asked, ports, output);
  const ids = rows.map(({ job_id }) => job_id);
  if (asked.verb === "purge" && !asked.yes) {
    preview(asked, rows, output);
    return 0;
  }
  const folder = asked.to === undefined ? undefined : tools.folder(asked.to);
  const outcomes: Outcome[] = [];
  for (const id of ids) {
    const outcome = await oneJob({ verb: asked.verb, ports, folder, id }, output);
    outcomes.push(outcome);
    if (!asked.json && outcome.error === undefined) output.out(toldOf(asked.verb, outcome));
  }
  const done = outcomes.filter(({ error }) => error === undefined).length;
  if (asked.json) output.out(jsonText({ jobs: outcomes }, 2));
  else output.out(`${done} of ${ids.length} jobs ${PAST[asked.verb]}.`);
  return done === ids.length ? 0 : 1;
}

async function rowsOf(
  { verb, ids, filter }: Asked,
  { store, clock }: ArchivePorts,
  output: Output,
): Promise<readonly Pick<ArchiveRow, "job_id">[]> {
  if (filter === undefined) return ids.map((job_id) => ({ job_id }));
  const oldEnough = addSeconds(clock.now(), -MIN_ENDED_SECONDS);
  const isTooYoung = verb === "purge" && filter.ended_before > oldEnough;
  const bounded = isTooYoung ? { ...filter, ended_before: oldEnough } : filter;
  const found = await store.find(bounded, MAX_JOBS + 1);
  if (found.length > MAX_JOBS) output.err(`More than ${MAX_JOBS} jobs: run it again for the rest.`);
  return found.slice(0, MAX_JOBS);
}

interface OneJob {
  readonly verb: Asked["verb"];
  readonly ports: ArchivePorts;
  readonly folder: ExportFolder | undefined;
  readonly id: string;
}

/** A job that fails stops no other; an identity that may not delete stops all. */
async function oneJob({ verb, ports, folder, id }: OneJob, output: Output): Promise<Outcome> {
  try {
    if (verb === "purge") return await purgeJob(ports, folder, id);
    invariant(folder !== undefined, "an export has a folder");
    const { job_id, file, documents } = await exportJob(ports, folder, id);
    return { job_id, file, documents };
  } catch (error) {
    if (error instanceof WorkflowError && STOPPING.has(error.code)) throw error;
    tellError(error, hintFor, output);
    return { job_id: id, error: errorText(error) };
  }
}

const STOPPING: ReadonlySet<string> = new Set(["ACCESS_DENIED", "RESOURCE_MISSING"]);

function toldOf(verb: Asked["verb"], { job_id, documents, file }: Outcome): string {
  const where = file === undefined ? "" : `, ${file}`;
  return `${shown(job_id)} ${PAST[verb]}: ${documents} documents${where}`;
}

function preview(
  { filter, json }: Asked,
  rows: readonly Partial<ArchiveRow>[],
  output: Output,
): void {
  if (json) {
    output.out(jsonText({ would_purge: rows }, 2));
    return;
  }
  if (filter !== undefined && rows.length > 0) {
    for (const line of columns(["WORKFLOW", "VERSION", "STATUS", "JOBS"], counted(rows))) {
      output.out(line);
    }
  }
  output.out(`${rows.length} jobs would be purged; nothing was. Add --yes to do it.`);
}

/** Cells by workflow, version and status. */
function counted(rows: readonly Partial<ArchiveRow>[]): readonly (readonly string[])[] {
  const counts = new Map<string, number>();
  for (const { workflow_id, workflow_version, status } of rows) {
    const key = JSON.stringify([workflow_id, String(workflow_version), status]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, count]) => {
    const cells = JSON.parse(key) as readonly string[];
    return [...cells.map(shown), String(count)];
  });
}

function shown(text: string): string {
  return printable(text, MAX_SHOWN_BYTES);
}

function hintFor(code: string): string | undefined {
  switch (code) {
    case "ACCESS_DENIED":
      return "an operator's role is needed: operatorPrincipalIds in docs/azure.md";
    case "CONFIGURATION_INVALID":
      return "the settings are those of the app: docs/lifecycle.md";
    case "JOB_NOT_TERMINAL":
      return "cancel it, or wait: an open job is never purged";
    case "DOCUMENT_INVALID":
      return "nothing was deleted; an older file, or --without-export, is the way on";
    default:
      return undefined;
  }
}
