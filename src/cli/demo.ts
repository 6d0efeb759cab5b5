// The entry of `npm run demo`: submits real jobs to the local host, edits, breaks and deletes a
// definition while its jobs are in flight, and shows that each job ends as it was pinned.
// Ends by itself: with 0 if everything was as promised, else with 1 and what was not. Leaves no
// process and no file behind, also when it is interrupted.
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Problem } from "../api/wire.ts";
import { apiOf, jobNow, refusalOf, submissionOf } from "./demo-api.ts";
import type { Api } from "./demo-api.ts";
import { CLAIM, CLAIM_FILE } from "./demo-claim.ts";
import { serveData } from "./demo-data.ts";
import type { DataServer } from "./demo-data.ts";
import { startHost } from "./demo-host.ts";
import type { DemoHost } from "./demo-host.ts";
import {
  accept,
  badImportOrder,
  claimOrder,
  documentsOrder,
  echoOrder,
  ended,
  importOrder,
  must,
  rowOf,
} from "./demo-jobs.ts";
import type { Ended, Submitted } from "./demo-jobs.ts";
import { entry, line, seconds, success, table, title } from "./demo-print.ts";
import { hasEnded } from "./job-text.ts";
import { shortDigest } from "./text-layout.ts";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** It takes a quarter of this on a small machine. */
const BOUND_MS = 75_000;
/** Version 1 sends it to a person, version 2 pays it at once. */
const AMOUNT = 700;

/** What must be ended or removed, whatever happens; the last first. */
type CleanUp = (() => void | Promise<void>)[];

interface Stage {
  readonly api: Api;
  readonly host: DemoHost;
  readonly data: DataServer;
  readonly claimFile: string;
}

class Interrupted extends Error {}

const controller = new AbortController();

async function demo(cleanUp: CleanUp): Promise<void> {
  const stage = await setTheStage(cleanUp);
  try {
    await play(stage);
  } catch (error) {
    const problem = reasonOf(error);
    if (!(problem instanceof Interrupted)) {
      console.error(`\nThe last lines of the host:\n${stage.host.tail()}`);
    }
    throw problem;
  }
}

async function play(stage: Stage): Promise<void> {
  const fromMs = performance.now();
  const before = await submitJobs(stage);
  const jobs = [...before, ...(await editInFlight(stage, before))];
  title(`3. Wait for all ${jobs.length} jobs`);
  const ends = await Promise.all(jobs.map((job) => ended(stage.api, job, fromMs)));
  title("4. What ran");
  table(["job", "workflow", "version", "digest", "status", "result"], ends.map(rowOf));
  await sideBySide(stage.api, ends);
  success(`Each of the ${ends.length} jobs ended with the version and digest it began with.`);
}

async function setTheStage(cleanUp: CleanUp): Promise<Stage> {
  const startedMs = performance.now();
  console.log("Holdfast: real jobs, and a definition edited while its jobs are in flight.\n");
  const workflows = await mkdtemp(path.join(tmpdir(), "holdfast-demo-"));
  cleanUp.push(() => rm(workflows, { recursive: true, force: true }));
  await cp(path.join(ROOT, "workflows"), workflows, { recursive: true });
  const claimFile = path.join(workflows, CLAIM_FILE);
  await writeFile(claimFile, CLAIM.v1);
  entry("workflows", `a copy of workflows/ and ${CLAIM_FILE}, in ${workflows}`);
  const data = await serveData(path.join(ROOT, "workflows", "data"));
  cleanUp.push(() => data.close());
  entry("data", `${data.files.length} files of workflows/data, at ${data.url}`);
  const { signal } = controller;
  const onLost = (error: Error): void => controller.abort(error);
  const host = await startHost({ root: ROOT, workflowsDir: workflows, signal, onLost });
  cleanUp.push(() => host.stop());
  entry("host", `${host.url}, stores in memory, ready after ${seconds(startedMs)}`);
  return { api: apiOf(host.url, host.key, signal), host, data, claimFile };
}

async function submitJobs({ api, data }: Stage): Promise<readonly Submitted[]> {
  title("1. Submit jobs. Each is accepted with the version and digest that it is pinned to:");
  const orders = [
    claimOrder(AMOUNT),
    claimOrder(300),
    echoOrder("hello"),
    importOrder(`${data.url}/orders.csv`),
    importOrder(`${data.url}/orders_large.csv`),
    badImportOrder(`${data.url}/orders_without_country.csv`),
    documentsOrder(`${data.url}/documents`),
    claimOrder(AMOUNT),
  ];
  const jobs: Submitted[] = [];
  for (const order of orders) jobs.push(await accept(api, order));
  return jobs;
}

/** Everything that can happen to a file; returns the jobs that were accepted meanwhile. */
async function editInFlight(
  { api, claimFile }: Stage,
  before: readonly Submitted[],
): Promise<readonly Submitted[]> {
  title(`2. Edit ${CLAIM_FILE} while its jobs are in flight`);
  const order = claimOrder(AMOUNT);
  const request = submissionOf(order.workflowId, order.inputs);

  await writeFile(claimFile, CLAIM.v2);
  line("Version 2, with another limit and other words. New jobs get it:");
  const jobs = [await accept(api, order)];

  await writeFile(claimFile, CLAIM.v2Changed);
  line('Another limit once more, but still "version: 2":');
  conflict(await refusalOf(api, request, { status: 409, code: "VERSION_CONFLICT" }));

  await writeFile(claimFile, CLAIM.broken);
  line("A word mistyped:");
  mistakes(await refusalOf(api, request, { status: 422, code: "DEFINITION_INVALID" }));

  await writeFile(claimFile, CLAIM.v2);
  line("Version 2 as it was:");
  jobs.push(await accept(api, claimOrder(2500)));

  await rm(claimFile);
  line("The file deleted:");
  const unknown = { status: 404, code: "WORKFLOW_NOT_FOUND" } as const;
  const { detail } = await refusalOf(api, request, unknown);
  refusal(unknown, detail);

  await stillInFlight(api, before);
  return jobs;
}

/** The edits prove something only if the jobs that they might have reached had not ended. */
async function stillInFlight(api: Api, before: readonly Submitted[]): Promise<void> {
  const claims = before.filter(({ order }) => order.workflowId === "claim");
  const now = await Promise.all(claims.map(({ accepted }) => jobNow(api, accepted.job_id)));
  const live = now.filter((job) => !hasEnded(job));
  must(
    live.length === claims.length,
    `${claims.length - live.length} claims ended before the edits did: this machine is too busy `
      + "for the demo to show anything. Run it again.",
  );
  line(`All this time ${live.length} jobs of version 1 were in flight.`);
}

function refusal({ status, code }: Pick<Problem, "status" | "code">, said: string): void {
  line(`  ${status} ${code}  ${said}`);
}

function conflict(problem: Problem): void {
  const { first_digest: first = "", this_digest: now = "" } = problem;
  must(first !== "" && now !== "" && first !== now, "409 must name two digests");
  refusal(problem, `first used with ${shortDigest(first)}, now ${shortDigest(now)}`);
}

function mistakes(problem: Problem): void {
  const { issues = [] } = problem;
  must(issues.length > 0, "422 must list what is wrong");
  for (const { file, line: row, column, message, hint } of issues) {
    must(row !== undefined && column !== undefined, `no place given: ${message}`);
    refusal(problem, `${file}:${row}:${column}`);
    line(`    ${message}${hint === undefined ? "" : `, ${hint}`}`);
  }
}

async function sideBySide(api: Api, ends: readonly Ended[]): Promise<void> {
  const same = ends.filter(({ order: { inputs } }) => inputs["amount"] === AMOUNT);
  const old = same.find(({ accepted }) => accepted.workflow_version === 1);
  const young = same.find(({ accepted }) => accepted.workflow_version === 2);
  if (old === undefined || young === undefined) throw new Error("one claim per version expected");
  title("5. Provenance of two jobs with the same inputs");
  const answers = await Promise.all(
    [old, young].map(({ accepted }) => api.client.provenance(accepted.job_id)),
  );
  const records = answers.map(({ _provenance }) => new Map(Object.entries(_provenance)));
  const names = [...new Set(records.flatMap((record) => [...record.keys()]))];
  const cell = (value: unknown): string => {
    return String(value).replace(/sha256:[0-9a-f]{64}/, (digest) => `${digest.slice(0, 19)}…`);
  };
  const rows = names.map((name) => [name, ...records.map((record) => cell(record.get(name)))]);
  table(["", "accepted before the edit", "accepted after it"], rows);
}

/** What stopped a wait, instead of the fact that it was stopped. */
function reasonOf(error: unknown): Error {
  const reason: unknown = controller.signal.aborted ? controller.signal.reason : error;
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** Ctrl-C, a closed terminal, a reader that went away, and the bound on the whole. */
function watchForTheEnd(): void {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => controller.abort(new Interrupted(`Stopped by ${name}.`)));
  }
  process.stdout.on("error", (error) => controller.abort(error));
  const late = new Error(`Not everything has ended within ${BOUND_MS / 1000} s.`);
  setTimeout(() => controller.abort(late), BOUND_MS).unref();
}

async function main(): Promise<void> {
  const cleanUp: CleanUp = [];
  watchForTheEnd();
  try {
    await demo(cleanUp);
  } catch (error) {
    const reason = reasonOf(error);
    const wasStopped = reason instanceof Interrupted;
    process.exitCode = wasStopped ? 130 : 1;
    console.error(wasStopped ? `\n${reason.message}` : `\nThe demo failed: ${reason.message}`);
  } finally {
    for (const undo of cleanUp.reverse()) await undo();
  }
}

await main();
