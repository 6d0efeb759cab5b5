// Tries an app that was just deployed: ready, one job from submission to provenance, the same
// request again, a request without a key. `npm run smoke -- https://APP.azurewebsites.net`, with a
// function key in HOLDFAST_KEY. Says each thing as it is found; the first that fails ends it.
// Asks with fetch alone, so that a client of ours cannot hide what an answer really was.
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Role assignments take up to ten minutes to spread after a first deployment. */
const READY_MS = 15 * 60_000;
const END_MS = 3 * 60_000;
const PAUSE_MS = 5_000;
/** A cold start may take some. */
const REQUEST_MS = 60_000;
const WORKFLOW = "hello_world";

/**
 * @param {import("./smoke.mjs").SmokeOptions} options
 * @returns {Promise<boolean>} whether all went well
 */
export async function smoke(options) {
  const { say, readyMs = READY_MS, endMs = END_MS, pauseMs = PAUSE_MS } = options;
  try {
    const build = await ready(options, { forMs: readyMs, pauseMs });
    say(`ready    ${build}`);
    const key = `smoke-${build.replace(/[^\w.-]/g, "-")}-${options.runId}`;
    const accepted = await submitted(options, key);
    say(`accepted job ${accepted.job_id}: ${WORKFLOW} ${text(accepted.workflow_version)}`);
    const job = await ended(options, accepted.job_id, { forMs: endMs, pauseMs });
    expected(`job ${accepted.job_id}: status`, "completed", job["status"]);
    say(`ended    ${text(job["status"])}`);
    await proven(options, accepted);
    say(`proven   ${accepted.workflow_digest}`);
    const again = await submitted(options, key);
    expected("the same request again: job_id", accepted.job_id, again.job_id);
    say("repeated the same job");
    const { status } = await asked({ ...options, key: undefined }, "GET /jobs");
    expected("GET /jobs without a key: status", 401, status);
    say("refused  a request without a key");
    return true;
  } catch (error) {
    say(`FAILED   ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/**
 * @param {import("./smoke.mjs").SmokeOptions} options
 * @param {{ forMs: number, pauseMs: number }} patience
 * @returns {Promise<string>} the build
 */
async function ready(options, { forMs, pauseMs }) {
  const until = performance.now() + forMs;
  let told = "";
  for (;;) {
    const missing = await missingIn(options);
    if ("build" in missing) return missing.build;
    if (performance.now() >= until) {
      throw new Error(`not ready within ${Math.round(forMs / 1000)} s: ${missing.why}`);
    }
    if (missing.why !== told) options.say(`waiting  ${missing.why}`);
    told = missing.why;
    await pause(pauseMs);
  }
}

/**
 * @param {import("./smoke.mjs").SmokeOptions} options
 * @returns {Promise<{ build: string } | { why: string }>}
 */
async function missingIn(options) {
  try {
    const { status, body } = await asked(options, "GET /health/ready");
    if (status === 200 && typeof body["build"] === "string") return { build: body["build"] };
    const checks = Array.isArray(body["checks"]) ? body["checks"] : [];
    const failed = checks.filter(({ ok }) => ok !== true).map(failedCheck);
    return { why: `GET /health/ready: expected 200, got ${status}; ${failed.join("; ")}` };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

/** @param {Readonly<Record<string, unknown>>} check */
function failedCheck({ name, error, hint }) {
  const told = `${text(name)} ${text(error)}`;
  return hint === undefined ? told : `${told} (${text(hint)})`;
}

/**
 * @param {import("./smoke.mjs").SmokeOptions} options
 * @param {string} key
 */
async function submitted(options, key) {
  const body = { workflow_id: WORKFLOW, input_params: { name: "smoke test" } };
  const answer = await asked(options, "POST /jobs", { body, key });
  const { code, detail, job_id, workflow_version, workflow_digest } = answer.body;
  if (answer.status !== 202 && answer.status !== 200) {
    const told = code === undefined ? "" : `, ${text(code)}: ${text(detail)}`;
    throw new Error(`POST /jobs: status: expected 202, got ${answer.status}${told}`);
  }
  if (typeof job_id !== "string") {
    throw new Error("POST /jobs: expected a job_id, got an answer without one");
  }
  return { job_id, workflow_version, workflow_digest: text(workflow_digest) };
}

/**
 * @param {import("./smoke.mjs").SmokeOptions} options
 * @param {string} jobId
 * @param {{ forMs: number, pauseMs: number }} patience
 */
async function ended(options, jobId, { forMs, pauseMs }) {
  const until = performance.now() + forMs;
  for (;;) {
    const { status, body } = await asked(options, `GET /jobs/${jobId}`);
    expected(`GET /jobs/${jobId}: status`, 200, status);
    const jobStatus = text(body["status"]);
    if (["completed", "failed", "cancelled"].includes(jobStatus)) return body;
    if (performance.now() >= until) {
      const seconds = Math.round(forMs / 1000);
      throw new Error(`job ${jobId}: not ended within ${seconds} s: ${jobStatus}`);
    }
    await pause(Math.min(pauseMs, 1000));
  }
}

/**
 * @param {import("./smoke.mjs").SmokeOptions} options
 * @param {{ job_id: string, workflow_version: unknown, workflow_digest: string }} accepted
 */
async function proven(options, accepted) {
  const { body } = await asked(options, `GET /jobs/${accepted.job_id}/result`);
  const told = Object(Object(body["result_data"])["_provenance"]);
  expected("_provenance.workflow_id", WORKFLOW, told.workflow_id);
  expected("_provenance.workflow_version", accepted.workflow_version, told.workflow_version);
  expected("_provenance.workflow_digest", accepted.workflow_digest, told.workflow_digest);
  expected("_provenance.job_id", accepted.job_id, told.job_id);
  if (Number.isNaN(Date.parse(told.completed_at))) {
    throw new Error(`_provenance.completed_at: expected a time, got ${text(told.completed_at)}`);
  }
}

/**
 * @param {string} where
 * @param {unknown} value
 * @param {unknown} got
 */
function expected(where, value, got) {
  if (got !== value) throw new Error(`${where}: expected ${text(value)}, got ${text(got)}`);
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : String(JSON.stringify(value));
}

/**
 * @param {Pick<import("./smoke.mjs").SmokeOptions, "url" | "key">} app
 * @param {string} line method and path, as in `GET /jobs`
 * @param {{ body?: object, key?: string }} given
 * @returns {Promise<import("./smoke.mjs").SmokeAnswer>}
 */
async function asked({ url, key }, line, given = {}) {
  const [method = "GET", route = ""] = line.split(" ");
  const headers = {
    ...(key === undefined ? {} : { "x-functions-key": key }),
    ...(given.body === undefined ? {} : { "content-type": "application/json" }),
    ...(given.key === undefined ? {} : { "idempotency-key": given.key }),
  };
  const address = `${url.replace(/\/+$/, "")}/api/v1${route}`;
  const response = await fetch(address, {
    method,
    headers,
    signal: AbortSignal.timeout(REQUEST_MS),
    ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
  }).catch((error) => {
    const cause = error?.cause?.code ?? error?.name ?? "no answer";
    throw new Error(`${method} ${address}: ${cause}`);
  });
  const { status } = response;
  const answer = await response.text();
  try {
    return { status, body: answer === "" ? {} : JSON.parse(answer) };
  } catch {
    const beginning = answer.slice(0, 80);
    throw new Error(`${method} ${address}: expected JSON, got ${status} ${beginning}`);
  }
}

const started = process.argv[1];
if (started !== undefined && path.resolve(started) === fileURLToPath(import.meta.url)) {
  const url = process.argv[2];
  const key = process.env["HOLDFAST_KEY"];
  if (url === undefined || !URL.canParse(url) || key === undefined) {
    console.error("Usage: HOLDFAST_KEY=… npm run smoke -- https://APP.azurewebsites.net");
    process.exitCode = 2;
  } else {
    const runId = String(Date.now());
    const isWell = await smoke({ url, key, runId, say: (line) => console.log(line) });
    process.exitCode = isWell ? 0 : 1;
  }
}
