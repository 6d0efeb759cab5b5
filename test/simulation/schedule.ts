// Runs one plan in a world of its own, from the first submission until everything has ended and
// nothing is on its way any more, and says what was wrong, if anything.
import { Clients } from "./clients.ts";
import type { EngineKit } from "./kit.ts";
import type { Plan } from "./plan.ts";
import type { HandlerMaker } from "./sim-handlers.ts";
import { standsStill } from "./standstill.ts";
import { World } from "./world.ts";

export interface RunOptions {
  readonly kits?: readonly EngineKit[];
  readonly isTraced?: boolean;
  /** Further handlers, such as the built-in ones. */
  readonly handlers?: HandlerMaker;
  /** Looks at the world once it is over, for what only the caller knows. */
  readonly check?: (world: World) => void;
}

export interface RunResult {
  readonly violation?: string;
  /** The plan with exactly the faults that fired. */
  readonly plan: Plan;
  readonly requests: number;
  readonly fired: Readonly<Record<string, number>>;
  readonly sites: Readonly<Record<string, number>>;
  readonly trace: readonly string[];
  readonly jobs: number;
  /** How long jobs stood still that nobody may rescue, by reason. */
  readonly stuck: readonly string[];
}

/** After everything has ended: what is still on its way must change nothing. */
const QUIET_MS = 30_000;
/** Looks at due times so often. */
const WATCH_MS = 20_000;

export async function runPlan(plan: Plan, options: RunOptions = {}): Promise<RunResult> {
  const { kits, isTraced = false } = options;
  const world = new World(plan, { isTraced, ...(kits === undefined ? {} : { kits }) });
  if (options.handlers !== undefined) world.use(options.handlers);
  const clients = new Clients(world);
  world.begin();
  const stuck: string[] = [];
  const watch = (): void => {
    if (plan.mode !== "no_rescue") world.judge.watchTime();
    world.time.after(WATCH_MS, watch);
  };
  world.time.after(plan.calm_at + WATCH_MS, watch);
  world.time.after(plan.calm_at, () => world.calm());
  const isKnown = (jobId: string): boolean => clients.isKnown(jobId);
  const isSettled = (): boolean => clients.isDone && !world.isChaos && world.host.isIdle;
  await world.run(() => isSettled() && (world.judge.isOver || standsStill(world, isKnown, stuck)));
  const until = world.time.now + QUIET_MS;
  world.time.after(QUIET_MS, () => undefined);
  await world.run(() => world.time.now >= until);
  if (world.violation === undefined) finalChecks(world, options);
  return {
    ...(world.violation === undefined ? {} : { violation: world.violation }),
    plan: { ...plan, faults: world.explicitFaults },
    requests: world.requests.count,
    fired: world.fired,
    sites: world.requests.sites,
    trace: world.trace,
    jobs: world.judge.accepted.length,
    stuck,
  };
}

function finalChecks(world: World, { check }: RunOptions): void {
  for (const ids of new Set(world.judge.trials.keys())) {
    const trial = world.judge.trials.get(ids);
    if (trial === undefined) continue;
    checkEfforts(world, ids);
    if (world.plan.mode === "fault_free" && trial.orphans > 0) world.fail("an outcome came late");
  }
  if (world.plan.mode === "fault_free") {
    const { resent } = world.host;
    // That a deadline has passed nobody tells but the sweeper: that is no rescue.
    const rescues = world.host.rescues - pastDeadline(world);
    if (rescues > 0 || resent > 0) world.fail(`${rescues} rescues, ${resent} sent again, no fault`);
  }
  check?.(world);
}

function pastDeadline({ judge }: World): number {
  const endings = [...judge.trials.values()].map(({ state }) => state.ending);
  const codes = endings.map((ending) => ending?.becomes === "failed" && ending.error.code);
  return codes.filter((code) => code === "DEADLINE_EXCEEDED").length;
}

/** Nothing runs more often than its attempts allow; without faults, never once too often. */
function checkEfforts(world: World, jobId: string): void {
  const trial = world.judge.trials.get(jobId);
  if (trial === undefined) return;
  for (const [what, effort] of world.handlers.efforts) {
    const [owner, nodeId = ""] = what.split("/");
    if (owner !== jobId) continue;
    const lost = world.plan.mode === "fault_free" ? 0 : 3;
    const allowed = Math.max(1, trial.model.maxAttempts(nodeId)) + lost;
    if (effort > allowed) world.fail(`${what} ran ${effort} times, ${allowed} are allowed`);
  }
}
