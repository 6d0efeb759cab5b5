// Why does it not start, not answer, not run? Looks from the nearest to the farthest and says at
// each place what is right, or what to do. What cannot be looked at, because something before it
// failed, is not guessed at.
import type { ProblemIssue } from "../api/wire.ts";
import { ApiError } from "../client/client.ts";
import type { Client } from "../client/client.ts";
import type { Call, Command } from "./command.ts";
import { printJson } from "./command.ts";
import type { Connection } from "./connection.ts";
import { CommandProblem, EXIT, safe } from "./terminal.ts";
import type { Exit } from "./terminal.ts";
import { isUnreached } from "./patience.ts";

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly told: string;
  readonly hint?: string;
}

/** As package.json has it. */
const LEAST_NODE = [
  [20, 19],
  [22, 12],
] as const;

export interface DoctorSetting {
  /** `process.versions.node`. */
  readonly nodeVersion: string;
}

async function doctor(call: Call, setting: DoctorSetting): Promise<Exit> {
  const { terminal, paint } = call;
  const findings: Finding[] = [];
  for await (const finding of look(call, setting)) {
    findings.push(finding);
    if (call.isJson) continue;
    const { what, ok, told, hint } = finding;
    terminal.out(`${ok ? paint("good", "ok    ") : paint("bad", "failed")}  ${what}: ${told}`);
    if (hint !== undefined) terminal.out(`        ${paint("dim", "→")} ${hint}`);
  }
  const isWell = findings.every(({ ok }) => ok);
  if (call.isJson) printJson(call, { ok: isWell, findings });
  return isWell ? EXIT.ok : EXIT.no;
}

async function* look(call: Call, { nodeVersion }: DoctorSetting): AsyncGenerator<Finding> {
  yield nodeFinding(nodeVersion);
  let connection: Connection;
  try {
    connection = await call.connection();
  } catch (error) {
    if (!(error instanceof CommandProblem)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    yield { what: "settings", ok: false, told: error.message, ...hint };
    return;
  }
  yield { what: "endpoint", ok: true, told: `${connection.endpoint}, from ${connection.source}` };
  const client = await call.client();
  const reached = await ready(client, call, connection);
  yield* reached;
  if (reached.some(({ ok }) => !ok)) return;
  const listed = await workflowFiles(client, call);
  yield listed.finding;
  if (listed.workflows.length > 0) yield preflight(client, call, listed.workflows);
}

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const newest = Math.max(...LEAST_NODE.map(([least]) => least));
  const ok =
    major > newest || LEAST_NODE.some(([least, minors]) => major === least && minor >= minors);
  const hint = "Holdfast needs Node 20.19, 22.12 or later";
  return { what: "Node", ok, told: version, ...(ok ? {} : { hint }) };
}

async function ready(
  client: Client,
  { terminal }: Call,
  { endpoint }: Connection,
): Promise<readonly Finding[]> {
  try {
    const found = await client.ready(terminal);
    const checks = found.checks.map(({ name, ok = false, error }) => ({
      what: safe(name),
      ok,
      told: ok ? "answers" : safe(error ?? found.error ?? "does not answer"),
      ...(ok ? {} : { hint: "docs/operations.md says what it needs; the log has the rest" }),
    }));
    const told = `${safe(found.status)}, build ${safe(found.build ?? "unknown")}`;
    return [{ what: "app", ok: found.status === "ready", told }, ...checks];
  } catch (error) {
    if (!isUnreached(error)) {
      const status = error instanceof ApiError ? ` ${error.status}` : "";
      const told = `${endpoint} answers${status}, and not as Holdfast does`;
      return [{ what: "app", ok: false, told, hint: "is this the address of the app?" }];
    }
    const hint = "npm start runs it on this machine; elsewhere check the address and the network";
    return [{ what: "app", ok: false, told: `${endpoint} is not reached`, hint }];
  }
}

async function workflowFiles(
  client: Client,
  { terminal }: Call,
): Promise<{ readonly finding: Finding; readonly workflows: readonly string[] }> {
  const what = "workflows";
  try {
    const { workflows } = await client.workflows(terminal);
    const bad = workflows.filter(({ status }) => status === "invalid" || status === "conflict");
    const good = workflows.filter(({ status, is_active }) => status === "ok" && is_active === true);
    const ids = good.flatMap(({ workflow_id: id }) => (id === undefined ? [] : [id]));
    const listed = { workflows: [...new Set(ids)] };
    const told = `${good.length} can start jobs, ${bad.length} cannot be used`;
    const isWell = bad.length === 0 && good.length > 0;
    if (isWell) return { finding: { what, ok: true, told }, ...listed };
    const names = bad.map(({ file }) => safe(file)).join(", ");
    const hint =
      bad.length > 0
        ? `holdfast validate shows why: ${names}`
        : "put a file into the folder of HOLDFAST_WORKFLOWS_DIR; holdfast init writes one";
    return { finding: { what, ok: false, told, hint }, ...listed };
  } catch (error) {
    return { finding: { what: "key", ok: false, ...refusalOf(error) }, workflows: [] };
  }
}

function refusalOf(error: unknown): Pick<Finding, "told" | "hint"> {
  if (!(error instanceof ApiError)) return { told: "the app went away" };
  if (error.status === 401) {
    const hint = "HOLDFAST_KEY, or key in the profile file; npm start prints that of a local host";
    return { told: "the app does not take this key (401)", hint };
  }
  return { told: `the app refused: ${safe(error.message)}` };
}

/** So many workflows are asked about. */
const MAX_ASKED = 20;

/** Well where one of them could start; what keeps the others is told all the same. */
async function preflight(
  client: Client,
  { terminal }: Call,
  workflows: readonly string[],
): Promise<Finding> {
  const what = "a job";
  const kept: string[] = [];
  try {
    for (const workflow_id of workflows.slice(0, MAX_ASKED)) {
      const { issues } = await client.validateJob({ workflow_id }, terminal);
      // Inputs that are required are nothing that is wrong with the app.
      const told: readonly ProblemIssue[] = issues;
      const real = told.filter(({ code }) => code !== "INPUT_INVALID");
      const [first] = real;
      if (first === undefined) {
        const others = kept.length === 0 ? "" : `; not so ${kept.join("; ")}`;
        return { what, ok: true, told: `of ${safe(workflow_id)} could start${others}` };
      }
      kept.push(`${safe(workflow_id)}: ${safe(first.message)}`);
    }
    return { what, ok: false, told: kept.join("; ") };
  } catch (error) {
    return { what, ok: false, ...refusalOf(error) };
  }
}

export function doctorCommands(setting: DoctorSetting): readonly Command[] {
  return [
    {
      name: "doctor",
      summary: "why does it not start, not answer, not run? exit 1 if something failed",
      operands: "",
      takes: [0, 0],
      options: {},
      examples: ["holdfast doctor", "holdfast doctor --profile production"],
      run: (call) => doctor(call, setting),
    },
  ];
}
