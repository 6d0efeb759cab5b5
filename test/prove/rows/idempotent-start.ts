// Row: fifty clients ask for one thing with one key, at several processes, while answers of the
// stores are lost after the commit and a process dies in the middle. One job, and every answer
// names it; the same key with another body is refused.
import { check } from "../../chaos/checker.ts";
import { ChaosClient } from "../../chaos/client.ts";
import type { ClientLog, SubmitOperation } from "../../chaos/client-log.ts";
import type { FaultKind } from "../../chaos/chaos-proxy.ts";
import type { Planned } from "../../chaos/load.ts";
import { pause } from "../../chaos/pace.ts";
import { seeded } from "../../chaos/seeded.ts";
import { chaosHome, startStack, totalFired } from "../../chaos/stack.ts";
import type { ChaosHome, Stack } from "../../chaos/stack.ts";
import { storeReader } from "../../chaos/store-contents.ts";
import { shippedFiles } from "../../chaos/workflows.ts";
import { waitFor } from "../../support/wait-until.ts";
import type { ProveOptions, Row } from "../row.ts";

const CLIENTS = 50;
const PROCESSES = 3;
const CREATE = /^POST .*\/colls\/(journal|jobs)\/docs/;
const SEND = /^POST .*holdfast-work\/messages/;
/** What leaves a client in doubt although the store has done its work. */
const AMBIGUOUS: readonly FaultKind[] = [
  "cut after",
  "truncated after",
  "408 after",
  "500 after",
  "503 after",
];
const REST_TIMEOUT_MS = 90_000;
const PACE = { sweepSeconds: 3, hiddenSeconds: 10 };

export async function run(options: ProveOptions): Promise<Row> {
  const { firstSeed, say } = options;
  const rounds = options.seeds ?? (options.long ? 100 : 3);
  const home = await chaosHome(firstSeed);
  const log: ClientLog = { operations: [] };
  for (const [file, source] of Object.entries(shippedFiles())) {
    const workflow_id = file.replace(".yaml", "");
    log.operations.push({ op: "publish", workflow_id, version: 1, source, sent_ms: 0 });
  }
  const database = `idempotent-${firstSeed}`;
  const random = seeded(firstSeed).fork("idempotent");
  const stack = await startStack({ home, database, processes: PROCESSES, pace: PACE, random });
  const reader = storeReader(home.fixture.stores, database);
  try {
    const violations: string[] = [];
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      violations.push(...(await oneRound({ home, stack, log, seed })));
      if ((seed - firstSeed) % 10 === 9) say(`${seed - firstSeed + 1} of ${rounds} keys`);
    }
    const isAtRest = async (): Promise<boolean> => {
      const counts = Object.values(await reader.messages());
      return counts.every((one) => one === 0) && (await reader.liveJobs()).length === 0;
    };
    await waitFor(isAtRest, { what: "the stack comes to rest", timeoutMs: REST_TIMEOUT_MS });
    const contents = await reader.contents();
    const verdict = await check({ operations: log.operations, contents, baseUrl: "" });
    violations.push(...verdict.violations.map(({ kind, of, what }) => `${kind} ${of}: ${what}`));
    const jobs = contents.jobs.size;
    if (verdict.accepted !== rounds) violations.push(`${verdict.accepted} keys were accepted`);
    if (jobs !== rounds) violations.push(`${jobs} jobs for ${rounds} keys`);
    return rowOf({ options, rounds, log, home, stack, violations, jobs });
  } finally {
    await stack.stop();
    reader.close();
    await home.stop();
  }
}

interface Round {
  readonly home: ChaosHome;
  readonly stack: Stack;
  readonly log: ClientLog;
  readonly seed: number;
}

/** Fifty at once, ambiguous answers planned, a kill in the middle; then the other body. */
async function oneRound({ home, stack, log, seed }: Round): Promise<readonly string[]> {
  const random = seeded(seed);
  const what = "two processes are up";
  await waitFor(() => stack.all().length >= 2, { what, timeoutMs: 60_000 });
  const planned: Planned = {
    key: `key-${seed}`,
    workflow_id: "echo_test",
    input_params: { message: `round ${seed}`, steps: 1 },
  };
  const kinds = Array.from({ length: random.between(1, 6) }, () => random.pick(AMBIGUOUS));
  home.cosmos.plan(CREATE, kinds);
  home.queues.plan(SEND, [random.pick(AMBIGUOUS)]);
  const clients = Array.from({ length: CLIENTS }, (_, number) => {
    // Each begins at a process of its own choice, and goes elsewhere when that is gone.
    const address = (): string | undefined => stack.anyone()?.url;
    return new ChaosClient({ address, log, random: random.fork(`client-${number}`) });
  });
  const answers = Promise.all(clients.map((client) => client.submit(planned)));
  await pause(random.between(0, 150));
  await stack.kill("SIGKILL");
  const named = new Set((await answers).map(({ job_id }) => job_id));
  const other = { ...planned, input_params: { message: "something else" } };
  const [client] = clients;
  // Its own log: to the checker it would be another request under the same key.
  const refused = await new ChaosClient({
    address: () => stack.anyone()?.url,
    log: { operations: [] },
    random,
  }).submit(other);
  const again = await client?.submit(planned);
  return problems(seed, { named, refused, again });
}

function problems(
  seed: number,
  { named, refused, again }: {
    readonly named: ReadonlySet<string | undefined>;
    readonly refused: SubmitOperation;
    readonly again: SubmitOperation | undefined;
  },
): readonly string[] {
  const wrong: string[] = [];
  if (named.size !== 1 || named.has(undefined)) {
    wrong.push(`seed ${seed}: the answers name ${[...named].join(", ")}`);
  }
  if (refused.status !== 409 || refused.code !== "IDEMPOTENCY_CONFLICT") {
    wrong.push(`seed ${seed}: another body was answered ${String(refused.status)}`);
  }
  if (!named.has(again?.job_id)) wrong.push(`seed ${seed}: asked again, another job is named`);
  return wrong;
}

interface Ran {
  readonly options: ProveOptions;
  readonly rounds: number;
  readonly log: ClientLog;
  readonly home: ChaosHome;
  readonly stack: Stack;
  readonly violations: readonly string[];
  readonly jobs: number;
}

function rowOf({ options, rounds, log, home, stack, violations, jobs }: Ran): Row {
  const submits = log.operations.filter(({ op }) => op === "submit") as readonly SubmitOperation[];
  const unknown = submits.filter(({ outcome }) => outcome === "unknown").length;
  const fired = totalFired(home);
  const { kills } = stack;
  return {
    what: `idempotent start: ${CLIENTS} submits of one key at once, ${rounds} keys`,
    atLeast: "one job a key, across a crash and an ambiguous answer",
    measured: [
      `${jobs} jobs for ${rounds} keys`,
      `${submits.length} requests, ${unknown} without a sure answer`,
      `${kills.length} processes killed`,
    ].join("; "),
    seeds: `${options.firstSeed} to ${options.firstSeed + rounds - 1}`,
    fired: kills.length === 0 || unknown === 0 ? 0 : fired,
    violations,
  };
}
