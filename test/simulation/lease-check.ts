// An attempt may be taken for lost only when its worker has given no sign of life for a lease: not
// since it began, and not in the renewals that are stored. Only where all clocks are right, for a
// wrong one may take a minute off any lease.
import { attemptKey, claimId } from "../../src/core/effect.ts";
import type { Watch } from "../../src/core/effect.ts";
import { addSeconds } from "../../src/core/instant.ts";
import type { Instant } from "../../src/core/instant.ts";
import type { JobState } from "../../src/core/job.ts";
import { DEFAULT_TIMING } from "../../src/runtime/engine.ts";
import { must } from "./must.ts";
import { areClocksRight } from "./plan.ts";
import type { Case } from "./stage.ts";

interface Lost {
  readonly node_id: string;
  readonly chunk?: number;
  readonly attempt: number;
}

/** `at` is that of the entry that tells of the loss, `job` the state before it. */
export function checkLost(
  trial: Case,
  { node_id, chunk, attempt }: Lost,
  { job, at }: { readonly job: JobState; readonly at: Instant },
): void {
  if (!areClocksRight(trial.world.plan)) return;
  const { renewals } = (trial.projected?.["watch"] ?? { renewals: {} }) as Watch;
  const began =
    chunk === undefined
      ? job.nodes[node_id]?.started_at
      : (trial.object(claimId(node_id, chunk, attempt))["at"] as Instant);
  const key = attemptKey(node_id, attempt, chunk);
  for (const sign of [began, renewals[key]]) {
    if (sign === undefined) continue;
    const due = addSeconds(sign, DEFAULT_TIMING.lease_seconds);
    must(at >= due, `${key} is lost at ${at}, and gave a sign of life at ${sign}`);
  }
}
