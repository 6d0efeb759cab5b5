// The embedded Functions host: loads the built bundle, serves its HTTP functions, polls its queues,
// runs its timers. One host is one Functions instance in this process; several may run side by side
// in tests, but they share process.env, which stays as the last one set it until that one stops.
//
// Not mimicked: the worker as a process of its own, its end on functionTimeout, HTTP throttling,
// key management, the timer's lock and stored status, output bindings.

import { QueueServiceClient } from "@azure/storage-queue";
import { loadApp, terminateApp, type App, type AppFunction } from "./app-loader.ts";
import { readHostJson, type Environment, type HostSettings } from "./host-json.ts";
import { filterLog, type HostLog } from "./host-log.ts";
import type { Keys } from "./http-keys.ts";
import { httpRoutes, isDisabled } from "./http-routes.ts";
import { bodyLimit, createHttpServer, listen } from "./http-server.ts";
import { createInvoker, type Invoker } from "./invocation.ts";
import { startQueueListener, type QueueListener } from "./queue-listener.ts";
import { queueMetadata } from "./queue-message.ts";
import type { RunningApp } from "./running-app.ts";
import { messageOf, StartupProblem } from "./startup-problem.ts";
import { resolveSettings, scheduleOf, startTimer, type Timer } from "./timer.ts";

export interface HostOptions {
  /** The built app, such as dist/main.cjs. */
  readonly bundlePath: string;
  readonly hostJsonPath: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** App settings: added to process.env until the host stops. */
  readonly env: Environment;
  readonly log: HostLog;
  /** Functions that must be registered, else the start fails. */
  readonly expectedFunctions?: readonly string[];
  readonly keys?: Partial<Keys>;
  /** How long stop() waits for what is in flight. */
  readonly stopTimeoutMs?: number;
}

export interface RunningHost {
  readonly url: string;
  readonly functionKey: string;
  readonly masterKey: string;
  /** Names, in the host's order. */
  readonly functions: readonly string[];
  /** Takes no new work, waits for what is in flight, closes. Resolves with how many were left. */
  stop(): Promise<number>;
}

/** Fixed, printed, for loopback only. */
export const LOCAL_KEYS: Keys = {
  host: "holdfast-local-key",
  master: "holdfast-local-master-key",
  functions: {},
};

const STOP_TIMEOUT_MS = 10_000;

/** Rejects with a StartupProblem that says what to do. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const restoreEnv = setEnv({ AZURE_FUNCTIONS_ENVIRONMENT: "Development", ...options.env });
  const env = process.env;
  const keys = { ...LOCAL_KEYS, ...options.keys };
  let running: RunningApp | undefined;
  let log = options.log;
  const server = createHttpServer({
    keys,
    log: (entry) => log(entry),
    bodyLimitBytes: bodyLimit(env),
    current: () => running,
  });
  try {
    const settings = readHostJson(options.hostJsonPath, env);
    log = filterLog(settings.logLevels, options.log);
    for (const message of settings.warnings) {
      log({ level: "warning", category: "Host.Startup", message });
    }
    const url = `http://127.0.0.1:${await listen(server, options.port)}`;
    // The functions platform tells the app its own address this way.
    process.env["WEBSITE_HOSTNAME"] ??= url.slice("http://".length);
    const app = await loadApp({
      bundlePath: options.bundlePath,
      expected: options.expectedFunctions ?? [],
      log,
    });
    const started = startTriggers({ app, settings, env, log });
    running = started.running;
    const stop = async (): Promise<number> => {
      running = undefined;
      const left = await started.stop(options.stopTimeoutMs ?? STOP_TIMEOUT_MS);
      await closeServer(server);
      await terminateApp(app);
      restoreEnv();
      return left;
    };
    return {
      url,
      functionKey: keys.host,
      masterKey: keys.master,
      functions: app.functions.map(({ name }) => name),
      stop: once(stop),
    };
  } catch (error) {
    await closeServer(server);
    restoreEnv();
    throw error;
  }
}

interface Triggers {
  readonly app: App;
  readonly settings: HostSettings;
  readonly env: Environment;
  readonly log: HostLog;
}

interface StartedTriggers {
  readonly running: RunningApp;
  stop(timeoutMs: number): Promise<number>;
}

/** Everything is checked before the first listener starts. */
function startTriggers(triggers: Triggers): StartedTriggers {
  const { app, settings, env, log } = triggers;
  const invoker = createInvoker({ app, functionTimeoutMs: settings.functionTimeoutMs, log });
  const routes = httpRoutes(app.functions, settings.routePrefix, env);
  const enabled = app.functions.filter((target) => !isDisabled(target, env));
  const queues = enabled.filter(isQueue).map((target) => queueStarter(target, triggers, invoker));
  const timers = enabled.filter(isTimer).map((target) => {
    const schedule = scheduleOf(target, env);
    const run = async (input: { readonly json?: string }): Promise<void> => {
      await invoker.invoke(target, { input });
    };
    return { target, start: (): Timer => startTimer({ target, schedule, log, run }) };
  });
  const listeners = queues.map((start) => start());
  const started = new Map(timers.map(({ target, start }) => [target, start()]));
  const trigger = triggerByHand(invoker, started);
  return {
    running: { routes, functions: app.functions, invoker, settings, env, trigger },
    async stop(timeoutMs) {
      for (const timer of started.values()) {
        timer.stop();
      }
      await within(timeoutMs, Promise.all(listeners.map((listener) => listener.stop())));
      const left = await invoker.drain(timeoutMs);
      if (left === 0) {
        // Settling a message takes a moment after its function has ended.
        await within(timeoutMs, Promise.all(listeners.map((listener) => listener.idle())));
      } else {
        const message = `Stopped with ${left} functions still running.`;
        log({ level: "warning", category: "Host.Shutdown", message });
      }
      return left;
    },
  };
}

function triggerByHand(
  invoker: Invoker,
  timers: ReadonlyMap<AppFunction, Timer>,
): RunningApp["trigger"] {
  return async (target, input) => {
    const timer = timers.get(target);
    if (timer !== undefined) {
      return timer.runNow();
    }
    if (!isQueue(target)) {
      throw new Error("Only queue and timer functions can be started by hand.");
    }
    const noTime = "0001-01-01T00:00:00Z";
    const item = { id: "", popReceipt: "", dequeueCount: 0 };
    const times = { insertedAt: noTime, expiresAt: noTime, nextVisibleAt: noTime };
    const triggerMetadata = queueMetadata({ ...item, ...times }, input);
    await invoker.invoke(target, { input: { string: input }, triggerMetadata });
  };
}

// A queue name may have 63 characters; one that leaves no room for the suffix has no poison queue.
const QUEUE_NAME_LENGTH = 63;
const POISON_SUFFIX = "-poison";
// A store that is away shall be noticed soon: the listener itself tries again.
const RETRY = { maxTries: 3, tryTimeoutInMs: 10_000, retryDelayInMs: 200 };

function queueStarter(
  target: AppFunction,
  { settings, env, log }: Triggers,
  invoker: Invoker,
): () => QueueListener {
  const where = `Queue function "${target.name}"`;
  const { queueName, connection } = target.trigger;
  if (typeof queueName !== "string") {
    throw new StartupProblem(`${where} names no queue.`);
  }
  const name = resolveSettings(queueName, env, where).toLowerCase();
  const setting = typeof connection === "string" && connection !== "" ? connection : "Storage";
  const value = env[setting] ?? env[`AzureWebJobs${setting}`];
  if (value === undefined || value === "") {
    throw new StartupProblem(`${where} needs the setting AzureWebJobs${setting}.`);
  }
  const service = serviceClient(value, where);
  const hasPoison =
    !name.endsWith(POISON_SUFFIX) && name.length + POISON_SUFFIX.length <= QUEUE_NAME_LENGTH;
  return () =>
    startQueueListener({
      functionName: target.name,
      queue: service.getQueueClient(name),
      poison: hasPoison ? service.getQueueClient(name + POISON_SUFFIX) : undefined,
      settings: settings.queues,
      log,
      run: async (input, triggerMetadata) => {
        await invoker.invoke(target, { input, triggerMetadata });
      },
    });
}

function serviceClient(connectionString: string, where: string): QueueServiceClient {
  try {
    return QueueServiceClient.fromConnectionString(connectionString, { retryOptions: RETRY });
  } catch {
    // The error of the SDK may quote the connection string.
    throw new StartupProblem(`${where}: its connection setting is no connection string.`);
  }
}

function isQueue(target: AppFunction): boolean {
  return target.trigger.type.toLowerCase() === "queuetrigger";
}

function isTimer(target: AppFunction): boolean {
  return target.trigger.type.toLowerCase() === "timertrigger";
}

function setEnv(settings: Environment): () => void {
  const before = { ...process.env };
  for (const [name, value] of Object.entries(settings)) {
    if (value !== undefined) {
      process.env[name] = value;
    }
  }
  return () => {
    for (const name of [...Object.keys(settings), "WEBSITE_HOSTNAME"]) {
      const value = before[name];
      if (value === undefined) {
        Reflect.deleteProperty(process.env, name);
      } else {
        process.env[name] = value;
      }
    }
  };
}

async function closeServer(server: ReturnType<typeof createHttpServer>): Promise<void> {
  if (server.listening) {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

/** Waits for `work`, at most `timeoutMs`. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, bound]);
  clearTimeout(timer);
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}

/** A failure to start, in words. */
export function problemText(error: unknown): string {
  return error instanceof StartupProblem
    ? error.message
    : `Unexpected: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`;
}
