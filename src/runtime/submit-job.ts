// Creates jobs. The only code that reads the live catalog, and the only moment it is read: what it
// finds is pinned in entry 0, the job's commit point. A job is accepted when entry 0 and its
// projection stand; the message may fail, the sweeper will send it.
import { canonical } from "../core/canonical.ts";
import { createJob, pinnedWorkflow } from "../core/create-job.ts";
import { WorkflowError } from "../core/error.ts";
import type { JournalEntry } from "../core/event.ts";
import { applyEntry } from "../core/apply.ts";
import { compileWorkflow } from "../core/graph.ts";
import type { WorkflowDefinition } from "../core/definition.ts";
import { uuidOf } from "../core/id.ts";
import { applyInputs } from "../core/inputs.ts";
import { isTerminalJob } from "../core/job.ts";
import type { JobState } from "../core/job.ts";
import { jsonBytes, jsonProblem, kindOf } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { MAX_INPUT_BYTES } from "../core/limits.ts";
import { MESSAGE_SCHEMA } from "../core/message.ts";
import { storedEntry } from "../core/stored.ts";
import { send } from "./deliver.ts";
import type { CatalogEntry, DefinitionCatalog } from "./definition-catalog.ts";
import type { Engine } from "./engine.ts";
import { sha256 } from "./hash.ts";
import { readEntry, ttlSeconds } from "./journal.ts";
import type { OpenJobs } from "./open-jobs.ts";
import { projectedOf } from "./projected-state.ts";
import { NO_WATCH, projectionOf } from "./projection.ts";
import { missingSecrets, secretMissing } from "./secrets.ts";
import type { VersionRegistry } from "./version-registry.ts";

/** A submission as it was sent; members that were absent stay absent. */
export interface Submission {
  readonly workflow_id: string;
  readonly version?: number;
  readonly input_params?: JsonObject;
  readonly correlation_id?: string;
  readonly submitted_by?: string;
  readonly tags?: readonly string[];
}

export interface Caller {
  /** `key`, `anonymous` or `principal:<id>`: what the platform says. */
  readonly authenticated_as: string;
  readonly idempotency_key?: string;
}

export interface Submitted {
  readonly job: JobState;
  /** False where the same request had been accepted before. */
  readonly created: boolean;
}

export interface Submitter {
  readonly engine: Engine;
  readonly catalog: DefinitionCatalog;
  readonly versions: VersionRegistry;
  /** Settings HOLDFAST_VAR_*: overrides of `vars`, pinned at submission. */
  readonly vars: Readonly<Record<string, string>>;
  /** The brake on jobs that have not ended; absent for none. */
  readonly openJobs?: OpenJobs;
}

/**
 * Accepts a submission, or answers the job that the same request created before. Errors: those of
 * the catalog; INPUT_INVALID with its issues; CONFIGURATION_INVALID for a setting of a var;
 * IDEMPOTENCY_CONFLICT; TOO_MANY_JOBS, but never for a request that was accepted before;
 * SECRET_MISSING; the store's.
 */
export async function submitJob(
  submitter: Submitter,
  submission: Submission,
  caller: Caller,
): Promise<Submitted> {
  const { engine } = submitter;
  const requestDigest = digestOfRequest(submission);
  const jobId = idFor(engine, submission, caller);
  if (caller.idempotency_key !== undefined) {
    // Before the catalog: the job answers even where its definition is gone.
    const first = await readEntry(engine.journal, jobId, 0);
    if (first !== undefined) return answerFirst(engine, first, requestDigest);
  }
  const { catalog, openJobs } = submitter;
  const entry = await catalog.find(submission.workflow_id, submission.version);
  const inputs = checkedInputs(entry.definition, submission.input_params ?? {});
  const vars = pinnedVars(entry.definition, submitter.vars);
  const missing = missingSecrets(engine, entry.definition);
  if (missing.length > 0) throw secretMissing(missing);
  // Nothing has been written so far: what is refused above, or here, leaves no trace.
  const place = await openJobs?.enter(caller.authenticated_as);
  let isNewJob = false;
  try {
    const pin = { job_id: jobId, requestDigest, submission, caller, entry, inputs, vars };
    const submitted = await pinned(submitter, pin);
    isNewJob = submitted.created;
    return submitted;
  } finally {
    place?.settle(isNewJob);
  }
}

interface Pin {
  readonly job_id: string;
  readonly requestDigest: string;
  readonly submission: Submission;
  readonly caller: Caller;
  readonly entry: CatalogEntry;
  readonly inputs: JsonObject;
  readonly vars: JsonObject;
}

/** Creates entry 0, the commit point, and accepts; or answers the job that stands there. */
async function pinned({ engine, versions }: Submitter, pin: Pin): Promise<Submitted> {
  const { job_id, caller, entry, requestDigest } = pin;
  const { definition, source, source_digest } = entry;
  const { redefined } = await versions.claim(entry);
  const now = engine.clock.now();
  const { correlation_id, submitted_by, tags } = pin.submission;
  const created = createJob(
    {
      job_id,
      at: now,
      write_id: engine.randomness.writeId(),
      build: engine.build,
      definition,
      source,
      source_digest,
      inputs: pin.inputs,
      vars: pin.vars,
      request_digest: requestDigest,
      ...(submitted_by === undefined ? {} : { submitted_by }),
      authenticated_as: caller.authenticated_as,
      ...(correlation_id === undefined ? {} : { correlation_id }),
      ...(caller.idempotency_key === undefined ? {} : { idempotency_key: caller.idempotency_key }),
      ...(tags === undefined ? {} : { tags }),
      ...(redefined ? { redefined } : {}),
    },
    sha256,
  );
  const { entry: first, job } = created;
  const ttl = ttlSeconds(job, now);
  if ((await engine.journal.create({ ...storedEntry(first, undefined), ttl })) === "exists") {
    const theirs = await readEntry(engine.journal, job_id, 0);
    if (theirs !== undefined) return answerFirst(engine, theirs, requestDigest);
    const message = `job ${job_id}: entry 0 exists and cannot be read`;
    throw new WorkflowError("STORE_UNAVAILABLE", message, { retryable: true });
  }
  engine.snapshots.keep(compileWorkflow(definition, job.workflow_digest));
  await accept(engine, job);
  engine.log.write("info", "job.accepted", facts(job));
  return { job, created: true };
}

function facts(job: JobState): Record<string, string | number> {
  const { job_id, workflow_id, workflow_version, workflow_digest } = job;
  return { job_id, workflow_id, workflow_version, workflow_digest };
}

/** RFC 8785 over the request as sent: the same request has the same digest. */
function digestOfRequest(submission: Submission): string {
  return `sha256:${sha256(canonical(submission as unknown as Json))}`;
}

function idFor(engine: Engine, { workflow_id }: Submission, caller: Caller): string {
  const { authenticated_as, idempotency_key } = caller;
  if (idempotency_key === undefined) return engine.randomness.uuid(engine.clock.now());
  return uuidOf(sha256(canonical([authenticated_as, workflow_id, idempotency_key])));
}

function checkedInputs(definition: WorkflowDefinition, given: JsonObject): JsonObject {
  const checked = applyInputs(definition, given);
  if (!checked.ok) {
    const { workflow_id, version } = definition;
    const message = `input_params do not fit ${workflow_id} version ${version}`;
    throw new WorkflowError("INPUT_INVALID", message, { issues: checked.issues });
  }
  const bytes = jsonBytes(checked.inputs);
  if (bytes > MAX_INPUT_BYTES) {
    const message = `input_params: ${bytes} bytes, at most ${MAX_INPUT_BYTES}`;
    throw new WorkflowError("INPUT_INVALID", message, { issues: [{ message }] });
  }
  return checked.inputs;
}

/** The definition's vars; a setting of that name wins, as JSON of the same type unless a text. */
function pinnedVars(
  definition: WorkflowDefinition,
  settings: Readonly<Record<string, string>>,
): JsonObject {
  const pinned: Record<string, Json> = {};
  for (const [name, value] of Object.entries(definition.vars)) {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined;
    pinned[name] = setting === undefined ? value : settingValue(name, value, setting);
  }
  return pinned;
}

/** Errors: CONFIGURATION_INVALID, without the value: others than operators read it. */
function settingValue(name: string, declared: Json, setting: string): Json {
  if (typeof declared === "string") return setting;
  const refused = (expected: string): WorkflowError =>
    new WorkflowError("CONFIGURATION_INVALID", `setting HOLDFAST_VAR_${name}: ${expected}`);
  // A null says nothing of the type that is meant.
  const expected = declared === null ? "a value" : kindOf(declared);
  const value = jsonOf(setting);
  if (value === undefined) throw refused(`expected ${expected}, as JSON`);
  const problem = jsonProblem(value);
  if (problem !== undefined) throw refused(problem.message);
  const json = value as Json;
  if (declared === null || kindOf(json) === expected) return json;
  throw refused(`expected ${expected}, got ${kindOf(json)}`);
}

/** Undefined where it is none: the parser's own words would repeat what stands there. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Entry 0 is there already: the same request gets its job, another one is refused. */
async function answerFirst(
  engine: Engine,
  entry: JournalEntry,
  requestDigest: string,
): Promise<Submitted> {
  const [event] = entry.events;
  if (event?.type !== "job_created") {
    throw new WorkflowError("DOCUMENT_INVALID", `job ${entry.job_id}: entry 0 is not its creation`);
  }
  if (event.request_digest !== requestDigest) {
    throw new WorkflowError(
      "IDEMPOTENCY_CONFLICT",
      `the idempotency key was used for another request, which created job ${entry.job_id}`,
      { facts: { first_request: event.request_digest, this_request: requestDigest } },
    );
  }
  const first = applyEntry(undefined, entry, sha256);
  keepSnapshot(engine, entry, first);
  return { job: await accept(engine, first), created: false };
}

/** The projection counts nodes; a snapshot that does not hold is left to whoever runs the job. */
function keepSnapshot(engine: Engine, entry: JournalEntry, job: JobState): void {
  if (engine.snapshots.get(job.workflow_digest) !== undefined) return;
  try {
    engine.snapshots.keep(pinnedWorkflow(entry, sha256));
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
  }
}

/** Creates the projection and sends the start message where that has not been done yet. */
async function accept(engine: Engine, job: JobState): Promise<JobState> {
  const workflow = engine.snapshots.get(job.workflow_digest);
  const document = projectionOf(engine, { job, watch: NO_WATCH }, workflow);
  if ((await engine.jobs.create(document)) === "exists") {
    const stored = await engine.jobs.read(job.job_id);
    const known = stored === undefined ? job : (await projectedOf(engine, stored.document)).job;
    if (isTerminalJob(known) || known.seq > 0) return known;
  }
  const { job_id } = job;
  const first_sent_at = engine.clock.now();
  const start = { v: MESSAGE_SCHEMA, kind: "start", job_id, rev: 0, first_sent_at } as const;
  await send(engine, { ...start, deferrals: 0 }, 0);
  return job;
}
