// One row of the table that `npm run prove` prints: what was demanded, what was measured, and
// whether it holds. A row that injects faults and fired none proves nothing, and fails.

export interface ProveOptions {
  /** The whole programme; otherwise the small one that fits CI. */
  readonly long: boolean;
  /** Where seeded rows begin; the long run goes on from here. */
  readonly firstSeed: number;
  /** How many seeds a seeded row runs; by default what its row demands. */
  readonly seeds?: number;
  /** Child processes at once. */
  readonly workers: number;
  /** Progress for a person who waits. */
  readonly say: (line: string) => void;
}

export interface Row {
  readonly what: string;
  /** The bar of the issue, for this size of run. */
  readonly atLeast: string;
  readonly measured: string;
  /** The seeds that ran, so that a run can be repeated; absent where nothing is random. */
  readonly seeds?: string;
  /** Faults that fired; absent where the row injects none. */
  readonly fired?: number;
  /** Each names what was violated and how to replay it. */
  readonly violations: readonly string[];
  /** What a reader should know beside the number. */
  readonly notes?: readonly string[];
}

export interface RowMaker {
  readonly name: string;
  readonly run: (options: ProveOptions) => Promise<Row>;
}

export function holds(row: Row): boolean {
  return row.violations.length === 0 && row.fired !== 0;
}
