// Row: jobs on the real stack under fire. Real SDKs, the emulators behind proxies that spoil one
// request in twenty, three worker processes of which one is killed every few seconds, a workflow
// that is republished meanwhile, and a checker that reads the clients' log and the stores only.
// A seed is a batch with a database of its own, so a long run goes on with --seed and --seeds.
import { runBatch } from "../../chaos/campaign.ts";
import type { Batch } from "../../chaos/campaign.ts";
import { percentile } from "../../chaos/recovery.ts";
import { chaosHome, firedFaults } from "../../chaos/stack.ts";
import type { FiredFaults, Pace } from "../../chaos/stack.ts";
import { startDataServer } from "../../chaos/workflows.ts";
import type { ProveOptions, Row } from "../row.ts";

/** The evidence of a batch is large, and has been checked. */
type Result = Omit<Batch, "evidence">;

interface Size {
  readonly batches: number;
  readonly jobs: number;
  readonly clients: number;
  readonly pace: Pace;
}

const LONG: Size = {
  batches: 10,
  jobs: 500,
  clients: 50,
  // Long against what a single request may take here, as a minute is in production.
  pace: { sweepSeconds: 15, hiddenSeconds: 60 },
};
const SHORT: Size = {
  batches: 1,
  jobs: 200,
  clients: 20,
  pace: { sweepSeconds: 3, hiddenSeconds: 15 },
};
const PROCESSES = 3;
const FAULTS = 0.05;
/** The most that p99 of the recovery should be, in sweep periods; it fails at three times it. */
const PERIODS = 2;

export async function run(options: ProveOptions): Promise<Row> {
  const size = options.long ? LONG : SHORT;
  const batches = options.seeds ?? size.batches;
  const { firstSeed, say } = options;
  const data = await startDataServer();
  const home = await chaosHome(firstSeed);
  const done: Result[] = [];
  const broken: string[] = [];
  try {
    for (let seed = firstSeed; seed < firstSeed + batches; seed += 1) {
      const { baseUrl } = data;
      const given = { ...size, home, baseUrl, seed, processes: PROCESSES, faults: FAULTS, say };
      try {
        const { evidence: _checked, ...result } = await runBatch(given);
        done.push(result);
        say(`seed ${seed}: ${told(result)}`);
      } catch (error) {
        broken.push(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return rowOf({ done, broken, fired: firedFaults(home), size, firstSeed, batches });
  } finally {
    await home.stop();
    await data.close();
  }
}

interface Ran {
  readonly done: readonly Result[];
  readonly broken: readonly string[];
  readonly fired: readonly FiredFaults[];
  readonly size: Size;
  readonly firstSeed: number;
  readonly batches: number;
}

function rowOf(ran: Ran): Row {
  const { done, fired, size, firstSeed, batches } = ran;
  const { sweepSeconds } = size.pace;
  const total = (pick: (batch: Result) => number): number =>
    done.reduce((sum, batch) => sum + pick(batch), 0);
  const recovered = merged(done, ({ recovery }) => recovery.attempts);
  const judged = merged(done, ({ recovery }) => recovery.judged);
  const chunks = merged(done, ({ recovery }) => recovery.chunks);
  const asked = batches * size.jobs;
  const p99 = percentile(recovered, 0.99) / 1000;
  const violations = [
    ...ran.broken,
    ...done.flatMap(violationsOf),
    ...fired
      .filter(({ cosmos, queues }) => cosmos === 0 || queues === 0)
      .map(({ kind }) => `no fault "${kind}" fired at one of the stores`),
    ...(total(({ kills }) => kills.hard) === 0 ? ["nobody was killed"] : []),
    ...(recovered.length === 0 ? ["no kill hit an attempt"] : []),
    ...(p99 > 3 * PERIODS * sweepSeconds
      ? [`recovery p99 is ${p99.toFixed(1)} s with a sweep every ${sweepSeconds} s`]
      : []),
  ];
  const faults = fired.map(({ kind, cosmos, queues }) => `${kind} ${cosmos}+${queues}`);
  const ends = `${total(({ verdict }) => verdict.completed)} completed, ${total(
    ({ verdict }) => verdict.failed,
  )} failed as they must, ${total(({ verdict }) => verdict.cancelled)} cancelled`;
  return {
    what: `real stack: ${asked} jobs, ${PROCESSES} processes, kills, ${FAULTS * 100} % faults`,
    atLeast: `0 lost, 0 stuck, 0 double; recovery p99 ≤ ${PERIODS} sweep periods`,
    measured: [
      `${total(({ verdict }) => verdict.accepted)} accepted: ${ends}`,
      `${violations.length} violations`,
      `${total(({ kills }) => kills.hard)} killed, ${total(({ kills }) => kills.graceful)} stopped`,
      `recovery of ${recovered.length} attempts ${spread(recovered, sweepSeconds)}`,
    ].join("; "),
    seeds: `${firstSeed} to ${firstSeed + batches - 1}`,
    fired: fired.reduce((sum, { cosmos, queues }) => sum + cosmos + queues, 0),
    violations,
    notes: [
      `faults at Cosmos DB + queues: ${faults.join(", ")}`,
      `sweep period, lease and re-send: ${sweepSeconds} s each, 60 s in production`,
      ...(p99 > PERIODS * sweepSeconds ? [`recovery p99 is over ${PERIODS} sweep periods`] : []),
      `recovery of ${chunks.length} chunks ${spread(chunks, sweepSeconds)}`,
      `until a loss was recorded ${spread(judged, sweepSeconds)}`,
      `${total(({ verdict }) => verdict.worn)} jobs truly lost three attempts of one node`,
      `${total(({ verdict }) => verdict.kept)} messages were given up by the host, and kept`,
      "a victim is replaced before the next one falls; real time is not replayable",
      `batches of ${size.jobs} jobs, a database each: the emulators scan whole containers`,
    ],
  };
}

function merged(
  done: readonly Result[],
  pick: (batch: Result) => readonly number[],
): readonly number[] {
  return done.flatMap(pick).sort((a, b) => a - b);
}

function violationsOf({ seed, verdict }: Result): readonly string[] {
  const found = verdict.violations.map(
    ({ kind, of, what }) => `seed ${seed}: ${kind} ${of}: ${what}`,
  );
  return verdict.completed === 0 ? [...found, `seed ${seed}: no job completed`] : found;
}

/** p50, p99 and the longest, in seconds and in sweep periods. */
function spread(sorted: readonly number[], sweepSeconds: number): string {
  const one = (name: string, ms: number): string =>
    `${name} ${(ms / 1000).toFixed(1)} s (${(ms / 1000 / sweepSeconds).toFixed(2)} periods)`;
  return [
    one("p50", percentile(sorted, 0.5)),
    one("p99", percentile(sorted, 0.99)),
    one("max", sorted.at(-1) ?? 0),
  ].join(", ");
}

function told({ verdict, kills, recovery, chaosMs, calmMs }: Result): string {
  const { accepted, completed, failed, cancelled, undecided, refused, violations } = verdict;
  const p99 = percentile(recovery.attempts, 0.99);
  return [
    `${accepted} accepted, ${refused} refused, ${undecided} undecided`,
    `${completed} completed, ${failed} failed, ${cancelled} cancelled`,
    `${violations.length} violations`,
    `${kills.hard}+${kills.graceful} kills`,
    `recovery of ${recovery.attempts.length}: p99 ${p99.toFixed(0)} ms`,
    ...(recovery.slowest === undefined ? [] : [`slowest: ${recovery.slowest.story}`]),
    `${(chaosMs / 1000).toFixed(0)} s of chaos, ${(calmMs / 1000).toFixed(0)} s of calm`,
  ].join("; ");
}
