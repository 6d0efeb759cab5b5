// A plan from a seed: how many jobs of which definitions, in how many processes, how much goes
// wrong, and what happens when. Small ones mostly, so that many can run; large ones now and then.
import { knownDefinition } from "./definitions.ts";
import { Dice, Draws, STREAM } from "./dice.ts";
import { HANDLERS } from "./random-definition.ts";
import { NO_RATES } from "./plan.ts";
import type { Happening, JobPlan, Mode, Plan, ProcessPlan, Rates } from "./plan.ts";

/** Seeds side by side share definitions, so that each need not be made for one run only. */
const BLOCK = 1_000;
const DEFINITIONS_OF_BLOCK = 25;

export function randomPlan(seed: number, mode: Mode): Plan {
  const draws = new Draws(new Dice(seed), STREAM.plan);
  const jobs = jobsOf(seed, mode, draws);
  const isFaulty = mode !== "fault_free";
  const calm_at = isFaulty ? 1000 * draws.pick([5, 30, 90, 200, 400, 700]) : 0;
  const processes = processesOf(mode, draws);
  const rates = isFaulty ? ratesOf(mode, draws) : NO_RATES;
  const happenings = isFaulty
    ? happeningsOf(draws, { calm_at, mode, jobs: jobs.length, processes: processes.length })
    : [];
  return { seed, mode, processes, jobs, happenings, calm_at, noise: true, rates };
}

function jobsOf(seed: number, mode: Mode, draws: Draws): readonly JobPlan[] {
  const drawn = draws.unit();
  const count = drawn < 0.85 ? 1 : drawn < 0.97 ? 2 : 3;
  const block = Math.floor(seed / BLOCK) * DEFINITIONS_OF_BLOCK;
  return Array.from({ length: count }, (_, index) => {
    const definition = `random:${block + draws.below(DEFINITIONS_OF_BLOCK)}`;
    const hasKey = draws.chance(0.5);
    const clients = hasKey && draws.chance(0.2) ? draws.between(2, 3) : 1;
    const at = index === 0 ? 0 : draws.below(mode === "fault_free" ? 100 : 3000);
    const job = { definition, input: { items: itemsOf(draws, definition) }, at, clients };
    return hasKey ? { ...job, key: `key ${index}` } : job;
  });
}

function itemsOf(draws: Draws, definition: string): readonly number[] {
  const { nodes } = knownDefinition(definition).entry.definition;
  const hasFan = Object.values(nodes).some(({ type }) => type === "fan_out");
  const drawn = draws.unit();
  if (!hasFan) return [];
  const count = drawn < 0.9 ? draws.below(5) : drawn < 0.99 ? draws.below(14) : draws.below(60);
  return Array.from({ length: count }, (_, index) => index * 3);
}

function processesOf(mode: Mode, draws: Draws): readonly ProcessPlan[] {
  const drawn = draws.unit();
  const count = drawn < 0.3 ? 1 : drawn < 0.7 ? 2 : 3;
  const isSkewed = mode !== "fault_free" && draws.chance(0.3);
  const isMixed = mode !== "fault_free" && count > 1 && draws.chance(0.25);
  return Array.from({ length: count }, (_, place) => ({
    build: isMixed && place === 0 ? "holdfast@0.0.9+old" : "holdfast@0.1.0+sim",
    skew: isSkewed ? draws.between(-60_000, 60_000) : 0,
    lacks: isMixed && place === 0 && draws.chance(0.5) ? [HANDLERS[1]] : [],
    kit: isMixed && place === 0 ? 1 : 0,
  }));
}

function ratesOf(mode: Mode, draws: Draws): Rates {
  const io = draws.pick([0, 0.01, 0.02, 0.05, 0.1, 0.25]);
  const message = draws.pick([0, 0, 0.05, 0.15, 0.3]);
  const handler = draws.pick([0, 0, 0.05, 0.2]);
  return { io, message, handler, sweep: mode === "all" ? draws.pick([0, 0, 0.3]) : 0 };
}

interface Range {
  readonly calm_at: number;
  readonly mode: Mode;
  readonly jobs: number;
  readonly processes: number;
}

function happeningsOf(draws: Draws, range: Range): readonly Happening[] {
  const count = draws.pick([0, 0, 1, 1, 2, 3, 5]);
  return Array.from({ length: count }, () => happening(draws, range)).filter(
    // Whoever sweeps rescues.
    ({ type }) => range.mode === "all" || type !== "sweep",
  );
}

function happening(draws: Draws, range: Range): Happening {
  // Most of a job's life is its first seconds; the waits of minutes need some too.
  const span = draws.chance(0.7) ? Math.min(range.calm_at, 3000) : range.calm_at;
  const at = draws.below(span);
  const process = draws.below(range.processes);
  const job = draws.below(range.jobs);
  const drawn = draws.unit();
  if (drawn < 0.15) return { at, type: "crash", process, ms: draws.pick([10, 1000, 30_000]) };
  if (drawn < 0.3) {
    return { at, type: "pause", process, ms: 1000 * draws.pick([2, 45, 70, 200, 700]) };
  }
  if (drawn < 0.4) return { at, type: "jump", process, ms: 1000 * draws.between(-120, 120) };
  if (drawn < 0.55) return { at, type: "cancel", job };
  if (drawn < 0.7) return { at, type: "read", job };
  if (drawn < 0.75) return { at, type: "sweep" };
  if (drawn < 0.83) return { at, type: "forge", job, kind: draws.below(72) };
  if (drawn < 0.9) {
    const ms = 1000 * draws.pick([1, 10, 90, 300]);
    return { at, type: "outage", ms, what: draws.pick(["store", "store", "queue"]) };
  }
  return { at, type: "publish", job, how: draws.pick(["next", "again", "remove", "back"]) };
}
