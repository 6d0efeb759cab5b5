// The rows of the table, in its order.
import type { RowMaker } from "./row.ts";
import { run as mutants } from "./rows/mutants.ts";
import { run as upgrade } from "./rows/upgrade.ts";

export const ROWS: readonly RowMaker[] = [
  { name: "mutants", run: mutants },
  { name: "upgrade", run: upgrade },
];
