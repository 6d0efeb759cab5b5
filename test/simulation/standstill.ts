// Where nobody sweeps and no poisoned message is told, a job may stand still, but only for a reason
// on this list, and only where that reason came true in this very job. Anything else is a defect
// that the sweeper would hide.
import { isTerminalJob } from "../../src/core/job.ts";
import type { Watch } from "../../src/core/effect.ts";
import type { JobState } from "../../src/core/job.ts";
import { NO_WATCH } from "../../src/runtime/projection.ts";
import { areClocksRight } from "./plan.ts";
import type { Case, Stage } from "./stage.ts";

/** Each with what must have happened to the job's messages. */
const REASONS: readonly { readonly name: string; readonly when: readonly string[] }[] = [
  // The platform lost the only message that would have gone on.
  { name: "a message was lost", when: ["dropped", "lost", "poisoned"] },
  // Accepted, or recorded as queued, while the queue refused to take the message.
  { name: "the queue refused a message", when: ["refused"] },
  // What was handed out again, or had claimed an attempt, comes as a new message that judges none.
  { name: "a message was put back, and came as a new one", when: ["put back"] },
  { name: "a message was put back for too long", when: ["too old"] },
  // Then no wake is sent that would judge the worker.
  { name: "it was not sure that a suspicion is stored", when: ["suspicion refused"] },
  // Whoever wrote the entry died before it sent, and no message of its own comes back.
  { name: "a caller without a message died", when: ["caller died", "cancel unanswered"] },
  // Of two deliveries of one message the other one was acknowledged.
  { name: "the worker died and another one acknowledged its message", when: ["worker died"] },
];

/** True where nothing is on its way any more; then every live job needs a reason. */
export function standsStill(
  world: Stage,
  isKnown: (jobId: string) => boolean,
  stuck: string[],
): boolean {
  if (world.plan.mode !== "no_rescue" || world.post.length > 0) return false;
  for (const trial of world.judge.accepted) {
    if (trial.isOver) continue;
    const reason = reasonOf(world, trial, isKnown(trial.jobId));
    if (reason === undefined) world.fail(unexplained(world, trial));
    else stuck.push(reason);
  }
  return true;
}

function reasonOf(
  world: Stage,
  { jobId, state, projected }: Case,
  isKnown: boolean,
): string | undefined {
  const { losses } = world.judge;
  // Only the projection is old: lists lag, the journal has everything.
  if (isTerminalJob(state)) return "the last refresh of the projection was lost";
  // Whoever submitted it died before it sent and answered; nobody was told of the job.
  if (!isKnown && state.seq === 0) return "an accepted job was never answered";
  if (state.status === "cancelling" && hasLateChunk(state)) {
    return "a cancel waits for the lease of a chunk that outlived its failed fan_out";
  }
  const { suspects = {} } = (projected?.["watch"] ?? NO_WATCH) as Watch;
  if (!areClocksRight(world.plan) && Object.keys(suspects).length > 0) {
    return "a worker was suspected by one clock and judged by another";
  }
  return REASONS.find(({ when }) => when.some((why) => losses.has(jobId, why)))?.name;
}

/** Its outcomes came too late to count, so nothing tells that its worker has ended. */
function hasLateChunk({ nodes }: JobState): boolean {
  return Object.values(nodes).some(
    ({ status, fan }) =>
      status === "failed" && (fan?.chunks.some((chunk) => chunk.status === "queued") ?? false),
  );
}

function unexplained(world: Stage, { jobId, state }: Case): string {
  const why = world.judge.losses.of(jobId).join(", ");
  return `${jobId} stands still for no reason: ${describe(state)}; known: ${why || "nothing"}`;
}

function describe(state: JobState): string {
  const nodes = Object.entries(state.nodes)
    .filter(([, { status }]) => status === "queued" || status === "running")
    .map(([id, { status, attempt }]) => `${id} ${status} (${attempt})`);
  return `${state.status}, entry ${state.seq}, ${nodes.join(", ")}`;
}
