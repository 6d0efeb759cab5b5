// A seeded mutant: the engine with one defect put into its sources on purpose. A proof that does
// not notice it is blind there. Each `from` must stand in its file exactly once, so a mutant cannot
// outlive the code that it changes without being noticed.
import type { Change } from "../../../build/prove.mjs";

export interface Mutant {
  readonly name: string;
  /** What is wrong with the engine now. */
  readonly defect: string;
  readonly changes: readonly Change[];
  /** Why no proof can notice it; only for a mutant that is known to survive. */
  readonly survives?: string;
}

/** A mutant of one change. */
export function mutant(
  name: string,
  defect: string,
  change: Change & { readonly survives?: string },
): Mutant {
  const { survives, ...only } = change;
  return { name, defect, changes: [only], ...(survives === undefined ? {} : { survives }) };
}
