// The real app on the real local stack: the bundle as it ships, the embedded host, azurite and the
// Cosmos emulator. Waits are short by settings, each named here. One fixture per test file; apps
// may be started one after another on the same stores, with a workflow folder and database each.
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { bundle } from "../../build/bundle.mjs";
import { startStores } from "../../src/local/emulators.ts";
import type { StoreSettings, Stores } from "../../src/local/emulators.ts";
import type { LogEntry } from "../../src/local/host-log.ts";
import { startHost } from "../../src/local/host.ts";
import { AppClient } from "./app-client.ts";

export const ROOT = path.resolve(import.meta.dirname, "../..");
export const SHIPPED_WORKFLOWS = path.join(ROOT, "workflows");

/** Locally the host asks an idle queue every two seconds and returns a failed message after 30. */
const SHORT_WAITS = {
  HOLDFAST_LOCAL_POLL_MS: "50",
  HOLDFAST_LOCAL_RELEASE_SECONDS: "1",
};

/** What a lost process or message costs a job, in seconds instead of minutes. */
export const SHORT_LEASES = {
  HOLDFAST_LEASE_SECONDS: "2",
  HOLDFAST_RENEW_SECONDS: "1",
  HOLDFAST_RESEND_SECONDS: "1",
  HOLDFAST_REFRESH_SECONDS: "0.5",
  HOLDFAST_SWEEP_SCHEDULE: "*/1 * * * * *",
  HOLDFAST_LOCAL_LEASE_SECONDS: "2",
};

/** With this the host takes no work message: what is submitted waits in the queue. */
export const HOLD_QUEUE = { "AzureWebJobs.process_work.Disabled": "true" };

type Environment = Readonly<Record<string, string>>;
/** File name to YAML. */
export type WorkflowFiles = Readonly<Record<string, string>>;

export interface StartOptions {
  readonly env?: Environment;
  /** A folder as it stands; by default one of the app's own. */
  readonly folder?: string;
  /** Written into the folder before the start. */
  readonly workflows?: WorkflowFiles;
  /** Of an app before, to go on with its jobs; by default a fresh one. */
  readonly database?: string;
}

/** A line that the app wrote to its log. */
export interface AppLine {
  readonly event: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

export interface StartedApp extends AppClient {
  readonly folder: string;
  readonly database: string;
  readonly env: Environment;
  readonly hostLog: readonly LogEntry[];
  /** What the app logged since it was started. */
  readonly lines: readonly AppLine[];
  /** Writes or replaces a workflow file of the folder. */
  write(file: string, yaml: string): void;
  remove(file: string): void;
  stop(): Promise<void>;
}

export interface AppFixture {
  readonly directory: string;
  readonly bundlePath: string;
  readonly stores: StoreSettings;
  start(options?: StartOptions): Promise<StartedApp>;
  stop(): Promise<void>;
}

export function buildApp(target: string): Promise<string> {
  return bundle({ source: path.join(ROOT, "src/main.ts"), target, kind: "app" });
}

/** Bundles the app and starts the stores in this process. `stop` ends what is still running. */
export async function appFixture(): Promise<AppFixture> {
  const directory = mkdtempSync(path.join(tmpdir(), "holdfast-app-"));
  const bundlePath = path.join(directory, "dist", "main.cjs");
  const [stores] = await Promise.all([startStores(), buildApp(bundlePath)]);
  const running = new Set<StartedApp>();
  return {
    directory,
    bundlePath,
    stores: stores.env,
    async start(options = {}) {
      const app = await startApp({ directory, bundlePath, stores }, options);
      running.add(app);
      return app;
    },
    async stop() {
      for (const app of running) await app.stop();
      await stores.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface Place {
  readonly directory: string;
  readonly bundlePath: string;
  readonly stores: Stores;
}

async function startApp(place: Place, options: StartOptions): Promise<StartedApp> {
  const database = options.database ?? `db-${randomUUID().slice(0, 8)}`;
  const folder = options.folder ?? path.join(place.directory, `workflows-${database}`);
  mkdirSync(folder, { recursive: true });
  const write = (file: string, yaml: string): void => {
    writeFileSync(path.join(folder, file), yaml);
  };
  for (const [file, yaml] of Object.entries(options.workflows ?? {})) write(file, yaml);
  const env = {
    ...place.stores.env,
    HOLDFAST_DATABASE: database,
    HOLDFAST_WORKFLOWS_DIR: folder,
    ...SHORT_WAITS,
    ...options.env,
  };
  const hostLog: LogEntry[] = [];
  const captured = captureAppLog();
  try {
    const host = await startHost({
      bundlePath: place.bundlePath,
      hostJsonPath: path.join(ROOT, "host.json"),
      port: 0,
      env,
      log: (entry) => hostLog.push(entry),
    });
    return Object.assign(new AppClient(host.url), {
      folder,
      database,
      env,
      hostLog,
      lines: captured.lines,
      write,
      remove: (file: string) => {
        rmSync(path.join(folder, file));
      },
      stop: async () => {
        await host.stop();
        captured.release();
      },
    });
  } catch (error) {
    captured.release();
    throw error;
  }
}

/** The app logs to the process's own streams; its lines are kept here instead of printed. */
export function captureAppLog(): { readonly lines: readonly AppLine[]; release(): void } {
  const lines: AppLine[] = [];
  const releases = [process.stdout, process.stderr].map((stream) => {
    const before = Object.getOwnPropertyDescriptor(stream, "write");
    const write = stream.write.bind(stream);
    const keep = (chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
      const text = typeof chunk === "string" ? chunk : "";
      if (!text.startsWith('{"event":')) return Reflect.apply(write, stream, [chunk, ...rest]);
      lines.push(JSON.parse(text) as AppLine);
      return true;
    };
    Object.defineProperty(stream, "write", { value: keep, configurable: true, writable: true });
    return (): void => {
      if (before === undefined) Reflect.deleteProperty(stream, "write");
      else Object.defineProperty(stream, "write", before);
    };
  });
  return {
    lines,
    release: () => {
      for (const release of releases) release();
    },
  };
}
