// The rows of the table, in its order.
import type { RowMaker } from "./row.ts";
import { run as mutants } from "./rows/mutants.ts";
import { run as upgrade } from "./rows/upgrade.ts";
import { run as fanOut } from "./rows/fan-out.ts";
import { run as idempotentStart } from "./rows/idempotent-start.ts";
import { run as realStack } from "./rows/real-stack.ts";
import { run as soak } from "./rows/soak.ts";

export const ROWS: readonly RowMaker[] = [
  { name: "mutants", run: mutants },
  { name: "upgrade", run: upgrade },
  { name: "fan-out", run: fanOut },
  { name: "idempotent-start", run: idempotentStart },
  { name: "real-stack", run: realStack },
  { name: "soak", run: soak },
];
