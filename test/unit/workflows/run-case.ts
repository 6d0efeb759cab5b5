// Runs one case of a shipped workflow on the memory ports with the built-in handlers. HTTP is
// real: the clock stands still while a request is on its way, so time-outs and delays stay exact.
import { digest } from "../../../src/core/canonical.ts";
import type { GoodFile } from "../../../src/catalog/workflow-files.ts";
import { WorkflowError } from "../../../src/core/error.ts";
import { isJsonObject, jsonBytes } from "../../../src/core/json.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { MAX_INLINE_RESULT_BYTES } from "../../../src/core/limits.ts";
import type { Handler } from "../../../src/runtime/handlers.ts";
import { sha256 } from "../../../src/runtime/hash.ts";
import type { Clock } from "../../../src/runtime/ports.ts";
import { builtinHandlers } from "../../../src/tasks/builtin.ts";
import { TestRuntime } from "../../support/runtime.ts";
import type { WorkflowCase } from "./shipped.ts";

/** What stands for the address of the data server in cases and results. */
const BASE_URL = "{{base_url}}";
const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

export interface CaseOutcome {
  /** In the form of a case, with its name and inputs. */
  readonly found: unknown;
  readonly runtime: TestRuntime;
  /** Empty where the submission was refused. */
  readonly jobId: string;
}

export async function runCase(
  workflow: GoodFile,
  { case: name, input_params }: WorkflowCase,
  baseUrl: string,
): Promise<CaseOutcome> {
  const requests = new Set<Promise<unknown>>();
  const runtime = runtimeWith(requests, new URL(baseUrl).host);
  const { definition, workflow_digest, source, source_digest } = workflow;
  const entry = { definition, workflow_digest, source, source_digest };
  const { workflow_id } = definition;
  runtime.catalog.entries.set(workflow_id, entry);
  const given = replaced(input_params, BASE_URL, baseUrl) as JsonObject;
  const same = { case: name, input_params };
  try {
    const { job } = await runtime.submit({ workflow_id, input_params: given });
    await runtime.run(async () => {
      while (requests.size > 0) await Promise.allSettled(requests);
      return ENDED.has(runtime.status(job.job_id));
    });
    const result = replaced(resultOf(runtime, job.job_id), baseUrl, BASE_URL) as JsonObject;
    const found = { ...same, ...endOf(runtime, job.job_id), result_data: shortened(result) };
    return { found, runtime, jobId: job.job_id };
  } catch (error) {
    if (!(error instanceof WorkflowError) || error.code !== "INPUT_INVALID") throw error;
    const issues = (error.issues ?? []).map(({ pointer }) => pointer);
    return { found: { ...same, status: "refused", issues }, runtime, jobId: "" };
  }
}

function runtimeWith(requests: Set<Promise<unknown>>, host: string): TestRuntime {
  const clock: Clock = {
    now: () => runtime.clock.now(),
    after: (ms, callback) => runtime.clock.after(ms, callback),
  };
  const handlers = builtinHandlers({ http: { allow: [host] }, clock }).map((handler) =>
    handler.name === "sleep" ? handler : watched(handler, requests),
  );
  const runtime = new TestRuntime({ handlers, secrets: { API_TOKEN: "a-token-for-tests" } });
  return runtime;
}

/** The handler with each of its calls among `requests` until it has ended. */
function watched(handler: Handler, requests: Set<Promise<unknown>>): Handler {
  return {
    ...handler,
    run: (context) => {
      const request = handler.run(context);
      const forget = (): void => void requests.delete(request);
      requests.add(request);
      request.then(forget, forget);
      return request;
    },
  };
}

function endOf(runtime: TestRuntime, jobId: string): JsonObject {
  const events = runtime.entries(jobId).at(-1)?.["events"] as readonly JsonObject[];
  const { type, error } = events.at(-1) ?? {};
  const status = typeof type === "string" ? type.replace("job_", "") : "no event";
  return error === undefined ? { status } : { status, error };
}

/** `result_data` without provenance; large values filled in, as `GET .../result` does. */
function resultOf(runtime: TestRuntime, jobId: string): JsonObject {
  const { _provenance: _, ...results } = runtime.result(jobId) as JsonObject;
  const filled = Object.entries(results).map(([id, value]) => {
    if (!isReference(value)) return [id, value] as const;
    const document = runtime.store.journalOf(jobId).find((one) => one["id"] === value["object"]);
    const whole = document?.["value"] ?? outputIn(document?.["events"], id);
    if (digest(whole as Json, sha256) !== value["digest"]) {
      throw new Error(`node "${id}": the stored output does not have the digest of the result`);
    }
    return [id, whole as Json] as const;
  });
  return Object.fromEntries(filled);
}

function isReference(value: Json | undefined): value is JsonObject {
  return isJsonObject(value) && Object.keys(value).sort().join() === "bytes,digest,object";
}

function outputIn(events: unknown, nodeId: string): unknown {
  const completed = (events as readonly JsonObject[] | undefined)?.find(
    ({ type, node_id }) => type === "node_completed" && node_id === nodeId,
  );
  return completed?.["output"];
}

/** A value too large for `result_data` stands in a case as its digest and size. */
function shortened(results: JsonObject): JsonObject {
  const short = Object.entries(results).map(([id, value]) => {
    const bytes = jsonBytes(value);
    const isSmall = bytes <= MAX_INLINE_RESULT_BYTES;
    return [id, isSmall ? value : { digest: digest(value, sha256), bytes }] as const;
  });
  return Object.fromEntries(short);
}

function replaced(value: Json, from: string, to: string): Json {
  return JSON.parse(JSON.stringify(value).replaceAll(from, to)) as Json;
}
