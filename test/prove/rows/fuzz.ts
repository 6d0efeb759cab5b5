// Row: made-up YAML, expressions, templates, HTTP requests, queue messages and handler outputs. No
// crash, only typed errors, every case within counted bounds, built-in prototypes as they were; and
// expressions mean what two CEL libraries say, where these agree. A failure names seed and path:
// `replay(kind, seed, path)` of test/fuzz/fuzz.ts runs that case again.
import { ROUTES } from "../../../src/functions/routes.ts";
import type { FuzzKind, FuzzReport } from "../../fuzz/fuzz.ts";
import { inWorkers } from "../pool.ts";
import type { Task } from "../pool.ts";
import type { ProveOptions, Row } from "../row.ts";

const LONG: Readonly<Record<FuzzKind, number>> = {
  yaml: 100_000,
  expressions: 100_000,
  templates: 100_000,
  http: 340_000,
  queue: 50_000,
  outputs: 50_000,
};
/** CI runs one case of a hundred; of HTTP its unit tests send some 4,000. */
const SMALL_SHARE = 0.01;
const SMALL_HTTP = 500;
const LEAST_OF_ROUTE = 10_000;
const CASES_PER_TASK = 10_000;
/** Each batch of 250 has a seed of its own. */
const CASES_PER_SEED = 250;
/** Of the expressions that CEL can say as well, at the least. */
const LEAST_COMPARED = 0.5;

interface Part extends Task {
  readonly input: { readonly kind: FuzzKind; readonly seed: number; readonly count: number };
}

export async function run(options: ProveOptions): Promise<Row> {
  const parts = partsOf(options);
  const results = await inWorkers(parts, options.workers, (done) => {
    options.say(`   ${done} of ${parts.length} parts`);
  });
  const reports = results.map((one) => (one.ok ? (one.value as FuzzReport) : undefined));
  const kinds = Object.keys(LONG) as FuzzKind[];
  const byKind = kinds.map((kind) => {
    const own = reports.filter((_, index) => parts[index]?.input.kind === kind);
    return { kind, ...together(own.filter((one) => one !== undefined)) };
  });
  const broken = results.flatMap((one) => (one.ok ? [] : [one.error]));
  const failures = byKind.flatMap((one) => one.failures);
  const last = parts.at(-1)?.input;
  const end = last === undefined ? 0 : last.seed + Math.ceil(last.count / CASES_PER_SEED) - 1;
  return {
    what: "fuzz",
    atLeast: kinds.map((kind) => `${sized(options, kind).toLocaleString("en")} ${kind}`).join(", "),
    measured: `${byKind
      .map(({ kind, cases }) => `${cases.toLocaleString("en")} ${kind}`)
      .join(", ")}, ${failures.length} failures; slowest ${slowest(byKind)}`,
    seeds: `${options.firstSeed}–${end}`,
    violations: [...failures, ...broken, ...shortfalls(options, byKind), ...uncompared(byKind)],
    notes: byKind.map(noteOf),
  };
}

function sized({ long }: ProveOptions, kind: FuzzKind): number {
  if (long) return LONG[kind];
  return kind === "http" ? SMALL_HTTP : LONG[kind] * SMALL_SHARE;
}

function partsOf(options: ProveOptions): readonly Part[] {
  const parts: Part[] = [];
  let seed = options.firstSeed;
  for (const kind of Object.keys(LONG) as FuzzKind[]) {
    const all = sized(options, kind);
    for (let from = 0; from < all; from += CASES_PER_TASK) {
      const count = Math.min(CASES_PER_TASK, all - from);
      parts.push({ task: "fuzz", input: { kind, seed, count } });
      seed += Math.ceil(count / CASES_PER_SEED);
    }
  }
  return parts;
}

type Together = Omit<FuzzReport, "slowest"> & {
  readonly slowest: FuzzReport["slowest"] | undefined;
};

function together(reports: readonly FuzzReport[]): Together {
  const tally = new Map<string, number>();
  for (const [name, count] of reports.flatMap((one) => Object.entries(one.tally))) {
    tally.set(name, (tally.get(name) ?? 0) + count);
  }
  const most = (unit: "steps" | "bytes" | "items"): number =>
    Math.max(0, ...reports.map((one) => one.most[unit] ?? 0));
  return {
    cases: reports.reduce((sum, one) => sum + one.cases, 0),
    failures: reports.flatMap((one) => one.failures),
    most: { steps: most("steps"), bytes: most("bytes"), items: most("items") },
    slowest: reports.map((one) => one.slowest).toSorted((a, b) => b.ms - a.ms)[0],
    tally: Object.fromEntries(tally),
  };
}

type OfKind = Together & { readonly kind: FuzzKind };

function slowest(all: readonly OfKind[]): string {
  const [first] = all.toSorted((a, b) => (b.slowest?.ms ?? 0) - (a.slowest?.ms ?? 0));
  return `${first?.slowest?.ms.toFixed(0) ?? "?"} ms of processor time (${first?.kind ?? "none"})`;
}

function noteOf({ kind, most, slowest: slow, tally }: OfKind): string {
  const counts = Object.entries(tally).map(([name, count]) => `${name} ${count}`);
  const { steps = 0, bytes = 0, items = 0 } = most;
  const time = slow === undefined ? "" : `; slowest ${slow.ms.toFixed(0)} ms: ${slow.case}`;
  const shown = time.replaceAll(/\s+/g, " ").slice(0, 160);
  const costs = `most ${steps} steps, ${bytes} bytes, ${items} items`;
  return `${kind}: ${costs}; ${counts.join(", ")}${shown}`;
}

/** Cases that did not run, or ran for other routes. */
function shortfalls(options: ProveOptions, all: readonly OfKind[]): readonly string[] {
  const few = all
    .filter(({ kind, cases, failures }) => failures.length === 0 && cases < sized(options, kind))
    .map(({ kind, cases }) => `${kind}: only ${cases} cases ran`);
  if (!options.long) return few;
  const tally = all.find(({ kind }) => kind === "http")?.tally ?? {};
  const neglected = ROUTES.map(({ name }) => ({ name, count: tally[name] ?? 0 }))
    .filter(({ count }) => count < LEAST_OF_ROUTE)
    .map(({ name, count }) => `http: only ${count} requests for ${name}`);
  return [...few, ...neglected];
}

/** A comparison that compares nothing proves nothing. */
function uncompared(all: readonly OfKind[]): readonly string[] {
  const tally = all.find(({ kind }) => kind === "expressions")?.tally ?? {};
  const count = (name: string): number => tally[name] ?? 0;
  const equal = count("equal value") + count("equal error");
  const others = Object.entries(tally)
    .filter(([name]) => name.startsWith("documented") || name === "CEL libraries differ")
    .reduce((sum, [, one]) => sum + one, 0);
  if (equal > LEAST_COMPARED * (equal + others)) return [];
  return [`expressions: only ${equal} were equal to CEL, ${others} were not compared`];
}
