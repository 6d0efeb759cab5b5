// Row: many jobs on three processes without faults, then drained. Queues are empty, no job lives,
// nothing was sent again, and the memory of the workers stays flat: the slope of their heaps after
// garbage collection, over the jobs that ended, is printed and bounded.
import path from "node:path";
import { ChaosClient } from "../../chaos/client.ts";
import type { ClientLog } from "../../chaos/client-log.ts";
import { planLoad } from "../../chaos/load.ts";
import { residentBytes } from "../../chaos/process-facts.ts";
import { seeded } from "../../chaos/seeded.ts";
import { chaosHome, startStack } from "../../chaos/stack.ts";
import type { Stack } from "../../chaos/stack.ts";
import { storeReader } from "../../chaos/store-contents.ts";
import type { StoreReader } from "../../chaos/store-contents.ts";
import { ledgerSource, putFile, startDataServer } from "../../chaos/workflows.ts";
import { ROOT } from "../../support/app-fixture.ts";
import type { AppProcess } from "../../support/app-process.ts";
import { waitFor } from "../../support/wait-until.ts";
import type { ProveOptions, Row } from "../row.ts";

interface Size {
  readonly jobs: number;
  readonly samples: number;
  /** Of a worker's heap for each job that has ended. A small run is noisy: it tells whole jobs. */
  readonly mostBytesPerJob: number;
}

const LONG: Size = { jobs: 10_000, samples: 40, mostBytesPerJob: 300 };
const SHORT: Size = { jobs: 120, samples: 6, mostBytesPerJob: 65_536 };
const PROCESSES = 3;
/** Jobs that may be open at once. */
const OPEN = 60;
/** A message in a host's hands is not in line; swept thrice as often as in production, it shows. */
const RESENT_SHARE = 0.001;
/** Until then caches fill and code is compiled. */
const WARM_SHARE = 0.3;
const PACE = { sweepSeconds: 20, hiddenSeconds: 600 };
const JOB_TIMEOUT_MS = 120_000;

interface Sample {
  readonly jobs: number;
  /** Of each worker, after garbage collection. */
  readonly heaps: readonly number[];
  readonly resident: readonly number[];
}

export async function run(options: ProveOptions): Promise<Row> {
  const { firstSeed: seed, say } = options;
  const size = options.long ? LONG : SHORT;
  const data = await startDataServer();
  const home = await chaosHome(seed);
  putFile(home.fixture.folder, "ledger.yaml", ledgerSource(1));
  const database = `soak-${seed}`;
  const stack = await startStack({
    home,
    database,
    processes: PROCESSES,
    pace: PACE,
    random: seeded(seed),
    env: { NODE_OPTIONS: `--import=${path.join(ROOT, "test/chaos/heap-probe.mjs")}` },
  });
  const reader = storeReader(home.fixture.stores, database);
  try {
    const samples = await soak({ size, stack, seed, baseUrl: data.baseUrl, say });
    const violations = await drained(reader, size);
    const statuses = await reader.statuses();
    return rowOf({ size, seed, samples, statuses, stack, violations });
  } finally {
    await stack.stop();
    reader.close();
    await home.stop();
    await data.close();
  }
}

interface Soak {
  readonly size: Size;
  readonly stack: Stack;
  readonly seed: number;
  readonly baseUrl: string;
  readonly say: (line: string) => void;
}

/** Keeps a number of jobs open, and looks at the heaps now and then. */
async function soak({ size, stack, seed, baseUrl, say }: Soak): Promise<readonly Sample[]> {
  const log: ClientLog = { operations: [] };
  const random = seeded(seed).fork("soak");
  const plan = planLoad(size.jobs, random, baseUrl).map(({ cancelAfterMs: _none, ...one }) => one);
  const client = new ChaosClient({ address: () => stack.anyone()?.url, log, random });
  const ended = new LineCount("job.ended");
  const samples: Sample[] = [];
  const every = Math.ceil(size.jobs / size.samples);
  let submitted = 0;
  for (const planned of plan) {
    const hasRoom = (): boolean => submitted - ended.all(stack) < OPEN;
    await waitFor(hasRoom, { what: "an open job ends", timeoutMs: JOB_TIMEOUT_MS });
    void client.submit(planned).then(({ outcome, status }) => {
      if (outcome !== "ok") say(`${planned.workflow_id} was answered ${String(status)}`);
    });
    submitted += 1;
    if (submitted % every !== 0) continue;
    const sample = await sampled(stack, ended);
    samples.push(sample);
    say(`${sample.jobs} jobs ended, heaps ${sample.heaps.map(megabytes).join(", ")}`);
  }
  return samples;
}

/** Counts lines of a kind without reading a line twice: a long run asks often. */
class LineCount {
  readonly #name: string;
  readonly #read = new Map<AppProcess, { lines: number; found: number }>();

  constructor(name: string) {
    this.#name = name;
  }

  of(one: AppProcess): number {
    const known = this.#read.get(one) ?? { lines: 0, found: 0 };
    this.#read.set(one, known);
    const fresh = one.lines.slice(known.lines);
    known.lines += fresh.length;
    known.found += fresh.filter(({ event }) => event === this.#name).length;
    return known.found;
  }

  all(stack: Stack): number {
    return stack.all().reduce((sum, one) => sum + this.of(one), 0);
  }
}

async function sampled(stack: Stack, ended: LineCount): Promise<Sample> {
  const probes = new LineCount("probe.heap");
  const heaps = await Promise.all(
    stack.all().map(async (one) => {
      const before = probes.of(one);
      process.kill(one.pid, "SIGUSR2");
      await waitFor(() => probes.of(one) > before, { what: "a heap is told" });
      return Number(one.lines.findLast(({ event }) => event === "probe.heap")?.["heap_used"]);
    }),
  );
  const resident = stack.all().map(({ pid }) => residentBytes(pid));
  return { jobs: ended.all(stack), heaps, resident };
}

async function drained(reader: StoreReader, { jobs }: Size): Promise<readonly string[]> {
  const isDrained = async (): Promise<boolean> => {
    const queued = Object.values(await reader.messages()).some((one) => one > 0);
    return !queued && (await reader.liveJobs()).length === 0;
  };
  const wrong: string[] = [];
  try {
    await waitFor(isDrained, { what: "the stack is drained", timeoutMs: JOB_TIMEOUT_MS });
  } catch {
    const left = JSON.stringify(await reader.messages());
    const live = await reader.liveJobs();
    wrong.push(`live: ${live.length} jobs, ${live.slice(0, 3).join(", ")}; messages left: ${left}`);
  }
  const total = Object.values(await reader.statuses()).reduce((sum, one) => sum + one, 0);
  if (total !== jobs) wrong.push(`${total} jobs are stored, ${jobs} were submitted`);
  return wrong;
}

/** Every end is one line of a log, which is what monitoring counts. */
function wronglyTold(stack: Stack, jobs: number): readonly string[] {
  const lines = stack.all().flatMap((one) => one.lines);
  const ended = lines.flatMap(({ event, job_id }) => (event === "job.ended" ? [job_id] : []));
  const different = new Set(ended).size;
  if (ended.length === jobs && different === jobs) return [];
  return [`${ended.length} ends of ${different} jobs were logged`];
}

interface Ran {
  readonly size: Size;
  readonly seed: number;
  readonly samples: readonly Sample[];
  readonly statuses: Readonly<Record<string, number>>;
  readonly stack: Stack;
  readonly violations: readonly string[];
}

function rowOf({ size, seed, samples, statuses, stack, violations }: Ran): Row {
  const warm = samples.filter(({ jobs }) => jobs >= size.jobs * WARM_SHARE);
  const slopes = stack.all().map((_, index) =>
    slope(warm.map(({ jobs, heaps }) => [jobs, heaps[index] ?? 0] as const)),
  );
  const steep = slopes.map((one) => one.toFixed(0));
  const steepest = Math.max(...slopes);
  const resent = stack.all().reduce((sum, { lines }) => sum + sumOf(lines, "resent"), 0);
  const isRare = resent <= size.jobs * RESENT_SHARE;
  const told = Object.entries(statuses).map(([status, number]) => `${number} ${status}`);
  const { jobs } = size;
  const first = warm[0];
  const last = samples.at(-1);
  return {
    what: `soak: ${jobs.toLocaleString("en")} jobs on ${PROCESSES} processes, then drained`,
    atLeast: `queues empty, no live job, heap grows ≤ ${size.mostBytesPerJob} bytes a job`,
    measured: `${told.join(", ")}; heap slope ${steep.join(", ")} B/job`,
    seeds: String(seed),
    violations: [
      ...violations,
      ...(steepest > size.mostBytesPerJob ? [`a heap grows ${steepest.toFixed(0)} B/job`] : []),
      ...(isRare ? [] : [`${resent} messages were sent again without a fault`]),
      ...wronglyTold(stack, jobs),
    ],
    notes: [
      `heaps from ${first?.heaps.map(megabytes).join(", ") ?? ""} at ${first?.jobs ?? 0} jobs`
        + ` to ${last?.heaps.map(megabytes).join(", ") ?? ""} after garbage collection`,
      `resident at the end ${last?.resident.map(megabytes).join(", ") ?? ""}`,
    ],
  };
}

function sumOf(lines: AppProcess["lines"], member: string): number {
  return lines
    .filter(({ event }) => event === "sweep.done")
    .reduce((sum, line) => sum + Number(line[member]), 0);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}

/** The least-squares slope of y over x. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (pick: 0 | 1): number =>
    points.reduce((sum, point) => sum + point[pick], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const above = points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  const below = points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
  return below === 0 ? 0 : above / below;
}
