// The black-box checker of the chaos runs. It reads what the clients saw and what the stores hold
// at the end, and says what is wrong: nothing else, no log of the app, no memory of the harness.
// Each violation names its kind and the job or key.
import { chainProblems, digestOf, sha256Of } from "./hash-chain.ts";
import type { StoredEntry, StoredEvent } from "./hash-chain.ts";
import { submitsByKey } from "./client-log.ts";
import type {
  CancelOperation,
  Operation,
  PublishOperation,
  ReadOperation,
  SubmitOperation,
} from "./client-log.ts";
import { expectedOf } from "./expected.ts";
import {
  endOf,
  entriesOf,
  eventsOf,
  headOf,
  historyProblems,
  lostAttempts,
  provenanceOf,
  resultsOf,
} from "./job-history.ts";
import type { Documents } from "./job-history.ts";
import { projectionProblem } from "./projection-check.ts";
import type { Stored, StoreContents } from "./store-contents.ts";
import { BASE_URL } from "./workflows.ts";

export type ViolationKind =
  | "lost"
  | "stuck"
  | "double"
  | "phantom"
  | "history"
  | "chain"
  | "pin"
  | "result"
  | "provenance"
  | "projection"
  | "read"
  | "cancel"
  | "queue";

export interface Violation {
  readonly kind: ViolationKind;
  /** The job, or the key where there is none. */
  readonly of: string;
  readonly what: string;
}

export interface CheckInput {
  readonly operations: readonly Operation[];
  readonly contents: StoreContents;
  /** Where the workflows that fetch found their data. */
  readonly baseUrl: string;
}

export interface Verdict {
  readonly violations: readonly Violation[];
  /** Keys by what became of them. */
  readonly accepted: number;
  readonly refused: number;
  readonly undecided: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Jobs that truly lost three attempts of one node: they may end as they must not otherwise. */
  readonly worn: number;
  /** Messages that the host gave up on: five of their handlers died. */
  readonly kept: number;
}

/** Of a value in a violation. */
const MOST_CHARS = 200;
/** Where the app keeps messages that the host gave up on: no job, and no message is left there. */
const KEPT_MESSAGES = "poison";
/** MAX_LOST_ATTEMPTS of the engine, as documented. */
const MOST_LOST = 3;

interface OneJob {
  readonly jobId: string;
  readonly documents: Documents;
  readonly entries: readonly StoredEntry[];
  readonly created: Stored;
  readonly submits: readonly SubmitOperation[];
  readonly end: string | undefined;
  /** Whether a node lost so many attempts or messages that it may fail for that. */
  readonly isWorn: boolean;
}

type Say = (kind: ViolationKind, of: string, what: string) => void;

export async function check(input: CheckInput): Promise<Verdict> {
  const violations: Violation[] = [];
  const say: Say = (kind, of, what) => violations.push({ kind, of, what });
  const byKey = submitsByKey(input.operations);
  const { journal } = input.contents;
  const jobs = [...journal]
    .filter(([id]) => id !== KEPT_MESSAGES)
    .map(([id, documents]) => jobOf(id, documents, byKey));
  checkKeys(byKey, jobs, say);
  for (const job of jobs) await checkJob(job, input, say);
  checkReads(input.operations, new Map(jobs.map((job) => [job.jobId, job])), say);
  for (const [queue, count] of Object.entries(input.contents.queues)) {
    if (count > 0) say("queue", queue, `${count} messages are left`);
  }
  const keptIds = [...(journal.get(KEPT_MESSAGES)?.keys() ?? [])];
  const outcomes = [...byKey.values()].map(outcomeOfKey);
  const count = <T>(values: readonly T[], value: T): number =>
    values.filter((one) => one === value).length;
  const ends = jobs.map(({ end }) => end);
  return {
    violations,
    accepted: count(outcomes, "ok"),
    refused: count(outcomes, "failed"),
    undecided: count(outcomes, "unknown"),
    completed: count(ends, "completed"),
    failed: count(ends, "failed"),
    cancelled: count(ends, "cancelled"),
    worn: jobs.filter(({ isWorn }) => isWorn).length,
    kept: keptIds.filter((id) => id.startsWith("kept:")).length,
  };
}

function jobOf(
  jobId: string,
  documents: Documents,
  byKey: ReadonlyMap<string, readonly SubmitOperation[]>,
): OneJob {
  const entries = entriesOf(documents);
  const created = (entries[0]?.events[0] ?? {}) as Stored;
  const submits = byKey.get(String(created["idempotency_key"])) ?? [];
  const isWorn = [...wearOf(eventsOf(entries)).values()].some((times) => times >= MOST_LOST);
  return { jobId, documents, entries, created, submits, end: endOf(entries), isWorn };
}

/** How often each node or chunk lost an attempt, or had a message given up. */
function wearOf(events: readonly StoredEvent[]): ReadonlyMap<string, number> {
  const wear = new Map<string, number>();
  for (const event of events) {
    const { type, node_id = "", chunk } = event;
    // The last loss of a chunk is not recorded as such: its items end with it instead.
    const isLastLoss = type === "chunk_completed" && JSON.stringify(event).includes("WORKER_LOST");
    if (!/^(node_lost|chunk_lost|message_poisoned)$/.test(type) && !isLastLoss) continue;
    // Apart: three losses or three given-up messages end an attempt, not both together.
    const of = `${type === "message_poisoned" ? "message" : "attempt"} ${node_id} ${chunk ?? ""}`;
    wear.set(of, (wear.get(of) ?? 0) + 1);
  }
  return wear;
}

function outcomeOfKey(submits: readonly SubmitOperation[]): "ok" | "failed" | "unknown" {
  if (submits.some(({ outcome }) => outcome === "ok")) return "ok";
  return submits.every(({ outcome }) => outcome === "failed") ? "failed" : "unknown";
}

/** Each accepted key has its one job, a refused one has none, and no job is without a key. */
function checkKeys(
  byKey: ReadonlyMap<string, readonly SubmitOperation[]>,
  jobs: readonly OneJob[],
  say: Say,
): void {
  const jobsOfKey = new Map<string, OneJob[]>();
  for (const job of jobs) {
    const key = String(job.created["idempotency_key"]);
    jobsOfKey.set(key, [...(jobsOfKey.get(key) ?? []), job]);
    if (!byKey.has(key)) say("phantom", job.jobId, `nobody asked for key ${key}`);
  }
  for (const [key, submits] of byKey) {
    const found = jobsOfKey.get(key) ?? [];
    if (found.length > 1) say("double", key, `${found.length} jobs for one key`);
    const named = new Set(submits.flatMap(({ job_id }) => job_id ?? []));
    if (named.size > 1) say("double", key, `answers name ${named.size} jobs`);
    for (const id of named) {
      if (!found.some(({ jobId }) => jobId === id)) say("lost", key, `job ${id} is not there`);
    }
    const outcome = outcomeOfKey(submits);
    if (outcome === "failed" && found.length > 0) say("phantom", key, "was refused, has a job");
  }
}

async function checkJob(job: OneJob, input: CheckInput, say: Say): Promise<void> {
  const { jobId, entries, documents, submits } = job;
  const { contents } = input;
  for (const what of historyProblems(documents)) {
    say(/twice|after node_/.test(what) ? "double" : "history", jobId, what);
  }
  for (const what of chainProblems(jobId, entries)) say("chain", jobId, what);
  checkPin(job, input.operations, say);
  const isAccepted = outcomeOfKey(submits) === "ok";
  const projection = contents.jobs.get(jobId);
  if (projection === undefined) {
    // Entry 0 alone is no accepted job: the client that was cut off may ask again.
    if (isAccepted) say("lost", jobId, "accepted, and has no projection");
    return;
  }
  if (job.end === undefined) {
    say("stuck", jobId, `${entries.length} entries, the last at ${entries.at(-1)?.at ?? "never"}`);
    return;
  }
  const problem = await projectionProblem(jobId, documents, projection);
  if (problem !== undefined) say("projection", jobId, problem);
  checkProvenance(job, say);
  checkEnd(job, input, say);
}

/** The pin is what was published under that version, and what the answers said. */
function checkPin(job: OneJob, operations: readonly Operation[], say: Say): void {
  const { jobId, entries, created, submits } = job;
  const zero = entries[0]?.document ?? {};
  const { workflow_id, workflow_version, workflow_digest } = created;
  const found = digestOf(zero["workflow_snapshot"] ?? null);
  if (found !== workflow_digest) say("pin", jobId, "the snapshot is not what its digest says");
  const source = String(zero["workflow_source"]);
  const published = operations.filter(
    (one): one is PublishOperation =>
      one.op === "publish" && one.workflow_id === workflow_id && one.version === workflow_version,
  );
  if (!published.some((one) => one.source === source)) {
    const name = `${String(workflow_id)} ${String(workflow_version)}`;
    say("pin", jobId, `nobody published this as ${name}`);
  }
  if (created["source_digest"] !== sha256Of(source)) {
    say("pin", jobId, "the source's digest is off");
  }
  if (created["inputs_digest"] !== digestOf(zero["inputs"] ?? null)) {
    say("pin", jobId, "the inputs' digest is off");
  }
  for (const answer of submits.filter(({ outcome }) => outcome === "ok")) {
    const isSame =
      answer.workflow_digest === workflow_digest && answer.workflow_version === workflow_version;
    if (!isSame) say("pin", jobId, "an answer named another version or digest");
    if (published.every(({ sent_ms }) => sent_ms > answer.ended_ms)) {
      say("pin", jobId, "was pinned before its version was published");
    }
  }
  const asked = submits[0]?.input_params ?? {};
  const inputs = (zero["inputs"] ?? {}) as Stored;
  for (const [name, value] of Object.entries(asked)) {
    if (digestOf(value) !== digestOf(inputs[name] ?? null)) {
      say("pin", jobId, `input ${name} is not what was sent`);
    }
  }
}

function checkProvenance(job: OneJob, say: Say): void {
  const { jobId, entries, created, end } = job;
  const provenance = provenanceOf(entries);
  const last = entries.at(-1);
  const expected: Stored = {
    job_id: jobId,
    workflow_id: created["workflow_id"],
    workflow_version: created["workflow_version"],
    workflow_digest: created["workflow_digest"],
    source_digest: created["source_digest"],
    inputs_digest: created["inputs_digest"],
    completed_at: last?.at,
    status: end,
    results_digest: last?.events.at(-1)?.["results_digest"],
    log_head: headOf(entries),
  };
  for (const [name, value] of Object.entries(expected)) {
    if (provenance[name] !== value) say("provenance", jobId, `${name} is not ${String(value)}`);
  }
  const results = resultsOf(entries, job.documents);
  const digests = Object.entries(results).map(([node, value]) => [node, digestOf(value ?? null)]);
  if (digestOf(Object.fromEntries(digests)) !== expected["results_digest"]) {
    say("provenance", jobId, "results_digest does not cover the results");
  }
}

function checkEnd(job: OneJob, input: CheckInput, say: Say): void {
  const { jobId, end, entries, documents, created, submits, isWorn } = job;
  const cancels = input.operations.filter(
    (one): one is CancelOperation => one.op === "cancel" && one.job_id === jobId,
  );
  const mayBeCancelled = cancels.some(({ outcome }) => outcome !== "failed");
  if (end === "cancelled" && !mayBeCancelled) say("cancel", jobId, "nobody cancelled it");
  if (end !== "cancelled" && cancels.some(({ outcome }) => outcome === "ok") && !isWorn) {
    say("cancel", jobId, `the cancel was accepted, and it ended ${String(end)}`);
  }
  const asked = submits[0];
  if (end === "cancelled" || isWorn || asked === undefined) return;
  const expected = expectedOf({
    workflow_id: asked.workflow_id,
    version: Number(created["workflow_version"]),
    input_params: asked.input_params,
    baseUrl: input.baseUrl,
    lost: (nodeId) => lostAttempts(eventsOf(entries), nodeId),
  });
  const error = entries.at(-1)?.events.at(-1)?.["error"] as { code?: string } | undefined;
  if (end !== expected.status || error?.code !== expected.code) {
    say("result", jobId, `ended ${String(end)} ${error?.code ?? ""}, not ${expected.status}`);
  } else if (expected.results !== undefined) {
    const found = resultsOf(entries, documents);
    for (const what of resultProblems(found, expected.results, input.baseUrl)) {
      say("result", jobId, what);
    }
  }
}

/** Which nodes ended with something else. A large expected value stands as its digest and size. */
function resultProblems(found: Stored, expected: Stored, baseUrl: string): readonly string[] {
  const open = (value: unknown): unknown =>
    value === undefined || baseUrl === ""
      ? value
      : JSON.parse(JSON.stringify(value).replaceAll(baseUrl, BASE_URL));
  return [...new Set([...Object.keys(found), ...Object.keys(expected)])].flatMap((node) => {
    const value = open(found[node]);
    const due = expected[node];
    const isDigest = typeof due === "object" && due !== null && "digest" in due && "bytes" in due;
    const isSame =
      value !== undefined
      && due !== undefined
      && digestOf(value) === (isDigest ? due.digest : digestOf(due));
    return isSame ? [] : [`${node} ended with ${brief(value)}, not ${brief(due)}`];
  });
}

function brief(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, MOST_CHARS);
}

/** What was read later is never older, an end stays, and it is the end that the stores have. */
function checkReads(
  operations: readonly Operation[],
  jobs: ReadonlyMap<string, OneJob>,
  say: Say,
): void {
  const newest = new Map<string, ReadOperation>();
  const reads = operations
    .filter((one): one is ReadOperation => one.op === "read" && one.seq !== undefined)
    .sort((a, b) => a.sent_ms - b.sent_ms);
  for (const read of reads) {
    const { job_id, seq = 0, job_status = "" } = read;
    const before = newest.get(job_id);
    const isAfter = before !== undefined && before.ended_ms < read.sent_ms;
    if (isAfter && (before.seq ?? 0) > seq) {
      say("read", job_id, `entry ${String(before.seq)} was seen, then only ${seq}`);
    }
    if (before === undefined || (before.seq ?? 0) <= seq) newest.set(job_id, read);
    const end = jobs.get(job_id)?.end;
    const isEnd = ["completed", "failed", "cancelled"].includes(job_status);
    if (isEnd && job_status !== end) {
      say("read", job_id, `${job_status} was read, not ${String(end)}`);
    }
  }
}
