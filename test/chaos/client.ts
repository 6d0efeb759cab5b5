// A decent client of the API: it gives every submission a key, repeats what was left open with the
// same key and growing pauses, at another process if there is one, and writes down what it saw.
import { LOCAL_KEYS } from "../../src/local/host.ts";
import { outcomeOf } from "./client-log.ts";
import type { ClientLog, Outcome, SubmitOperation } from "./client-log.ts";
import type { Planned } from "./load.ts";
import { pause, wallMs } from "./pace.ts";
import type { Seeded } from "./seeded.ts";

export interface ClientOptions {
  /** The address of some process that is up; undefined while none is. */
  readonly address: () => string | undefined;
  readonly log: ClientLog;
  readonly random: Seeded;
}

interface Answered {
  readonly status: number | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

const MOST_TRIES = 30;
const LONGEST_PAUSE_MS = 3_000;
const ANSWER_TIMEOUT_MS = 30_000;
const TERMINAL = new Set(["completed", "failed", "cancelled"]);

export class ChaosClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Repeats until the answer is certain; the last operation says what it was. */
  async submit(planned: Planned): Promise<SubmitOperation> {
    for (let tries = 1; ; tries += 1) {
      const done = await this.submitOnce(planned);
      const isCertain = done.outcome !== "unknown" && done.status !== 429;
      if (isCertain || tries >= MOST_TRIES) return done;
      await this.#backOff(tries);
    }
  }

  async submitOnce({ key, workflow_id, input_params }: Planned): Promise<SubmitOperation> {
    const sent_ms = wallMs();
    const { status, body } = await this.#call("POST", "/jobs", {
      workflow_id,
      input_params,
      idempotency_key: key,
    });
    const outcome = bodyOutcome(outcomeOf(status), body);
    const told = outcome === "ok" ? pinOf(body) : {};
    const operation: SubmitOperation = {
      op: "submit",
      key,
      workflow_id,
      input_params,
      sent_ms,
      ended_ms: wallMs(),
      outcome,
      ...(status === undefined ? {} : { status }),
      ...(typeof body["code"] === "string" ? { code: body["code"] } : {}),
      ...told,
    };
    this.#options.log.operations.push(operation);
    return operation;
  }

  /** Reads the job until it has ended, or until the time is over. True if it was seen to end. */
  async awaitEnd(jobId: string, timeoutMs: number): Promise<boolean> {
    const until = wallMs() + timeoutMs;
    while (wallMs() < until) {
      const status = await this.#read(jobId);
      if (status !== undefined && TERMINAL.has(status)) return true;
      // Seldom: every look costs the stores three requests, and there are many clients.
      await pause(this.#options.random.between(1000, 3000));
    }
    return false;
  }

  /** Repeats until the answer is certain. */
  async cancel(jobId: string): Promise<void> {
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      const sent_ms = wallMs();
      const { status } = await this.#call("POST", `/jobs/${jobId}/cancel`, {});
      const outcome = outcomeOf(status);
      const times = { sent_ms, ended_ms: wallMs(), outcome };
      this.#options.log.operations.push({
        op: "cancel",
        job_id: jobId,
        ...times,
        ...(status === undefined ? {} : { status }),
      });
      if (outcome !== "unknown" && status !== 429) return;
      await this.#backOff(tries);
    }
  }

  async #read(jobId: string): Promise<string | undefined> {
    const sent_ms = wallMs();
    const { status, body } = await this.#call("GET", `/jobs/${jobId}`);
    const { seq, status: jobStatus } = body;
    const isWhole = typeof seq === "number" && typeof jobStatus === "string";
    this.#options.log.operations.push({
      op: "read",
      job_id: jobId,
      sent_ms,
      ended_ms: wallMs(),
      outcome: bodyOutcome(outcomeOf(status), body),
      ...(status === undefined ? {} : { status }),
      ...(isWhole && status === 200 ? { seq, job_status: jobStatus } : {}),
    });
    return isWhole && status === 200 ? jobStatus : undefined;
  }

  #backOff(tries: number): Promise<void> {
    const most = Math.min(100 * 2 ** tries, LONGEST_PAUSE_MS);
    return pause(this.#options.random.between(most / 2, most));
  }

  async #call(method: string, path: string, body?: object): Promise<Answered> {
    const address = this.#options.address();
    if (address === undefined) return NO_ANSWER;
    try {
      const response = await fetch(`${address}/api/v1${path}`, {
        method,
        headers: { "x-functions-key": LOCAL_KEYS.host, "content-type": "application/json" },
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: parsed(text) };
    } catch {
      return NO_ANSWER;
    }
  }
}

const NO_ANSWER: Answered = { status: undefined, body: {} };

/** A 2xx whose body does not say what it must leaves everything open. */
function bodyOutcome(outcome: Outcome, body: Readonly<Record<string, unknown>>): Outcome {
  return outcome === "ok" && typeof body["job_id"] !== "string" ? "unknown" : outcome;
}

function pinOf(
  body: Readonly<Record<string, unknown>>,
): Pick<SubmitOperation, "job_id" | "workflow_version" | "workflow_digest"> {
  return {
    job_id: String(body["job_id"]),
    workflow_version: Number(body["workflow_version"]),
    workflow_digest: String(body["workflow_digest"]),
  };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
