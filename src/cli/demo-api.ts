// The HTTP API as the demo uses it, through the client that anybody may use: ask until a job has
// ended, be refused on purpose. What was not promised ends the demo with what came instead.
import { setTimeout as pause } from "node:timers/promises";
import type { Job, Problem, Submission } from "../api/wire.ts";
import { ApiError, Client } from "../client/client.ts";
import { hasEnded } from "./job-text.ts";

export interface Api {
  readonly client: Client;
  /** Aborted when the demo ends, however it ends. */
  readonly signal: AbortSignal;
}

/** What every answer about a job says of its pin and its end. */
export type PinnedJob = Pick<
  Job,
  "job_id" | "workflow_id" | "workflow_version" | "workflow_digest" | "status" | "error"
>;

export type Inputs = Readonly<Record<string, string | number>>;

const POLL_MS = 200;
const REASON_MS = 2_000;

export function apiOf(endpoint: string, key: string, signal: AbortSignal): Api {
  const send: typeof fetch = async (input, init) => {
    try {
      return await fetch(input, { ...init, signal });
    } catch (error) {
      await aborted(signal);
      throw error;
    }
  };
  return { client: new Client({ endpoint, key, fetch: send }), signal };
}

/** A connection breaks before its host's end is known: a moment for the reason to arrive. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
    setTimeout(resolve, REASON_MS).unref();
  });
}

export function submissionOf(workflowId: string, inputs: Inputs): Submission {
  return { workflow_id: workflowId, input_params: { ...inputs }, submitted_by: "demo" };
}

/** The problem of a submission that must be refused with this code. */
export async function refusalOf(
  { client }: Api,
  submission: Submission,
  expected: Pick<Problem, "status" | "code">,
): Promise<Problem> {
  const refused = await client.submit(submission).then(() => undefined, problemOf);
  if (refused?.status === expected.status && refused.code === expected.code) return refused;
  throw new Error(`Expected ${expected.code}, got ${refused?.detail ?? "a job"}`);
}

function problemOf(error: unknown): Problem {
  if (error instanceof ApiError && error.problem !== undefined) return error.problem;
  throw error;
}

export async function jobNow({ client }: Api, jobId: string): Promise<PinnedJob> {
  const { body } = await client.job(jobId);
  if (body === undefined) throw new Error(`job ${jobId}: no body though no etag was sent`);
  return body;
}

/** The job when it has ended; the api's signal bounds the wait. */
export async function endOf(api: Api, jobId: string): Promise<PinnedJob> {
  for (;;) {
    const job = await jobNow(api, jobId);
    if (hasEnded(job)) return job;
    await pause(POLL_MS, undefined, { signal: api.signal });
  }
}
