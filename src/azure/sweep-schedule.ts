// The schedule of the sweeper, for the registration: read before the other settings, because the
// platform is told of every function before anything else of the app is loaded.
import { ncrontabProblem } from "./ncrontab.ts";

const SCHEDULE_SETTING = "HOLDFAST_SWEEP_SCHEDULE";
export const DEFAULT_SCHEDULE = "0 * * * * *";

/** Six NCRONTAB fields. One that is wrong counts as unset here; readSettings reports it. */
export function sweepSchedule(env: Readonly<Record<string, string | undefined>>): string {
  const given = env[SCHEDULE_SETTING]?.trim() ?? "";
  return given === "" || ncrontabProblem(given) !== undefined ? DEFAULT_SCHEDULE : given;
}
