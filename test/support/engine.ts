// A job run by hand around advance(): a journal, documents, a queue and a clock that tests move.
// Everything is synchronous and in the open: messages may be reordered, doubled or dropped, running
// attempts lost. After each transition the invariants are checked, and the journal, folded from
// nothing, must give the very state that the decision left.
import { advance } from "../../src/core/advance.ts";
import { applyEntry, optional } from "../../src/core/apply.ts";
import { createJob } from "../../src/core/create-job.ts";
import type { WorkflowDefinition } from "../../src/core/definition.ts";
import { attemptKey, claimId } from "../../src/core/effect.ts";
import type { AdvanceContext, Decision, Effect, MessageTarget } from "../../src/core/effect.ts";
import type { Occurrence, Outcome, Watch } from "../../src/core/effect.ts";
import { DOCUMENT_SCHEMA } from "../../src/core/event.ts";
import type { EventData, JournalEntry, JournalEvent } from "../../src/core/event.ts";
import type { Workflow } from "../../src/core/graph.ts";
import { addSeconds, later } from "../../src/core/instant.ts";
import type { JobState, NodeState } from "../../src/core/job.ts";
import { isTerminalJob, nodeState } from "../../src/core/job.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { DEFAULT_RETENTION } from "../../src/core/retention.ts";
import { storedValue } from "../../src/core/scope.ts";
import { isWanted, mergeWatch, pruneWatch, wakeAt } from "../../src/core/watch.ts";
import { completed, hashBytes, sha256, workflowOf } from "./build.ts";
import { checkAttempts, checkHashes, checkParallel, checkSame, checkStep } from "./invariants.ts";
import { foldAll, must } from "./invariants.ts";

export type RunTask = Extract<Effect, { readonly type: "run_task" }>;
export type RunItems = Extract<Effect, { readonly type: "run_items" }>;
export type Work = RunTask | RunItems;

export interface HandlerCall {
  readonly node_id: string;
  readonly attempt: number;
  readonly params: Json;
  readonly index?: number;
}
export type Handler = (call: HandlerCall) => Outcome;

export interface EngineOptions {
  readonly inputs?: JsonObject;
  readonly vars?: JsonObject;
  /** Beside `echo` and `item`, which give their params back. */
  readonly handlers?: Readonly<Record<string, Handler>>;
  readonly jitter?: number;
  readonly can_continue?: boolean;
  readonly oldest_message_at?: string;
  /** Off for large jobs: folding all anew after each entry takes the square of its length. */
  readonly refold?: boolean;
  readonly workflow?: Workflow;
  readonly redefined?: true;
  readonly correlation_id?: string;
}

export interface Queued {
  readonly message: MessageTarget;
  readonly visible_at: string;
  readonly resend: boolean;
}

const T0 = "2026-01-01T00:00:00.000Z";
export const TIMING = { lease_seconds: 60, resend_seconds: 60 };

export class TestEngine {
  job: JobState;
  now = T0;
  workflow: Workflow;
  /** What the job pins; `workflow` may be replaced by the empty one of a refused snapshot. */
  readonly pinned: Workflow;
  readonly entries: JournalEntry[] = [];
  readonly documents = new Map<string, JsonObject>();
  queue: Queued[] = [];
  running: Work[] = [];
  watch: Watch = { renewals: {}, resends: {} };
  /** All that was decided, for replaying. */
  readonly decided: { readonly occurrence: Occurrence; readonly context: AdvanceContext }[] = [];
  effects: readonly Effect[] = [];
  handlers: Record<string, Handler>;
  options: EngineOptions;

  constructor(definition: WorkflowDefinition, options: EngineOptions = {}) {
    const echo: Handler = ({ params }) => completed(params);
    this.options = options;
    this.handlers = { echo, item: echo, ...options.handlers };
    this.workflow = options.workflow ?? workflowOf(definition);
    this.pinned = this.workflow;
    const { entry, job } = createJob(
      {
        job_id: "01930000-0000-7000-8000-000000000000",
        at: T0,
        write_id: "w0",
        build: "holdfast@test",
        definition,
        source: "",
        source_digest: "sha256:source",
        inputs: options.inputs ?? {},
        vars: options.vars ?? {},
        request_digest: "sha256:request",
        retention: DEFAULT_RETENTION,
        authenticated_as: "key",
        ...optional("redefined", options.redefined),
        ...optional("correlation_id", options.correlation_id),
      },
      sha256,
    );
    this.entries.push(entry);
    this.documents.set("0", entry as unknown as JsonObject);
    this.job = job;
    this.queue.push({ message: { kind: "start" }, visible_at: T0, resend: false });
  }

  context(more: Partial<AdvanceContext> = {}): AdvanceContext {
    const { oldest_message_at } = this.options;
    return {
      workflow: this.workflow,
      now: this.now,
      jitter: this.options.jitter ?? 0.5,
      build: "holdfast@test",
      sha256,
      hashBytes,
      handlers: new Map(Object.keys(this.handlers).map((name) => [name, "1"])),
      can_continue: this.options.can_continue ?? true,
      timing: TIMING,
      watch: this.watch,
      loaded: new Map(),
      entry_bytes: 0,
      ...(oldest_message_at === undefined ? {} : { oldest_message_at }),
      ...more,
    };
  }

  /** Decides an occurrence, records its entry, delivers its effects. The new events. */
  commit(occurrence: Occurrence, more: Partial<AdvanceContext> = {}): readonly JournalEvent[] {
    const loaded = new Map<string, JsonObject | null>();
    const context = this.context({ loaded, ...more });
    const decision = this.decide(occurrence, context, loaded);
    this.decided.push({ occurrence, context });
    for (const { id, body } of decision.objects) {
      if (!this.documents.has(id)) this.documents.set(id, plain(body));
    }
    if (decision.events.length > 0) this.record(decision, context.now);
    else checkSame(decision.job, this.job, "a decision without events changes nothing");
    this.deliver(decision.effects);
    return decision.events;
  }

  private decide(
    occurrence: Occurrence,
    context: AdvanceContext,
    loaded: Map<string, JsonObject | null>,
  ): Extract<Decision, { readonly kind: "decided" }> {
    for (let round = 0; round < 10; round += 1) {
      const decision = advance(this.job, occurrence, context);
      if (decision.kind === "decided") {
        checkSame(advance(this.job, occurrence, context), decision, "a decision is repeatable");
        return decision;
      }
      const known = decision.needs.filter((id) => loaded.has(id));
      must(known.length === 0, "nothing is asked for twice");
      for (const id of decision.needs) loaded.set(id, this.documents.get(id) ?? null);
    }
    throw new Error("a decision never stops loading");
  }

  private record(
    decision: Extract<Decision, { readonly kind: "decided" }>,
    now: string,
  ): void {
    const { job_id, seq: before, at } = this.job;
    const seq = before + 1;
    const { events, result_data } = decision;
    const entry = plain({
      id: String(seq),
      job_id,
      schema: DOCUMENT_SCHEMA,
      write_id: `w${seq}`,
      seq,
      at: later(now, at),
      build: "holdfast@test",
      events,
      ...(result_data === undefined ? {} : { result_data }),
    } satisfies JournalEntry) as unknown as JournalEntry;
    this.entries.push(entry);
    this.documents.set(entry.id, entry as unknown as JsonObject);
    const left = { ...decision.job, seq, at: entry.at };
    const folded = applyEntry(this.job, entry, sha256);
    checkSame(folded, left, "the entry folds to the state that the decision left");
    checkSame(plain(left), left, "the state is plain JSON");
    checkStep(this.job, left, entry);
    this.job = left;
    this.check();
  }

  /** What must hold now. */
  check(): void {
    const isOver = isTerminalJob(this.job);
    checkParallel(this.job, this.pinned);
    must((this.wakeAt() === undefined) === isOver, "a live job has a wake_at");
    if (this.options.refold === false && !isOver) return;
    checkSame(foldAll(this.entries), this.job, "the journal alone gives the state");
    checkHashes(this.entries, this.pinned);
    checkAttempts(this.entries);
  }

  private deliver(effects: readonly Effect[]): void {
    this.effects = effects;
    for (const effect of effects) if (effect.type === "suspect_lease") this.suspect(effect.key);
    const tasks = effects.filter(({ type }) => type === "run_task" || type === "run_items");
    must(tasks.length <= 1, "an invocation goes on with one thing at most");
    for (const effect of effects) {
      if (effect.type === "send_message") this.send(effect);
      if (effect.type === "note_lease") this.note(effect.key, effect.at);
      if (effect.type === "run_task" || effect.type === "run_items") this.running.push(effect);
    }
    this.watch = pruneWatch(this.job, this.watch);
    for (const effect of effects) if (effect.type === "claim_chunk") this.claim(effect);
  }

  private send(effect: Extract<Effect, { readonly type: "send_message" }>): void {
    const { message, delay_seconds, resend } = effect;
    const visible_at = addSeconds(this.now, delay_seconds);
    this.queue.push({ message, visible_at, resend: resend !== undefined });
    if (resend === undefined) return;
    const n = (this.watch.resends[resend]?.n ?? 0) + 1;
    const resends = { [resend]: { at: this.now, n } };
    this.watch = mergeWatch(this.watch, { renewals: {}, resends });
  }

  suspect(key: string): void {
    const suspects = { [key]: this.now };
    this.watch = mergeWatch(this.watch, { renewals: {}, resends: {}, suspects });
  }

  note(key: string, at: string): void {
    this.watch = mergeWatch(this.watch, { renewals: { [key]: at }, resends: {} });
  }

  /** Creates the claim document as a worker does; the second one to try gets nothing. */
  claim(at: { readonly node_id: string; readonly chunk: number; readonly attempt: number }): void {
    const { node_id, chunk, attempt } = at;
    const id = claimId(node_id, chunk, attempt);
    if (this.documents.has(id)) return;
    this.documents.set(id, { id, at: this.now });
    this.note(attemptKey(node_id, attempt, chunk), this.now);
    this.commit({ type: "chunk_claimed", node_id, chunk, attempt });
  }

  /** Handles a message; one that must wait comes back. */
  receive(queued: Queued, redelivered = false): readonly JournalEvent[] {
    const { message } = queued;
    const events = this.commit({ type: "message_received", message, redelivered });
    if (this.effects.some(({ type }) => type === "defer_message")) {
      this.queue.push({ ...queued, visible_at: addSeconds(this.now, 30) });
    }
    return events;
  }

  /** Takes a message out of the queue and handles it. */
  receiveAt(index: number): readonly JournalEvent[] {
    const [queued] = this.queue.splice(index, 1);
    if (queued === undefined) throw new Error(`no message ${index}`);
    this.now = later(this.now, queued.visible_at);
    return this.receive(queued);
  }

  /** Ends running work: by its handlers, or with `outcome`. */
  finish(work: Work | undefined = this.running[0], outcome?: Outcome): readonly JournalEvent[] {
    if (work === undefined) throw new Error("nothing runs");
    this.running = this.running.filter((one) => one !== work);
    const { node_id, attempt } = work;
    if (work.type === "run_task") {
      const ended = outcome ?? this.call(work.handler, { node_id, attempt, params: work.params });
      return this.commit({ type: "attempt_ended", node_id, attempt, outcome: ended });
    }
    const outcomes = work.items.map((item) => ({
      index: item.index,
      outcome: outcome ?? this.callItem(work, item),
    }));
    const { chunk } = work;
    return this.commit({ type: "items_ended", node_id, chunk, attempt, part: 1, outcomes });
  }

  callItem(work: RunItems, item: RunItems["items"][number]): Outcome {
    if ("error" in item) return { kind: "failed", error: item.error, retryable: false, log: [] };
    const { node_id, attempt, handler } = work;
    return this.call(handler, { node_id, attempt, params: item.params, index: item.index });
  }

  private call(name: string, call: HandlerCall): Outcome {
    const handler = this.handlers[name];
    if (handler === undefined) throw new Error(`no handler ${name}`);
    return handler(call);
  }

  cancel(reason?: string): readonly JournalEvent[] {
    const because = reason === undefined ? {} : { reason };
    return this.commit({ type: "cancel_requested", requested_by: "ada", ...because });
  }

  wakeAt(): string | undefined {
    return wakeAt(this.job, { watch: this.watch, timing: TIMING });
  }

  /**
   * Moves the clock to wake_at, if that is ahead, and wakes the job. It must move something. Where
   * a worker was only suspected, the wake that judges it follows.
   */
  wake(): readonly JournalEvent[] {
    const events = this.wakeOnce();
    if (!this.effects.some(({ type }) => type === "suspect_lease")) return events;
    this.queue = this.queue.filter(({ message }) => message.kind !== "wake");
    return [...events, ...this.wakeOnce()];
  }

  private wakeOnce(): readonly JournalEvent[] {
    const due = this.wakeAt();
    must(due !== undefined, "a terminal job is not woken");
    this.now = later(this.now, due);
    const events = this.commit({ type: "wake_due" });
    const moved = events.length > 0 || this.effects.length > 0 || this.running.length > 0;
    must(moved || this.wakeAt() !== due, `a wake at ${due} makes progress`);
    return events;
  }

  tick(seconds: number): void {
    this.now = addSeconds(this.now, seconds);
  }

  /** One move: a visible message, running work, a delayed message, or the wake. */
  step(): void {
    const visible = this.queue.findIndex(({ visible_at }) => visible_at <= this.now);
    if (visible >= 0) this.receiveAt(visible);
    else if (this.running[0] !== undefined) this.finish(this.running[0], this.unwanted());
    else if (this.queue.length > 0) this.receiveAt(this.soonest());
    else this.wake();
  }

  /** A worker aborts what the job does not want any more. */
  private unwanted(): Outcome | undefined {
    const [work] = this.running;
    const isMoot = work !== undefined && !isWanted(this.job, work);
    return isMoot ? { kind: "aborted", log: [] } : undefined;
  }

  private soonest(): number {
    const times = this.queue.map(({ visible_at }) => visible_at);
    return times.indexOf([...times].sort()[0] ?? "");
  }

  /** Steps until the job has ended. */
  run(limit = 5_000): this {
    for (let steps = 0; !isTerminalJob(this.job); steps += 1) {
      must(steps < limit, `the job ends within ${limit} steps`);
      this.step();
    }
    return this;
  }

  node(id: string): NodeState {
    return nodeState(this.job, id);
  }

  statuses(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.pinned.order.map((id) => [id, this.node(id).status]));
  }

  events(): readonly JournalEvent[] {
    return this.entries.flatMap((entry) => entry.events);
  }

  of<Type extends EventData["type"]>(type: Type): readonly Extract<JournalEvent, { type: Type }>[] {
    return this.events().filter(
      (event): event is Extract<JournalEvent, { type: Type }> => event.type === type,
    );
  }

  /** The output of a node, wherever it is stored. */
  output(id: string): Json | undefined {
    const { output } = this.node(id);
    const found = output === undefined ? undefined : storedValue(this.documents, output, id);
    return found?.kind === "value" ? found.value : undefined;
  }

  /** `result_data` of the last entry. */
  results(): JsonObject {
    const results = this.entries.at(-1)?.result_data;
    if (results === undefined) throw new Error("the job has no results yet");
    return results;
  }
}

/** As it comes back from a store. */
export function plain(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
