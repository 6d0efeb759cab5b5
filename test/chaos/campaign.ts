// One batch of a chaos run: workers, kills and faults while clients submit a seeded load, then calm
// until nothing is left to do, then the checker. A batch has a database of its own.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../support/app-fixture.ts";
import { waitFor } from "../support/wait-until.ts";
import { check } from "./checker.ts";
import type { Verdict, Violation } from "./checker.ts";
import { ChaosClient } from "./client.ts";
import type { ClientLog, Operation } from "./client-log.ts";
import { planLoad } from "./load.ts";
import type { Planned } from "./load.ts";
import { pause, wallMs } from "./pace.ts";
import { recoveries } from "./recovery.ts";
import type { Recovery } from "./recovery.ts";
import { seeded } from "./seeded.ts";
import type { Seeded } from "./seeded.ts";
import { renewSeconds, startStack } from "./stack.ts";
import type { ChaosHome, Pace, Stack } from "./stack.ts";
import { storeReader } from "./store-contents.ts";
import type { StoreContents, StoreReader } from "./store-contents.ts";
import { NAPS, ledgerSource, putFile, shippedFiles } from "./workflows.ts";

export interface BatchOptions {
  readonly home: ChaosHome;
  /** Where the workflows that fetch find their data. */
  readonly baseUrl: string;
  readonly seed: number;
  readonly jobs: number;
  readonly processes: number;
  /** Jobs that clients wait for at once. */
  readonly clients: number;
  readonly pace: Pace;
  /** The share of requests to the stores that is spoilt. */
  readonly faults: number;
  readonly say: (line: string) => void;
}

/** All that the checker read. */
export interface Evidence {
  readonly operations: readonly Operation[];
  readonly contents: StoreContents;
}

export interface Batch {
  readonly evidence: Evidence;
  readonly verdict: Verdict;
  readonly recovery: Recovery;
  readonly kills: { readonly hard: number; readonly graceful: number };
  /** From the first submission until the last one was answered or given up. */
  readonly chaosMs: number;
  /** From then on until nothing was left to do. */
  readonly calmMs: number;
  readonly seed: number;
}

/** How long the stack may take to come to rest once nothing disturbs it. */
const REST_TIMEOUT_MS = 180_000;
/** How long a client waits for its job before it takes the next one. */
const END_TIMEOUT_MS = 300_000;

export async function runBatch(options: BatchOptions): Promise<Batch> {
  const { home, seed, pace } = options;
  const random = seeded(seed);
  const database = `chaos-${String(seed)}-${String(Math.trunc(wallMs())).slice(-6)}`;
  const log: ClientLog = { operations: [] };
  publishShipped(log);
  const ledger = publisher(home, log);
  ledger.publish();
  const stack = await startStack({ ...options, database, random });
  const reader = storeReader(home.fixture.stores, database);
  try {
    const began = wallMs();
    await chaos(options, { stack, log, random, ledger });
    const chaosMs = wallMs() - began;
    home.cosmos.spoil(0);
    home.queues.spoil(0);
    await rest(reader, options);
    const calmMs = wallMs() - began - chaosMs;
    await stack.stop();
    const contents = await reader.contents();
    const { baseUrl } = options;
    const verdict = await check({ operations: log.operations, contents, baseUrl });
    const { violations } = verdict;
    if (violations.length > 0) keep(seed, { log, contents, violations });
    const hard = stack.kills.filter(({ signal }) => signal === "SIGKILL").length;
    return {
      evidence: { operations: log.operations, contents },
      verdict,
      recovery: recoveries(stack.kills, contents, renewSeconds(pace)),
      kills: { hard, graceful: stack.kills.length - hard },
      chaosMs,
      calmMs,
      seed,
    };
  } finally {
    await stack.stop();
    reader.close();
  }
}

interface Scene {
  readonly stack: Stack;
  readonly log: ClientLog;
  readonly random: Seeded;
  readonly ledger: Publisher;
}

/** Clients work through the load, each waiting for its job, while everything around them fails. */
async function chaos(options: BatchOptions, scene: Scene): Promise<void> {
  const { home, jobs, clients, baseUrl, faults, say } = options;
  const { stack, log, random, ledger } = scene;
  const waiting = planLoad(jobs, random.fork("load"), baseUrl).entries();
  home.cosmos.spoil(faults);
  home.queues.spoil(faults);
  const kills = stack.fire();
  const publishing = ledger.keepOn(random.fork("ledger"));
  let done = 0;
  const work = async (_: unknown, number: number): Promise<void> => {
    const address = (): string | undefined => stack.anyone()?.url;
    const client = new ChaosClient({ address, log, random: random.fork(`client-${number}`) });
    for (const [, planned] of waiting) {
      await followJob(client, planned);
      done += 1;
      if (done % 50 === 0) say(`seed ${options.seed}: ${done} of ${jobs} jobs`);
    }
  };
  await Promise.all(Array.from({ length: clients }, work));
  await publishing.stop();
  await kills.stop();
}

async function followJob(client: ChaosClient, planned: Planned): Promise<void> {
  const { job_id } = await client.submit(planned);
  if (job_id === undefined) return;
  const { cancelAfterMs } = planned;
  if (cancelAfterMs !== undefined) {
    await pause(cancelAfterMs);
    await client.cancel(job_id);
  }
  await client.awaitEnd(job_id, END_TIMEOUT_MS);
}

/** Until no job lives and no message is left, or for so long; the checker says which is. */
async function rest(reader: StoreReader, { say, seed }: BatchOptions): Promise<void> {
  const isAtRest = async (): Promise<boolean> => {
    const queued = Object.values(await reader.messages()).reduce((sum, one) => sum + one, 0);
    if (queued > 0) {
      await pause(200);
      return false;
    }
    return (await reader.liveJobs()).length === 0;
  };
  try {
    await waitFor(isAtRest, { what: "the stack comes to rest", timeoutMs: REST_TIMEOUT_MS });
  } catch {
    say(`seed ${seed}: the stack did not come to rest within ${REST_TIMEOUT_MS / 1000} s`);
  }
}

interface Publisher {
  publish(): void;
  /** A new version every few seconds. */
  keepOn(random: Seeded): { stop(): Promise<void> };
}

/** Republishes one workflow while its jobs run: the file is replaced whole. */
function publisher(home: ChaosHome, log: ClientLog): Publisher {
  let version = 0;
  const publish = (): void => {
    version += 1;
    const source = ledgerSource(version);
    log.operations.push({
      op: "publish",
      workflow_id: "ledger",
      version,
      source,
      sent_ms: wallMs(),
    });
    putFile(home.fixture.folder, "ledger.yaml", source);
  };
  return {
    publish,
    keepOn(random) {
      const ended = new AbortController();
      const loop = async (): Promise<void> => {
        while (!ended.signal.aborted) {
          await pause(random.between(1500, 4000), ended.signal);
          publish();
        }
      };
      const running = loop();
      return {
        stop: async () => {
          ended.abort();
          await running;
        },
      };
    },
  };
}

function publishShipped(log: ClientLog): void {
  for (const [file, source] of Object.entries({ ...shippedFiles(), "naps.yaml": NAPS })) {
    const workflow_id = path.basename(file, ".yaml");
    log.operations.push({ op: "publish", workflow_id, version: 1, source, sent_ms: 0 });
  }
}

interface Kept {
  readonly log: ClientLog;
  readonly contents: StoreContents;
  readonly violations: readonly Violation[];
}

/** Everything that the checker read, for a person who looks for the cause. */
function keep(seed: number, { log, contents, violations }: Kept): void {
  const folder = path.join(ROOT, ".holdfast", "chaos");
  mkdirSync(folder, { recursive: true });
  const journal = [...contents.journal.values()].flatMap((documents) => [...documents.values()]);
  const jobs = [...contents.jobs.values()];
  const { queues } = contents;
  const all = { violations, operations: log.operations, journal, jobs, queues };
  writeFileSync(path.join(folder, `seed-${seed}.json`), JSON.stringify(all, undefined, 1));
}
