// A clock that moves only when it is told to. Callbacks run in order of their time, and in order of
// asking where times are equal, so a run is the same each time.
import { epochMs, instantOf } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import { invariant } from "../core/error.ts";
import type { Clock } from "../runtime/ports.ts";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** More callbacks than any honest run needs: whoever re-arms for ever is stopped by it. */
const MAX_CALLBACKS = 1_000_000;

export class MemoryClock implements Clock {
  #nowMs: number;
  #asked = 0;
  readonly #timers = new Set<Timer>();

  constructor(start: Instant = "2026-01-01T00:00:00.000Z") {
    this.#nowMs = epochMs(start);
  }

  now(): Instant {
    return instantOf(this.#nowMs);
  }

  after(ms: number, callback: () => void): () => void {
    this.#asked += 1;
    const atMs = this.#nowMs + Math.max(0, Math.ceil(ms));
    const timer: Timer = { atMs, order: this.#asked, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** When the next callback is due; undefined when none waits. */
  next(): Instant | undefined {
    const timer = this.#first();
    return timer === undefined ? undefined : instantOf(timer.atMs);
  }

  /** Moves on by `ms` and runs what falls due; promises settle before the next callback. */
  async advance(ms: number): Promise<void> {
    await this.#runUntil(this.#nowMs + ms);
  }

  async advanceTo(instant: Instant): Promise<void> {
    await this.#runUntil(epochMs(instant));
  }

  /** Jumps from timer to timer until none waits or `limitMs` passed; answers the time it took. */
  async runUntilIdle(limitMs: number): Promise<number> {
    const startMs = this.#nowMs;
    await settled();
    for (let timer = this.#first(); timer !== undefined; timer = this.#first()) {
      if (timer.atMs > startMs + limitMs) break;
      await this.#runUntil(timer.atMs);
    }
    return this.#nowMs - startMs;
  }

  async #runUntil(targetMs: number): Promise<void> {
    await settled();
    for (let count = 0; ; count += 1) {
      const timer = this.#first();
      if (timer === undefined || timer.atMs > targetMs) break;
      invariant(count < MAX_CALLBACKS, `more than ${MAX_CALLBACKS} callbacks before ${this.now()}`);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      this.#timers.delete(timer);
      timer.callback();
      await settled();
    }
    this.#nowMs = Math.max(this.#nowMs, targetMs);
  }

  #first(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      const earlier = first === undefined || timer.atMs < first.atMs;
      const asked = first !== undefined && timer.atMs === first.atMs && timer.order < first.order;
      if (earlier || asked) first = timer;
    }
    return first;
  }
}

/** Every promise that can settle without a timer has settled: one turn of the event loop. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
