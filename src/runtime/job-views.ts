// What is shown of a job: its facts, its nodes, its pin, its results and where they come from.
// Exact as of the state they are given. None shows the snapshot except the one made for it.
import { WorkflowError } from "../core/error.ts";
import type { CreationEntry, JournalEntry } from "../core/event.ts";
import { isCreationEntry } from "../core/event.ts";
import type { Workflow } from "../core/graph.ts";
import type { Instant } from "../core/instant.ts";
import { secondsBetween } from "../core/instant.ts";
import { countByStatus, isTerminalJob, nodeState } from "../core/job.ts";
import type { JobState, NodeState, StoredValue } from "../core/job.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { PROVENANCE_KEY } from "../core/provenance.ts";
import { attemptsOf, nodeIdOf, wholeHistory } from "./history-views.ts";
import { filledIn } from "./large-outputs.ts";
import { loadWorkflow, readEntry } from "./journal.ts";
import type { Reader } from "./read-job.ts";
import { checkResult } from "./verify-result.ts";

/** `GET /jobs/{id}`: the job with its node states and their count by status. */
export async function jobView(engine: Reader, job: JobState): Promise<JsonObject> {
  const workflow = await workflowOf(engine, job);
  const order = workflow?.order ?? Object.keys(job.nodes);
  const summary = countByStatus(job, order);
  return {
    ...jobFacts(job),
    as_of: engine.clock.now(),
    summary,
    percent_complete: percent(summary, order.length),
    nodes: order.map((id) => nodeRow(id, { job, workflow })),
  };
}

function percent(summary: Readonly<Record<string, number>>, nodes: number): number {
  const ended = ["completed", "failed", "skipped", "cancelled"];
  const done = ended.reduce((sum, status) => sum + (summary[status] ?? 0), 0);
  return nodes === 0 ? 100 : Math.floor((100 * done) / nodes);
}

/** A snapshot that is refused leaves the states without types; the job itself says why. */
export async function workflowOf(engine: Reader, job: JobState): Promise<Workflow | undefined> {
  try {
    return await loadWorkflow(engine, job);
  } catch (error) {
    if (error instanceof WorkflowError && error.code.startsWith("SNAPSHOT_")) return undefined;
    throw error;
  }
}

/** What every answer about a job says; never the snapshot. */
export function jobFacts(job: JobState): JsonObject {
  return present({
    job_id: job.job_id,
    workflow_id: job.workflow_id,
    workflow_version: job.workflow_version,
    workflow_digest: job.workflow_digest,
    status: job.status,
    seq: job.seq,
    created_at: job.created_at,
    started_at: job.started_at,
    completed_at: job.completed_at,
    updated_at: job.at,
    deadline_at: job.deadline_at,
    duration_seconds: duration(job.started_at, job.completed_at),
    submitted_by: job.submitted_by,
    authenticated_as: job.authenticated_as,
    correlation_id: job.correlation_id,
    idempotency_key: job.idempotency_key,
    tags: job.tags,
    redefined: job.redefined,
    error: job.error === undefined ? undefined : { ...job.error },
    ending: endingOf(job),
  });
}

/** What a cancelling job will become; an ended one says it by its status. */
function endingOf(job: JobState): Json | undefined {
  if (job.ending === undefined || isTerminalJob(job)) return undefined;
  return { becomes: job.ending.becomes };
}

export function present(members: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(members).filter((member): member is [string, Json] => member[1] !== undefined),
  );
}

function duration(from: Instant | undefined, to: Instant | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : secondsBetween(from, to);
}

export function nodeRow(
  id: string,
  { job, workflow }: { readonly job: JobState; readonly workflow: Workflow | undefined },
): JsonObject {
  const node = nodeState(job, id);
  return present({
    node_id: id,
    type: workflow?.definition.nodes[id]?.type,
    ...nodeFacts(node),
  });
}

function nodeFacts(node: NodeState): Readonly<Record<string, Json | undefined>> {
  return {
    status: node.status,
    attempt: node.attempt === 0 ? undefined : node.attempt,
    queued_at: node.queued_at,
    not_before: node.status === "queued" ? node.not_before : undefined,
    started_at: node.started_at,
    ended_at: node.ended_at,
    duration_seconds: duration(node.started_at, node.ended_at),
    branch: node.branch,
    output: describedOutput(node.output),
    error: node.error === undefined ? undefined : { ...node.error },
    items: itemCounts(node),
    missing_since: node.missing_since,
  };
}

function describedOutput(output: StoredValue | undefined): Json | undefined {
  if (output === undefined) return undefined;
  return "value" in output ? output.value : { ...output };
}

function itemCounts({ fan }: NodeState): Json | undefined {
  if (fan === undefined) return undefined;
  const { count, completed, failed } = fan;
  return { count, completed, failed, chunks: fan.chunks.length };
}

export function pinFacts(job: JobState): JsonObject {
  const { job_id, workflow_id, workflow_version, workflow_digest } = job;
  return { job_id, workflow_id, workflow_version, workflow_digest };
}

async function creationOf(engine: Reader, job: JobState): Promise<CreationEntry> {
  const entry = await readEntry(engine.journal, job.job_id, 0);
  if (entry === undefined || !isCreationEntry(entry)) {
    throw new WorkflowError("SNAPSHOT_INVALID", `job ${job.job_id}: its first entry holds no pin`);
  }
  return entry;
}

/** `GET /jobs/{id}/snapshot`: what the job is pinned to, and the exact YAML it came from. */
export async function snapshotView(engine: Reader, job: JobState): Promise<JsonObject> {
  const entry = await creationOf(engine, job);
  return {
    ...pinFacts(job),
    source_digest: job.source_digest,
    pinned_at: entry.at,
    workflow_snapshot: entry.workflow_snapshot,
    workflow_source: entry.workflow_source,
    vars: entry.vars,
    inputs: entry.inputs,
  };
}

/**
 * `GET /jobs/{id}/result`: the results, held against the history and filled in up to
 * MAX_RESULT_BYTES. `references` names the nodes that `nodeView` is to be asked for.
 */
export async function resultView(engine: Reader, job: JobState): Promise<JsonObject> {
  const entry = await terminalEntry(engine, job);
  const data = entry.result_data;
  const values = await filledIn(engine.journal, job, data);
  checkResult(job, entry, values);
  const ids = Object.keys(data);
  const result_data = Object.fromEntries(ids.map((id) => [id, values.get(id)?.value ?? null]));
  const references = ids.filter((id) => values.get(id)?.isReference === true);
  return {
    ...pinFacts(job),
    status: job.status,
    ...(references.length === 0 ? {} : { references }),
    result_data,
  };
}

type TerminalEntry = JournalEntry & { readonly result_data: JsonObject };

async function terminalEntry(engine: Reader, job: JobState): Promise<TerminalEntry> {
  if (!isTerminalJob(job)) {
    const message = `job ${job.job_id}: ${job.status}, its result comes when it ends`;
    throw new WorkflowError("JOB_NOT_TERMINAL", message, { facts: { job_status: job.status } });
  }
  const entry = await readEntry(engine.journal, job.job_id, job.seq);
  if (entry?.result_data === undefined) {
    const message = `job ${job.job_id}: its terminal entry holds no result`;
    throw new WorkflowError("DOCUMENT_INVALID", message);
  }
  return { ...entry, result_data: entry.result_data };
}

/** `GET /jobs/{id}/provenance`: what ran, in which version, with the pins and every attempt. */
export async function provenanceView(engine: Reader, job: JobState): Promise<JsonObject> {
  const { result_data: data } = await terminalEntry(engine, job);
  const entries = await wholeHistory(engine, job);
  const [first] = entries;
  const events = entries.flatMap((entry) => entry.events.map((event) => ({ entry, event })));
  const nodes = [...new Set(events.flatMap(({ event }) => nodeIdOf(event)))];
  return {
    ...pinFacts(job),
    [PROVENANCE_KEY]: data[PROVENANCE_KEY] ?? null,
    pins: [
      {
        pin: 0,
        pinned_at: first?.at ?? job.created_at,
        workflow_version: job.workflow_version,
        workflow_digest: job.workflow_digest,
        source_digest: job.source_digest,
        inputs_digest: job.inputs_digest,
        decisions_version: job.decisions_version,
      },
    ],
    builds: [...new Set(entries.map(({ build }) => build))],
    nodes: nodes.map((node_id) => ({
      node_id,
      status: nodeState(job, node_id).status,
      attempts: attemptsOf(events.filter(({ event }) => nodeIdOf(event).includes(node_id))),
    })),
  };
}
