// Where each mutant is known to die, so that the small run need not search for it. Only a short cut:
// where it does not die there any more, it is searched for as in the long run.
import type { Mode } from "../../simulation/plan.ts";

/** A schedule, or the crash points of the scenarios whose names begin so, up to the colon. */
type Death =
  | { readonly mode: Mode; readonly seed: number }
  | { readonly scenarios: string };

export const DEATHS: Readonly<Record<string, Death>> = {
};
