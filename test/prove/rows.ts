// The rows of the table, in its order.
import type { RowMaker } from "./row.ts";

export const ROWS: readonly RowMaker[] = [];
