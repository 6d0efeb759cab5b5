// Commands about the app as a whole: its workflows, its handlers, its numbers. Each asks the HTTP
// API and nothing else.
import type { Call, Command } from "./command.ts";
import { printJson } from "./command.ts";
import { EXIT, safe } from "./terminal.ts";
import type { Exit } from "./terminal.ts";
import { columns, cut, durationText, shortDigest } from "./text-layout.ts";

async function workflows(call: Call): Promise<Exit> {
  const { terminal, operands, paint } = call;
  const client = await call.client();
  const [id] = operands;
  if (id !== undefined) return oneWorkflow(call, id);
  const found = await client.workflows(terminal);
  if (call.isJson) printJson(call, found);
  else {
    const rows = found.workflows.map((row) => [
      safe(row.workflow_id ?? ""),
      row.version === undefined ? "" : String(row.version),
      paint(row.status === "ok" ? "good" : "bad", row.status),
      row.is_active === false ? "inactive" : "",
      row.workflow_digest === undefined ? "" : shortDigest(row.workflow_digest),
      safe(row.file),
      cut(safe(row.issues?.[0]?.message ?? row.description ?? ""), 60),
    ]);
    const heads = ["WORKFLOW", "VERSION", "STATUS", "", "DIGEST", "FILE", ""];
    for (const line of columns(heads, rows)) terminal.out(line);
  }
  return found.workflows.every(({ status }) => status !== "invalid") ? EXIT.ok : EXIT.no;
}

async function oneWorkflow(call: Call, id: string): Promise<Exit> {
  const { terminal } = call;
  const found = await (await call.client()).workflow(id, terminal);
  if (call.isJson) {
    printJson(call, found);
    return EXIT.ok;
  }
  for (const { version, file, status, workflow_digest: digest, source, ...row } of found.versions) {
    const what = `# ${safe(id)} version ${version ?? "?"}, ${status}`;
    terminal.out(`${what}, ${safe(file)} ${digest ?? ""}`.trimEnd());
    for (const { line, column, message } of row.issues ?? []) {
      terminal.out(`# ${line ?? "?"}:${column ?? "?"} ${safe(message)}`);
    }
    const missing = (row.missing_secrets ?? []).map(safe).join(", ");
    if (missing !== "") terminal.out(`# the app has no value for ${missing}`);
    for (const line of (source ?? "").trimEnd().split("\n")) terminal.out(safe(line));
  }
  return EXIT.ok;
}

async function handlers(call: Call): Promise<Exit> {
  const { terminal } = call;
  const found = await (await call.client()).handlers(terminal);
  if (call.isJson) printJson(call, found);
  else {
    const rows = found.handlers.map(({ name, version, description }) => [
      safe(name),
      safe(version),
      cut(safe(description), 100),
    ]);
    for (const line of columns(["HANDLER", "VERSION", ""], rows)) terminal.out(line);
  }
  return EXIT.ok;
}

async function stats(call: Call): Promise<Exit> {
  const { terminal, paint } = call;
  const found = await (await call.client()).stats(terminal);
  if (call.isJson) {
    printJson(call, found);
    return EXIT.ok;
  }
  const counts = { ...found.open, ...found.ended };
  const told = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  terminal.out(told.join(", "));
  const seconds = (value: number | undefined) => (value === undefined ? "" : durationText(value));
  const rows = found.workflows.map((one) => [
    safe(one.workflow_id),
    String(one.workflow_version),
    String(one.completed),
    paint(one.failed > 0 ? "bad" : "dim", String(one.failed)),
    String(one.cancelled),
    seconds(one.durations.p50_seconds),
    seconds(one.durations.p95_seconds),
  ]);
  const heads = ["WORKFLOW", "VERSION", "COMPLETED", "FAILED", "CANCELLED", "P50", "P95"];
  if (rows.length > 0) for (const line of columns(heads, rows)) terminal.out(line);
  terminal.err(found.as_of === undefined ? "nothing is counted yet" : `as of ${found.as_of}`);
  return EXIT.ok;
}

export const APP_COMMANDS: readonly Command[] = [
  {
    name: "workflows",
    summary: "workflow files of the app, or one with its text; exit 1 if one is invalid",
    operands: "[WORKFLOW]",
    takes: [0, 1],
    options: {},
    examples: ["holdfast workflows", "holdfast workflows routing"],
    run: workflows,
  },
  {
    name: "handlers",
    summary: "handlers of the app",
    operands: "",
    takes: [0, 0],
    options: {},
    examples: ["holdfast handlers"],
    run: handlers,
  },
  {
    name: "stats",
    summary: "numbers over all jobs",
    operands: "",
    takes: [0, 0],
    options: {},
    examples: ["holdfast stats"],
    run: stats,
  },
];
