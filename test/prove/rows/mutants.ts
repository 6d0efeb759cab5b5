// Seeded mutants: the engine is built once for every known defect and run through the simulator
// until a proof fails. A mutant that no proof notices is a blind spot, unless it is known and says
// why nothing can notice it.
import { buildWorker } from "../../../build/prove.mjs";
import type {
  CampaignResult,
  CrashPointsInput,
  SchedulesInput,
} from "../../simulation/campaign.ts";
import { CORE_MUTANTS } from "../mutants/core-mutants.ts";
import { DEATHS } from "../mutants/deaths.ts";
import type { Mutant } from "../mutants/mutant.ts";
import { RUNTIME_MUTANTS } from "../mutants/runtime-mutants.ts";
import { runTask } from "../pool.ts";
import type { Task } from "../pool.ts";
import type { ProveOptions, Row } from "../row.ts";

export const MUTANTS: readonly Mutant[] = [...CORE_MUTANTS, ...RUNTIME_MUTANTS];

/** Schedules that a mutant must survive, mode by mode; the first violation ends its run. */
const PATIENCE = { fault_free: 150, all: 1_500, no_rescue: 400 } as const;
/** Of the crash points, after the schedules. */
const PARTS = 11;
/** Ten times what the longest of these takes. */
const MAX_MS = 480_000;

interface Verdict {
  readonly mutant: Mutant;
  /** What noticed it first; undefined for a survivor. */
  readonly killedBy?: string;
  /** Why it could not be made: its code has changed. */
  readonly unmade?: string;
  readonly fired: number;
}

export async function run(options: ProveOptions): Promise<Row> {
  const verdicts: Verdict[] = [];
  const waiting = MUTANTS.values();
  const lane = async (): Promise<void> => {
    for (const one of waiting) {
      const verdict = await judge(one, options);
      options.say(`   ${one.name}: ${verdict.unmade ?? verdict.killedBy ?? "SURVIVED"}`);
      verdicts.push(verdict);
    }
  };
  await Promise.all(Array.from({ length: options.workers }, lane));
  return rowOf(verdicts, options);
}

function rowOf(verdicts: readonly Verdict[], options: ProveOptions): Row {
  const unmade = verdicts.flatMap(({ mutant, unmade: why }) =>
    why === undefined ? [] : [`${mutant.name} ${why}`],
  );
  const survivors = verdicts.filter(
    (verdict) => verdict.killedBy === undefined && verdict.unmade === undefined,
  );
  const killed = verdicts.length - survivors.length - unmade.length;
  const share = Math.floor((100 * killed) / verdicts.length);
  const unexplained = survivors
    .filter(({ mutant }) => mutant.survives === undefined)
    .map(({ mutant }) => `${mutant.name} survived: ${mutant.defect}`);
  const wrong = verdicts
    .filter(({ mutant, killedBy }) => mutant.survives !== undefined && killedBy !== undefined)
    .map(({ mutant }) => `${mutant.name} is killed, though it is said to survive`);
  const tooFew = share < 95 ? [`${share} % killed`] : [];
  return {
    what: "seeded mutants of the engine",
    atLeast: "25 mutants, 95 % killed, each survivor explained",
    measured: `${killed} of ${verdicts.length} killed (${share} %)`,
    seeds: `from ${options.firstSeed}`,
    fired: verdicts.reduce((sum, { fired }) => sum + fired, 0),
    violations: [...unmade, ...tooFew, ...unexplained, ...wrong],
    notes: survivors.map(({ mutant }) => `${mutant.name}: ${mutant.survives ?? "unexplained"}`),
  };
}

async function judge(mutant: Mutant, options: ProveOptions): Promise<Verdict> {
  const made = await make(mutant);
  if ("unmade" in made) return { mutant, unmade: made.unmade, fired: 0 };
  let fired = 0;
  for (const task of trials(mutant, options)) {
    const found = await attempt({ ...task, bundle: made.bundle, timeoutMs: MAX_MS });
    fired += found.fired;
    if (found.violation !== undefined) return { mutant, killedBy: found.violation, fired };
  }
  return { mutant, fired };
}

/** Where it is known to die comes first, unless that is what is to be found out. */
function* trials(mutant: Mutant, { firstSeed, long }: ProveOptions): Generator<Task> {
  const { name, survives } = mutant;
  const known = long ? undefined : DEATHS[name];
  if (known !== undefined && "seed" in known) {
    yield schedulesOf({ from: known.seed, count: 1, mode: known.mode });
  } else if (known !== undefined) yield crashPointsOf({ workflows: [known.scenarios] });
  // To find no death takes longest, and it is not expected.
  const isShort = survives !== undefined && !long;
  const modes: readonly (keyof typeof PATIENCE)[] = isShort
    ? ["fault_free"]
    : ["fault_free", "all", "no_rescue"];
  for (const mode of modes) {
    yield schedulesOf({ from: firstSeed, count: PATIENCE[mode], mode });
  }
  if (isShort) return;
  for (let part = 0; part < PARTS; part += 1) yield crashPointsOf({ part, parts: PARTS });
}

function schedulesOf(input: SchedulesInput): Task {
  return { task: "schedules", input: { ...input, stopAtFirst: true } };
}

function crashPointsOf(input: CrashPointsInput): Task {
  return { task: "crash-points", input: { ...input, stopAtFirst: true } };
}

async function make(
  mutant: Mutant,
): Promise<{ readonly bundle: string } | { readonly unmade: string }> {
  try {
    return { bundle: await buildWorker(`mutant-${mutant.name}`, mutant.changes) };
  } catch (error) {
    return { unmade: `cannot be made: ${error instanceof Error ? error.message : "no reason"}` };
  }
}

/** A run that breaks or never ends has noticed the defect too. */
async function attempt(
  task: Task,
): Promise<{ readonly violation?: string; readonly fired: number }> {
  const result = await runTask(task);
  if (!result.ok) return { violation: result.error.split("\n")[0] ?? "broke", fired: 0 };
  const { violations, fired: byFault } = result.value as CampaignResult;
  const fired = Object.values(byFault).reduce((sum, count) => sum + count, 0);
  const [first] = violations;
  if (first === undefined) return { fired };
  return { violation: `${first.mode} ${first.case}: ${first.message}`.slice(0, 160), fired };
}
