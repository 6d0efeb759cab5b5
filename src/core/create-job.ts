// The birth of a job: entry 0 with its pin, and reading the pin back. What is not in entry 0 does
// not exist for the job; nothing live is read after it.
import { applyEntry, optional } from "./apply.ts";
import { canonical, digest } from "./canonical.ts";
import type { Sha256 } from "./canonical.ts";
import { DEFINITION_FORMAT, definitionSchema, snapshotOf } from "./definition.ts";
import type { WorkflowDefinition } from "./definition.ts";
import { WorkflowError } from "./error.ts";
import { DECISIONS_VERSION, DOCUMENT_SCHEMA, SECRETS_SCHEMA } from "./event.ts";
import type { CreationEntry, JobCreated, JournalEntry } from "./event.ts";
import { compileWorkflow } from "./graph.ts";
import type { Workflow } from "./graph.ts";
import type { Instant } from "./instant.ts";
import { addSeconds } from "./instant.ts";
import type { JobState } from "./job.ts";
import type { JsonObject } from "./json.ts";
import { isJsonObject, jsonBytes, jsonProblem } from "./json.ts";
import { eventHash } from "./lane.ts";
import { MAX_SNAPSHOT_BYTES } from "./limits.ts";
import { expiryOf } from "./retention.ts";
import type { Retention } from "./retention.ts";
import { safeParse } from "./safe-parse.ts";

/** The version of the expression language; pinned with the job. */
export const EXPRESSIONS_VERSION = 1;

export interface CreationRequest {
  readonly job_id: string;
  readonly at: Instant;
  readonly write_id: string;
  readonly build: string;
  readonly definition: WorkflowDefinition;
  readonly source: string;
  readonly source_digest: string;
  /** Checked, with defaults applied. */
  readonly inputs: JsonObject;
  readonly vars: JsonObject;
  readonly request_digest: string;
  /** When the journal goes: see retention.ts. */
  readonly retention: Retention;
  readonly submitted_by?: string;
  readonly authenticated_as: string;
  readonly correlation_id?: string;
  readonly idempotency_key?: string;
  readonly tags?: readonly string[];
  readonly redefined?: true;
  readonly traceparent?: string;
}

/** Entry 0 and the state it creates. LIMIT_EXCEEDED for a snapshot above its bound. */
export function createJob(
  request: CreationRequest,
  sha256: Sha256,
): { readonly entry: CreationEntry; readonly job: JobState } {
  const snapshot = snapshotOf(request.definition) as unknown as JsonObject;
  const bytes = jsonBytes(snapshot);
  if (bytes > MAX_SNAPSHOT_BYTES) {
    const found = `${bytes} bytes, at most ${MAX_SNAPSHOT_BYTES}`;
    throw new WorkflowError("LIMIT_EXCEEDED", `workflow snapshot: ${found}`);
  }
  const event = creationEvent(request, snapshot, sha256);
  const { job_id, at } = request;
  const hash = eventHash(event, { job_id, at, lane: "job", n: 1, prev: [] }, sha256);
  const entry: CreationEntry = {
    id: "0",
    job_id,
    schema: request.definition.secrets === undefined ? DOCUMENT_SCHEMA : SECRETS_SCHEMA,
    write_id: request.write_id,
    seq: 0,
    at,
    build: request.build,
    events: [{ ...event, hash }],
    workflow_id: event.workflow_id,
    workflow_version: event.workflow_version,
    workflow_digest: event.workflow_digest,
    workflow_snapshot: snapshot,
    workflow_source: request.source,
    inputs: request.inputs,
    vars: request.vars,
  };
  return { entry, job: applyEntry(undefined, entry, sha256) };
}

function creationEvent(
  request: CreationRequest,
  snapshot: JsonObject,
  sha256: Sha256,
): JobCreated {
  const { definition } = request;
  const deadline_at = addSeconds(request.at, definition.timeout_seconds);
  return {
    type: "job_created",
    workflow_id: definition.workflow_id,
    workflow_version: definition.version,
    workflow_digest: digest(snapshot, sha256),
    source_digest: request.source_digest,
    inputs_digest: digest(request.inputs, sha256),
    vars_digest: digest(request.vars, sha256),
    request_digest: request.request_digest,
    ...optional("submitted_by", request.submitted_by),
    authenticated_as: request.authenticated_as,
    ...optional("correlation_id", request.correlation_id),
    ...optional("idempotency_key", request.idempotency_key),
    ...optional("tags", request.tags),
    deadline_at,
    expires_at: expiryOf(deadline_at, request.retention),
    format: DEFINITION_FORMAT,
    expressions: EXPRESSIONS_VERSION,
    decisions_version: DECISIONS_VERSION,
    ...optional("redefined", request.redefined),
    ...optional("traceparent", request.traceparent),
  };
}

/** The rules that a pin names, as far as this build knows them. */
const KNOWN_RULES = {
  format: DEFINITION_FORMAT,
  expressions: EXPRESSIONS_VERSION,
  decisions_version: DECISIONS_VERSION,
} as const;

/** A later build's rules are not this one's: whoever goes on by others would make another job. */
function assertKnownRules({ job_id, events: [created] }: JournalEntry): void {
  if (created?.type !== "job_created") return;
  const rules = ["format", "expressions", "decisions_version"] as const;
  const newer = rules.find((rule) => created[rule] > KNOWN_RULES[rule]);
  if (newer === undefined) return;
  const message = `job ${job_id}: ${newer} ${created[newer]} is newer than this build`;
  throw new WorkflowError("SCHEMA_TOO_NEW", message, { retryable: true });
}

/**
 * The pin of a job, typed and validated, from its first entry. Errors: SNAPSHOT_INVALID where
 * version, digest or snapshot is missing or does not parse, SNAPSHOT_TAMPERED where the snapshot
 * is not the one that the digest names; SCHEMA_TOO_NEW where a later build's rules hold.
 */
export function pinnedWorkflow(entry: JournalEntry, sha256: Sha256): Workflow {
  assertKnownRules(entry);
  const document: Partial<CreationEntry> = entry;
  const { workflow_version, workflow_digest, workflow_snapshot } = document;
  const isVersion = Number.isInteger(workflow_version);
  if (!isVersion || workflow_version === undefined || workflow_version < 1) {
    throw refused("workflow_version", "an integer of at least 1", workflow_version);
  }
  if (typeof workflow_digest !== "string") {
    throw refused("workflow_digest", "a digest", workflow_digest);
  }
  if (!isJsonObject(workflow_snapshot) || jsonProblem(workflow_snapshot) !== undefined) {
    throw refused("workflow_snapshot", "a definition", workflow_snapshot);
  }
  const found = `sha256:${sha256(canonical(workflow_snapshot))}`;
  if (found !== workflow_digest) {
    const message = `workflow snapshot: expected ${workflow_digest}, found ${found}`;
    throw new WorkflowError("SNAPSHOT_TAMPERED", message);
  }
  const parsed = safeParse(definitionSchema, workflow_snapshot);
  if (!parsed.success || parsed.data.version !== workflow_version) {
    throw new WorkflowError("SNAPSHOT_INVALID", "workflow snapshot: not a definition", {
      cause: parsed.error,
    });
  }
  return compileWorkflow(parsed.data, workflow_digest);
}

function refused(member: string, expected: string, got: unknown): WorkflowError {
  const message = `job: ${member}: expected ${expected}, got ${typeof got}`;
  return new WorkflowError("SNAPSHOT_INVALID", message);
}

/** A workflow without nodes, for a job whose snapshot is refused: it can only end. */
export function emptyWorkflow(job: JobState): Workflow {
  const { workflow_id, workflow_version: version, workflow_digest } = job;
  // Not parsed: id and version stand as the job has them, whatever they are.
  const nothing = definitionSchema.parse({ workflow_id: "none", version: 1, nodes: {} });
  return compileWorkflow({ ...nothing, workflow_id, version }, workflow_digest);
}
