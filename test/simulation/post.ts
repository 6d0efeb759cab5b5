// The way of messages: the memory queue, and what can become of a message on it. One may be
// dropped or sent twice, or become visible much later than asked for. The host collects them.
import type { Instant } from "../../src/core/instant.ts";
import type { Message } from "../../src/core/message.ts";
import { MemoryQueue } from "../../src/memory/memory-queue.ts";
import type { ReceivedMessage } from "../../src/memory/memory-queue.ts";
import { STREAM } from "./dice.ts";
import { instantAt } from "./sim-store.ts";
import type { Stage } from "./stage.ts";

/** As host.json has it. */
export const LEASE_SECONDS = 600;
const RELEASE_SECONDS = 30;
const MAX_AT_ONCE = 16;

const FAULTS = ["dropped", "duplicated", "duplicated", "delayed", "delayed"] as const;

export class Post {
  readonly #world: Stage;
  readonly #queue: MemoryQueue;
  #sends = 0;
  #polls = 0;

  constructor(world: Stage) {
    this.#world = world;
    const clock = { now: () => instantAt(world.time.now), after: () => () => undefined };
    this.#queue = new MemoryQueue({ clock, releaseSeconds: RELEASE_SECONDS });
  }

  get length(): number {
    return this.#queue.length;
  }

  /** Of the memory queue, which answers at once. */
  oldest(): Instant | undefined {
    return this.#queue.head();
  }

  send(message: Message, delaySeconds: number): void {
    const world = this.#world;
    this.#sends += 1;
    const number = this.#sends;
    const place = `send:${number}`;
    const fault = world.decide(place, () => {
      const { message: rate } = world.rates;
      if (rate === 0 || world.dice.unit(STREAM.send_fault, number) >= rate) return undefined;
      const kind = world.dice.pick(STREAM.argument, 1_000_000 + number, FAULTS);
      return kind === "delayed" ? `delayed:${delayOf(world, number)}` : kind;
    });
    if (fault !== undefined) world.fire(place, fault);
    const [kind, argument] = fault === undefined ? [] : fault.split(":");
    world.judge.sent(message, kind);
    if (kind === "dropped") return;
    const delay = delaySeconds + (kind === "delayed" ? Number(argument) : 0);
    const text = JSON.stringify(message);
    this.put(text, delay);
    if (kind === "duplicated") this.put(text, delay);
  }

  /** Puts any text there, as whoever may write to the queue could. */
  put(text: string, delaySeconds: number): void {
    this.#queue.put(text, delaySeconds);
    this.#collectIn(Math.ceil(delaySeconds) * 1000);
  }

  complete(message: ReceivedMessage): void {
    this.#queue.complete(message);
  }

  renew(message: ReceivedMessage): boolean {
    const isRenewed = this.#queue.renew(message, LEASE_SECONDS);
    if (isRenewed) this.#collectIn(LEASE_SECONDS * 1000);
    return isRenewed;
  }

  /** The function threw. The text, where the message was seen too often. */
  release(message: ReceivedMessage): string | undefined {
    const released = this.#queue.release(message);
    if (released === "released") this.#collectIn(RELEASE_SECONDS * 1000);
    return released === "poisoned" ? this.#queue.takePoisoned() : undefined;
  }

  #collectIn(ms: number): void {
    this.#polls += 1;
    const { plan, dice, time } = this.#world;
    const polling = plan.noise ? dice.below(STREAM.delivery, 1_000_000 + this.#polls, 40) : 1;
    time.after(ms + polling, () => this.#collect());
  }

  #collect(): void {
    const messages = this.#queue.receive(MAX_AT_ONCE, LEASE_SECONDS);
    for (const message of messages) this.#world.host.take(message);
    // Whatever is still there then was not completed.
    if (messages.length > 0) this.#collectIn(LEASE_SECONDS * 1000);
  }
}

/** Mostly seconds, at times longer than a message may be put back. */
function delayOf({ dice }: Stage, number: number): number {
  const most = dice.pick(STREAM.argument, 2_000_000 + number, [3, 30, 200, 1200]);
  return 1 + dice.below(STREAM.argument, 3_000_000 + number, most);
}
