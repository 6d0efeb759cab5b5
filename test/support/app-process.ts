// The app as `npm start` runs it, in processes of their own that a test may kill: the stores, which
// live on, and the host beside them. Built into a folder of the project, so that the tools find
// their packages.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { bundle } from "../../build/bundle.mjs";
import { parseSettings } from "../../src/local/emulators.ts";
import type { StoreSettings } from "../../src/local/emulators.ts";
import { AppClient } from "./app-client.ts";
import { ROOT, buildApp } from "./app-fixture.ts";
import type { AppLine, WorkflowFiles } from "./app-fixture.ts";
import { waitFor } from "./wait-until.ts";

export interface AppProcess extends AppClient {
  readonly pid: number;
  /** What the app logged. */
  readonly lines: readonly AppLine[];
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>;
  /** Ends it as Ctrl-C does; resolves with the exit code. */
  interrupt(): Promise<number | null>;
  /** Ends it as a platform does that scales in; resolves with the exit code. */
  terminate(): Promise<number | null>;
}

export interface ProcessFixture {
  readonly stores: StoreSettings;
  readonly folder: string;
  start(env?: Readonly<Record<string, string>>): Promise<AppProcess>;
  /** With stores of its own, which are kept from one start to the next. */
  startKept(env?: Readonly<Record<string, string>>): Promise<AppProcess>;
  stop(): void;
}

export async function processFixture(workflows: WorkflowFiles): Promise<ProcessFixture> {
  mkdirSync(path.join(ROOT, ".holdfast"), { recursive: true });
  const home = mkdtempSync(path.join(ROOT, ".holdfast", "restart-"));
  const folder = path.join(home, "workflows");
  mkdirSync(folder);
  for (const [file, yaml] of Object.entries(workflows)) {
    writeFileSync(path.join(folder, file), yaml);
  }
  copyFileSync(path.join(ROOT, "host.json"), path.join(home, "host.json"));
  const entry = path.join(home, "dist", "local.mjs");
  const source = path.join(ROOT, "src/local/start.ts");
  await Promise.all([
    buildApp(path.join(home, "dist", "main.cjs")),
    bundle({ source, target: entry, kind: "tool" }),
  ]);
  const children: ChildProcess[] = [];
  const run = (args: readonly string[], env: Readonly<Record<string, string>>): Child => {
    const child = spawn(process.execPath, [entry, ...args], {
      cwd: home,
      env: { PATH: process.env["PATH"] ?? "", PORT: "0", ...env },
      // The stores end with this process, however it ends.
      stdio: ["ignore", "pipe", "pipe", args.includes("--stores") ? "ipc" : "ignore"],
    });
    children.push(child);
    return watched(child);
  };
  const beside = run(["--stores"], {});
  const line = await waitFor(() => beside.output.find((one) => one.startsWith("{")), {
    what: "the stores print their settings",
    timeoutMs: 30_000,
  });
  const stores = parseSettings(line);
  return {
    stores,
    folder,
    start: (env = {}) => started(run([], { ...stores, ...env })),
    startKept: (env = {}) => started(run(["--keep", path.join(home, "kept")], env)),
    stop() {
      for (const child of children) child.kill("SIGKILL");
      rmSync(home, { recursive: true, force: true });
    },
  };
}

interface Child {
  readonly child: ChildProcess;
  readonly output: readonly string[];
  readonly lines: readonly AppLine[];
}

function watched(child: ChildProcess): Child {
  const output: string[] = [];
  const lines: AppLine[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      if (line.startsWith('{"event":')) lines.push(JSON.parse(line) as AppLine);
      else output.push(line);
    });
  }
  return { child, output, lines };
}

async function started({ child, output, lines }: Child): Promise<AppProcess> {
  const address = (): string | undefined =>
    output.map((line) => /^Holdfast is running at (\S+)$/.exec(line)?.[1]).find(Boolean);
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const found = await waitFor(() => address() ?? (hasEnded() ? "" : undefined), {
    what: "the host runs",
    timeoutMs: 60_000,
  });
  if (found === "") throw new Error(`the host ended while starting: ${output.join("\n")}`);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (hasEnded()) return child.exitCode;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return Object.assign(new AppClient(found), {
    pid: child.pid ?? 0,
    lines,
    kill: async () => {
      await end("SIGKILL");
    },
    interrupt: () => end("SIGINT"),
    terminate: () => end("SIGTERM"),
  });
}
