// The entry point, and the only caller of app.*: it registers every function and nothing else, so
// that it is quick, cannot fail, and never leaves a silently empty app. The rest is compiled behind
// the registration, while the host still reads it, or for the first call if that comes sooner.
import { app } from "@azure/functions";
import { POISON_QUEUE, STORAGE_CONNECTION, WORK_QUEUE } from "./azure/names.ts";
import { sweepSchedule } from "./azure/sweep-schedule.ts";
import { jsonLog, processSink } from "./azure/telemetry.ts";
import type * as Composition from "./composition.ts";
import { HTTP_FUNCTION_NAMES, HTTP_FUNCTIONS } from "./functions/function-table.ts";
import { POISON_FUNCTION, SWEEP_FUNCTION, WORK_FUNCTION } from "./functions/function-table.ts";
import { errorText } from "./runtime/error-text.ts";

let loading: Promise<typeof Composition> | undefined;

function composition(): Promise<typeof Composition> {
  loading ??= import("./composition.ts");
  return loading;
}

for (const name of HTTP_FUNCTION_NAMES) {
  const { methods, route, authLevel } = HTTP_FUNCTIONS[name];
  app.http(name, {
    methods: [...methods],
    route,
    authLevel,
    handler: async (request, context) => (await composition()).httpHandlers[name](request, context),
  });
}
app.storageQueue(WORK_FUNCTION, {
  queueName: WORK_QUEUE,
  connection: STORAGE_CONNECTION,
  handler: async (body, context) => (await composition()).onWork(body, context),
});
app.storageQueue(POISON_FUNCTION, {
  queueName: POISON_QUEUE,
  connection: STORAGE_CONNECTION,
  handler: async (body, context) => (await composition()).onPoison(body, context),
});
app.timer(SWEEP_FUNCTION, {
  schedule: sweepSchedule(process.env),
  handler: async (timer, context) => (await composition()).onSweep(timer, context),
});
app.hook.appTerminate(async () => {
  const loaded = await loading?.catch(() => undefined);
  await loaded?.terminate();
});

// A failure is a defect of the build: every call gets it too, but only here does the log say so.
setImmediate(() => {
  composition().catch((error: unknown) => {
    jsonLog(processSink).write("error", "host.failed", { error: errorText(error) });
  });
});
