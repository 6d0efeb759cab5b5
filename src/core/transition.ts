// One transition being built: the state so far, the events that made it, what to store before it
// and what to do after it. Each emitted event is sealed with its hash and folded at once, so every
// decision sees the state that its predecessors left.
import { apply, drafted, sealed } from "./apply.ts";
import { canonical } from "./canonical.ts";
import type {
  AdvanceContext,
  Decision,
  Effect,
  MessageTarget,
  NewObject,
} from "./effect.ts";
import type { EventData, JournalEvent, StoredObject } from "./event.ts";
import type { Instant } from "./instant.ts";
import { later } from "./instant.ts";
import { eventHash, placeOf } from "./lane.ts";
import type { Json, JsonObject } from "./json.ts";
import { jsonBytes, utf8Bytes } from "./json.ts";
import type { FailureReason, JobState, NodeState } from "./job.ts";
import { nodeState } from "./job.ts";
import {
  MAX_ERROR_BYTES,
  MAX_INLINE_ENTRY_BYTES,
  MAX_INLINE_OUTPUT_BYTES,
  MAX_LABEL_CHARS,
  MAX_TRANSITION_STEPS,
} from "./limits.ts";
import type { NodeDefinition } from "./definition.ts";
import type { Paced } from "./pace.ts";
import { cutText } from "./text.ts";
import { graceSeconds } from "./watch.ts";

/** Steps after which a decision lets others go first; one evaluation at most comes before it. */
export const REST_STEPS = 20_000;
/** Hashing and folding one event. */
const STEPS_PER_EVENT = 200;
/** Bytes of JSON that take as long as one step to walk, write and hash. */
export const BYTES_PER_STEP = 8;

export class Transition {
  readonly context: AdvanceContext;
  /** The time of the entry: never before the entry it follows. */
  readonly at: Instant;
  /** Steps that the cheap nodes of this transition may still spend. */
  readonly budget = { steps: MAX_TRANSITION_STEPS };
  #job: JobState;
  readonly #events: JournalEvent[] = [];
  readonly #objects = new Map<string, NewObject>();
  readonly #effects: Effect[] = [];
  readonly #needs = new Set<string>();
  #entryBytes: number;
  #result: JsonObject | undefined;
  /** Steps since the last rest. */
  #work = 0;
  #continues: boolean;

  constructor(job: JobState, context: AdvanceContext) {
    this.#job = job;
    this.context = context;
    this.at = later(context.now, job.at);
    this.#entryBytes = context.entry_bytes;
    this.#continues = context.can_continue;
  }

  get job(): JobState {
    return this.#job;
  }

  get hasNeeds(): boolean {
    return this.#needs.size > 0;
  }

  /** What the shell loaded, and what this entry itself will hold once it stands. */
  get documents(): Documents {
    return { get: (id) => this.#document(id) };
  }

  node(nodeId: string): NodeState {
    return nodeState(this.#job, nodeId);
  }

  definition(nodeId: string): NodeDefinition | undefined {
    const { nodes } = this.context.workflow.definition;
    return Object.hasOwn(nodes, nodeId) ? nodes[nodeId] : undefined;
  }

  /** Whether the history has a lane for it: a node that did something, a chunk that exists. */
  hasLane({ node_id, chunk }: { readonly node_id: string; readonly chunk?: number }): boolean {
    const { head, fan } = this.node(node_id);
    return head !== "" && (chunk === undefined || fan?.chunks[chunk] !== undefined);
  }

  emit(event: EventData): void {
    const { sha256, workflow } = this.context;
    const place = placeOf(event, this.#job, workflow);
    const at = this.at;
    const hash = eventHash(event, { ...place, at, job_id: this.#job.job_id }, sha256);
    const hashed: JournalEvent = { ...event, hash };
    this.#events.push(hashed);
    this.spend(STEPS_PER_EVENT);
    this.#job = apply(drafted(this.#job), hashed, { at, sha256 });
  }

  /** The state that `event` would leave, without emitting it. */
  preview(event: EventData): JobState {
    const { sha256 } = this.context;
    const job = { ...this.#job, nodes: { ...this.#job.nodes } };
    return apply(job, { ...event, hash: "" }, { at: this.at, sha256 });
  }

  /** Notes work that took as long as so many steps of an evaluation. */
  spend(steps: number): void {
    this.#work += steps;
  }

  /** Rests where enough was done since the last time. Nothing that is decided depends on it. */
  *rest(): Paced<void> {
    if (this.#work < REST_STEPS) return;
    this.#work = 0;
    yield;
  }

  effect(effect: Effect): void {
    this.#effects.push(effect);
  }

  send(message: MessageTarget, delaySeconds = 0, resend?: string): void {
    const again = resend === undefined ? {} : { resend };
    this.effect({ type: "send_message", message, delay_seconds: delaySeconds, ...again });
  }

  /**
   * A second message for the attempt after a lost one: what took the worker may take the next
   * message too. It comes a time of grace later, and means nothing where the first was received.
   */
  sendSpare(message: MessageTarget): void {
    this.send(message, graceSeconds(this.context.timing));
  }

  /** Asks the shell to load documents and to decide again. */
  need(ids: readonly string[]): void {
    for (const id of ids) this.#needs.add(id);
  }

  /** What is to be done so far. */
  get effects(): readonly Effect[] {
    return this.#effects;
  }

  /**
   * Takes the invocation's right to go on with a task itself; true once at most. A task that may
   * take longer than the invocation lasts takes nothing.
   */
  takeContinuation(timeoutSeconds = 0): boolean {
    if (timeoutSeconds > (this.context.continue_seconds ?? timeoutSeconds)) return false;
    const may = this.#continues;
    this.#continues = false;
    return may;
  }

  /** Where a value of an outcome goes: into the event, or into an object created before it. */
  place(value: Json): { readonly output: Json } | { readonly stored: StoredObject } {
    const bytes = jsonBytes(value);
    this.spend(bytes / BYTES_PER_STEP);
    const fits = this.#entryBytes + bytes <= MAX_INLINE_ENTRY_BYTES;
    if (bytes <= MAX_INLINE_OUTPUT_BYTES && fits) {
      this.#entryBytes += bytes;
      return { output: value };
    }
    return { stored: this.storeValue(value) };
  }

  /** A value as an object of its own, created before the entry that names it. */
  storeValue(value: Json): StoredObject {
    const text = canonical(value);
    const valueDigest = `sha256:${this.context.sha256(text)}`;
    const id = `out:${valueDigest}`;
    this.store({ id, body: { value } });
    const bytes = utf8Bytes(text);
    this.spend(bytes / BYTES_PER_STEP);
    return { object: id, digest: valueDigest, bytes };
  }

  /** Claims room for `bytes` in the entry; false where it has none left. */
  takeRoom(bytes: number): boolean {
    if (this.#entryBytes + bytes > MAX_INLINE_ENTRY_BYTES) return false;
    this.#entryBytes += bytes;
    return true;
  }

  store(object: NewObject): void {
    this.#objects.set(object.id, object);
  }

  #document(id: string): JsonObject | null | undefined {
    const known = this.context.loaded.get(id);
    if (id === String(this.#job.seq + 1)) return withEvents(known, this.#events);
    const own = this.#objects.get(id);
    return own === undefined ? known : (own.body as unknown as JsonObject);
  }

  endWith(result: JsonObject): void {
    this.#result = result;
  }

  decision(): Decision {
    if (this.#needs.size > 0) return { kind: "needs", needs: [...this.#needs].sort() };
    const result = this.#result === undefined ? {} : { result_data: this.#result };
    return {
      kind: "decided",
      job: sealed(this.#job),
      events: this.#events,
      objects: [...this.#objects.values()],
      effects: this.#effects,
      entry_bytes: this.#entryBytes,
      ...result,
    };
  }
}

/** Documents of the job's journal: null where there is none, undefined where nobody has looked. */
export type Documents = Pick<ReadonlyMap<string, JsonObject | null>, "get">;

/** An entry under way: the events of earlier occurrences, then `events`. */
function withEvents(
  entry: JsonObject | null | undefined,
  events: readonly JournalEvent[],
): JsonObject {
  const earlier = entry?.["events"];
  const before: readonly Json[] = Array.isArray(earlier) ? (earlier as readonly Json[]) : [];
  return { events: [...before, ...(events as unknown as readonly Json[])] };
}

/**
 * What a later occurrence of the same entry must find in `loaded`: the objects of `decision`, and
 * the events so far under the entry's own number. Neither is in the store yet.
 */
export function pendingDocuments(
  loaded: Documents,
  decision: Extract<Decision, { readonly kind: "decided" }>,
): ReadonlyMap<string, JsonObject> {
  const { job, events, objects } = decision;
  const id = String(job.seq + 1);
  const bodies = objects.map(({ id, body }) => [id, body as unknown as JsonObject] as const);
  return new Map([...bodies, [id, withEvents(loaded.get(id), events)] as const]);
}

/** An error as it may be stored: code and text within their bounds. */
export function storable(error: FailureReason): FailureReason {
  const code = cutText(error.code, MAX_LABEL_CHARS);
  return { code, message: cutText(error.message, MAX_ERROR_BYTES) };
}
