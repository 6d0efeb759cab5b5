// Reading and folding a job's journal: point reads by entry number, nothing else. No query, and
// nothing that could miss an entry: a gap ends the reading.
import { applyEntry } from "../core/apply.ts";
import { pinnedWorkflow } from "../core/create-job.ts";
import { WorkflowError } from "../core/error.ts";
import { parseEntry } from "../core/event.ts";
import type { JournalEntry } from "../core/event.ts";
import type { Workflow } from "../core/graph.ts";
import type { JobState } from "../core/job.ts";
import { isTerminalJob } from "../core/job.ts";
import type { Engine } from "./engine.ts";
import { sha256 } from "./hash.ts";
import type { JournalStore } from "./ports.ts";
import { creationProblem, stepOver, takeEntry, tampered } from "./verify-entry.ts";
import type { Taken } from "./verify-entry.ts";

/** Documents read side by side where their number is known. */
export const READ_AHEAD = 16;

export async function readEntry(
  journal: JournalStore,
  jobId: string,
  seq: number,
): Promise<JournalEntry | undefined> {
  const document = await journal.read(jobId, String(seq));
  return document === undefined ? undefined : parseEntry(document);
}

/** Entries `from` to `to`, in order; ends at the first that is not there. */
export async function readEntries(
  journal: JournalStore,
  jobId: string,
  range: { readonly from: number; readonly to: number },
): Promise<readonly JournalEntry[]> {
  const found: JournalEntry[] = [];
  for (let from = range.from; from <= range.to; from += READ_AHEAD) {
    const last = Math.min(range.to, from + READ_AHEAD - 1);
    const numbers = Array.from({ length: last - from + 1 }, (_, offset) => from + offset);
    const entries = await Promise.all(numbers.map((seq) => readEntry(journal, jobId, seq)));
    for (const entry of entries) {
      if (entry === undefined) return found;
      found.push(entry);
    }
  }
  return found;
}

export function foldEntries(job: JobState, entries: readonly JournalEntry[]): JobState {
  return entries.reduce((state, entry) => applyEntry(state, entry, sha256), job);
}

/**
 * The state at the journal's end: entries are read one after the other until one is not there.
 * A terminal state costs no read, for nothing follows its entry.
 */
export async function foldToEnd(journal: JournalStore, job: JobState): Promise<JobState> {
  let state = job;
  while (!isTerminalJob(state)) {
    const entry = await readEntry(journal, state.job_id, state.seq + 1);
    if (entry === undefined) break;
    state = applyEntry(state, entry, sha256);
  }
  return state;
}

/**
 * As `foldToEnd`, or up to entry `to`, each entry held against its hashes before it counts. What
 * fails is stepped over and told as `fault`; an entry that is no entry fails too. Errors: the
 * store's, SCHEMA_TOO_NEW.
 */
export async function foldVerified(
  journal: JournalStore,
  given: { readonly job: JobState; readonly workflow?: Workflow | undefined; readonly to?: number },
): Promise<Taken> {
  const { workflow, to } = given;
  let { job } = given;
  let fault: Taken["fault"];
  while (!isTerminalJob(job) && (to === undefined || job.seq < to)) {
    const last = to === undefined ? job.seq + 1 : Math.min(to, job.seq + READ_AHEAD);
    const numbers = Array.from({ length: last - job.seq }, (_, offset) => job.seq + 1 + offset);
    const jobId = job.job_id;
    for (const read of await Promise.all(numbers.map((seq) => readWhole(journal, jobId, seq)))) {
      if (read === undefined) return folded(job, fault);
      const taken =
        read === "broken"
          ? stepOver(job, job.seq + 1, `entry ${job.seq + 1} is no entry`)
          : takeEntry(job, read, workflow);
      job = taken.job;
      fault ??= taken.fault;
      if (isTerminalJob(job)) break;
    }
  }
  return folded(job, fault);
}

function folded(job: JobState, fault: Taken["fault"]): Taken {
  return fault === undefined ? { job } : { job, fault };
}

async function readWhole(
  journal: JournalStore,
  jobId: string,
  seq: number,
): Promise<JournalEntry | "broken" | undefined> {
  try {
    return await readEntry(journal, jobId, seq);
  } catch (error) {
    if (error instanceof WorkflowError && error.code === "DOCUMENT_INVALID") return "broken";
    throw error;
  }
}

/**
 * The state from the journal alone, for a projection that cannot be read. Ends before an entry that
 * fails: whoever goes on from there meets it. Entries up to `known` are there, and read together.
 */
export async function foldFromStart(
  journal: JournalStore,
  jobId: string,
  known = 0,
): Promise<JobState | undefined> {
  const first = await readEntry(journal, jobId, 0);
  if (first === undefined) return undefined;
  const created = applyEntry(undefined, first, sha256);
  const workflow = soundWorkflow(first, created);
  if (workflow === undefined) return created;
  let job = created;
  let step = READ_AHEAD;
  for (;;) {
    const to = job.seq < known ? Math.min(known, job.seq + step) : job.seq + 1;
    const next = await foldVerified(journal, { job, workflow, to });
    if (next.fault === undefined && next.job.seq === job.seq) return job;
    if (next.fault === undefined) job = next.job;
    else if (to === job.seq + 1) return job;
    // Which of them fails shows one by one.
    else step = 1;
  }
}

function soundWorkflow(entry: JournalEntry, job: JobState): Workflow | undefined {
  try {
    return creationProblem(entry, job) === undefined ? pinnedWorkflow(entry, sha256) : undefined;
  } catch {
    // Loading the workflow says what is wrong with it, and ends the job.
    return undefined;
  }
}

/**
 * The compiled snapshot of a job: from memory by digest, else from its entry 0. Errors:
 * SNAPSHOT_INVALID, SNAPSHOT_TAMPERED. That entry 0 is not seen proves nothing, for a read may be
 * stale and the verdict would be final: STORE_UNAVAILABLE until the job's deadline.
 */
export async function loadWorkflow(
  engine: Pick<Engine, "journal" | "snapshots" | "clock">,
  job: JobState,
): Promise<Workflow> {
  const known = engine.snapshots.get(job.workflow_digest);
  if (known !== undefined) return known;
  const entry = await readWhole(engine.journal, job.job_id, 0);
  if (entry === "broken") throw tampered(job.job_id, "entry 0 is no entry");
  if (entry === undefined) {
    const message = `job ${job.job_id}: entry 0 is not there`;
    if (engine.clock.now() < job.deadline_at) {
      throw new WorkflowError("STORE_UNAVAILABLE", message, { retryable: true });
    }
    throw new WorkflowError("SNAPSHOT_INVALID", message);
  }
  const workflow = pinnedWorkflow(entry, sha256);
  if (workflow.digest !== job.workflow_digest) {
    const message = `job ${job.job_id}: expected ${job.workflow_digest}, found ${workflow.digest}`;
    throw new WorkflowError("SNAPSHOT_TAMPERED", message);
  }
  const problem = creationProblem(entry, job);
  if (problem !== undefined) throw tampered(job.job_id, problem);
  engine.snapshots.keep(workflow);
  return workflow;
}
