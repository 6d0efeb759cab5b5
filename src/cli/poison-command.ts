// The operator's command for poisoned messages. It knows ports only; the program beside it says
// where the stores are.
import { idsToPutBack, listPoison, putBack, showPoison } from "../runtime/poison-desk.ts";
import type { PoisonPorts, PoisonRow, PutBack } from "../runtime/poison-desk.ts";
import { printable } from "../runtime/printable.ts";
import { parsedBy, runCommand } from "./operator-command.ts";
import type { Output } from "./operator-command.ts";
import { jsonText } from "./terminal.ts";
import { columns } from "./text-layout.ts";

export const USAGE = [
  "Messages that the queue gave up on: what was kept of them, and the way back.",
  "",
  "  npm run --silent poison -- list [--json]",
  "  npm run --silent poison -- show ID [--json]",
  "  npm run --silent poison -- put-back ID… [--again] [--json]",
  "  npm run --silent poison -- put-back --all [--json]",
  "",
  "list      kept messages, and those that still stand in the poison queue (id queue:…)",
  "show      one message with its text",
  "put-back  sends messages to the work queue again; one that was put back before stays, unless",
  "          --again; --all takes whatever is readable and was not put back yet",
  "",
  "The settings are those of the app: COSMOS_CONNECTION__accountEndpoint and",
  "AzureWebJobsStorage__queueServiceUri in Azure; COSMOS_ENDPOINT, COSMOS_KEY,",
  "AzureWebJobsStorage and AZURE_FUNCTIONS_ENVIRONMENT=Development for emulators.",
];

const OPTIONS = {
  json: { type: "boolean", default: false },
  all: { type: "boolean", default: false },
  again: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

const MAX_SHOWN_BYTES = 256 * 1024;
const MAX_CELL_BYTES = 80;

interface Asked {
  readonly verb: string;
  readonly ids: readonly string[];
  readonly json: boolean;
  readonly all: boolean;
  readonly again: boolean;
}

/** Never rejects. `ports` is called only once the arguments are understood. */
export async function poisonCommand(
  args: readonly string[],
  ports: () => PoisonPorts,
  output: Output,
): Promise<number> {
  const command = {
    usage: USAGE,
    help: "npm run --silent poison -- --help",
    understood,
    perform: (asked: Asked) => perform(asked, ports(), output),
    hintFor,
  };
  return runCommand(command, args, output);
}

/** What was asked, "help", or what is wrong with it. */
function understood(args: readonly string[]): Asked | string {
  const parsed = parsedBy(OPTIONS, args);
  if (typeof parsed === "string") return parsed;
  const { values, positionals } = parsed;
  const [verb = "", ...ids] = positionals;
  if (values.help || verb === "help" || args.length === 0) return "help";
  const { json, all, again } = values;
  const asked = { verb, ids, json, all, again };
  return problemOf(asked) ?? asked;
}

function problemOf({ verb, ids, all, again }: Asked): string | undefined {
  switch (verb) {
    case "list":
      if (all || again) return "list: --all and --again belong to put-back";
      return ids.length === 0 ? undefined : "list: expected no id";
    case "show":
      if (all || again) return "show: --all and --again belong to put-back";
      return ids.length === 1 ? undefined : `show: expected one id, got ${ids.length}`;
    case "put-back":
      if (all && (ids.length > 0 || again)) return "put-back: --all goes without ids and --again";
      return all || ids.length > 0 ? undefined : "put-back: expected ids, or --all";
  }
  return `expected list, show or put-back, got "${printable(verb, MAX_CELL_BYTES)}"`;
}

async function perform(asked: Asked, ports: PoisonPorts, output: Output): Promise<number> {
  if (asked.verb === "list") return list(asked, ports, output);
  if (asked.verb === "show") return show(asked, ports, output);
  return putAllBack(asked, ports, output);
}

async function list({ json }: Asked, ports: PoisonPorts, output: Output): Promise<number> {
  const found = await listPoison(ports);
  if (json) {
    output.out(jsonText(found, 2));
    return 0;
  }
  if (found.messages.length === 0) output.out("No message is kept, and the poison queue is empty.");
  else for (const line of columns(HEADINGS, found.messages.map(cells))) output.out(line);
  if (found.is_cut) output.err("There are more than 10,000 documents; not all of them are shown.");
  return 0;
}

async function show(
  { ids, json }: Asked,
  ports: PoisonPorts,
  output: Output,
): Promise<number> {
  const [id = ""] = ids;
  const found = await showPoison(ports, id);
  if (found === undefined) return notFound(id, output);
  if (json) {
    output.out(jsonText(found, 2));
    return 0;
  }
  const { text, ...facts } = found;
  for (const [name, value] of Object.entries(facts)) {
    output.out(`${name.padEnd(12)} ${printable(String(value), MAX_SHOWN_BYTES)}`);
  }
  output.out("");
  output.out(printable(text, MAX_SHOWN_BYTES));
  return 0;
}

async function putAllBack(asked: Asked, ports: PoisonPorts, output: Output): Promise<number> {
  const ids = asked.all ? idsToPutBack(await listPoison(ports)) : [...new Set(asked.ids)];
  const done: PutBack[] = [];
  try {
    for (const id of ids) done.push(await putBack(ports, id, asked));
  } finally {
    // What was done before a failure is said as well.
    if (asked.json) output.out(jsonText({ messages: done }, 2));
    else for (const one of done) output.out(toldOf(one));
  }
  if (ids.length === 0 && !asked.json) output.out("Nothing to put back.");
  const missing = done.filter(({ outcome }) => outcome === "not_found");
  for (const { id } of missing) notFound(id, output);
  return done.every(({ outcome }) => outcome.endsWith("put_back")) ? 0 : 1;
}

function toldOf(one: PutBack): string {
  const id = printable(one.id, MAX_CELL_BYTES);
  switch (one.outcome) {
    case "put_back":
      return `${id} was put back`;
    case "was_put_back":
      return `${id} was put back already, ${one.at}; --again sends it once more`;
    case "not_found":
      return `${id} was not found`;
    case "only_its_beginning":
      return `${id} cannot be put back: only its beginning was kept`;
  }
}

function notFound(id: string, output: Output): number {
  output.err(`no message ${printable(id, MAX_CELL_BYTES)}`);
  output.err("hint: `list` shows every id; kept messages expire after 90 days, and what stood in");
  output.err("the poison queue (queue:…) may have been kept by now under an id of its own");
  return 1;
}

const HEADINGS = ["ID", "SINCE", "JOB", "ABOUT", "BYTES", "PUT BACK"];

function cells(row: PoisonRow): readonly string[] {
  const times = row.put_back > 1 ? ` (${row.put_back} times)` : "";
  return [
    row.id,
    row.at,
    row.job_id ?? "–",
    row.readable ? aboutOf(row) : "not a message of ours",
    String(row.bytes),
    row.put_back_at === undefined ? "no" : `${row.put_back_at}${times}`,
  ].map((cell) => printable(cell, MAX_CELL_BYTES));
}

function aboutOf({ kind = "", node_id, chunk, attempt }: PoisonRow): string {
  return [
    kind,
    ...(node_id === undefined ? [] : [node_id]),
    ...(chunk === undefined ? [] : [`chunk ${chunk}`]),
    ...(attempt === undefined ? [] : [`attempt ${attempt}`]),
  ].join(" ");
}

function hintFor(code: string): string {
  if (code === "ACCESS_DENIED") return "your identity needs roles there: docs/operations.md";
  if (code === "QUEUE_UNAVAILABLE") return "is the queue service reached, and may you use it?";
  if (code.startsWith("STORE_")) return "is Cosmos DB reached, and may you read `journal`?";
  return "npm run --silent poison -- --help names the settings";
}
