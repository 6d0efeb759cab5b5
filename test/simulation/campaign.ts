// The campaigns of the simulator, as the prover runs them in child processes: input and result are
// JSON, nothing is printed, and vitest is not imported.
import { Dice, STREAM } from "./dice.ts";
import { fixtureOf } from "./fixture.ts";
import type { Mode, Plan } from "./plan.ts";
import { randomPlan } from "./random-plan.ts";
import { scenarios } from "./scenarios.ts";
import type { Scenario } from "./scenarios.ts";
import { runPlan } from "./schedule.ts";
import type { RunOptions, RunResult } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { SITES } from "./sites.ts";
import { Tally } from "./tally.ts";
import type { CampaignResult } from "./tally.ts";

export type { CampaignResult, Violation } from "./tally.ts";

export interface CrashPointsInput {
  /** Names of workflow files without their ending; all by default. */
  readonly workflows?: readonly string[];
  readonly part?: number;
  readonly parts?: number;
  readonly stopAtFirst?: boolean;
}

export interface FaultPairsInput {
  readonly part: number;
  readonly parts: number;
  /** Pairs to draw in all parts together; all pairs where it is absent. */
  readonly sample?: number;
  readonly seed?: number;
}

export interface SchedulesInput {
  readonly from: number;
  readonly count: number;
  /** By default each seed has a mode of its own. */
  readonly mode?: Mode;
  readonly stopAtFirst?: boolean;
}

const CRASH_FAULTS = ["crash_before", "crash_after", "ambiguous", "throttled"] as const;
/** One fault costs a lease, a sweep that just missed it, a re-send and a back-off at most. */
const MAX_MS_PER_FAULT = 190_000;
/** Scenarios with more requests get a sample of their pairs. */
const MAX_PAIRED_REQUESTS = 40;
/** A scenario with more requests than this has this many pairs in a campaign of all pairs. */
const PAIRS_OF_LARGE = 2_000;

/** Of ten seeds one has nobody who rescues, and one no fault. */
export function modeOf(seed: number): Mode {
  if (seed % 10 === 3) return "no_rescue";
  return seed % 10 === 7 ? "fault_free" : "all";
}

interface Base {
  readonly scenario: Scenario;
  readonly requests: number;
  /** How long its jobs take without a further fault. */
  readonly ms: number;
}

async function baseOf(scenario: Scenario, tally: Tally): Promise<Base> {
  let ms = 0;
  const { result } = await ran(scenario, {}, (took) => (ms = took));
  tally.add(scenario.name, "all", result);
  return { scenario, requests: result.requests, ms };
}

async function ran(
  { plan, options }: Scenario,
  faults: Readonly<Record<string, string>>,
  took: (ms: number) => void,
): Promise<{ readonly result: RunResult; readonly plan: Plan }> {
  const whole = { ...plan, faults: { ...plan.faults, ...faults } };
  const timed: RunOptions = {
    ...options,
    check: (world) => {
      options.check?.(world);
      const { accepted } = world.judge;
      took(Math.max(0, ...accepted.map((one) => (one.endedAt ?? 0) - (one.acceptedAt ?? 0))));
    },
  };
  return { result: await runPlan(whole, timed), plan: whole };
}

/** A base with faults in it, and whether its jobs ended in time. */
async function broken(
  base: Base,
  faults: Readonly<Record<string, string>>,
  tally: Tally,
): Promise<void> {
  let took = 0;
  const { result } = await ran(base.scenario, faults, (ms) => (took = ms));
  const name = `${base.scenario.name} ${JSON.stringify(faults)}`;
  tally.add(name, "all", result);
  // A further fault may make one of the scenario's own happen anew.
  const own = Object.keys(base.scenario.plan.faults ?? {}).length;
  const most = base.ms + MAX_MS_PER_FAULT * (own + Object.keys(faults).length);
  const late = `a job took ${Math.round(took / 1000)} s, ${Math.round(most / 1000)} s are allowed`;
  if (result.violation === undefined && took > most) tally.violated(name, "all", late);
}

/** Every request of every scenario, with each of four faults. */
export async function crashPoints(input: CrashPointsInput): Promise<CampaignResult> {
  const { part = 0, parts = 1, stopAtFirst = false } = input;
  const tally = new Tally();
  let turn = 0;
  for (const scenario of scenarios(input.workflows)) {
    const base = await baseOf(scenario, tally);
    for (let request = 1; request <= base.requests; request += 1) {
      for (const fault of CRASH_FAULTS) {
        if (stopAtFirst && tally.isViolated) return tally.result();
        turn += 1;
        if (turn % parts === part) await broken(base, { [`io:${request}`]: fault }, tally);
      }
    }
  }
  return tally.result();
}

/** Sites of the list that no run of the result reached. */
export function missedSites({ sites }: Pick<CampaignResult, "sites">): readonly string[] {
  return SITES.filter((site) => sites[site] === undefined);
}

/** Two faults in one run. */
export async function faultPairs(input: FaultPairsInput): Promise<CampaignResult> {
  const { part, parts, sample, seed = 1 } = input;
  const tally = new Tally();
  const bases: Base[] = [];
  for (const scenario of scenarios()) bases.push(await baseOf(scenario, tally));
  const dice = new Dice(seed);
  const count = (base: Base): number => (base.requests * (base.requests - 1)) / 2;
  const isSmall = (base: Base): boolean => base.requests <= MAX_PAIRED_REQUESTS;
  if (sample !== undefined) {
    for (let turn = part; turn < sample; turn += parts) {
      const base = bases[dice.below(STREAM.plan, turn, bases.length)];
      if (base !== undefined) await pair(base, { turn, dice }, tally);
    }
    return tally.result();
  }
  let turn = 0;
  for (const base of bases) {
    const faults = CRASH_FAULTS.length ** 2;
    const all = isSmall(base) ? count(base) * faults : PAIRS_OF_LARGE;
    for (let number = 0; number < all; number += 1) {
      turn += 1;
      if (turn % parts !== part) continue;
      if (isSmall(base)) await pairOf(base, number, tally);
      else await pair(base, { turn, dice }, tally);
    }
  }
  const large = bases.filter((base) => !isSmall(base)).map(({ scenario }) => scenario.name);
  const names = large.join("; ");
  tally.note(`sampled, for they make more than ${MAX_PAIRED_REQUESTS} requests: ${names}`);
  return tally.result();
}

/** A pair by chance. */
async function pair(
  base: Base,
  { turn, dice }: { readonly turn: number; readonly dice: Dice },
  tally: Tally,
): Promise<void> {
  const one = 1 + dice.below(STREAM.shape, turn, base.requests);
  const other = 1 + dice.below(STREAM.client, turn, base.requests);
  const first = dice.pick(STREAM.io_kind, turn, CRASH_FAULTS);
  const second = dice.pick(STREAM.io_fault, turn, CRASH_FAULTS);
  await broken(base, { [`io:${one}`]: first, [`io:${other}`]: second }, tally);
}

/** Pair `number` of all pairs of the base. */
async function pairOf(base: Base, number: number, tally: Tally): Promise<void> {
  const faults = CRASH_FAULTS.length;
  const first = CRASH_FAULTS[number % faults] ?? "throttled";
  const second = CRASH_FAULTS[Math.floor(number / faults) % faults] ?? "throttled";
  let left = Math.floor(number / faults ** 2);
  let one = 1;
  while (left >= base.requests - one) {
    left -= base.requests - one;
    one += 1;
  }
  await broken(base, { [`io:${one}`]: first, [`io:${one + 1 + left}`]: second }, tally);
}

/** Seeds side by side. A single one comes with its trace. */
export async function schedules(input: SchedulesInput): Promise<CampaignResult> {
  const { from, count, stopAtFirst = false } = input;
  const tally = new Tally();
  for (let seed = from; seed < from + count; seed += 1) {
    const mode = input.mode ?? modeOf(seed);
    const isTraced = count === 1;
    const result = await runPlan(randomPlan(seed, mode), { isTraced });
    tally.add(String(seed), mode, result);
    if (isTraced) for (const line of result.trace) tally.note(line);
    if (result.violation !== undefined && stopAtFirst) break;
    if (result.violation !== undefined && tally.shrunk < MAX_SHRUNK) {
      tally.shrunk += 1;
      const smallest = await shrink(result.plan);
      tally.note(`seed ${seed} (${mode}), shrunk: ${smallest.violation}`);
      // To be kept under test/simulation/fixtures.
      tally.note(JSON.stringify(fixtureOf(smallest)));
    }
  }
  return tally.result();
}

/** Shrinking costs hundreds of runs. */
const MAX_SHRUNK = 2;
