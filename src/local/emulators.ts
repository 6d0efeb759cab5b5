// The stores of a local run: azurite's queue service and @vercel/cosmosdb-server, both on loopback
// with a free port, in memory or kept in a folder. In this process, or in a child that ends with
// its parent.
// No telemetry: azurite's is off unless its own command line is used, which we do not.

import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";
import { keepDocuments } from "./kept-documents.ts";
import { StartupProblem } from "./startup-problem.ts";

/** The app settings under which the stores are reached. */
export interface StoreSettings {
  readonly COSMOS_ENDPOINT: string;
  readonly COSMOS_KEY: string;
  readonly AzureWebJobsStorage: string;
}

export interface Stores {
  readonly env: StoreSettings;
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";
// Clients keep connections; a server that closes them first gives "socket hang up" under load.
const KEEP_ALIVE_SECONDS = 120;
// The emulator checks no key; the client only wants base64.
const COSMOS_KEY = Buffer.from("holdfast-local").toString("base64");

/** Both stores in this process; with `keep` their content stays in that folder. */
export async function startStores(keep?: string): Promise<Stores> {
  const cosmos = await startCosmos();
  if (keep !== undefined) {
    await keepDocuments(cosmos.server, `http://${HOST}:${cosmos.port}`, keep);
  }
  const queues = await startQueues(keep);
  return {
    env: {
      COSMOS_ENDPOINT: `http://${HOST}:${cosmos.port}`,
      COSMOS_KEY,
      AzureWebJobsStorage: queues.connectionString,
    },
    async stop() {
      await Promise.all([queues.stop(), closeServer(cosmos.server)]);
    },
  };
}

/**
 * Both stores in a child process, so that their work does not hold up the app's. `entry` is the
 * built local.mjs. The child ends when this process does, however it ends. `onLost` is called if it
 * ends by itself after it was ready: what it held is gone.
 */
export async function forkStores(
  entry: string,
  { keep, onLost }: { readonly keep?: string | undefined; readonly onLost: () => void },
): Promise<Stores> {
  const args = ["--stores", ...(keep === undefined ? [] : ["--keep", keep])];
  const child = fork(entry, args, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const output = child.stdout;
  if (output === null) {
    throw new StartupProblem("The stores could not be started: no output.");
  }
  const lines = createInterface({ input: output });
  const failed = once(child, "exit").then(([code]: readonly unknown[]) => {
    throw new StartupProblem(`The stores ended while starting, with code ${String(code)}.`);
  });
  const first = new Promise<string>((resolve) => {
    lines.once("line", resolve);
  });
  const line = await Promise.race([first, failed]);
  let stopping = false;
  failed.catch(() => {
    if (!stopping) {
      onLost();
    }
  });
  return {
    env: parseSettings(line),
    async stop() {
      stopping = true;
      const exited = once(child, "exit");
      // Without its parent it ends by itself, and writes the queues before; nothing else is kept
      // in memory.
      if (keep !== undefined && child.connected) child.disconnect();
      else child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Reads the line that `--stores` prints. */
export function parseSettings(line: string): StoreSettings {
  const value = JSON.parse(line) as Partial<StoreSettings>;
  const { COSMOS_ENDPOINT, COSMOS_KEY: key, AzureWebJobsStorage } = value;
  if (COSMOS_ENDPOINT === undefined || key === undefined || AzureWebJobsStorage === undefined) {
    throw new StartupProblem("The stores printed something else than their settings.");
  }
  return { COSMOS_ENDPOINT, COSMOS_KEY: key, AzureWebJobsStorage };
}

interface CosmosModule {
  createHttpServer(options: { readonly keepAlive: boolean }): Server;
}

async function startCosmos(): Promise<{ readonly server: Server; readonly port: number }> {
  const cosmos = load<CosmosModule>("@vercel/cosmosdb-server");
  const server = cosmos.createHttpServer({ keepAlive: true });
  server.keepAliveTimeout = KEEP_ALIVE_SECONDS * 1000;
  server.listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new StartupProblem("The Cosmos emulator has no port.");
  }
  return { server, port: address.port };
}

interface AzuriteServer {
  readonly httpServer: Server;
  start(): Promise<void>;
  close(): Promise<void>;
  getHttpServerAddress(): string;
}

interface AzuriteModules {
  readonly QueueServer: { readonly default: new (configuration: unknown) => AzuriteServer };
  readonly Configuration: { readonly default: new (...options: readonly unknown[]) => unknown };
  readonly Constants: {
    readonly EMULATOR_ACCOUNT_NAME: string;
    readonly EMULATOR_ACCOUNT_KEY: Buffer;
  };
}

async function startQueues(keep: string | undefined): Promise<{
  readonly connectionString: string;
  stop(): Promise<void>;
}> {
  const azurite = "azurite/dist/src";
  const modules: AzuriteModules = {
    QueueServer: load(`${azurite}/queue/QueueServer.js`),
    Configuration: load(`${azurite}/queue/QueueConfiguration.js`),
    Constants: load(`${azurite}/common/utils/constants.js`),
  };
  const configuration = new modules.Configuration.default(...azuriteOptions(keep));
  const server = new modules.QueueServer.default(configuration);
  await server.start();
  const { EMULATOR_ACCOUNT_NAME: account, EMULATOR_ACCOUNT_KEY: key } = modules.Constants;
  return {
    connectionString: [
      "DefaultEndpointsProtocol=http",
      `AccountName=${account}`,
      `AccountKey=${key.toString("base64")}`,
      `QueueEndpoint=${server.getHttpServerAddress()}/${account}`,
    ].join(";"),
    async stop() {
      // Azurite waits for idle connections of its clients, which would be for ever.
      const closing = server.close();
      server.httpServer.closeAllConnections();
      await closing;
    },
  };
}

/** The positional options of azurite 3.35's QueueConfiguration. */
function azuriteOptions(keep: string | undefined): readonly unknown[] {
  const files = keep === undefined ? ["", "", []] : queueFiles(keep);
  const accessLog = [false, undefined];
  const debugLog = [false, undefined];
  const loose = false;
  const skipApiVersionCheck = true;
  const certificate = ["", "", ""];
  const oauth = undefined;
  const disableProductStyleUrl = false;
  const inMemoryPersistence = keep === undefined;
  return [
    HOST,
    0,
    KEEP_ALIVE_SECONDS,
    ...files,
    ...accessLog,
    ...debugLog,
    loose,
    skipApiVersionCheck,
    ...certificate,
    oauth,
    disableProductStyleUrl,
    inMemoryPersistence,
  ];
}

/** Two indexes, and the folder of the texts. */
function queueFiles(folder: string): readonly unknown[] {
  const locationPath = path.join(folder, "queue-texts");
  mkdirSync(locationPath, { recursive: true });
  const texts = [{ locationId: "Default", locationPath, maxConcurrency: 2 }];
  return [path.join(folder, "queues.json"), path.join(folder, "queue-texts.json"), texts];
}

function load<T>(name: string): T {
  try {
    return createRequire(import.meta.url)(name) as T;
  } catch (error) {
    throw new StartupProblem(`${name} could not be loaded. Run npm ci first.`, { cause: error });
  }
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
