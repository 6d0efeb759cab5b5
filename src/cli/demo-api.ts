// The HTTP API as the demo uses it: submit, ask until a job has ended, read result and provenance.
// Every answer is parsed; an answer that was not promised ends the demo with what came instead.
import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod";
import { safeParse } from "../core/safe-parse.ts";

export interface Api {
  readonly url: string;
  readonly key: string;
  /** Aborted when the demo ends, however it ends. */
  readonly signal: AbortSignal;
}

const pinSchema = z.object({
  job_id: z.string(),
  workflow_id: z.string(),
  workflow_version: z.int(),
  workflow_digest: z.string(),
  status: z.string(),
  /** Of a failed job. */
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});

/** What an answer about a job says of its pin. */
export type PinnedJob = z.infer<typeof pinSchema>;

const issueSchema = z.object({
  file: z.string().optional(),
  line: z.int().optional(),
  column: z.int().optional(),
  message: z.string(),
  hint: z.string().optional(),
});

const problemSchema = z.looseObject({
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  issues: z.array(issueSchema).default([]),
});

export type Problem = z.infer<typeof problemSchema>;

const provenanceSchema = z.record(z.string(), z.json());

const resultSchema = pinSchema.extend({
  result_data: z.looseObject({ _provenance: provenanceSchema }),
});

export type JobResult = z.infer<typeof resultSchema>;

const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);
const POLL_MS = 200;
const REASON_MS = 2_000;

export type Inputs = Readonly<Record<string, string | number>>;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function call(api: Api, path: string, body?: object): Promise<Answer> {
  try {
    const response = await fetch(`${api.url}/api/v1${path}`, {
      headers: { "x-functions-key": api.key, "content-type": "application/json" },
      signal: api.signal,
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  } catch (error) {
    await aborted(api.signal);
    throw error;
  }
}

/** A connection breaks before its host's end is known: a moment for the reason to arrive. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
    setTimeout(resolve, REASON_MS).unref();
  });
}

function promised<T>(answer: Answer, status: number, schema: z.ZodType<T>): T {
  const parsed = safeParse(schema, answer.body);
  if (answer.status === status && parsed.success) return parsed.data;
  throw new Error(`Expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
}

function post(api: Api, workflow_id: string, input_params: Inputs): Promise<Answer> {
  return call(api, "/jobs", { workflow_id, input_params, submitted_by: "demo" });
}

export async function submit(api: Api, workflowId: string, inputs: Inputs): Promise<PinnedJob> {
  return promised(await post(api, workflowId, inputs), 202, pinSchema);
}

/** A submission that must be refused with this code. */
export async function submitRefused(
  api: Api,
  request: { readonly workflowId: string; readonly inputs: Inputs },
  expected: { readonly status: number; readonly code: string },
): Promise<Problem> {
  const answer = await post(api, request.workflowId, request.inputs);
  const problem = promised(answer, expected.status, problemSchema);
  if (problem.code === expected.code) return problem;
  throw new Error(`Expected ${expected.code}, got ${problem.code}: ${problem.detail}`);
}

export async function jobNow(api: Api, jobId: string): Promise<PinnedJob> {
  return promised(await call(api, `/jobs/${jobId}`), 200, pinSchema);
}

export function hasEnded(job: PinnedJob): boolean {
  return ENDED.has(job.status);
}

/** The job when it has ended; the api's signal bounds the wait. */
export async function endOf(api: Api, jobId: string): Promise<PinnedJob> {
  for (;;) {
    const job = await jobNow(api, jobId);
    if (hasEnded(job)) return job;
    await pause(POLL_MS, undefined, { signal: api.signal });
  }
}

export async function resultOf(api: Api, jobId: string): Promise<JobResult> {
  return promised(await call(api, `/jobs/${jobId}/result`), 200, resultSchema);
}

/** The record that a job ended with, as `GET …/provenance` gives it. */
export async function provenanceOf(
  api: Api,
  jobId: string,
): Promise<z.infer<typeof provenanceSchema>> {
  const schema = z.object({ _provenance: provenanceSchema });
  const { _provenance } = promised(await call(api, `/jobs/${jobId}/provenance`), 200, schema);
  return _provenance;
}
