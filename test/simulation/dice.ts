// Chance that can be asked for in any order: each answer is a hash of the seed, a stream and a
// number. So leaving out one decision of a schedule does not change what the others decide.

/** Unrelated questions use unrelated streams. */
export const STREAM = {
  latency: 1,
  answer: 2,
  io_fault: 3,
  io_kind: 4,
  send_fault: 5,
  delivery: 6,
  process: 7,
  execution: 8,
  output: 9,
  fraction: 10,
  plan: 11,
  shape: 12,
  happening: 13,
  client: 14,
  sweep: 15,
  argument: 16,
  restart: 17,
} as const;

export type Stream = (typeof STREAM)[keyof typeof STREAM];

function mixed(state: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  let h = state ^ Math.imul(k, 0x1b873593);
  h = (h << 13) | (h >>> 19);
  return (Math.imul(h, 5) + 0xe6546b64) | 0;
}

function finished(state: number): number {
  let h = state ^ (state >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export class Dice {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = mixed(mixed(0x9747b28c, seed | 0), Math.floor(seed / 2 ** 32));
  }

  /** 32 bits. */
  bits(stream: Stream, number: number): number {
    return finished(mixed(mixed(this.#seed, stream), number));
  }

  /** In [0, 1). */
  unit(stream: Stream, number: number): number {
    return this.bits(stream, number) / 2 ** 32;
  }

  /** From 0 to `below` - 1. */
  below(stream: Stream, number: number, below: number): number {
    return Math.floor(this.unit(stream, number) * below);
  }

  pick<T>(stream: Stream, number: number, from: readonly T[]): T {
    const found = from[this.below(stream, number, from.length)];
    if (found === undefined) throw new Error("there is nothing to pick from");
    return found;
  }
}

/** Draws one after the other from one stream. */
export class Draws {
  readonly #dice: Dice;
  readonly #stream: Stream;
  #next = 0;

  constructor(dice: Dice, stream: Stream) {
    this.#dice = dice;
    this.#stream = stream;
  }

  unit(): number {
    this.#next += 1;
    return this.#dice.unit(this.#stream, this.#next);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  below(below: number): number {
    return Math.floor(this.unit() * below);
  }

  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  pick<T>(from: readonly T[]): T {
    const found = from[this.below(from.length)];
    if (found === undefined) throw new Error("there is nothing to pick from");
    return found;
  }
}
