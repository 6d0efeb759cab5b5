// The campaigns of the simulator, which a worker runs by name.
import { crashPoints, faultPairs, schedules } from "../simulation/campaign.ts";
import type { Tasks } from "./as-worker.ts";

export const CAMPAIGNS: Tasks = {
  "crash-points": crashPoints,
  "fault-pairs": faultPairs,
  schedules,
};
