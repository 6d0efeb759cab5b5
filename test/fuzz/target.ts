// What a kind of fuzzing offers: cases, a check that throws where a promise breaks, and the bounds
// that every case must keep. A stateful one is made anew for each batch and judged at its end.
import type fc from "fast-check";

/** What one case cost, in counts: evaluation steps, bytes of text, values or tokens. */
export interface Cost {
  readonly steps?: number;
  readonly bytes?: number;
  readonly items?: number;
}

/** What a check reports while it is at it. */
export interface Probe {
  /** Names what became of the case. */
  readonly tell: (name: string) => void;
  /** Runs the product's part of a check; only that is timed. */
  readonly timed: <T>(work: () => T) => T;
}

export type Check<Case> = (one: Case, probe: Probe) => Cost | Promise<Cost>;

export interface Target<Case = unknown> {
  readonly cases: fc.Arbitrary<Case>;
  readonly check: Check<Case>;
  readonly bounds: Cost;
  /** Cases change what later ones meet, so a failing one is not made smaller. */
  readonly isStateful: boolean;
  /** What does not hold after a batch. */
  readonly end: () => Promise<readonly string[]>;
}

export function stateless<Case>(
  cases: fc.Arbitrary<Case>,
  check: Check<Case>,
  bounds: Cost,
): Target {
  return { cases, check, bounds, isStateful: false, end: async () => [] } as Target;
}

export function promise(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
