// Shipped workflows on the memory ports, with handlers that take their time and HTTP answered from
// `workflows/data`, while stores and queue are down for minutes. A queue that is down hands out
// nothing and deletes nothing; of the first write in an outage only the answer may be lost.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GoodFile } from "../../src/catalog/workflow-files.ts";
import { epochMs } from "../../src/core/instant.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { RetryableError } from "../../src/runtime/handlers.ts";
import type { Handler } from "../../src/runtime/handlers.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import { builtinHandlers } from "../../src/tasks/builtin.ts";
import type { Fault, Request } from "../support/faults.ts";
import { TestRuntime } from "../support/runtime.ts";
import { WORKFLOWS } from "../unit/workflows/shipped.ts";
import type { WorkflowCase } from "../unit/workflows/shipped.ts";

/** What is down: everything, both stores refusing or throttling, or a part. */
export const OUTAGES = {
  everything: () => true,
  stores: ({ operation }) => !operation.startsWith("queue"),
  throttled: ({ operation }) => !operation.startsWith("queue"),
  journal: ({ operation }) => operation.startsWith("journal"),
  jobs: ({ operation }) => operation.startsWith("jobs"),
  writes: ({ operation }) => /create|replace/.test(operation),
  renewals: ({ operation }) => operation === "jobs.replace",
  queue: ({ operation }) => operation.startsWith("queue"),
} as const satisfies Record<string, (request: Request) => boolean>;

export type Outage = keyof typeof OUTAGES;

export interface Period {
  readonly fromMs: number;
  readonly seconds: number;
}

export interface OutagePlan {
  readonly outage: Outage;
  readonly periods: readonly Period[];
  readonly processes: number;
  readonly seed: string;
  /** Whether the first write of each outage takes effect without an answer. */
  readonly unanswered: boolean;
}

export interface OutageRun {
  readonly runtime: TestRuntime;
  readonly jobId: string;
  /** Requests that met the outage. */
  readonly refused: () => number;
  readonly sinceStartMs: () => number;
}

/** In [0, 1), the same for the same words. */
export function chance(...words: readonly (string | number)[]): number {
  return parseInt(sha256(words.join(" ")).slice(0, 8), 16) / 2 ** 32;
}

/** A runtime with one accepted job, and the outages of the plan before it. */
export async function outageRun(
  workflow: GoodFile,
  given: WorkflowCase,
  plan: OutagePlan,
): Promise<OutageRun> {
  const { definition } = workflow;
  const clock: Clock = {
    now: () => runtime.clock.now(),
    after: (ms, callback) => runtime.clock.after(ms, callback),
  };
  const handlers = builtinHandlers({ http: { allow: [] }, clock }).map((handler) =>
    paced(handler, { workflow, clock, seed: plan.seed }),
  );
  const runtime = new TestRuntime({ handlers, secrets: { API_TOKEN: "a-token-for-tests" } });
  for (let n = 1; n < plan.processes; n += 1) runtime.addProcess();
  runtime.catalog.entries.set(definition.workflow_id, workflow);
  const { job } = await runtime.submit({
    workflow_id: definition.workflow_id,
    input_params: JSON.parse(
      JSON.stringify(given.input_params).replaceAll("{{base_url}}", BASE_URL),
    ) as JsonObject,
  });
  const start = epochMs(runtime.clock.now());
  const sinceStartMs = () => epochMs(runtime.clock.now()) - start;
  const refused = shut(runtime, plan, sinceStartMs);
  return { runtime, jobId: job.job_id, refused, sinceStartMs };
}

function shut(
  runtime: TestRuntime,
  plan: OutagePlan,
  sinceStartMs: () => number,
): () => number {
  let refused = 0;
  const hit = new Set<Period>();
  const period = (): Period | undefined => {
    const now = sinceStartMs();
    return plan.periods.find(
      ({ fromMs, seconds }) => now >= fromMs && now < fromMs + seconds * 1000,
    );
  };
  runtime.gate.rule = (request): Fault | undefined => {
    const now = period();
    if (now === undefined || !OUTAGES[plan.outage](request)) return undefined;
    refused += 1;
    const isWrite = /create|replace/.test(request.operation);
    if (plan.unanswered && isWrite && !hit.has(now)) {
      hit.add(now);
      return "unanswered";
    }
    return plan.outage === "throttled" ? "throttled" : "refused";
  };
  runtime.gate.latencyMs = ({ number }) => 1 + Math.floor(20 * chance(plan.seed, number));
  const isDown = () =>
    (plan.outage === "everything" || plan.outage === "queue") && period() !== undefined;
  const { queue } = runtime;
  const receive = queue.receive.bind(queue);
  const complete = queue.complete.bind(queue);
  const nextVisible = queue.nextVisible.bind(queue);
  Object.assign(queue, {
    receive: (...args: Parameters<typeof receive>) => (isDown() ? [] : receive(...args)),
    complete: (...args: Parameters<typeof complete>) => !isDown() && complete(...args),
    nextVisible: () => (isDown() ? undefined : nextVisible()),
  });
  return () => refused;
}

interface Pacing {
  readonly workflow: GoodFile;
  readonly clock: Clock;
  readonly seed: string;
}

/** The handler, after a delay of up to half of what its node allows it. */
function paced(handler: Handler, { workflow, clock, seed }: Pacing): Handler {
  return {
    ...handler,
    run: async (context) => {
      const { node_id, index } = context.job;
      const node = workflow.definition.nodes[node_id];
      const bound = node !== undefined && "timeout_seconds" in node ? node.timeout_seconds : 1;
      const share = chance(seed, node_id, index ?? "", context.attempt);
      const delay = handler.name === "sleep" ? 0 : bound * 500 * share ** 2;
      await new Promise<void>((resume) => clock.after(delay, resume));
      return handler.name === "http_request" ? fetched(context.params) : handler.run(context);
    },
  };
}

const BASE_URL = "http://127.0.0.1:8080";

/** What `workflows/data` holds under the URL's path. */
function fetched(params: Json): Json {
  const { url, response } = params as JsonObject & { readonly url: string };
  const path = url.slice(BASE_URL.length).split("?", 1)[0] ?? "";
  try {
    const text = readFileSync(join(WORKFLOWS, "data", path), "utf8");
    const body = response === "json" ? (JSON.parse(text) as Json) : text;
    return { status: 200, headers: {}, body, bytes: text.length, url };
  } catch {
    throw new RetryableError("answered 404", "HTTP_STATUS");
  }
}

/** Types of all events of the job, in order. */
export function eventTypes({ runtime, jobId }: OutageRun): readonly string[] {
  return runtime
    .entries(jobId)
    .flatMap((entry) => (entry["events"] as { type: string }[]).map(({ type }) => type));
}
