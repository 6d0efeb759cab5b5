// What will happen, in order of time and then of asking: a binary heap. One for a whole world, so
// that the order of everything is decided in one place.

export interface Planned {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
  isCancelled: boolean;
}

export class Timeline {
  /** Milliseconds since the world began. */
  now = 0;
  #orders = 0;
  readonly #heap: Planned[] = [];

  get size(): number {
    return this.#heap.length;
  }

  after(ms: number, act: () => void): Planned {
    this.#orders += 1;
    const planned = { at: this.now + ms, order: this.#orders, act, isCancelled: false };
    this.#push(planned);
    return planned;
  }

  /** Goes to the next thing that was not cancelled and does it; false where nothing is left. */
  step(): boolean {
    for (;;) {
      const next = this.#pop();
      if (next === undefined) return false;
      if (next.isCancelled) continue;
      this.now = next.at;
      next.act();
      return true;
    }
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(planned);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(planned, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = planned;
  }

  #pop(): Planned | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      const left = heap[below];
      if (left === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, left)) below += 1;
      const child = heap[below];
      if (child === undefined || !isBefore(child, last)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(one: Planned, other: Planned): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/**
 * Resolves when every promise that can settle without the timeline has settled: Node runs a tick
 * only after the queue of promise reactions is empty.
 */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
