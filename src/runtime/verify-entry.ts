// Whether a job's documents are what its history says: every event read back is hashed at its place
// and compared, entry 0 is held against its digests, and so is each document that a decision loads.
// What fails ends the job as SNAPSHOT_TAMPERED: no result may rest on it. An entry that fails is
// stepped over, so that the ending can be appended; a terminal one stands, for it is the last.
import { apply, applyEntry, drafted, sealed } from "../core/apply.ts";
import { digest } from "../core/canonical.ts";
import { WorkflowError } from "../core/error.ts";
import { isCreationEntry, parseEntry } from "../core/event.ts";
import type { ItemRecord, JournalEntry, JournalEvent } from "../core/event.ts";
import { leafOf } from "../core/fan-out.ts";
import type { Workflow } from "../core/graph.ts";
import type { Instant } from "../core/instant.ts";
import type { JobState } from "../core/job.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { eventHash, placeOf, rootOf } from "../core/lane.ts";
import { storedValue } from "../core/scope.ts";
import { hashBytes, sha256 } from "./hash.ts";

export interface Taken {
  readonly job: JobState;
  /** SNAPSHOT_TAMPERED: the entry was stepped over. */
  readonly fault?: WorkflowError;
}

/**
 * Folds an entry whose every event hashes to what it says at its place. Without the snapshot no
 * place is known: the entry is taken as it is, for the job only ends after it.
 */
export function takeEntry(job: JobState, entry: JournalEntry, workflow?: Workflow): Taken {
  const { seq, at } = entry;
  let state = drafted(job);
  try {
    for (const [index, event] of entry.events.entries()) {
      const isKnown = workflow !== undefined;
      if (isKnown && hashOf(event, { job: state, at, workflow }) !== event.hash) {
        if (entry.events.some(isTerminal)) return { job: applyEntry(job, entry, sha256) };
        const which = `event ${index + 1} of ${entry.events.length}`;
        return stepOver(job, seq, `entry ${seq}: ${which} has another hash`);
      }
      state = apply(state, event, { at, sha256 });
    }
  } catch {
    // Members of another shape than their event's; whoever wrote them, the engine did not.
    return stepOver(job, seq, `entry ${seq} cannot be folded`);
  }
  const build = entry.build === "" ? job.build : entry.build;
  return { job: { ...sealed(state), seq, at, build } };
}

export function stepOver(job: JobState, seq: number, problem: string): Taken {
  return { job: { ...job, seq }, fault: tampered(job.job_id, problem) };
}

export function tampered(jobId: string, problem: string): WorkflowError {
  return new WorkflowError("SNAPSHOT_TAMPERED", `job ${jobId}: ${problem}`);
}

function hashOf(
  event: JournalEvent,
  given: { readonly job: JobState; readonly at: Instant; readonly workflow: Workflow },
): string {
  const { job, at, workflow } = given;
  const { hash: _stored, ...data } = event;
  const place = placeOf(data, job, workflow);
  return eventHash(data, { ...place, at, job_id: job.job_id }, sha256);
}

function isTerminal({ type }: JournalEvent): boolean {
  return type === "job_completed" || type === "job_failed" || type === "job_cancelled";
}

/** What entry 0 holds that its digests, its hash, or the job's state do not name; or undefined. */
export function creationProblem(entry: JournalEntry, job: JobState): string | undefined {
  const [event] = entry.events;
  if (!isCreationEntry(entry) || event?.type !== "job_created") return "entry 0 creates no job";
  const { hash, ...data } = event;
  const place = { job_id: job.job_id, at: entry.at, lane: "job", n: 1, prev: [] };
  const held: readonly [what: string, found: string, expected: string][] = [
    ["event", eventHash(data, place, sha256), hash],
    ["inputs", digestOf(entry.inputs), event.inputs_digest],
    ["inputs", event.inputs_digest, job.inputs_digest],
    ["vars", digestOf(entry.vars), event.vars_digest],
    ["workflow_digest", event.workflow_digest, job.workflow_digest],
    ["workflow_source", `sha256:${sha256(entry.workflow_source)}`, event.source_digest],
    ["source_digest", event.source_digest, job.source_digest],
    ["workflow_id", entry.workflow_id, event.workflow_id],
  ];
  const wrong = held.find(([, found, expected]) => found !== expected);
  return wrong && `entry 0: ${wrong[0]}: expected ${wrong[2]}, found ${wrong[1]}`;
}

/** A digest of what may be anything; nothing has the digest "none". */
function digestOf(value: Json | undefined): string {
  try {
    return value === undefined ? "none" : digest(value, sha256);
  } catch {
    return "none";
  }
}

/** What a loaded document holds that nobody named; or undefined. */
export function documentProblem(
  id: string,
  document: JsonObject,
  job: JobState,
): string | undefined {
  if (id === CREATION) return creationProblem(parseEntry(document), job);
  if (id.startsWith("out:")) return differs(id, digestOf(document["value"]), id.slice(4));
  if (id.startsWith("chunk:")) {
    const root = rootOfItems(document["items"]).slice("sha256:".length, ROOT_END);
    return differs(id, root, id.slice(id.lastIndexOf(":") + 1));
  }
  return /^\d+$/.test(id) ? entryProblem(id, document, job) : undefined;
}

const CREATION = "0";

/** A chunk's document is named by the first 16 digits of its root. */
const ROOT_END = 23;

/** An entry is loaded for outputs that the state names by digest, or for the items of a chunk. */
function entryProblem(id: string, document: JsonObject, job: JobState): string | undefined {
  const loaded = new Map([[id, document]]);
  for (const [nodeId, { output }] of Object.entries(job.nodes)) {
    if (output === undefined || !("object" in output) || output.object !== id) continue;
    const found = storedValue(loaded, output, nodeId);
    const value = found.kind === "value" ? found.value : undefined;
    const problem = differs(`entry ${id}, ${nodeId}`, digestOf(value), output.digest);
    if (problem !== undefined) return problem;
  }
  const events = document["events"] as readonly JournalEvent[] | undefined;
  for (const event of events ?? []) {
    if (event.type !== "chunk_completed" || event.items === undefined) continue;
    const problem = differs(`entry ${id}`, rootOfItems(event.items), event.root);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function rootOfItems(items: unknown): string {
  try {
    const records = items as readonly ItemRecord[];
    return rootOf(records.map((item) => leafOf(item, sha256)), hashBytes);
  } catch {
    return "none";
  }
}

function differs(what: string, found: string, expected: string): string | undefined {
  return found === expected ? undefined : `${what}: expected ${expected}, found ${found}`;
}
