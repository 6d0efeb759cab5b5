// Feeds made-up cases of one kind to the product and says what broke. A kind's target throws where
// a promise does not hold; what a case cost is counted in steps, bytes and items and held against
// bounds, time is only reported. Everything follows from the seed: batch b runs with seed + b, and
// a failing case replays by its seed and path.
import { inspect } from "node:util";
import fc from "fast-check";
import { expressionTarget } from "./expressions.ts";
import { httpTarget } from "./http.ts";
import { outputTarget } from "./outputs.ts";
import { prototypeChanges, prototypesNow } from "./prototypes.ts";
import { queueTarget } from "./queue.ts";
import type { Cost, Target } from "./target.ts";
import { templateTarget } from "./templates.ts";
import { yamlTarget } from "./yaml.ts";

export const FUZZ_KINDS = ["yaml", "expressions", "templates", "http", "queue", "outputs"] as const;

export type FuzzKind = (typeof FUZZ_KINDS)[number];

export interface FuzzInput {
  readonly kind: FuzzKind;
  readonly seed: number;
  readonly count: number;
}

export interface Slowest {
  /** Processor time; nothing is judged by it. */
  readonly ms: number;
  readonly steps: number;
  readonly bytes: number;
  readonly items: number;
  readonly case: string;
}

export interface FuzzReport {
  readonly cases: number;
  readonly slowest: Slowest;
  /** The largest of each count, over all cases. */
  readonly most: Cost;
  /** Each with the seed and path that replay it. */
  readonly failures: readonly string[];
  /** What the cases were, by name: a generator that makes only refused cases proves little. */
  readonly tally: Readonly<Record<string, number>>;
}

const TARGETS: Readonly<Record<FuzzKind, () => Promise<Target>>> = {
  yaml: yamlTarget,
  expressions: expressionTarget,
  templates: templateTarget,
  http: httpTarget,
  queue: queueTarget,
  outputs: outputTarget,
};

/** Cases that share a target; one that keeps jobs in memory begins anew after so many. */
const BATCH = 250;
const MAX_FAILURES = 5;
const SHOWN = 400;

export async function fuzz({ kind, seed, count }: FuzzInput): Promise<FuzzReport> {
  const before = prototypesNow();
  const record = new Recorder();
  for (let batch = 0; batch * BATCH < count; batch += 1) {
    if (record.failures.length >= MAX_FAILURES) break;
    const numRuns = Math.min(BATCH, count - batch * BATCH);
    await runBatch(record, { kind, seed: seed + batch, count: numRuns });
  }
  record.failures.push(...prototypeChanges(before));
  return record.report();
}

/** Runs one case again: what a failure names. */
export async function replay(kind: FuzzKind, seed: number, path: string): Promise<string> {
  const target = await TARGETS[kind]();
  const property = fc.asyncProperty(target.cases, async (one) => {
    await target.check(one, { tell: () => undefined, timed: (work) => work() });
  });
  const result = await fc.check(property, { seed, path, endOnFailure: true });
  if (!result.failed) return "holds";
  return `${String(result.errorInstance)}: ${shown(result.counterexample)}`;
}

async function runBatch(record: Recorder, { kind, seed, count }: FuzzInput): Promise<void> {
  const target = await TARGETS[kind]();
  const property = fc.asyncProperty(target.cases, async (one) => {
    const watch = new Stopwatch();
    const cost = await target.check(one, {
      tell: (name) => record.count(name),
      timed: (work) => watch.timed(work),
    });
    record.cost(one, cost, watch.ms);
    for (const [unit, bound] of Object.entries(target.bounds)) {
      const spent = cost[unit as keyof Cost] ?? 0;
      if (spent > bound) throw new Error(`${spent} ${unit}, more than ${bound}`);
    }
  });
  const endOnFailure = target.isStateful;
  const result = await fc.check(property, { seed, numRuns: count, endOnFailure });
  record.cases += result.numRuns;
  if (result.failed) {
    const path = result.counterexamplePath ?? "";
    const reason = String(result.errorInstance).slice(0, SHOWN);
    record.failures.push(
      `${kind}: seed ${seed} path "${path}": ${reason}; case ${shown(result.counterexample)}`,
    );
  }
  const problems = await target.end();
  record.failures.push(...problems.map((problem) => `${kind}: seed ${seed}: ${problem}`));
}

/** Bounded while it is made: a value may stand for 2^50 others, or throw when it is read. */
function shown(value: unknown): string {
  const options = { depth: 6, maxArrayLength: 20, maxStringLength: 200, breakLength: Infinity };
  return inspect(value, options).slice(0, SHOWN);
}

/** Processor time of what the product did for one case; a promise is timed until it settles. */
class Stopwatch {
  ms = 0;

  timed<T>(work: () => T): T {
    const began = process.cpuUsage();
    const stop = (): void => {
      const { user, system } = process.cpuUsage(began);
      this.ms += (user + system) / 1000;
    };
    const result = work();
    if (result instanceof Promise) void result.then(stop, stop);
    else stop();
    return result;
  }
}

class Recorder {
  cases = 0;
  readonly failures: string[] = [];
  #slowest: Slowest = { ms: 0, steps: 0, bytes: 0, items: 0, case: "" };
  readonly #most = { steps: 0, bytes: 0, items: 0 };
  readonly #tally = new Map<string, number>();

  count(name: string): void {
    this.#tally.set(name, (this.#tally.get(name) ?? 0) + 1);
  }

  cost(one: unknown, { steps = 0, bytes = 0, items = 0 }: Cost, ms: number): void {
    this.#most.steps = Math.max(this.#most.steps, steps);
    this.#most.bytes = Math.max(this.#most.bytes, bytes);
    this.#most.items = Math.max(this.#most.items, items);
    if (ms > this.#slowest.ms) this.#slowest = { ms, steps, bytes, items, case: shown(one) };
  }

  report(): FuzzReport {
    const { cases, failures } = this;
    const names = [...this.#tally.keys()].sort();
    const tally = Object.fromEntries(names.map((name) => [name, this.#tally.get(name) ?? 0]));
    return { cases, slowest: this.#slowest, most: this.#most, failures, tally };
  }
}
