// What a job costs on the bill: request units, queue transactions, executions, bytes kept. From
// counted requests and the sizes of their documents; docs/cost-model.md shows the table. Write the
// page anew with `npx vitest run <this file> -u`.
import { expect, test } from "vitest";
import { HandlerRegistry } from "../../../src/runtime/handlers.ts";
import { foldStats } from "../../../src/runtime/fold-stats.ts";
import { readGauges } from "../../../src/runtime/read-gauges.ts";
import { sweep } from "../../../src/runtime/sweep.ts";
import { Telemetry } from "../../../src/runtime/telemetry.ts";
import { chargeOf } from "../../support/charge-model.ts";
import { RecordingSink } from "../../support/recording-sink.ts";
import { recorded } from "../../support/request-recorder.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, echo, fan, numbers, parallel } from "../../support/shapes.ts";

interface Bill {
  readonly name: string;
  readonly requests: number;
  readonly charge: number;
  readonly nodes: number;
  /** Left in the containers once the job is over. */
  readonly stored: number;
  readonly messages: number;
}

/** Send, get and delete of one message. */
const TRANSACTIONS_PER_MESSAGE = 3;
const SHAPES = [
  { name: "chain of 1 task", shape: chain(1), nodes: 1 },
  { name: "chain of 10 tasks", shape: chain(10), nodes: 10 },
  { name: "chain of 100 tasks", shape: chain(100), nodes: 100 },
  { name: "10 parallel tasks", shape: parallel(10), nodes: 10 },
  { name: "fan_out of 100 items", shape: fan(), nodes: 100, list: numbers(100) },
  { name: "fan_out of 1,000 items", shape: fan(), nodes: 1000, list: numbers(1000) },
] as const;

async function billOf(given: (typeof SHAPES)[number]): Promise<Bill> {
  const runtime = new TestRuntime({ handlers: [echo] });
  const ports = recorded(runtime.store);
  runtime.first.die();
  const process = runtime.addProcess({ journal: ports.journal, jobs: ports.jobs });
  const { workflow_id } = runtime.catalog.put(given.shape).definition;
  const input = "list" in given ? { input_params: { list: [...given.list] } } : {};
  const once = async (): Promise<string> => {
    const { job } = await runtime.submit({ workflow_id, ...input }, { process });
    expect(await runtime.runToEnd(job.job_id)).toBe("completed");
    await runtime.run(() => process.sessions.size === 0);
    return job.job_id;
  };
  // The first job of a version also claims it.
  await once();
  ports.requests.length = 0;
  const messages = runtime.queue.requests.get("queue.send") ?? 0;
  const jobId = await once();
  const spent = ports.requests.filter(({ operation }) => operation !== "query");
  const documents = runtime.store.journalOf(jobId);
  const projection = runtime.store.allJobs().find((job) => job["job_id"] === jobId);
  return {
    name: given.name,
    nodes: given.nodes,
    requests: spent.length,
    charge: spent.reduce((sum, request) => sum + chargeOf(request), 0),
    stored: Buffer.byteLength(JSON.stringify([...documents, projection])),
    messages: (runtime.queue.requests.get("queue.send") ?? 0) - messages,
  };
}

/** What the timer spends in a minute in which nothing happens. */
async function idleMinute() {
  const sink = new RecordingSink();
  const runtime = new TestRuntime({ sink });
  const ports = recorded(runtime.store);
  const { engine: given, sessions } = runtime.first;
  const clock = runtime.clock;
  const telemetry = new Telemetry({ sink, clock, traceRatio: 1 });
  const handlers = new HandlerRegistry([]);
  const engine = { ...given, handlers, telemetry, journal: ports.journal, jobs: ports.jobs };
  const { stats } = runtime.store;
  let statsRequests = 0;
  const counting = {
    ...stats,
    read: () => ((statsRequests += 1), stats.read()),
    count: (status: string) => ((statsRequests += 1), stats.count(status)),
    ended: (from: number, to: number, limit: number) => (
      (statsRequests += 1), stats.ended(from, to, limit)
    ),
    write: (...args: Parameters<typeof stats.write>) => (
      (statsRequests += 1), stats.write(...args)
    ),
  };
  await foldStats({ store: counting, engine, delaySeconds: 30 });
  await clock.advance(60_000);
  statsRequests = 0;
  await sweep(sessions, engine);
  const swept = ports.requests.length;
  await foldStats({ store: counting, engine, delaySeconds: 30 });
  const folded = statsRequests;
  await readGauges({ engine, lengths: { read: async () => ({}) }, stats: counting });
  const gauges = ports.requests.length - swept + statsRequests - folded;
  return { swept, folded, gauges };
}

const round = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(1);

test("docs/cost-model.md shows what these jobs cost", async () => {
  const bills: Bill[] = [];
  for (const shape of SHAPES) bills.push(await billOf(shape));
  const idle = await idleMinute();
  expect(bills).toHaveLength(SHAPES.length);
  const rows = bills.map(({ name, requests, charge, nodes, stored, messages }) => {
    const transactions = messages * TRANSACTIONS_PER_MESSAGE;
    const cells = [
      name,
      requests,
      round(charge),
      round(charge / nodes),
      kilobytes(stored),
      messages,
      transactions,
      messages + 1,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  await expect(pageOf(rows, bills, idle)).toMatchFileSnapshot("../../../docs/cost-model.md");
});

test("a task of a chain costs less than the goal, and the same in a long chain", async () => {
  const [ten, hundred] = await Promise.all([billOf(SHAPES[1]), billOf(SHAPES[2])]);
  // The reference's floor for this shape is 8.3 request units a node at 4 KB of snapshot, without
  // the double charge for reads at Strong consistency.
  expect(ten.charge / 10).toBeLessThan(10);
  expect(hundred.charge / 100).toBeLessThan(ten.charge / 10);
});

test("an idle minute costs a fixed number of requests", async () => {
  expect(await idleMinute()).toEqual({ swept: 1, folded: 7, gauges: 6 });
});

const PER_DAY = 86_400;
const RETENTION_DAYS = 7 + 30 + 90;

function pageOf(
  rows: readonly string[],
  bills: readonly Bill[],
  idle: { readonly swept: number; readonly folded: number; readonly gauges: number },
): string {
  const ten = bills.find(({ name }) => name === "chain of 10 tasks");
  if (ten === undefined) throw new Error("no chain of 10");
  const jobs = [10_000, 1_000_000, 10_000_000];
  const scaled = jobs.map((perDay) => {
    const perSecond = perDay / PER_DAY;
    const cells = [
      perDay.toLocaleString("en"),
      perSecond.toFixed(1),
      Math.ceil(perSecond * ten.charge).toLocaleString("en"),
      ((perDay * 30 * ten.charge) / 1e6).toLocaleString("en", { maximumFractionDigits: 0 }),
      (perSecond * ten.messages).toFixed(1),
      ((perDay * RETENTION_DAYS * ten.stored) / 1024 ** 3).toLocaleString("en", {
        maximumFractionDigits: 0,
      }),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    HEAD,
    ...rows,
    "",
    BEHIND,
    `- The timer, each minute: ${idle.swept} query for due jobs, ${idle.folded} requests for the ` +
      "numbers over all jobs, and where telemetry is on",
    `  ${idle.gauges} requests and 3 queue transactions for gauges. Together about ` +
      `${Math.round((idle.swept + idle.folded + idle.gauges) * 5.6)} request units where the`,
    "  account has one physical partition.",
    POLLING,
    "",
    EXAMPLE,
    ...scaled,
    "",
    TAIL,
  ].join("\n");
}

const HEAD = `# Cost model

What a job costs on the bill: counted requests and the sizes of their documents, priced by what
Cosmos DB documents for a request of that size. \`test/unit/runtime/cost-model.test.ts\` counts,
and writes this page. Everything is after the first job of a version, submit included, in one
process, without faults. Units are request units; handlers and their outputs cost nothing here.

| Job | Requests | Units | … a node | KB kept | Messages | Transactions | Executions |
| --- | --- | --- | --- | --- | --- | --- | --- |`;

const BEHIND = `**The model.** A point read of 1 KB is 1 request unit and of 100 KB 10, twice that
at Strong consistency; a create is 5 and 50; a replace is charged as a delete and a create; the
index of \`jobs\` adds a little to its writes. In between it is linear. What the service
really charges is in the metric \`holdfast.cosmos.request_charge\`, by container and operation:
compare before you plan. A message is one send, one get and one delete; fetched in batches the
gets are fewer.
An execution is one HTTP request or one message. Requests are those to Cosmos DB, transactions
those to the queue.

**Beside the jobs:**
`;

const POLLING = `- The host asks each queue every two seconds where nothing comes:
  2.6 million transactions a month for both and each instance that listens. At zero instances
  the platform looks instead, and nothing is charged.
- An idle app in Flex Consumption without always-ready instances runs for a second or so each
  minute, for the timer.
- Whoever polls: [what reading costs](api-costs.md). Telemetry:
  [how much](telemetry.md#how-much).`;

const EXAMPLE = `## Worked example

Chains of ten tasks with short outputs, spread evenly over the day. Kept: seven days until the
deadline, the thirty that a job may be suspended, ninety of retention.

| Jobs a day | a second | Units a second | Million units a month | Messages a second | GB |
| --- | --- | --- | --- | --- | --- |`;

const TAIL = `Multiply by the prices of your region: request units (serverless by the million, else
provisioned by the hour), GB a month, queue transactions, executions and GB-seconds. In Flex
Consumption an instance is charged while it executes anything, at least a second at a time,
however many executions run side by side. At many jobs a day what is kept costs as much as the
request units: see [retention](lifecycle.md#retention). Where the limits are:
[scaling](scaling.md).
`;
