// The entry of `holdfast`: this process as a terminal, the built-in handlers, the system's clock.
// Ctrl-C ends what is under way; a reader that goes away (`| head`) ends it quietly.
import { lstat, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../azure/system.ts";
import { epochMs } from "../core/instant.ts";
import { HandlerRegistry } from "../runtime/handlers.ts";
import { builtinHandlers } from "../tasks/builtin.ts";
import { holdfast } from "./holdfast.ts";
import { EXIT } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

declare const HOLDFAST_BUILD: string;

const LONG_MS = 60_000;
const LINGER_MS = 1_000;

const interrupted = new AbortController();
let drawn = 0;

function write(text: string): void {
  process.stdout.write(text);
}

const terminal: Terminal = {
  out: (line) => write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  isTty: process.stdout.isTTY === true,
  get columns() {
    return process.stdout.columns ?? 100;
  },
  get rows() {
    return process.stdout.rows ?? 24;
  },
  env: process.env,
  nowMs: () => epochMs(systemClock.now()),
  pause: (ms) =>
    pause(ms, undefined, { signal: interrupted.signal }).catch(() => undefined),
  everySecond: (act) => {
    const timer = setInterval(act, 1_000);
    return () => clearInterval(timer);
  },
  redraw: (lines) => {
    // Back to where the last drawing began, and away with what stood below.
    write(drawn === 0 ? "" : `\u001b[${drawn}A\r\u001b[J`);
    write(lines.map((line) => `${line}\n`).join(""));
    drawn = lines.length;
  },
  readText: (file) => readFile(file, "utf8"),
  writeNew: async (file, text) => {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text, { flag: "wx" });
  },
  list: async (folder) => {
    const found = await lstat(folder).catch(() => undefined);
    return found?.isDirectory() === true ? readdir(folder) : undefined;
  },
  mode: async (file) => {
    if (process.platform === "win32") return undefined;
    return (await stat(file).catch(() => undefined))?.mode;
  },
  canAsk: process.stdin.isTTY === true,
  ask: async (question) => {
    if (process.stdin.isTTY !== true) return "";
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await reader.question(question, { signal: interrupted.signal });
    } finally {
      reader.close();
    }
  },
  fetch,
  signal: interrupted.signal,
};

process.once("SIGINT", () => {
  interrupted.abort();
  // Whoever asks twice does not wait.
  process.once("SIGINT", () => process.exit(EXIT.interrupted));
});
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});

// Timers of the clock keep no process alive; a command that waits for one must end all the same.
const alive = setInterval(() => undefined, LONG_MS);
const { HOLDFAST_HTTP_ALLOW: allowed = "" } = process.env;
const allow = allowed.split(",").map((host) => host.trim()).filter((host) => host !== "");
const exit = await holdfast(process.argv.slice(2), terminal, {
  handlers: new HandlerRegistry(builtinHandlers({ http: { allow }, clock: systemClock })),
  clock: systemClock,
  nodeVersion: process.versions.node,
  version: HOLDFAST_BUILD,
});
clearInterval(alive);
process.exitCode = exit;
// A handler that was given up may hold something open for ever.
// Not before the last reader has everything, however slow it is.
process.stdout.write("", () => {
  process.stderr.write("", () => {
    setTimeout(() => process.exit(exit), LINGER_MS).unref();
  });
});
