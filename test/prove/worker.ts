// The worker of the prover: everything that runs in child processes, on the engine as it is.
import { fuzz } from "../fuzz/fuzz.ts";
import { mixedSchedules } from "../simulation/upgrade-campaign.ts";
import { asWorker } from "./as-worker.ts";
import { CAMPAIGNS } from "./simulator.ts";

await asWorker({ ...CAMPAIGNS, "mixed-schedules": mixedSchedules, fuzz });
