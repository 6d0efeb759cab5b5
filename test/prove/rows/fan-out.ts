// Row: large fan_outs on three processes of the real stack. A thousand items stay within the bound
// of requests that docs/costs.md names, counted on the wire; ten thousand complete in order.
// No faults here: the bound is the price of a quiet run, and nothing may need a rescue.
import { ChaosClient } from "../../chaos/client.ts";
import type { ClientLog } from "../../chaos/client-log.ts";
import { entriesOf, eventsOf, historyProblems, resultsOf } from "../../chaos/job-history.ts";
import { chainProblems, digestOf } from "../../chaos/hash-chain.ts";
import { wallMs } from "../../chaos/pace.ts";
import { seeded } from "../../chaos/seeded.ts";
import { chaosHome, startStack } from "../../chaos/stack.ts";
import type { ChaosHome, Stack } from "../../chaos/stack.ts";
import { storeReader } from "../../chaos/store-contents.ts";
import type { StoreReader } from "../../chaos/store-contents.ts";
import { processorMs } from "../../chaos/process-facts.ts";
import { WIDE, putFile } from "../../chaos/workflows.ts";
import { waitFor } from "../../support/wait-until.ts";
import type { ProveOptions, Row } from "../row.ts";

const PROCESSES = 3;
const CHUNK_ITEMS = 32;
const BOUNDED = 1_000;
const LARGE = 10_000;
/** Of the submission: entry 0, the projection, the version's read and its first claim. */
const SUBMIT_REQUESTS = 5;
const TIMEOUT_MS = 300_000;
/** Who took messages spent more than that. */
const LEAST_WORK_MS = 100;
const NEVER = "0 0 0 1 1 *";

interface Measured {
  readonly items: number;
  readonly requests: number;
  readonly seconds: number;
  /** Processor time that each worker spent on it. */
  readonly workerMs: readonly number[];
  readonly violations: readonly string[];
}

interface Place {
  readonly home: ChaosHome;
  readonly stack: Stack;
  readonly reader: StoreReader;
  readonly seed: number;
}

export async function run({ firstSeed: seed, say }: ProveOptions): Promise<Row> {
  const home = await chaosHome(seed);
  putFile(home.fixture.folder, "wide.yaml", WIDE);
  const database = `fan-out-${seed}`;
  const stack = await startStack({
    home,
    database,
    processes: PROCESSES,
    pace: { sweepSeconds: 60, hiddenSeconds: 600 },
    random: seeded(seed),
    // A sweep would have nothing to do, and its queries are not part of what is counted.
    env: { HOLDFAST_SWEEP_SCHEDULE: NEVER, HOLDFAST_REFRESH_SECONDS: "2" },
  });
  const reader = storeReader(home.fixture.stores, database);
  try {
    const place = { home, stack, reader, seed };
    // The first job of a process pays for what all later ones find ready.
    await fanOut(place, 40);
    const bounded = await fanOut(place, BOUNDED);
    say(`${BOUNDED} items: ${bounded.requests} requests, ${bounded.seconds.toFixed(1)} s`);
    const large = await fanOut(place, LARGE);
    say(`${LARGE} items: ${large.requests} requests, ${large.seconds.toFixed(1)} s`);
    return rowOf(bounded, large);
  } finally {
    await stack.stop();
    reader.close();
    await home.stop();
  }
}

/** Submits, waits beside the app so that only its own requests are counted, and checks the end. */
async function fanOut({ home, stack, reader, seed }: Place, items: number): Promise<Measured> {
  const log: ClientLog = { operations: [] };
  const random = seeded(seed);
  const client = new ChaosClient({ address: () => stack.anyone()?.url, log, random });
  const numbers = Array.from({ length: items }, (_, n) => n);
  let requests = 0;
  let isCounting = true;
  home.cosmos.watch((line) => {
    if (isCounting && /\/docs/.test(line)) requests += 1;
  });
  const before = stack.all().map(({ pid }) => processorMs(pid));
  const began = wallMs();
  const planned = { key: `wide-${items}`, workflow_id: "wide", input_params: { numbers } };
  const { job_id = "" } = await client.submit(planned);
  const hasEnded = (): boolean =>
    stack.all().some(({ lines }) =>
      lines.some((line) => line.event === "job.ended" && line["job_id"] === job_id),
    );
  await waitFor(hasEnded, { what: `${items} items end`, timeoutMs: TIMEOUT_MS });
  const seconds = (wallMs() - began) / 1000;
  const isProjected = async (): Promise<boolean> => (await reader.liveJobs()).length === 0;
  await waitFor(isProjected, { what: "the projection follows" });
  isCounting = false;
  const documents = (await reader.contents()).journal.get(job_id) ?? new Map<string, never>();
  const entries = entriesOf(documents);
  const events = eventsOf(entries);
  const found = resultsOf(entries, documents);
  const expected = {
    doubled: { results: numbers.map((n) => n * 2), count: items, failed: [] },
    total: { total: items * (items - 1), count: items },
  };
  const right = digestOf(found) === digestOf(expected);
  const violations = [
    ...historyProblems(documents),
    ...chainProblems(job_id, entries),
    ...(right ? [] : ["the results are not those of the items in their order"]),
    ...events.flatMap(({ type }) => (type.endsWith("_lost") ? [`${type} without a kill`] : [])),
  ].map((what) => `${items} items: ${what}`);
  const workerMs = stack.all().map(({ pid }, index) => processorMs(pid) - (before[index] ?? 0));
  return { items, requests, seconds, workerMs, violations };
}

function rowOf(bounded: Measured, large: Measured): Row {
  const most = 6 * Math.ceil(BOUNDED / CHUNK_ITEMS) + 10 + SUBMIT_REQUESTS;
  const over = bounded.requests > most ? [`${bounded.requests} requests for ${BOUNDED} items`] : [];
  const idle = large.workerMs.filter((ms) => ms < LEAST_WORK_MS).length;
  const told = ({ items, requests, seconds }: Measured): string =>
    `${items.toLocaleString("en")} items: ${requests} requests, ${seconds.toFixed(1)} s`;
  return {
    what: `fan_out on ${PROCESSES} processes of the real stack`,
    atLeast: `1,000 items within ${most} requests; 10,000 complete`,
    measured: `${told(bounded)}; ${told(large)}`,
    violations: [
      ...over,
      ...(idle > 0 ? [`${idle} of ${PROCESSES} processes took no part`] : []),
      ...bounded.violations,
      ...large.violations,
    ],
    notes: [
      `the bound: 6 a chunk + 10, and ${SUBMIT_REQUESTS} of the submission; refused ones included`,
      `processor time of the workers for ${LARGE} items: ${large.workerMs.join(", ")} ms`,
    ],
  };
}
