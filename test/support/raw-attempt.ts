// One attempt of a handler that bypasses `defineHandler`, as hostile as JavaScript allows.
import { z } from "zod";
import type { Json } from "../../src/core/json.ts";
import type { Handler, HandlerContext } from "../../src/runtime/handlers.ts";
import { runAttempt } from "../../src/runtime/run-handler.ts";
import type { AttemptOutcome } from "../../src/runtime/run-handler.ts";
import type { JobSecrets } from "../../src/runtime/secrets.ts";
import { turningClock } from "./manual-clock.ts";
import type { ManualClock } from "./manual-clock.ts";

export type Run = (context: HandlerContext<Json>) => unknown;

export const job = { job_id: "j1", workflow_id: "w", workflow_version: 1, node_id: "n" };

function raw(run: Run): Handler {
  const any = z.unknown();
  return {
    name: "raw",
    version: "1",
    description: "",
    params: any,
    output: any,
    run: run as Handler["run"],
  };
}

interface Setting {
  readonly clock?: ManualClock;
  readonly signal?: AbortSignal;
  readonly params?: Json;
  readonly graceMs?: number;
  readonly secrets?: JobSecrets;
}

export function start(run: Run, setting: Setting = {}): Promise<AttemptOutcome> {
  return runAttempt({
    handler: raw(run),
    params: setting.params ?? {},
    attempt: 3,
    idempotencyKey: "j1/n",
    job,
    timeoutSeconds: 10,
    signal: setting.signal ?? new AbortController().signal,
    clock: setting.clock ?? turningClock(),
    ...(setting.secrets === undefined ? {} : { secrets: setting.secrets }),
    ...(setting.graceMs === undefined ? {} : { graceMs: setting.graceMs }),
  });
}

/** Lets everything that is already resolved run on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

export async function outputOf(value: unknown): Promise<Json | undefined> {
  const outcome = await start(() => value);
  return outcome.kind === "completed" ? outcome.output : undefined;
}

export async function failureOf(run: Run) {
  const outcome = await start(run);
  if (outcome.kind !== "failed") throw new Error(`expected a failure, got ${outcome.kind}`);
  return { ...outcome.error, retryable: outcome.retryable };
}

export function throwing(thrown: unknown): Run {
  return () => {
    throw thrown;
  };
}

export function thrower(): never {
  throw new Error("hostile");
}

export function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
