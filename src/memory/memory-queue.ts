// The work queue in memory, with the receiving side that the Functions host has in Azure: messages
// hidden until their time, a lease while one is worked on, a dequeue count, and a poison list for
// what failed too often. Time comes from a clock; nothing happens by itself.
import { addSeconds, later } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import { inLineSince } from "../core/message.ts";
import type { Message } from "../core/message.ts";
import type { Clock, WorkQueue } from "../runtime/ports.ts";

/** What the host hands to the function: the text, not yet parsed. */
export interface ReceivedMessage {
  readonly text: string;
  readonly dequeue_count: number;
  readonly inserted_at: Instant;
  /** Valid until the lease ends or the message is received again. */
  readonly receipt: number;
}

/** A message as it lies in the queue, whoever may hold it now. */
export interface QueuedText {
  readonly text: string;
  readonly inserted_at: Instant;
  readonly visible_at: Instant;
  readonly dequeue_count: number;
}

export interface MemoryQueueOptions {
  readonly clock: Clock;
  /** host.json `maxDequeueCount`. */
  readonly maxDequeueCount?: number;
  /** host.json `visibilityTimeout`: how long a failed message rests. */
  readonly releaseSeconds?: number;
}

interface Waiting {
  readonly text: string;
  readonly inserted_at: Instant;
  readonly order: number;
  visible_at: Instant;
  dequeue_count: number;
  receipt: number;
}

/** The service's own bound for the visibility of a message. */
const MAX_DELAY_SECONDS = 7 * 24 * 3600;
const DEFAULT_MAX_DEQUEUE_COUNT = 5;
const DEFAULT_RELEASE_SECONDS = 30;

export class MemoryQueue implements WorkQueue {
  readonly #clock: Clock;
  readonly #maxDequeueCount: number;
  readonly #releaseSeconds: number;
  readonly #waiting = new Set<Waiting>();
  readonly #poisoned: string[] = [];
  readonly #requests = new Map<string, number>();
  #orders = 0;

  constructor(options: MemoryQueueOptions) {
    this.#clock = options.clock;
    this.#maxDequeueCount = options.maxDequeueCount ?? DEFAULT_MAX_DEQUEUE_COUNT;
    this.#releaseSeconds = options.releaseSeconds ?? DEFAULT_RELEASE_SECONDS;
  }

  /** Calls by name: `queue.send`, `queue.peek`. */
  get requests(): ReadonlyMap<string, number> {
    return this.#requests;
  }

  /** Messages not yet completed: visible, delayed and leased ones. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Texts that the host gave up, oldest first. */
  get poisoned(): readonly string[] {
    return this.#poisoned;
  }

  async send(message: Message, delaySeconds: number): Promise<void> {
    this.#count("queue.send");
    this.put(JSON.stringify(message), delaySeconds);
  }

  async oldest(): Promise<Instant | undefined> {
    this.#count("queue.peek");
    return this.head();
  }

  /** As `oldest`, at once and uncounted: for a simulation, not a port. */
  head(): Instant | undefined {
    const [head] = this.#visible();
    return head && inLineSince(head.text, head.inserted_at);
  }

  /** Puts any text there, as a stranger with access to the queue could. */
  put(text: string, delaySeconds = 0): void {
    const now = this.#clock.now();
    this.#orders += 1;
    this.#waiting.add({
      text,
      inserted_at: now,
      order: this.#orders,
      visible_at: delaySeconds > 0 ? addSeconds(now, wholeSeconds(delaySeconds)) : now,
      dequeue_count: 0,
      receipt: 0,
    });
  }

  /** Takes up to `limit` visible messages and hides them for `leaseSeconds`. */
  receive(limit: number, leaseSeconds: number): readonly ReceivedMessage[] {
    const until = addSeconds(this.#clock.now(), leaseSeconds);
    return this.#visible()
      .slice(0, limit)
      .map((waiting) => {
        this.#orders += 1;
        waiting.dequeue_count += 1;
        waiting.visible_at = until;
        waiting.receipt = this.#orders;
        const { text, dequeue_count, inserted_at, receipt } = waiting;
        return Object.freeze({ text, dequeue_count, inserted_at, receipt });
      });
  }

  /** The host's renewal while a function runs; false when the message is no longer ours. */
  renew(message: ReceivedMessage, leaseSeconds: number): boolean {
    const waiting = this.#held(message);
    if (waiting === undefined) return false;
    waiting.visible_at = addSeconds(this.#clock.now(), leaseSeconds);
    return true;
  }

  /** The function succeeded. False when the message is no longer ours: it comes again. */
  complete(message: ReceivedMessage): boolean {
    const waiting = this.#held(message);
    return waiting !== undefined && this.#waiting.delete(waiting);
  }

  /** The function threw: the message rests, or is poisoned when it was seen too often. */
  release(message: ReceivedMessage): "released" | "poisoned" | "lost" {
    const waiting = this.#held(message);
    if (waiting === undefined) return "lost";
    if (waiting.dequeue_count >= this.#maxDequeueCount) {
      this.#waiting.delete(waiting);
      this.#poisoned.push(waiting.text);
      return "poisoned";
    }
    waiting.visible_at = addSeconds(this.#clock.now(), this.#releaseSeconds);
    waiting.receipt = 0;
    return "released";
  }

  /** Takes the oldest poisoned text, as the poison function does. */
  takePoisoned(): string | undefined {
    return this.#poisoned.shift();
  }

  /** When a message is or becomes visible next; undefined for an empty queue. */
  nextVisible(): Instant | undefined {
    let next: Instant | undefined;
    for (const { visible_at } of this.#waiting) {
      if (next === undefined || visible_at < next) next = visible_at;
    }
    return next === undefined ? undefined : later(next, this.#clock.now());
  }

  /** Everything that is not completed, in order of its sending; for a test's eyes. */
  contents(): readonly QueuedText[] {
    return [...this.#waiting].map(({ text, inserted_at, visible_at, dequeue_count }) => ({
      text,
      inserted_at,
      visible_at,
      dequeue_count,
    }));
  }

  /** Adds what another queue held, as it lay there: nobody holds any of it here. */
  load(contents: readonly QueuedText[]): void {
    for (const queued of contents) {
      this.#orders += 1;
      this.#waiting.add({ ...queued, order: this.#orders, receipt: 0 });
    }
  }

  clear(): void {
    this.#waiting.clear();
    this.#poisoned.length = 0;
  }

  #visible(): readonly Waiting[] {
    const now = this.#clock.now();
    return [...this.#waiting]
      .filter((waiting) => waiting.visible_at <= now)
      .sort((a, b) => compare(a.visible_at, b.visible_at) || a.order - b.order);
  }

  #held(message: ReceivedMessage): Waiting | undefined {
    const now = this.#clock.now();
    for (const waiting of this.#waiting) {
      if (waiting.receipt !== message.receipt) continue;
      return waiting.visible_at > now ? waiting : undefined;
    }
    return undefined;
  }

  #count(operation: string): void {
    this.#requests.set(operation, (this.#requests.get(operation) ?? 0) + 1);
  }
}

function wholeSeconds(seconds: number): number {
  return Math.min(Math.ceil(seconds), MAX_DELAY_SECONDS);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
