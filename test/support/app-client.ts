// Speaks HTTP to the app as a client does, with the local keys. Answers come parsed; nothing is
// hidden or retried. The waiting is bounded and ends when a job is terminal, however it ended.
import { LOCAL_KEYS } from "../../src/local/host.ts";
import { operationAt, undocumented } from "./documented.ts";
import { waitFor } from "./wait-until.ts";

export interface Issue {
  readonly message: string;
  readonly pointer?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly hint?: string;
}

export interface Attempt {
  readonly attempt: number;
  readonly status: string;
  readonly started_at: string;
  readonly ended_at?: string;
  readonly build: string;
  readonly handler_version: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly log?: readonly string[];
}

export interface NodeRow {
  readonly node_id: string;
  readonly type: string;
  readonly status: string;
  readonly attempt?: number;
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly items?: { readonly count: number; readonly completed: number };
  readonly attempts: readonly Attempt[];
  readonly log: readonly string[];
  readonly events: readonly JobEvent[];
}

export interface JobEvent {
  readonly seq: number;
  readonly at: string;
  readonly lane: string;
  readonly type: string;
  readonly hash: string;
  readonly node_id?: string;
  readonly attempt?: number;
  readonly [member: string]: unknown;
}

/** Whatever the API answers; a test reads the members it is about. */
export interface Body {
  readonly job_id: string;
  readonly status: string | number;
  readonly workflow_id: string;
  readonly workflow_version: number;
  readonly workflow_digest: string;
  readonly code: string;
  readonly detail: string;
  readonly issues: readonly Issue[];
  readonly nodes: readonly NodeRow[];
  readonly events: readonly JobEvent[];
  readonly jobs: readonly Body[];
  readonly result_data: Readonly<Record<string, unknown>>;
  readonly _provenance: Readonly<Record<string, unknown>>;
  readonly [member: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

export interface CallOptions {
  /** An object is sent as JSON, text and bytes as they stand. */
  readonly body?: object | string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null sends no key at all. */
  readonly key?: string | null;
}

export interface Ended extends Body {
  readonly result_data: Readonly<Record<string, unknown>>;
}

/** What `call` takes for a route of the table; each parameter gets `value`. */
export function pathOfRoute(route: string, value: string): string {
  const path = route.replace(/\{[^}]*\}/g, value);
  return path.startsWith("v1/") ? path.slice("v1".length) : `/../${path}`;
}

export class AppClient {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** `path` is below /api/v1. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { body, key = LOCAL_KEYS.host } = options;
    const isJson = typeof body === "object" && !(body instanceof Uint8Array);
    const headers = {
      ...(key === null ? {} : { "x-functions-key": key }),
      ...(isJson ? { "content-type": "application/json" } : {}),
      ...options.headers,
    };
    const sent = isJson ? JSON.stringify(body) : body;
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers,
      ...(sent === undefined ? {} : { body: sent as string | Uint8Array<ArrayBuffer> }),
    });
    const text = await response.text();
    const { status } = response;
    const type = response.headers.get("content-type") ?? "";
    const operation = operationAt(method, path);
    const problem =
      operation === undefined ? undefined : undocumented(operation, { status, type, text });
    if (problem !== undefined) throw new Error(`not as documented: ${problem}`);
    return { status, headers: response.headers, text, body: parsed(text) };
  }

  get(path: string): Promise<Answer> {
    return this.call("GET", path);
  }

  post(path: string, body: object): Promise<Answer> {
    return this.call("POST", path, { body });
  }

  /** Submits and answers the job's id; anything but 202 is an error with what came instead. */
  async submit(workflowId: string, more: object = {}): Promise<string> {
    const answer = await this.post("/jobs", { workflow_id: workflowId, ...more });
    if (answer.status !== 202) throw new Error(`submit: ${answer.status} ${answer.text}`);
    return answer.body.job_id;
  }

  async job(jobId: string): Promise<Body> {
    const answer = await this.get(`/jobs/${jobId}`);
    if (answer.status !== 200) throw new Error(`job ${jobId}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  async events(jobId: string): Promise<readonly JobEvent[]> {
    return (await this.get(`/jobs/${jobId}/events`)).body.events;
  }

  /** The terminal job with its result. */
  async ended(jobId: string, timeoutMs = 20_000): Promise<Ended> {
    const what = `job ${jobId} ends`;
    const job = await waitFor(
      async () => {
        const one = await this.job(jobId);
        return ["completed", "failed", "cancelled"].includes(String(one.status)) ? one : false;
      },
      { what, timeoutMs },
    );
    const { result_data } = (await this.get(`/jobs/${jobId}/result`)).body;
    return { ...job, result_data };
  }

  /** Submits and waits for the end. */
  async run(workflowId: string, more: object = {}): Promise<Ended> {
    return this.ended(await this.submit(workflowId, more));
  }
}

function parsed(text: string): Body {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return {} as Body;
  }
}
