// The composition root: settings, adapters, handlers. Loaded behind the registration; composing
// connects to nothing, and what is wrong with the settings is answered per request.
import { readFile } from "node:fs/promises";
import type { StorageQueueHandler, TimerHandler } from "@azure/functions";
import { cosmosHandle } from "./azure/cosmos-client.ts";
import { cosmosStores } from "./azure/cosmos-stores.ts";
import { lazySink } from "./azure/lazy-telemetry.ts";
import { openTelemetrySink } from "./azure/open-telemetry.ts";
import { poisonQueue } from "./azure/poison-stores.ts";
import { queueRequests, storeRequests } from "./azure/request-telemetry.ts";
import { EXPORTER_SETTINGS, readSettings } from "./azure/settings.ts";
import type { Settings } from "./azure/settings.ts";
import { queueHandle, queueLengths, storageQueue } from "./azure/storage-queue.ts";
import { storeAdmin } from "./azure/store-admin.ts";
import { systemClock, systemRandomness } from "./azure/system.ts";
import { jsonLog, processSink, telemetryLog } from "./azure/telemetry.ts";
import { FileCatalog } from "./catalog/catalog.ts";
import { DefinitionChecker } from "./catalog/definition-checker.ts";
import { WorkflowError } from "./core/error.ts";
import { addSeconds } from "./core/instant.ts";
import type { App, AppResult } from "./functions/app.ts";
import { codeIn, Readiness } from "./functions/readiness.ts";
import type { StaticFileName } from "./functions/static-files.ts";
import type { HttpFunctionName } from "./functions/function-table.ts";
import { ROUTES } from "./functions/routes.ts";
import { httpHandler, poisonHandler, sweepHandler, workHandler } from "./functions/triggers.ts";
import { DEFAULT_TIMING } from "./runtime/engine.ts";
import type { Engine } from "./runtime/engine.ts";
import { errorText } from "./runtime/error-text.ts";
import { HandlerRegistry } from "./runtime/handlers.ts";
import { OpenJobs } from "./runtime/open-jobs.ts";
import type { StoreAdmin } from "./runtime/ports.ts";
import { RateLimit } from "./runtime/rate-limit.ts";
import { Secrets } from "./runtime/secrets.ts";
import { Sessions } from "./runtime/sessions.ts";
import { SnapshotCache } from "./runtime/snapshots.ts";
import { Telemetry } from "./runtime/telemetry.ts";
import type { TelemetrySink } from "./runtime/telemetry.ts";
import { VersionRegistry } from "./runtime/version-registry.ts";
import { JobWait } from "./runtime/wait-for-job.ts";
import { builtinHandlers } from "./tasks/builtin.ts";

/** Version and digest of the build's inputs; build/bundle.mjs puts it here. */
declare const HOLDFAST_BUILD: string;
/** The thread that checks definitions, as text: Node compiles it when it is asked for. */
declare const HOLDFAST_DEFINITION_THREAD: string;

const settings = readSettings(process.env);
const lines = jsonLog(processSink);
const telemetry = settings.ok ? telemetryOf(settings.settings) : undefined;
const log = telemetry === undefined ? lines : telemetryLog(telemetry, lines);
let composed: AppResult | undefined;

function appOnce(): AppResult {
  composed ??= settings.ok ? composedOf(settings.settings) : settings;
  return composed;
}

/** What only an adapter can judge of a setting is reported as the other settings are. */
function composedOf(given: Settings): AppResult {
  try {
    return { ok: true, app: compose(given) };
  } catch (error) {
    if (!(error instanceof WorkflowError) || error.code !== "CONFIGURATION_INVALID") throw error;
    return { ok: false, issues: [{ message: error.message }] };
  }
}

/** Begins to load behind the registration; without settings for it nothing is ever loaded. */
function telemetryOf(given: Settings): Telemetry | undefined {
  const { telemetry: to, traceRatio, telemetrySeconds: seconds } = given;
  if (to === undefined) return undefined;
  const problem = (error: string): void => lines.write("warn", "telemetry.failed", { error });
  const load = async (): Promise<TelemetrySink> => {
    Object.assign(process.env, EXPORTER_SETTINGS);
    const build = `holdfast@${HOLDFAST_BUILD}`;
    const options = { settings: to, build, traceRatio, seconds, onProblem: onceIn(60, problem) };
    return openTelemetrySink(options);
  };
  const onFailure = (error: unknown): void => problem(errorText(error));
  const sink = lazySink({ load, onFailure, later: setImmediate });
  return new Telemetry({ sink, clock: systemClock, traceRatio });
}

/** Passes one text on in so many seconds: a collector that is down is down for every batch. */
function onceIn(seconds: number, tell: (text: string) => void): (text: string) => void {
  let next = "";
  return (text) => {
    const now = systemClock.now();
    if (now < next) return;
    next = addSeconds(now, seconds);
    tell(text);
  };
}

/** Connects to nothing; each request is a span, where somebody wants spans. */
function handlesOf({ cosmos, queues, database }: Settings) {
  return {
    cosmos: cosmosHandle({
      connection: cosmos,
      database,
      ...(telemetry && { onRequest: storeRequests(telemetry, database) }),
    }),
    queues: queueHandle({
      connection: queues,
      ...(telemetry && { onRequest: queueRequests(telemetry) }),
    }),
  };
}

function engineOf(given: Settings, stores: Pick<Engine, "journal" | "jobs" | "queue">): Engine {
  const handlers = new HandlerRegistry(
    builtinHandlers({ http: { allow: given.httpAllow }, clock: systemClock }),
  );
  return {
    ...stores,
    clock: systemClock,
    randomness: systemRandomness,
    log,
    handlers,
    secrets: new Secrets(given.secrets),
    snapshots: new SnapshotCache(),
    ...(telemetry === undefined ? {} : { telemetry }),
    build: `holdfast@${HOLDFAST_BUILD}`,
    timing: {
      ...DEFAULT_TIMING,
      lease_seconds: given.leaseSeconds,
      renew_seconds: given.renewSeconds,
      resend_seconds: given.resendSeconds,
      refresh_seconds: given.refreshSeconds,
      retention_seconds: given.retentionSeconds,
    },
  };
}

function compose(given: Settings): App {
  const { cosmos, queues } = handlesOf(given);
  const stores = cosmosStores(cosmos);
  const { journal, jobs } = stores;
  const engine = engineOf(given, { journal, jobs, queue: storageQueue(queues) });
  const catalog = new FileCatalog({
    folder: given.workflowsDir,
    handlers: engine.handlers.known,
  });
  const checker = new DefinitionChecker({
    program: HOLDFAST_DEFINITION_THREAD,
    clock: systemClock,
  });
  const admin = storeAdmin({ cosmos, queues });
  const mayRedefine = given.allowRedefine;
  const versions = new VersionRegistry(engine, stores.definitions, { mayRedefine });
  const { publicUrl, adminRole } = given;
  return {
    engine,
    sessions: new Sessions(engine),
    waits: new JobWait(engine, given.maxHeldRequests),
    stats: { store: stores.stats, engine, delaySeconds: given.statsDelaySeconds },
    ...(telemetry && { gauges: { engine, lengths: queueLengths(queues), stats: stores.stats } }),
    submitter: { engine, catalog, versions, vars: given.vars, openJobs: openJobsOf(engine, given) },
    catalog,
    checkDefinition: (text) => checker.check(text),
    admin,
    readiness: new Readiness({ admin, clock: systemClock, log }),
    auth: given.auth === "keys" ? { mode: "keys" } : { mode: "platform", adminRole },
    rates: {
      submit: rateLimit(given.submitRatePerMinute, given.submitBurst),
      read: rateLimit(given.readRatePerMinute, given.readRatePerMinute),
    },
    allowRebuild: given.allowRebuild,
    poisonQueue: poisonQueue(queues),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    prepared: given.development ? once(async () => prepare(admin)) : ready,
  };
}

function openJobsOf(engine: Engine, given: Settings): OpenJobs {
  const { maxOpenJobs: max, maxOpenJobsPerCaller: maxPerCaller } = given;
  return new OpenJobs({ engine, max, maxPerCaller });
}

function rateLimit(perMinute: number, burst: number): RateLimit {
  return new RateLimit({ clock: systemClock, perMinute, burst });
}

async function ready(): Promise<void> {
  // In Azure the infrastructure template has made everything; the app may not.
}

/** Creates what is missing; what could not be created is tried again by whoever asks next. */
async function prepare(admin: StoreAdmin): Promise<void> {
  const failed = (await admin.prepare()).filter(({ ok }) => !ok);
  if (failed.length === 0) return;
  const problems = failed.map(({ statement, error }) => `${statement}: ${error ?? "no reason"}`);
  const message = `the stores could not be prepared: ${problems.join("; ")}`;
  const code = codeIn(failed[0]?.error ?? "") ?? "STORE_UNAVAILABLE";
  throw new WorkflowError(code, message, { retryable: true });
}

/** Runs `work` until it succeeds once; everybody waits for the same run. */
function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return async () => {
    running ??= work().catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}

/** Beside the bundle, where the build puts them. */
const files = memoized(async (name: StaticFileName) => {
  return readFile(new URL(`web/${name}`, import.meta.url), "utf8").catch(() => undefined);
});

/** The first answer for a name is kept: a build's files do not change while it runs. */
function memoized<Name, Answer>(
  read: (name: Name) => Promise<Answer>,
): (name: Name) => Promise<Answer> {
  const known = new Map<Name, Promise<Answer>>();
  return (name) => {
    const answer = known.get(name) ?? read(name);
    known.set(name, answer);
    return answer;
  };
}

const triggers = { app: appOnce, log, files, telemetry };

type HttpHandlers = Readonly<Record<HttpFunctionName, ReturnType<typeof httpHandler>>>;

export const httpHandlers = Object.fromEntries(
  ROUTES.map((route) => [route.name, httpHandler(route, triggers)]),
) as HttpHandlers;
export const onWork: StorageQueueHandler = workHandler(triggers);
export const onPoison: StorageQueueHandler = poisonHandler(triggers);
export const onSweep: TimerHandler = sweepHandler(triggers);

/**
 * Before the platform ends this process: what runs is handed back, so that it need not wait for the
 * end of its lease.
 */
export async function terminate(): Promise<void> {
  if (composed?.ok === true) await composed.app.sessions.drain();
  await telemetry?.flush();
}

if (settings.ok) {
  log.write("info", "host.ready", { functions: ROUTES.length + 3, build: HOLDFAST_BUILD });
} else {
  for (const { message } of settings.issues) log.write("error", "settings.invalid", { message });
}
