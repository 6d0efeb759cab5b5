// What the platform calls: HTTP requests, queue messages, the timer. Each turns the trigger's shape
// into one runtime call and lets no error out that the platform would handle worse.
import type {
  HttpRequest,
  HttpResponseInit,
  InvocationContext,
  StorageQueueHandler,
  TimerHandler,
} from "@azure/functions";
import { WorkflowError } from "../core/error.ts";
import { errorText } from "../runtime/error-text.ts";
import { foldStats } from "../runtime/fold-stats.ts";
import { processMessage } from "../runtime/process-message.ts";
import { poisonBody, processPoison } from "../runtime/process-poison.ts";
import type { Log } from "../runtime/ports.ts";
import { readGauges } from "../runtime/read-gauges.ts";
import { sweep } from "../runtime/sweep.ts";
import type { Telemetry } from "../runtime/telemetry.ts";
import type { AppResult } from "./app.ts";
import { appForMessage, readyApp } from "./app.ts";
import { problem, statusOf } from "./problem.ts";
import type { Route } from "./routes.ts";
import type { StaticFiles } from "./static-files.ts";

export interface TriggerOptions {
  readonly app: () => AppResult;
  readonly log: Log;
  /** What happens in an invocation belongs to the platform's own span of it. */
  readonly telemetry?: Telemetry | undefined;
  /** Of the build; absent where there are none. */
  readonly files?: StaticFiles;
}

/** An HTTP handler that always answers, errors as problems. */
export function httpHandler(
  route: Route,
  { app, log, telemetry, files = noFiles }: TriggerOptions,
) {
  return async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    try {
      return await under(telemetry, context, () => route.handle(app(), request, files));
    } catch (error) {
      if (isRefusedDefinition(error)) {
        log.write("warn", "definition.refused", { function: route.name, error: errorText(error) });
      }
      if (statusOf(error) >= 500) {
        const fields = { function: route.name, error: errorText(error) };
        log.write("error", "request.failed", { ...fields, invocation_id: context.invocationId });
      }
      return problem(error, context.invocationId);
    }
  };
}

async function noFiles(): Promise<undefined> {
  return undefined;
}

/** What an operator wants to hear of even though it is the author's to mend. */
function isRefusedDefinition(error: unknown): boolean {
  if (!(error instanceof WorkflowError)) return false;
  return error.code === "DEFINITION_INVALID" || error.code === "VERSION_CONFLICT";
}

/** The work queue. Rejects only for defects of ours: the host then hands the message out again. */
export function workHandler({ app, telemetry }: TriggerOptions): StorageQueueHandler {
  return async (body, context) => {
    const { engine, sessions } = await appForMessage(app());
    const count = Number(context.triggerMetadata?.["dequeueCount"] ?? 1);
    const dequeueCount = Number.isFinite(count) ? count : 1;
    const delivery = { dequeueCount, invocation_id: context.invocationId };
    await under(telemetry, context, () => processMessage(sessions, engine, { body, delivery }));
  };
}

function under<T>(
  telemetry: Telemetry | undefined,
  { traceContext }: InvocationContext,
  work: () => T,
): T {
  return telemetry === undefined ? work() : telemetry.under(traceContext?.traceParent, work);
}

/** The poison queue. Never rejects once the app stands: it has no poison queue of its own. */
export function poisonHandler({ app, telemetry }: TriggerOptions): StorageQueueHandler {
  return async (body, context) => {
    const { engine, sessions, poisonQueue } = await appForMessage(app());
    const queue = poisonQueue === undefined ? {} : { queue: poisonQueue };
    const delivered = { body: poisonBody(body), ...queue };
    await under(telemetry, context, () => processPoison(sessions, engine, delivered));
  };
}

export function sweepHandler(options: TriggerOptions): TimerHandler {
  return async (_timer, context) => under(options.telemetry, context, () => swept(options));
}

async function swept({ app, log }: TriggerOptions): Promise<void> {
  try {
    const { engine, sessions } = await readyApp(app());
    await sweep(sessions, engine);
  } catch (error) {
    // The next run is a minute away; a failed one is a fact, not a reason to stop the timer.
    log.write("warn", "sweep.failed", { error: errorText(error) });
  }
  try {
    await foldStats((await readyApp(app())).stats);
  } catch (error) {
    log.write("warn", "stats.failed", { error: errorText(error) });
  }
  const result = app();
  if (result.ok && result.app.gauges !== undefined) await readGauges(result.app.gauges);
}
