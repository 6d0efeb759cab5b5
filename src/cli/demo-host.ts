// The local host as a child of the demo: the program of `npm start`, on a free port, with a key of
// its own, no setting of the user's, and redefining switched off as in Azure. It never outlives the
// demo; what it prints is kept for the case that something goes wrong.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export interface DemoHost {
  readonly url: string;
  readonly key: string;
  /** The last lines it printed. */
  tail(): string;
  /** Settles when it has ended. Safe to call twice. */
  stop(): Promise<void>;
}

export interface HostPlace {
  /** The project's folder. */
  readonly root: string;
  readonly workflowsDir: string;
  readonly signal: AbortSignal;
  /** Called if it ends before it is stopped. */
  readonly onLost: (error: Error) => void;
}

const START_MS = 30_000;
/** How long it may wait for what is running before it is killed. */
const STOP_MS = 10_000;
const POLL_MS = 100;
const MAX_KEPT_CHARS = 16_000;
const TAIL_LINES = 20;
const ADDRESS = /^Holdfast is running at (\S+)$/m;

export async function startHost(place: HostPlace): Promise<DemoHost> {
  const key = randomUUID();
  const child = spawn(process.execPath, [path.join(place.root, "dist", "local.mjs")], {
    cwd: place.root,
    env: hostEnvironment(key, place.workflowsDir),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { text: "" };
  const keep = (chunk: unknown): void => {
    output.text = (output.text + String(chunk)).slice(-MAX_KEPT_CHARS);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const stopped = { wanted: false };
  const stop = async (): Promise<void> => {
    stopped.wanted = true;
    await end(child);
  };
  const tail = (): string => output.text.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
  child.once("exit", (code) => {
    if (!stopped.wanted) place.onLost(new Error(`The host ended with code ${String(code)}.`));
  });
  try {
    const url = await untilReady(output, place.signal);
    return { url, key, tail, stop };
  } catch (error) {
    await stop();
    throw new Error(`The host did not start. It said:\n${tail()}`, { cause: error });
  }
}

/** The user's settings for the app and for stores would make this another demo. */
function hostEnvironment(key: string, workflowsDir: string): NodeJS.ProcessEnv {
  const ours = /^(HOLDFAST_|COSMOS_|AzureWebJobs|FUNCTIONS_|PORT$|APPLICATIONINSIGHTS_)/i;
  const others = Object.entries(process.env).filter(([name]) => !ours.test(name));
  return {
    ...Object.fromEntries(others),
    PORT: "0",
    HOLDFAST_LOCAL_KEY: key,
    HOLDFAST_WORKFLOWS_DIR: workflowsDir,
    HOLDFAST_ALLOW_REDEFINE: "false",
  };
}

async function untilReady(output: { readonly text: string }, signal: AbortSignal): Promise<string> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const url = ADDRESS.exec(output.text)?.[1];
    if (url !== undefined && (await isReady(url, signal))) return url;
    if (performance.now() > deadline) throw new Error(`Not ready within ${START_MS / 1000} s.`);
    await pause(POLL_MS, undefined, { signal });
  }
}

async function isReady(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(`${url}/api/v1/health/ready`, { signal });
  await response.arrayBuffer();
  return response.ok;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await exited;
  clearTimeout(timer);
}
