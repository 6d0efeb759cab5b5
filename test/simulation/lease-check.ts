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

/** Who wakes up with minutes of its invocation gone hands back what no longer fits, soon after. */
const SOON_MS = 10_000;

/** `at` is that of the entry that tells of the loss, `job` the state before it. */
export function checkLost(
  trial: Case,
  lost: Lost,
  { job, at }: { readonly job: JobState; readonly at: Instant },
): void {
  if (!areClocksRight(trial.world.plan) || mayBeHandedBack(trial, lost, job)) return;
  const { node_id, chunk, attempt } = lost;
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

/** Somebody slept until just now, and no handler is at work on the attempt. */
function mayBeHandedBack(
  trial: Case,
  { node_id, chunk, attempt }: Lost,
  { nodes }: JobState,
): boolean {
  const { processes, time } = trial.world;
  const { now } = time;
  const hasSlept = processes.some(
    ({ pausedUntil }) => pausedUntil > 0 && pausedUntil <= now && pausedUntil > now - SOON_MS,
  );
  if (!hasSlept) return false;
  const { fan } = nodes[node_id] ?? {};
  const items = chunk === undefined ? [undefined] : (fan?.chunks[chunk]?.items ?? []);
  return items.every((index) => {
    const one = trial.execution(node_id, attempt, index);
    return one === undefined || one.answer !== undefined;
  });
}
