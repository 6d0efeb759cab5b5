// What each event of a journal needs to be true. A node starts when the model says that it is its
// turn, an outcome is that of the attempt recorded as current and says what that execution gave, an
// item ends once, and a job ends as its nodes did.
import type { JournalEntry, JournalEvent, ItemRecord } from "../../src/core/event.ts";
import type { JobState } from "../../src/core/job.ts";
import { MAX_LOST_ATTEMPTS, MAX_POISONED } from "../../src/core/limits.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import type { Model, NodeFacts } from "./model.ts";
import { checkLost } from "./lease-check.ts";
import { isSame } from "./same.ts";
import { must } from "./must.ts";
import { SECRET } from "./secret.ts";
import { workKey } from "./stage.ts";
import type { Case } from "./stage.ts";

export interface Place {
  readonly event: JournalEvent;
  readonly entry: JournalEntry;
  /** The state before the event. */
  readonly job: JobState;
  readonly isLast: boolean;
}

type Of<Type extends JournalEvent["type"]> = Extract<JournalEvent, { readonly type: Type }>;

export function checkEvent(trial: Case, place: Place): void {
  const { event, job } = place;
  switch (event.type) {
    case "job_created":
      must(false, "a job is created once");
      return;
    case "job_started":
      must(job.status === "pending", "a job starts once");
      return;
    case "job_cancelling":
      cancelling(trial, event, place);
      return;
    case "job_completed":
    case "job_failed":
    case "job_cancelled":
      ended(trial, event, place);
      return;
    case "message_poisoned":
      reported(trial, event, place);
      return;
    case "outcome_orphaned":
      // An item that failed its fan_out leaves the others to come late, faults or not.
      if (event.chunk === undefined) trial.orphans += 1;
      return;
    case "chunk_completed":
      handedIn(trial, event, place);
      return;
    case "chunk_lost":
      chunkLost(trial, event, place);
      return;
    case "chunk_cancelled":
      return;
    case "node_queued":
    case "node_started":
    case "node_completed":
    case "node_failed":
    case "node_retried":
    case "node_timed_out":
    case "node_lost":
    case "node_skipped":
    case "node_cancelled":
    case "node_expanded":
    case "handler_missing":
      node(trial, event, place);
  }
}

type NodeEvent = Of<
  | "node_queued"
  | "node_started"
  | "node_completed"
  | "node_failed"
  | "node_retried"
  | "node_timed_out"
  | "node_lost"
  | "node_skipped"
  | "node_cancelled"
  | "node_expanded"
  | "handler_missing"
>;

function started(
  { model, jobId, params }: Case,
  { node_id: id, attempt }: Of<"node_started">,
  { job, entry }: Pick<Place, "job" | "entry">,
): void {
  const facts = model.facts(id);
  must(attempt === facts.attempt + 1, `${id}: attempt ${attempt} is not the next`);
  must(entry.at < job.deadline_at, `${id} starts past the job's deadline`);
  must(entry.at >= (job.nodes[id]?.not_before ?? ""), `${id} starts before its time`);
  facts.standing = "running";
  facts.attempt = attempt;
  params.set(`${workKey(jobId, id, undefined)}:${attempt}`, model.params(id));
}

function chunkLost(trial: Case, event: Of<"chunk_lost">, { job, entry }: Place): void {
  const { node_id: id, chunk, attempt } = event;
  const state = job.nodes[id]?.fan?.chunks[chunk];
  must(state?.attempt === attempt, `${id}: lost at a chunk is attempt ${attempt}, not the last`);
  must(state.lost + 1 < MAX_LOST_ATTEMPTS, `a chunk of ${id} is lost too often`);
  checkLost(trial, event, { job, at: entry.at });
}

function node(trial: Case, event: NodeEvent, { job, entry }: Place): void {
  const { model } = trial;
  const { node_id: id } = event;
  const facts = model.facts(id);
  const isOpen = job.status === "pending" || job.status === "running";
  const starts = (): void => {
    must(isOpen, `${id} begins in a job that is ${job.status}`);
    must(facts.standing === "pending", `${id} begins although it is ${facts.standing}`);
    must(model.turn(id) === "starts", `${id} begins when it is not its turn`);
  };
  switch (event.type) {
    case "node_queued":
      starts();
      facts.standing = "queued";
      return;
    case "node_started":
      if (facts.standing !== "queued") starts();
      must(isOpen, `${id} starts in a job that is ${job.status}`);
      started(trial, event, { job, entry });
      return;
    case "node_completed":
      completed(trial, event, starts);
      return;
    case "node_failed":
      failed(trial, event, facts);
      checkPoison(job, id, event.error);
      return;
    case "node_retried":
      retried(trial, event, facts);
      return;
    case "node_timed_out":
      current(id, event.attempt, facts);
      return;
    case "node_lost":
      current(id, event.attempt, facts);
      facts.lost += 1;
      facts.lostAttempt = event.attempt;
      must(facts.lost <= MAX_LOST_ATTEMPTS, `${id} is lost too often`);
      checkLost(trial, event, { job, at: entry.at });
      return;
    case "node_skipped":
      must(facts.standing === "pending", `${id} is skipped although it is ${facts.standing}`);
      must(model.turn(id) === "skips", `${id} is skipped although a way may lead to it`);
      facts.standing = "gone";
      return;
    case "node_cancelled":
      must(job.status === "cancelling", `${id} is cancelled in a job that is ${job.status}`);
      must(!isEnd(facts), `${id} is cancelled although it is ${facts.standing}`);
      facts.standing = "gone";
      return;
    case "node_expanded":
      starts();
      expanded(model, event);
      return;
    case "handler_missing":
      must(trial.world.plan.processes.some(({ lacks }) => lacks.length > 0), `${id} has a handler`);
  }
}

/** A report counts once per message: the poison queue may deliver it again and again. */
function reported(trial: Case, event: Of<"message_poisoned">, { job }: Place): void {
  const { node_id = "", chunk, attempt } = event;
  if (attempt === undefined) return;
  const state = job.nodes[node_id];
  const before = (chunk === undefined ? state : state?.fan?.chunks[chunk])?.poisoned;
  const count = before?.attempt === attempt ? before.count + 1 : 1;
  const sent = trial.world.judge.losses.sends({ job_id: trial.jobId, ...event });
  // A worker may have died before its first send, which nobody can tell from a message lost.
  const isTrue = count <= sent + 1;
  must(isTrue, `${node_id}: ${count} reports count, ${sent} messages were sent`);
}

/** Messages that were given up end a node only when that is told of one attempt often enough. */
function checkPoison(job: JobState, id: string, { code }: { readonly code: string }): void {
  if (code !== "MESSAGE_POISONED") return;
  const { poisoned, fan } = job.nodes[id] ?? {};
  const chunks = Object.values(fan?.chunks ?? {}).map((chunk) => chunk.poisoned);
  const counts = [poisoned, ...chunks].map((one) => one?.count ?? 0);
  must(Math.max(...counts) >= MAX_POISONED, `${id} fails after ${Math.max(...counts)} reports`);
}

function retried(
  trial: Case,
  event: Extract<NodeEvent, { type: "node_retried" }>,
  facts: NodeFacts,
): void {
  const { node_id: id, attempt } = event;
  current(id, attempt, facts);
  if (facts.lostAttempt !== attempt) facts.failures += 1;
  must(facts.failures < Math.max(1, trial.model.maxAttempts(id)), `${id} is tried too often`);
  answered(trial, event);
  facts.standing = "queued";
}

function expanded(model: Model, event: Extract<NodeEvent, { type: "node_expanded" }>): void {
  const { node_id: id, count } = event;
  const facts = model.facts(id);
  if (model.isScripted) {
    must(count === model.list(id).length, `${id} has the items of another list`);
  }
  facts.standing = "running";
  facts.items = Array.from({ length: count }, () => undefined);
}

function isEnd({ standing }: NodeFacts): boolean {
  return standing === "completed" || standing === "failed" || standing === "gone";
}

/** An outcome counts for the attempt that is at work, and for no other. */
function current(id: string, attempt: number | undefined, facts: NodeFacts): void {
  must(facts.standing === "running", `${id} has an outcome although it is ${facts.standing}`);
  must(attempt === facts.attempt, `${id}: an outcome of attempt ${String(attempt)} counts`);
}

function completed(trial: Case, event: Of<"node_completed">, starts: () => void): void {
  const { model } = trial;
  const { node_id: id, attempt } = event;
  const facts = model.facts(id);
  const output = outputOf(trial, event);
  switch (model.definition.nodes[id]?.type) {
    case "task": {
      current(id, attempt, facts);
      const answer = trial.execution(id, facts.attempt)?.answer;
      const given = answer !== undefined && "output" in answer ? answer.output : undefined;
      const isGiven = output !== undefined && (isSame(output, given) || isMasked(output, given));
      must(isGiven, `${id} gives what no attempt answered`);
      break;
    }
    case "fan_out":
      must(facts.standing === "running", `${id} completes although it is ${facts.standing}`);
      must(facts.items?.every((item) => item !== undefined) ?? false, `${id} lacks items`);
      break;
    case "conditional": {
      starts();
      const branch = model.branch(id);
      must(branch === undefined || branch === event.branch, `${id} takes another branch`);
      facts.branch = event.branch ?? "";
      break;
    }
    case "fan_in": {
      starts();
      const expected = model.aggregate(id);
      must(expected === undefined || isSame(expected, output), `${id} is not the sum of its items`);
      break;
    }
    case "start":
    case "end":
    case undefined:
      starts();
  }
  facts.standing = "completed";
  if (output !== undefined) facts.output = output;
}

/** A handler that says a secret is recorded without it. */
function isMasked(output: Json, given: Json | undefined): boolean {
  return JSON.stringify(given).includes(SECRET) && !JSON.stringify(output).includes(SECRET);
}

function outputOf(trial: Case, event: Of<"node_completed">): Json | undefined {
  const { output, stored } = event;
  if (stored === undefined) return output;
  return trial.object(stored.object)["value"] as Json;
}

/** Codes that the engine gives by itself, whatever a handler said. */
const OWN_CODES: ReadonlySet<string> = new Set([
  "TIMED_OUT",
  "WORKER_LOST",
  "MESSAGE_POISONED",
  "HANDLER_MISSING",
]);

function answered(trial: Case, event: Of<"node_retried" | "node_failed">): void {
  const { node_id: id, attempt, error } = event;
  if (!error.code.startsWith("SCRIPTED") || attempt === undefined) return;
  const answer = trial.execution(id, attempt)?.answer;
  const code = answer !== undefined && "code" in answer ? answer.code : undefined;
  must(code === error.code, `${id}: attempt ${attempt} failed as no execution did`);
}

function failed(trial: Case, event: Of<"node_failed">, facts: NodeFacts): void {
  const { node_id: id, attempt, error } = event;
  const { model } = trial;
  must(!isEnd(facts), `${id} fails although it is ${facts.standing}`);
  if (model.definition.nodes[id]?.type === "task" && attempt !== undefined) {
    current(id, attempt, facts);
    if (facts.lostAttempt !== attempt) facts.failures += 1;
    must(facts.failures <= model.maxAttempts(id), `${id} was tried too often`);
    answered(trial, event);
  } else if (model.isScripted) {
    const isOwn = OWN_CODES.has(error.code) || error.code === "ITEM_FAILED";
    must(isOwn, `${id} fails with ${error.code}: ${error.message}`);
  }
  facts.standing = "failed";
}

function handedIn(trial: Case, event: Of<"chunk_completed">, { job }: Place): void {
  const { node_id: id, attempt } = event;
  const { items } = trial.model.facts(id);
  const chunk = job.nodes[id]?.fan?.chunks[event.chunk];
  must(chunk?.attempt === attempt, `${id}: items of attempt ${attempt} count`);
  must(items !== undefined, `${id} has outcomes before it has items`);
  const records = event.items ?? (trial.object(event.object ?? "")["items"] as ItemRecord[]);
  must(records.length === event.done + event.failed, `${id}: as many items as it counts`);
  for (const record of records) {
    const { index } = record;
    must(index < items.length && items[index] === undefined, `${id}[${index}] ends twice`);
    const answer = trial.execution(id, attempt, index)?.answer;
    if ("error" in record) {
      const isTold = answer !== undefined && "code" in answer;
      const isAnswer = isTold && answer.code === record.error.code;
      const isOther = !record.error.code.startsWith("SCRIPTED");
      must(isAnswer || isOther, `${id}[${index}] failed as no execution did`);
      checkPoison(job, id, record.error);
      items[index] = { error: record.error };
      continue;
    }
    const output = "output" in record ? record.output : valueIn(trial, record.object);
    const given = answer !== undefined && "output" in answer ? answer.output : undefined;
    must(isSame(output, given), `${id}[${index}] gives what attempt ${attempt} did not answer`);
    items[index] = { output };
  }
}

function valueIn(trial: Case, id: string): Json {
  return (trial.object(id) as unknown as JsonObject)["value"] ?? null;
}

function cancelling(trial: Case, event: Of<"job_cancelling">, { job, entry }: Place): void {
  const { becomes, error } = event;
  must(job.status === "pending" || job.status === "running", "an ending begins once");
  if (becomes === "cancelled") {
    must(trial.world.judge.cancelled.has(trial.jobId), "cancelled although nobody asked");
    return;
  }
  if (error.node_id !== undefined) {
    const { standing } = trial.model.facts(error.node_id);
    must(standing === "failed", `fails because of ${error.node_id}, which is ${standing}`);
    must(trial.model.onError(error.node_id) === undefined, `${error.node_id} has an on_error`);
    return;
  }
  must(error.code === "DEADLINE_EXCEEDED", `fails with ${error.code}: ${error.message}`);
  must(entry.at >= job.deadline_at, `ends before its deadline ${job.deadline_at}`);
}

function ended(
  trial: Case,
  event: Of<"job_completed" | "job_failed" | "job_cancelled">,
  { job, entry, isLast }: Place,
): void {
  must(isLast, `${event.type} is the last event`);
  if (event.type === "job_completed") {
    must(entry.at < job.deadline_at, "completes past its deadline");
    must(job.status === "pending" || job.status === "running", `${job.status} does not complete`);
    must(trial.model.isComplete, "completes although a node has not");
    return;
  }
  const becomes = event.type === "job_failed" ? "failed" : "cancelled";
  must(job.status === "cancelling" && job.ending?.becomes === becomes, `ends as it said`);
  for (const [id, facts] of trial.model.nodes) {
    // Whoever does not see the snapshot does not know of the nodes that nothing has happened to.
    const isUnseen = trial.mayBeMisled && job.nodes[id] === undefined;
    must(isEnd(facts) || isUnseen, `ends although ${id} is ${facts.standing}`);
  }
}
