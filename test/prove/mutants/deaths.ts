// The schedule at which each mutant is known to die, so that the small run need not search for it.
// Only a short cut: where it does not die there any more, it is searched for as in the long run.
import type { Mode } from "../../simulation/plan.ts";

interface Death {
  readonly mode: Mode;
  readonly seed: number;
}

export const DEATHS: Readonly<Record<string, Death>> = {
};
