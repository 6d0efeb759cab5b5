// Seeded randomness for the chaos runs: the same seed gives the same decisions. Real processes and
// real time order them anew each run, so a run can be repeated, not replayed.

export interface Seeded {
  /** In [0, 1). */
  fraction(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  pick<T>(choices: readonly T[]): T;
  chance(share: number): boolean;
  /** Independent of this one from here on; the same for the same label. */
  fork(label: string): Seeded;
}

export function seeded(seed: number | string): Seeded {
  let state = typeof seed === "number" ? seed >>> 0 : hash(seed);
  const fraction = (): number => {
    // mulberry32: small, and good enough to choose faults.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    fraction,
    between: (low, high) => low + Math.floor(fraction() * (high - low + 1)),
    pick: (choices) => {
      const found = choices[Math.floor(fraction() * choices.length)];
      if (found === undefined) throw new Error("nothing to pick from");
      return found;
    },
    chance: (share) => fraction() < share,
    fork: (label) => seeded(`${seed}/${label}`),
  };
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const unit of text) {
    value = Math.imul(value ^ (unit.codePointAt(0) ?? 0), 0x01000193);
  }
  return value >>> 0;
}
