// The entry of `npm start`: stores in memory unless the environment names others, then the host.
// `--keep DIR` keeps what the stores hold in that folder, for the next start.
// `--stores` runs the stores alone and prints their settings as one line of JSON.
//
// COSMOS_ENDPOINT, COSMOS_KEY and AzureWebJobsStorage, given together, are used as they are.
// PORT (7071), HOLDFAST_LOCAL_KEY and HOLDFAST_LOCAL_MASTER_KEY change what is printed; for tests
// HOLDFAST_LOCAL_LEASE_SECONDS, _RELEASE_SECONDS, _POLL_MS and _TIMER shorten what the host waits.

import path from "node:path";
import { fileURLToPath } from "node:url";
import { appDefaults, givenStores, RELAXED } from "./app-settings.ts";
import { forkStores, startStores, type Stores } from "./emulators.ts";
import { printed, type LogEntry } from "./host-log.ts";
import { checkPortIsFree } from "./http-server.ts";
import { LOCAL_KEYS, problemText, startHost, type RunningHost } from "./host.ts";
import { waitForStores } from "./reachable.ts";
import { takeFolder } from "./kept-folder.ts";
import { START_USAGE, startOptions, type StartOptions } from "./start-options.ts";
import { StartupProblem } from "./startup-problem.ts";

const SELF = fileURLToPath(import.meta.url);
const ROOT = path.dirname(path.dirname(SELF));
const DEFAULT_PORT = 7071;

async function runStores({ keep }: StartOptions): Promise<void> {
  const stores = await startStores(keep);
  const end = (): void => {
    void stores.stop().finally(() => process.exit(0));
  };
  if (process.send === undefined) {
    process.once("SIGINT", end).once("SIGTERM", end);
  } else {
    // A child of the host: Ctrl-C reaches both, and the host still needs its stores to finish.
    process.on("SIGINT", () => undefined).on("SIGTERM", () => undefined);
    process.once("disconnect", end);
  }
  process.stdout.write(`${JSON.stringify(stores.env)}\n`);
}

async function runHost({ keep }: StartOptions): Promise<void> {
  const port = portFrom(process.env["PORT"]);
  const given = givenStores(process.env);
  await checkPortIsFree(port);
  if (keep !== undefined && given !== undefined) {
    throw new StartupProblem("--keep is for stores of our own; the environment names others.");
  }
  if (keep !== undefined) takeFolder(keep);
  const stores =
    given === undefined ? await forkStores(SELF, { keep, onLost: storesLost }) : undefined;
  const settings = given ?? stores?.env;
  const isKept = given !== undefined || keep !== undefined;
  let host: RunningHost;
  try {
    if (settings !== undefined) {
      await waitForStores(settings);
    }
    host = await startHost({
      bundlePath: path.join(ROOT, "dist", "main.cjs"),
      hostJsonPath: path.join(ROOT, "host.json"),
      port,
      env: { ...appDefaults(process.env, isKept), ...settings },
      log: printLog,
      keys: {
        host: process.env["HOLDFAST_LOCAL_KEY"] ?? LOCAL_KEYS.host,
        master: process.env["HOLDFAST_LOCAL_MASTER_KEY"] ?? LOCAL_KEYS.master,
      },
    });
  } catch (error) {
    await stores?.stop();
    throw error;
  }
  stopOnSignal(host, stores);
  console.log(greeting(host, storesText(stores !== undefined, keep)));
}

function storesLost(): void {
  console.error("The stores have ended, and what was in memory is gone. Start again.");
  process.exit(1);
}

function portFrom(text: string | undefined): number {
  const port = text === undefined || text === "" ? DEFAULT_PORT : Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new StartupProblem("PORT must be a port number.");
  }
  return port;
}

function stopOnSignal(host: RunningHost, stores: Stores | undefined): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) {
      process.exit(1);
    }
    stopping = true;
    console.log("Stopping: waiting for what is running. Press Ctrl-C again to stop at once.");
    void host
      .stop()
      .catch((error: unknown) => console.error(problemText(error)))
      .then(() => stores?.stop())
      .finally(() => process.exit(0));
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
}

function printLog(entry: LogEntry): void {
  const line = printed(entry);
  const { level } = entry;
  if (level === "warning" || level === "error" || level === "critical") {
    console.error(line);
  } else {
    console.log(line);
  }
}

function storesText(isOwn: boolean, keep: string | undefined): string {
  if (!isOwn) return "as given by COSMOS_ENDPOINT and AzureWebJobsStorage";
  return keep === undefined
    ? "in memory: jobs are gone when this stops (npm start -- --keep DIR keeps them)"
    : `kept in ${keep}`;
}

/** The first line is stable: tests read the address from it. */
function greeting(host: RunningHost, stores: string): string {
  const api = `${host.url}/api/v1`;
  const key = `-H 'x-functions-key: ${host.functionKey}'`;
  const relaxed = Object.keys(RELAXED).map((name) => `${name}=${process.env[name] ?? ""}`);
  return [
    `Holdfast is running at ${host.url}`,
    `  key         ${host.functionKey}`,
    `  master key  ${host.masterKey}`,
    `  stores      ${stores}`,
    `  workflows   ${process.env["HOLDFAST_WORKFLOWS_DIR"] ?? ""}, read again when a file changes`,
    `  relaxed     ${relaxed.join(" ")}`,
    "",
    `A page to look at: ${host.url}/api/ui (give it the key above). Try, in another terminal:`,
    `  curl -si ${key} -H 'content-type: application/json' \\`,
    `    -d '{"workflow_id": "echo_test", "input_params": {"message": "hello"}}' ${api}/jobs`,
    `  curl -s ${key} ${api}/jobs`,
    `  curl -s ${key} ${api}/workflows`,
    `The first answer has links: put them behind ${host.url} for the job's result and provenance.`,
    "",
    "Ctrl-C stops.",
  ].join("\n");
}

async function main(): Promise<void> {
  const options = startOptions(process.argv.slice(2), process.env);
  if (options.help) console.log(START_USAGE);
  else await (options.stores ? runStores(options) : runHost(options));
}

main().catch((error: unknown) => {
  console.error(problemText(error));
  process.exit(1);
});
