// Types of prove.mjs for the rows of the prover.

/** One change of one source file: `from` must stand in it exactly once. */
export interface Change {
  /** Relative to the project. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Builds the prover's worker with these changes; resolves with the bundle's absolute path. */
export function buildWorker(name: string, changes: readonly Change[]): Promise<string>;
