// One job before the judge. Every entry must follow the one before, be what the model allows, carry
// hashes that hold, and end nothing twice; every projection must be the fold of the journal at some
// entry, never go back, and wake the sweeper no later than the journal needs.
import { apply, applyEntry } from "../../src/core/apply.ts";
import { parseEntry } from "../../src/core/event.ts";
import type { JournalEntry } from "../../src/core/event.ts";
import { addSeconds, instantOf, later } from "../../src/core/instant.ts";
import type { JobState } from "../../src/core/job.ts";
import { isTerminalJob } from "../../src/core/job.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { eventHash, placeOf } from "../../src/core/lane.ts";
import { storedState } from "../../src/core/stored.ts";
import { pruneWatch, wakeAt } from "../../src/core/watch.ts";
import type { Watch } from "../../src/core/effect.ts";
import { DEFAULT_TIMING } from "../../src/runtime/engine.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import type { JobDocument, JournalDocument } from "../../src/runtime/ports.ts";
import { boundOf } from "./bound.ts";
import type { Known } from "./definitions.ts";
import { must } from "./must.ts";
import { Model } from "./model.ts";
import { areClocksRight } from "./plan.ts";
import { checkResult } from "./result-check.ts";
import { checkEvent } from "./rules.ts";
import { SECRET } from "./secret.ts";
import { isSame } from "./same.ts";
import { EPOCH_MS } from "./sim-store.ts";
import { workKey } from "./stage.ts";
import type { Case, Execution, Stage } from "./stage.ts";

/** What a process saw so recently it need not look at again. */
const FRESH_MS = 1000;

export class Trial implements Case {
  readonly world: Stage;
  readonly jobId: string;
  readonly model: Model;
  readonly known: Known;
  /** What the claim of an attempt must give its handler. */
  readonly params = new Map<string, Json | undefined>();
  state: JobState;
  acceptedAt: number | undefined;
  endedAt: number | undefined;
  projected: JobDocument | undefined;
  orphans = 0;
  #projectedAt = 0;
  readonly #states: JobState[];
  readonly #writeIds = new Set<string>();
  /** Items of chunks that were claimed when the job had begun to end. */
  readonly #lateItems = new Set<string>();

  constructor(world: Stage, document: JournalDocument) {
    this.world = world;
    this.jobId = document.job_id;
    const entry = parseEntry(document);
    this.state = applyEntry(undefined, entry, sha256);
    this.#states = [this.state];
    const { workflow_id, workflow_digest, workflow_version } = this.state;
    const known = world.catalog.known(workflow_digest);
    must(known !== undefined, `${workflow_id}: a digest that was never published`);
    const { definition } = known.entry;
    must(definition.version === workflow_version, `${workflow_id}: the version of its digest`);
    const snapshot = document["workflow_snapshot"] as JsonObject;
    must(isSame(snapshot, definition), `${workflow_id}: the snapshot of its digest`);
    this.known = known;
    const inputs = document["inputs"] as JsonObject;
    this.model = new Model(definition, { inputs, isScripted: known.isScripted });
  }

  get isOver(): boolean {
    const isEnded = this.endedAt !== undefined;
    return isEnded && this.projected !== undefined && this.projected.wake_at === undefined;
  }

  get mayBeMisled(): boolean {
    return this.world.fired["stale"] !== undefined;
  }

  /** The latest time at which the job may still be at work. */
  dueAt(): number {
    return boundOf(this);
  }

  entry(document: JournalDocument): void {
    const entry = parseEntry(document);
    const mayTell = !this.known.isScripted && JSON.stringify(document).includes(SECRET);
    must(!mayTell, `entry ${entry.seq} tells a secret`);
    const before = this.state;
    must(!isTerminalJob(before), `entry ${entry.seq} after the terminal one`);
    must(entry.seq === before.seq + 1, `entry ${entry.seq} after entry ${before.seq}`);
    must(entry.at >= before.at, `entry ${entry.seq} is older than the one before`);
    must(!this.#writeIds.has(entry.write_id), `the write_id ${entry.write_id} is there twice`);
    this.#writeIds.add(entry.write_id);
    this.state = this.#folded(before, entry);
    this.#states.push(this.state);
    const isOver = isTerminalJob(this.state);
    must((entry.result_data !== undefined) === isOver, "results stand in the terminal entry alone");
    if (isOver) {
      this.endedAt = this.world.time.now;
      checkResult(this, entry);
    }
    this.#checkWake();
    this.#checkCommand(entry);
  }

  /** A command is no message that comes back: the stored wake alone sees that it is carried out. */
  #checkCommand({ seq, at, events }: JournalEntry): void {
    const isCommand = events.some(
      (event) => event.type === "job_cancelling" && event.becomes === "cancelled",
    );
    if (!isCommand || this.projected === undefined || this.mayBeMisled) return;
    const { judge, plan, time } = this.world;
    // Whoever goes on with the job meanwhile may write a later wake, and is there to see it end.
    const asked = judge.cancelled.get(this.jobId) ?? time.now;
    const isAlone = this.#projectedAt < asked - FRESH_MS;
    if (!areClocksRight(plan) || !isAlone) return;
    const { wake_at } = this.projected;
    const soon = addSeconds(at, DEFAULT_TIMING.resend_seconds);
    const isSoon = wake_at !== undefined && wake_at <= soon;
    must(isSoon, `entry ${seq} cancels, and nobody looks before ${String(wake_at)}`);
  }

  #folded(before: JobState, entry: JournalEntry): JobState {
    let job = before;
    const { workflow } = this.known;
    for (const [index, event] of entry.events.entries()) {
      must(!isTerminalJob(job), `${event.type} after the end`);
      checkEvent(this, { event, entry, job, isLast: index === entry.events.length - 1 });
      const { hash, ...data } = event;
      const place = placeOf(data, job, workflow);
      const found = eventHash(data, { ...place, job_id: this.jobId, at: entry.at }, sha256);
      must(found === hash, `entry ${entry.seq}: the hash of ${event.type} does not hold`);
      job = apply(job, event, { at: entry.at, sha256 });
    }
    const build = entry.build === "" ? before.build : entry.build;
    return { ...job, seq: entry.seq, at: entry.at, build };
  }

  /** `id`: `claim:` with the node, the chunk's number and the attempt. */
  claimed(id: string): void {
    const [, nodeId = "", chunk = "", attempt = ""] = id.split(":");
    if (this.state.status !== "cancelling") return;
    const { items } = this.state.nodes[nodeId]?.fan?.chunks[Number(chunk)] ?? { items: [] };
    for (const index of items) {
      this.#lateItems.add(`${workKey(this.jobId, nodeId, index)}:${attempt}`);
    }
  }

  projection(document: JobDocument): void {
    const last = this.projected;
    this.projected = document;
    this.#projectedAt = this.world.time.now;
    this.acceptedAt ??= this.world.time.now;
    const { seq } = document;
    must(last === undefined || seq >= last.seq, `the projection goes back to entry ${seq}`);
    const folded = this.#states[seq];
    must(folded !== undefined, `the projection is ahead of the journal: entry ${seq}`);
    const isSameState = isSame(document["state"], storedState(folded));
    must(isSameState, `the projection is not the fold of entries 0 to ${seq}`);
    must(document.status === folded.status, `the projection says ${document.status}`);
    const isOver = isTerminalJob(folded);
    must((document.wake_at === undefined) === isOver, "a live job wakes, an ended one does not");
    this.#checkRenewals(folded, last, document);
    this.#checkWake();
  }

  /** Leases merge by maximum: none that still counts is forgotten or goes back. */
  #checkRenewals(folded: JobState, last: JobDocument | undefined, document: JobDocument): void {
    const { renewals } = (last?.["watch"] ?? { renewals: {} }) as Watch;
    const now = document["watch"] as Watch;
    for (const [key, at] of Object.entries(renewals)) {
      const kept = now.renewals[key];
      const isNewer = kept !== undefined && kept >= at;
      if (isNewer) continue;
      const live = pruneWatch(folded, { renewals: { [key]: at }, resends: {} }).renewals;
      must(live[key] === undefined, `the lease of ${key} went back`);
    }
  }

  /**
   * Up to ten minutes ahead the message comes back that is being handled. Who stood still for
   * longer than that may renew a lease before it looks at what happened meanwhile.
   */
  #checkWake(): void {
    const { projected, state } = this;
    if (projected === undefined || isTerminalJob(state)) return;
    const watch = projected["watch"] as Watch;
    const needed = wakeAt(state, { watch, timing: DEFAULT_TIMING });
    if (needed === undefined) return;
    const woke = Math.max(...this.world.processes.map(({ pausedUntil }) => pausedUntil));
    const renewed = addSeconds(instantOf(EPOCH_MS + woke), DEFAULT_TIMING.lease_seconds);
    // Who read an older state stores the wake of that one, and holds a message while it does.
    const wroteAt = this.#isMisled ? instantOf(EPOCH_MS + this.#projectedAt) : state.at;
    const covered = later(later(needed, addSeconds(later(state.at, wroteAt), 600)), renewed);
    const { wake_at } = projected;
    const isInTime = wake_at !== undefined && wake_at <= covered;
    must(isInTime, `entry ${state.seq} needs a wake at ${needed}, stored is ${String(wake_at)}`);
  }

  /** Somebody read an older state shortly before the projection was written. */
  get #isMisled(): boolean {
    const { staleReads } = this.world.judge;
    const readAt = staleReads.get(this.jobId) ?? Number.NEGATIVE_INFINITY;
    return readAt <= this.#projectedAt && readAt > this.#projectedAt - FRESH_MS;
  }

  /** A handler was called: somebody must have claimed that attempt, and with these params. */
  ran({ nodeId, index, attempt, params }: Execution): void {
    const what = `${workKey(this.jobId, nodeId, index)}:${attempt}`;
    if (index !== undefined) {
      const isLate = this.#lateItems.has(what) && !this.mayBeMisled;
      must(!isLate, `${what} ran, claimed when the job had begun to end`);
      this.#checkItem(nodeId, index, params);
      return;
    }
    must(this.params.has(what), `${what} ran without a claim in the journal`);
    const expected = this.params.get(what);
    must(expected === undefined || isSame(params, expected), `${what} got params of another state`);
  }

  #checkItem(nodeId: string, index: number, params: Json): void {
    const expected = this.model.itemParams(nodeId, index);
    if (expected === undefined) return;
    const { reads, ...kept } = params as JsonObject & { readonly reads: JsonObject };
    const { reads: mayRead, ...own } = expected as JsonObject & { readonly reads: JsonObject };
    must(isSame(kept, own), `${nodeId}[${index}] got params that are not its own`);
    for (const [id, value] of Object.entries(reads)) {
      // What was not there when the state was folded may have come since.
      const isKnown = value === null || isSame(value, mayRead[id]);
      must(isKnown, `${nodeId}[${index}] read what ${id} did not give`);
    }
  }

  /** The execution of an attempt, if it ever ran. */
  execution(nodeId: string, attempt: number, index?: number): Execution | undefined {
    const key = `${workKey(this.jobId, nodeId, index)}:${attempt}`;
    return this.world.handlers.execution(key);
  }

  /** A document that an event names. */
  object(id: string): JournalDocument {
    const found = this.world.store.entry(this.jobId, id);
    must(found !== undefined, `${id} is named before it is there`);
    return found;
  }

  /** The state that the journal had at an entry. */
  stateAt(seq: number): JobState | undefined {
    return this.#states[seq];
  }

  /** The deadline, in the world's own time. */
  get deadlineMs(): number {
    return Date.parse(this.state.deadline_at) - EPOCH_MS;
  }
}
