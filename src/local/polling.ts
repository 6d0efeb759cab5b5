// When the queue trigger asks again: 100 ms after a message was found, and while the queue stays
// empty a randomised, doubling delay up to the maximum, where it stays.

export interface Polling {
  /** The delay after an empty or failed poll. */
  next(): number;
  /** A message was found: begin again. */
  reset(): void;
}

const MINIMUM_MS = 100;

/** `random` gives numbers from 0 to 1, like Math.random. */
export function createPolling(maximumMs: number, random: () => number): Polling {
  let exponent = 1;
  let atMaximum = false;
  return {
    next() {
      const share = 0.8 + 0.4 * random();
      const delay = MINIMUM_MS + share * 2 ** (exponent - 1) * MINIMUM_MS;
      atMaximum ||= delay >= maximumMs;
      exponent += 1;
      return atMaximum ? maximumMs : delay;
    },
    reset() {
      exponent = 1;
      atMaximum = false;
    },
  };
}
