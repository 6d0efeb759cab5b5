// A typed client of the HTTP API, on `fetch` alone: for the command line, the page, and anybody's
// program. The types are those of the schemas that the app parses with and is tested against; what
// comes back is not checked again. A refusal is thrown as ApiError with the problem in it.
import type {
  AcceptedJob,
  BatchAnswer,
  CheckedText,
  DryRun,
  HandlerList,
  Job,
  JobEvents,
  JobList,
  JobNode,
  JobResult,
  Problem,
  Provenance,
  Readiness,
  Snapshot,
  Stats,
  Submission,
  Timeline,
  Validation,
  WorkflowList,
  WorkflowVersions,
} from "../api/wire.ts";

export interface ClientOptions {
  /** Where the app is, such as `http://127.0.0.1:7071`; empty for the page's own origin. */
  readonly endpoint: string;
  /** A function key; absent where the platform signs people in by itself. */
  readonly key?: string | undefined;
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface WaitOptions extends CallOptions {
  /** Of an earlier answer: an unchanged job is not sent again. */
  readonly etag?: string | undefined;
  /** Seconds to wait for a change, or without `etag` for the end. At most 30. */
  readonly wait?: number | undefined;
}

export interface ListOptions extends CallOptions {
  readonly status?: string | undefined;
  readonly workflow_id?: string | undefined;
  readonly workflow_version?: number | undefined;
  readonly workflow_digest?: string | undefined;
  readonly correlation_id?: string | undefined;
  readonly idempotency_key?: string | undefined;
  readonly tag?: string | undefined;
  readonly submitted_by?: string | undefined;
  readonly created_from?: string | undefined;
  readonly created_before?: string | undefined;
  readonly sort?: "created_at" | "-created_at" | undefined;
  readonly limit?: number | undefined;
  readonly continuation?: string | undefined;
}

export interface EventsOptions extends CallOptions {
  readonly after?: number | undefined;
  readonly limit?: number | undefined;
  readonly wait?: number | undefined;
}

/** Undefined as `body` stands for "unchanged since that etag". */
export interface Tagged<T> {
  readonly body: T | undefined;
  readonly etag: string | undefined;
}

/** An answer of 400 or above; `problem` is absent where the host itself refused. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly problem: Problem | undefined;

  constructor(status: number, problem: Problem | undefined) {
    super(problem === undefined ? `the host answered ${status}` : problem.detail);
    this.status = status;
    this.problem = problem;
  }
}

/** A good status with a body that is not the API's: another service, or a page to sign in. */
export class UnexpectedAnswer extends Error {
  override readonly name = "UnexpectedAnswer";

  constructor(status: number) {
    super(`the answer (${status}) is not one of this API`);
  }
}

interface Call {
  readonly method?: "GET" | "POST";
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

const JSON_BODY = { "content-type": "application/json" };

export class Client {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  submit(submission: Submission, { signal }: CallOptions = {}): Promise<AcceptedJob> {
    return this.#post("/jobs", submission, { signal });
  }

  /** As `submit` would answer, with nothing created. */
  dryRun(submission: Submission, { signal }: CallOptions = {}): Promise<DryRun> {
    return this.#post("/jobs", submission, { signal, query: { dry_run: "true" } });
  }

  submitBatch(jobs: readonly Submission[], { signal }: CallOptions = {}): Promise<BatchAnswer> {
    return this.#post("/jobs/batch", { jobs }, { signal });
  }

  /** Everything that speaks against a submission, at once. */
  validateJob(submission: Submission, { signal }: CallOptions = {}): Promise<Validation> {
    return this.#post("/jobs/validate", submission, { signal });
  }

  jobs({ signal, ...query }: ListOptions = {}): Promise<JobList> {
    return this.#get("/jobs", { query, signal });
  }

  job(jobId: string, options: WaitOptions = {}): Promise<Tagged<Job>> {
    return this.#tagged(jobPath(jobId), options);
  }

  events(jobId: string, { signal, ...query }: EventsOptions = {}): Promise<JobEvents> {
    return this.#get(`${jobPath(jobId)}/events`, { query, signal });
  }

  node(jobId: string, nodeId: string, { signal }: CallOptions = {}): Promise<JobNode> {
    return this.#get(`${jobPath(jobId)}/nodes/${encodeURIComponent(nodeId)}`, { signal });
  }

  timeline(jobId: string, options: CallOptions = {}): Promise<Timeline> {
    return this.#get(`${jobPath(jobId)}/timeline`, options);
  }

  snapshot(jobId: string, options: CallOptions = {}): Promise<Snapshot> {
    return this.#get(`${jobPath(jobId)}/snapshot`, options);
  }

  result(jobId: string, options: CallOptions = {}): Promise<JobResult> {
    return this.#get(`${jobPath(jobId)}/result`, options);
  }

  provenance(jobId: string, options: CallOptions = {}): Promise<Provenance> {
    return this.#get(`${jobPath(jobId)}/provenance`, options);
  }

  cancel(jobId: string, reason?: string, { signal }: CallOptions = {}): Promise<AcceptedJob> {
    return this.#post(`${jobPath(jobId)}/cancel`, reason === undefined ? {} : { reason }, {
      signal,
    });
  }

  workflows(options: CallOptions = {}): Promise<WorkflowList> {
    return this.#get("/workflows", options);
  }

  workflow(workflowId: string, options: CallOptions = {}): Promise<WorkflowVersions> {
    return this.#get(`/workflows/${encodeURIComponent(workflowId)}`, options);
  }

  validateWorkflow(yaml: string, { signal }: CallOptions = {}): Promise<CheckedText> {
    const headers = { "content-type": "application/yaml" };
    return this.#json("/workflows/validate", { method: "POST", headers, body: yaml, signal });
  }

  handlers(options: CallOptions = {}): Promise<HandlerList> {
    return this.#get("/handlers", options);
  }

  stats(options: CallOptions = {}): Promise<Stats> {
    return this.#get("/stats", options);
  }

  /** What is ready and what is not; a 503 is an answer here. */
  async ready({ signal }: CallOptions = {}): Promise<Readiness> {
    const response = await this.#send("/health/ready", { signal });
    if (response.status !== 200 && response.status !== 503) throw await refusal(response);
    return bodyOf(response);
  }

  #get<T>(path: string, call: Call): Promise<T> {
    return this.#json(path, call);
  }

  #post<T>(path: string, body: object, call: Call): Promise<T> {
    const text = JSON.stringify(body);
    return this.#json(path, { ...call, method: "POST", headers: JSON_BODY, body: text });
  }

  async #tagged<T>(path: string, { etag, wait, signal }: WaitOptions): Promise<Tagged<T>> {
    const headers: Record<string, string> = etag === undefined ? {} : { "if-none-match": etag };
    const response = await this.#send(path, { query: { wait }, headers, signal });
    if (response.status === 304) return { body: undefined, etag };
    if (!response.ok) throw await refusal(response);
    const body = await bodyOf<T>(response);
    return { body, etag: response.headers.get("etag") ?? undefined };
  }

  async #json<T>(path: string, call: Call): Promise<T> {
    const response = await this.#send(path, call);
    if (!response.ok) throw await refusal(response);
    return bodyOf(response);
  }

  #send(path: string, { method = "GET", query = {}, headers, body, signal }: Call) {
    const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const search = given.length === 0 ? "" : `?${String(new URLSearchParams(given))}`;
    const { endpoint, key, fetch: send = fetch } = this.#options;
    return send(`${endpoint}/api/v1${path}${search}`, {
      method,
      headers: { ...headers, ...(key === undefined ? {} : { "x-functions-key": key }) },
      redirect: "error",
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

function jobPath(jobId: string): string {
  return `/jobs/${encodeURIComponent(jobId)}`;
}

/** Every body of this API is an object. Errors: UnexpectedAnswer; `fetch`'s if it breaks off. */
async function bodyOf<T>(response: Response): Promise<T> {
  const value = parsed(await response.text());
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as T;
  throw new UnexpectedAnswer(response.status);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const isProblem = (response.headers.get("content-type") ?? "").includes("problem+json");
  const body = isProblem ? parsed(await response.text()) : undefined;
  return new ApiError(response.status, body as Problem | undefined);
}
