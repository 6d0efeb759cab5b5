// The runs whose every request is broken in turn: each shipped workflow with each of its cases, and
// a few of our own that reach the places which those do not: a cancel, a sweep, a lost worker, a
// lease renewed, outcomes too large for their entry.
import { keep, known, ofShape } from "./definitions.ts";
import type { Shape } from "./definitions.ts";
import type { Faults, Happening, JobPlan, Plan } from "./plan.ts";
import { NO_RATES } from "./plan.ts";
import type { RunOptions } from "./schedule.ts";
import { shippedCases, shippedHandlers, wrongEnd } from "./shipped.ts";
import type { ShippedCase } from "./shipped.ts";
import type { World } from "./world.ts";

export interface Scenario {
  readonly name: string;
  readonly plan: Plan;
  readonly options: RunOptions;
  /** Too large for every pair of its requests. */
  readonly isShipped: boolean;
}

const PROCESS = { build: "holdfast@0.1.0+sim", skew: 0, lacks: [], kit: 0 };

function planOf(
  job: Omit<JobPlan, "at" | "clients">,
  given: {
    readonly faults?: Faults;
    readonly happenings?: readonly Happening[];
    readonly clients?: number;
  } = {},
): Plan {
  return {
    seed: 1,
    mode: "all",
    processes: [PROCESS],
    jobs: [{ ...job, at: 0, clients: given.clients ?? 1 }],
    happenings: given.happenings ?? [],
    calm_at: 0,
    noise: false,
    rates: NO_RATES,
    faults: given.faults ?? {},
  };
}

/** Every scenario, or those of these workflow files. */
export function scenarios(workflows?: readonly string[]): readonly Scenario[] {
  const isWanted = ({ name }: { readonly name: string }): boolean =>
    workflows === undefined || workflows.some((one) => name.startsWith(`${one}:`));
  return [...shippedCases().map(shipped), ...own()].filter(isWanted);
}

function shipped(one: ShippedCase): Scenario {
  const check = (world: World): void => {
    // flaky_echo counts attempts: with a lost one more a task may succeed after all.
    if (one.definition === "shipped:retry" && one.status === "failed") return;
    for (const trial of world.judge.accepted) {
      const wrong = wrongEnd(one, trial);
      if (wrong !== undefined) world.fail(`${one.name}: ${wrong}`);
    }
  };
  const plan = planOf({ definition: one.definition, input: one.input });
  return { name: one.name, plan, options: { handlers: shippedHandlers, check }, isShipped: true };
}

function scripted(params: Shape): Shape {
  return { edition: 1, script: ["ok"], pad: 0, list: 0, reads: {}, ...params };
}

function task(next: readonly string[], more: Shape = {}, params: Shape = {}): Shape {
  return { type: "task", handler: "scripted", params: scripted(params), next, ...more };
}

const SHAPES: Readonly<Record<string, Shape>> = {
  pair: {
    workflow_id: "pair",
    version: 1,
    nodes: {
      start: { type: "start", next: ["a", "b"] },
      a: task(["c"]),
      b: task(["c"]),
      c: task([], {}, { reads: { a: "{{ default(nodes.a.output.t, null) }}" } }),
    },
  },
  late: {
    workflow_id: "late",
    version: 1,
    timeout_seconds: 70,
    nodes: {
      start: { type: "start", next: ["a"] },
      a: task([], { timeout_seconds: 60, retry: { max_attempts: 3 } }, { script: ["hang"] }),
    },
  },
  patient: {
    workflow_id: "patient",
    version: 1,
    nodes: {
      start: { type: "start", next: ["a"] },
      a: task([], { retry: { initial_delay_seconds: 60 } }, { script: ["fail", "ok"] }),
    },
  },
  large: {
    workflow_id: "large",
    version: 1,
    nodes: {
      start: { type: "start", next: ["a"] },
      a: task(["split"], {}, { pad: 9000 }),
      split: fan({ max_parallel: 36 }, { pad: 7800 }),
      join: { type: "fan_in", aggregation: "sum", select: "value.n" },
    },
    inputs: { items: { type: "array", default: [] } },
  },
  few: {
    workflow_id: "few",
    version: 1,
    nodes: {
      start: { type: "start", next: ["split"] },
      split: fan(
        { max_parallel: 2, retry: { initial_delay_seconds: 1 } },
        { script: ["fail", "ok"] },
      ),
      join: { type: "fan_in", select: "value.t" },
    },
    inputs: { items: { type: "array", default: [] } },
  },
};

function fan(more: Shape, params: Shape): Shape {
  const item = { item: "{{ item }}", index: "{{ index }}" };
  return {
    type: "fan_out",
    source: "{{ inputs.items }}",
    task: { handler: "scripted", params: { ...scripted(params), ...item } },
    next: ["join"],
    ...more,
  };
}

function own(): readonly Scenario[] {
  for (const [name, shape] of Object.entries(SHAPES)) {
    keep(`own:${name}`, { ...ofShape(`own:${name}`, shape), ...known(shape) });
  }
  const items = (count: number): JobPlan["input"] => ({
    items: Array.from({ length: count }, (_, index) => index),
  });
  const pair = { definition: "own:pair", input: {} };
  const patient = { definition: "own:patient", input: {} };
  const few = { definition: "own:few", input: items(4) };
  const make = (name: string, plan: Plan): Scenario => ({
    name,
    plan,
    options: {},
    isShipped: false,
  });
  const cancel = (at: number): Happening => ({ at, type: "cancel", job: 0 });
  return [
    make("key: two clients", planOf({ ...pair, key: "k" }, { clients: 2 })),
    make("cancel: of tasks", planOf(pair, { happenings: [cancel(12)], faults: slow })),
    make("cancel: of a fan_out", planOf(few, { happenings: [cancel(12)], faults: slow })),
    make("cancel: of a long wait", planOf(patient, { happenings: [cancel(5000)] })),
    make("read: at three times", planOf(pair, { happenings: [read(4), read(15), read(200)] })),
    make("sweep: of a lost start", planOf(pair, { faults: { "send:1": "dropped" } })),
    make("sweep: of a lost task", planOf(pair, { faults: { "send:2": "dropped" } })),
    {
      ...make("sweep: of a lost task while the queue is down", queueDown(pair)),
      options: { check: endsWithin(880) },
    },
    {
      ...make("sweep: of a late task", planOf(pair, { faults: late })),
      options: { check: forOneBroken(endsWithin(310)) },
    },
    make("sweep: of a lost chunk", planOf(few, { faults: { "send:3": "dropped" } })),
    make("poison: of a start", planOf(pair, { faults: { "take:1": "poisoned" } })),
    make("poison: of a task", planOf(pair, { faults: { "take:2": "poisoned" } })),
    make("poison: of a chunk", planOf(few, { faults: { "take:2": "poisoned" } })),
    make("worker: lost with a task", planOf(pair, { faults: { "run:1": "kills" } })),
    make("worker: lost with a chunk", planOf(few, { faults: { "run:2": "kills" } })),
    make("deaths: at each attempt at a task", planOf(pair, { faults: deadly })),
    make("deaths: at each attempt at a chunk", planOf(few, { faults: deadly })),
    make("claim: as the job is cancelled", planOf(few, { faults: { "io:11": "cancelled:4" } })),
    make("claim: as it is cancelled later", planOf(few, { faults: { "io:38": "cancelled:4" } })),
    make("publish: while a job runs", republished(few)),
    make("lease: renewed", planOf(pair, { faults: { "run:1": "slow:95000" } })),
    make("lease: renewed just before the verdict", asleep(pair)),
    make("lease: of a chunk", planOf(few, { faults: { "run:2": "slow:95000" } })),
    make("deadline: of a hanging task", planOf({ definition: "own:late", input: {} })),
    make("large: outputs and hand-ins", planOf({ definition: "own:large", input: items(72) })),
  ];
}

/** Two processes at work on one job; one is suspected by the other, and wakes up in time. */
function asleep(job: Omit<JobPlan, "at" | "clients">): Plan {
  const faults = { "run:1": "slow:95000", "run:2": "slow:95000" };
  const pause: Happening = { at: 30_000, type: "pause", process: 0, ms: 33_000 };
  // A message of nobody goes to the one, so that the wake goes to the other.
  const turn: Happening = { at: 65_000, type: "forge", job: 0, kind: 7 };
  const plan = planOf(job, { happenings: [pause, turn], faults });
  return { ...plan, processes: [PROCESS, PROCESS], calm_at: 66_000 };
}

/**
 * A message is lost, and then the queue takes none for seven minutes. What could not be sent is
 * tried at each sweep, not after a gap that doubles.
 */
function queueDown(job: Omit<JobPlan, "at" | "clients">): Plan {
  const outage: Happening = { at: 40_000, type: "outage", what: "queue", ms: 410_000 };
  const plan = planOf(job, { happenings: [outage], faults: { "send:2": "dropped" } });
  return { ...plan, calm_at: 450_000 };
}

type Check = (world: World) => void;

function endsWithin(seconds: number): Check {
  return (world) => {
    for (const { jobId, endedAt = 0 } of world.judge.accepted) {
      if (endedAt > seconds * 1000) world.fail(`${jobId} ended after ${endedAt / 1000} s`);
    }
  };
}

/** What two broken requests may cost is bounded for all scenarios alike. */
function forOneBroken(check: Check): Check {
  return (world) => {
    const places = Object.keys(world.plan.faults ?? {});
    if (places.filter((place) => place.startsWith("io:")).length <= 1) check(world);
  };
}

/** The definition is edited, and another job begins with it, while the first still has work. */
function republished(job: Omit<JobPlan, "at" | "clients">): Plan {
  const plan = planOf(job, { happenings: [{ at: 8, type: "publish", job: 0, how: "next" }] });
  return { ...plan, jobs: [...plan.jobs, { ...job, at: 200, clients: 1 }] };
}

const deadly: Faults = Object.fromEntries(
  Array.from({ length: 30 }, (_, run) => [`run:${run + 1}`, "kills"]),
);
/**
 * A task starts just before a sweep. If its worker dies at once, the sweep must see that it began:
 * sent again as one that did not, it is looked at after a gap, and that message is lost too.
 */
const late: Faults = { "send:2": "delayed:95", "send:3": "dropped" };
const slow: Faults = { "run:1": "slow:3000", "run:2": "slow:3000" };

function read(at: number): Happening {
  return { at, type: "read", job: 0 };
}
