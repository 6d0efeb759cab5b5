// Runs one attempt of a handler the way the product does, and gives its outcome.
import type { Json } from "../../src/core/json.ts";
import type { Handler } from "../../src/runtime/handlers.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import { runAttempt } from "../../src/runtime/run-handler.ts";
import type { AttemptOutcome } from "../../src/runtime/run-handler.ts";
import type { JobSecrets } from "../../src/runtime/secrets.ts";
import { turningClock } from "./manual-clock.ts";

export interface TaskSetting {
  readonly attempt?: number;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  readonly idempotencyKey?: string;
  readonly secrets?: JobSecrets;
}

export function runTask(
  handler: Handler,
  params: Json,
  setting: TaskSetting = {},
): Promise<AttemptOutcome> {
  return runAttempt({
    handler,
    params,
    attempt: setting.attempt ?? 1,
    idempotencyKey: setting.idempotencyKey ?? "job-1/node",
    job: { job_id: "job-1", workflow_id: "w", workflow_version: 1, node_id: "node" },
    timeoutSeconds: 540,
    signal: setting.signal ?? new AbortController().signal,
    clock: setting.clock ?? turningClock(),
    ...(setting.secrets === undefined ? {} : { secrets: setting.secrets }),
  });
}

export interface TaskFailure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

export async function taskOutput(handler: Handler, params: Json, setting?: TaskSetting) {
  const outcome = await runTask(handler, params, setting);
  if (outcome.kind === "completed") return outcome.output;
  throw new Error(`expected an output, got ${JSON.stringify(outcome)}`);
}

export async function taskFailure(
  handler: Handler,
  params: Json,
  setting?: TaskSetting,
): Promise<TaskFailure> {
  const outcome = await runTask(handler, params, setting);
  if (outcome.kind !== "failed") throw new Error(`expected a failure, got ${outcome.kind}`);
  return { ...outcome.error, retryable: outcome.retryable };
}
