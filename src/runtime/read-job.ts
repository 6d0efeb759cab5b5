// Reading jobs: exact views that look past the projection to the journal's end. None returns the
// snapshot except the one made for it. Lists come from projections and say how old each row is.
import { WorkflowError } from "../core/error.ts";
import type { CreationEntry, EventData, JournalEntry, JournalEvent } from "../core/event.ts";
import { isCreationEntry } from "../core/event.ts";
import type { Workflow } from "../core/graph.ts";
import type { Instant } from "../core/instant.ts";
import { secondsBetween } from "../core/instant.ts";
import { countByStatus, isTerminalJob, nodeState } from "../core/job.ts";
import type { JobState, NodeState, StoredValue } from "../core/job.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { laneOf } from "../core/lane.ts";
import { PROVENANCE_KEY } from "../core/provenance.ts";
import { withBuilds } from "../core/stored.ts";
import type { Engine } from "./engine.ts";
import { assertVisible, jobNotFound } from "./job-access.ts";
import type { JobRequest } from "./job-access.ts";
import { filledIn, wholeOutput } from "./large-outputs.ts";
import { foldToEnd, loadWorkflow, readEntries, readEntry } from "./journal.ts";
import { projectedOf } from "./projected-state.ts";
import { checkResult } from "./verify-result.ts";

type Reader = Pick<Engine, "journal" | "jobs" | "snapshots" | "clock" | "log">;

/** The job's state at this moment. Errors: JOB_NOT_FOUND, the store's. */
export async function readJob(engine: Reader, request: JobRequest): Promise<JobState> {
  const stored = await engine.jobs.read(request.job_id);
  if (stored === undefined) throw jobNotFound(request.job_id);
  assertVisible(request, stored.document["authenticated_as"]);
  const { job } = await projectedOf(engine, stored.document);
  return isTerminalJob(job) ? job : foldToEnd(engine.journal, job);
}

/** `GET /jobs/{id}`: the job with its node states and their count by status. */
export async function jobView(engine: Reader, request: JobRequest): Promise<JsonObject> {
  const job = await readJob(engine, request);
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
async function workflowOf(engine: Reader, job: JobState): Promise<Workflow | undefined> {
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

function present(members: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(members).filter((member): member is [string, Json] => member[1] !== undefined),
  );
}

function duration(from: Instant | undefined, to: Instant | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : secondsBetween(from, to);
}

function nodeRow(
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

/** One event as it is shown: where it stands, and what it says. */
function shownEvent(entry: JournalEntry, event: JournalEvent): JsonObject {
  const { type, hash, ...members } = event;
  const data = members as unknown as JsonObject;
  return { seq: entry.seq, at: entry.at, lane: laneOf(event), type, ...data, hash };
}

async function wholeJournal(engine: Reader, job: JobState): Promise<readonly JournalEntry[]> {
  return withBuilds(await readEntries(engine.journal, job.job_id, { from: 0, to: job.seq }));
}

/** `GET /jobs/{id}/events`: the whole history, in order. */
export async function eventsView(engine: Reader, request: JobRequest): Promise<JsonObject> {
  const job = await readJob(engine, request);
  const entries = await wholeJournal(engine, job);
  const events = entries.flatMap((entry) => entry.events.map((event) => shownEvent(entry, event)));
  return { ...pinFacts(job), status: job.status, count: events.length, events };
}

function pinFacts(job: JobState): JsonObject {
  const { job_id, workflow_id, workflow_version, workflow_digest } = job;
  return { job_id, workflow_id, workflow_version, workflow_digest };
}

/** `GET /jobs/{id}/nodes/{node}`: attempts, events, the last log lines, and the whole output. */
export async function nodeView(
  engine: Reader,
  request: JobRequest,
  nodeId: string,
): Promise<JsonObject> {
  const job = await readJob(engine, request);
  const workflow = await workflowOf(engine, job);
  const isKnown = workflow === undefined || workflow.order.includes(nodeId);
  if (!isKnown || (workflow === undefined && !Object.hasOwn(job.nodes, nodeId))) {
    const message = `job ${job.job_id}: no node "${nodeId}" in its snapshot`;
    throw new WorkflowError("NODE_NOT_FOUND", message);
  }
  const entries = await wholeJournal(engine, job);
  const mine = entries.flatMap((entry) =>
    entry.events
      .filter((event) => "node_id" in event && event.node_id === nodeId)
      .map((event) => ({ entry, event })),
  );
  const logs = mine.flatMap(({ event }) => logsOf(event));
  return {
    ...pinFacts(job),
    ...nodeRow(nodeId, { job, workflow }),
    ...(await wholeOutput(engine.journal, job, nodeId)),
    attempts: attemptsOf(mine),
    log: [...(logs.at(-1) ?? [])],
    events: mine.map(({ entry, event }) => shownEvent(entry, event)),
  };
}

/** The logs that an event brought: of a task's attempt, or of the items of a chunk. */
function logsOf(event: JournalEvent): readonly (readonly string[])[] {
  if (event.type === "chunk_completed") {
    return (event.items ?? []).flatMap(({ log }) => (log === undefined ? [] : [log]));
  }
  return "log" in event && event.log !== undefined ? [event.log] : [];
}

interface Found {
  readonly entry: JournalEntry;
  readonly event: JournalEvent;
}

/** The attempts at a task node, each with how it ended. */
function attemptsOf(found: readonly Found[]): readonly JsonObject[] {
  const attempts = new Map<number, Record<string, Json>>();
  for (const { entry, event } of found) {
    if (event.type === "node_started") {
      attempts.set(event.attempt, {
        attempt: event.attempt,
        status: "running",
        started_at: entry.at,
        build: entry.build,
        handler_version: event.handler_version,
        params_digest: event.params_digest,
      });
    }
    const ended = endOf(event);
    const attempt = ended === undefined ? undefined : attempts.get(ended.attempt);
    if (ended === undefined || attempt === undefined) continue;
    // A time-out or a loss is followed by the retry or the failure it led to.
    if (attempt["status"] === "running") attempt["status"] = ended.status;
    attempt["ended_at"] = entry.at;
    if (ended.error !== undefined) attempt["error"] = { ...ended.error };
    if (ended.log !== undefined) attempt["log"] = [...ended.log];
  }
  return [...attempts.values()];
}

interface End {
  readonly attempt: number;
  readonly status: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly log?: readonly string[];
}

function endOf(event: EventData): End | undefined {
  if (!("attempt" in event) || event.attempt === undefined) return undefined;
  const { attempt } = event;
  const log = "log" in event && event.log !== undefined ? { log: event.log } : {};
  switch (event.type) {
    case "node_completed":
      return { attempt, status: "completed", ...log };
    case "node_failed":
    case "node_retried":
      return { attempt, status: "failed", error: event.error, ...log };
    case "node_timed_out":
      return { attempt, status: "timed_out", ...log };
    case "node_lost":
      return { attempt, status: "lost" };
    case "node_cancelled":
      return { attempt, status: "cancelled", ...log };
    case "node_started":
    case "chunk_completed":
    case "chunk_lost":
    case "message_poisoned":
    case "outcome_orphaned":
      return undefined;
  }
}

async function creationOf(engine: Reader, job: JobState): Promise<CreationEntry> {
  const entry = await readEntry(engine.journal, job.job_id, 0);
  if (entry === undefined || !isCreationEntry(entry)) {
    throw new WorkflowError("SNAPSHOT_INVALID", `job ${job.job_id}: its first entry holds no pin`);
  }
  return entry;
}

/** `GET /jobs/{id}/snapshot`: what the job is pinned to, and the exact YAML it came from. */
export async function snapshotView(engine: Reader, request: JobRequest): Promise<JsonObject> {
  const job = await readJob(engine, request);
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
export async function resultView(engine: Reader, request: JobRequest): Promise<JsonObject> {
  const job = await readJob(engine, request);
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
export async function provenanceView(engine: Reader, request: JobRequest): Promise<JsonObject> {
  const job = await readJob(engine, request);
  const { result_data: data } = await terminalEntry(engine, job);
  const entries = await wholeJournal(engine, job);
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

function nodeIdOf(event: EventData): readonly string[] {
  return "node_id" in event && event.node_id !== undefined ? [event.node_id] : [];
}
