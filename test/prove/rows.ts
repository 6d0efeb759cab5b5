// The rows of the table, in its order.
import type { RowMaker } from "./row.ts";
import { run as crashPoints } from "./rows/crash-points.ts";
import { run as fanOut } from "./rows/fan-out.ts";
import { run as faultPairs } from "./rows/fault-pairs.ts";
import { run as fuzz } from "./rows/fuzz.ts";
import { run as idempotentStart } from "./rows/idempotent-start.ts";
import { run as mutants } from "./rows/mutants.ts";
import { run as realStack } from "./rows/real-stack.ts";
import { run as schedules } from "./rows/schedules.ts";
import { run as soak } from "./rows/soak.ts";
import { run as upgrade } from "./rows/upgrade.ts";

export const ROWS: readonly RowMaker[] = [
  { name: "crash-points", run: crashPoints },
  { name: "fault-pairs", run: faultPairs },
  { name: "schedules", run: schedules },
  { name: "mutants", run: mutants },
  { name: "real-stack", run: realStack },
  { name: "fan-out", run: fanOut },
  { name: "fuzz", run: fuzz },
  { name: "idempotent-start", run: idempotentStart },
  { name: "soak", run: soak },
  { name: "upgrade", run: upgrade },
];
