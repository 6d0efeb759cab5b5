// The worker of a seeded mutant: the simulator alone, for it is built once for each of them.
import { asWorker } from "./as-worker.ts";
import { CAMPAIGNS } from "./simulator.ts";

await asWorker(CAMPAIGNS);
