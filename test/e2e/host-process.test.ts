// The local host as `npm start` runs it: a process with its stores beside it, killed, restarted,
// stopped, and refused in words where it cannot start.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { QueueServiceClient } from "@azure/storage-queue";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundle } from "../../build/bundle.mjs";
import { waitFor } from "../support/wait-until.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
let home: string;
const children: Program[] = [];

interface Program {
  readonly child: ChildProcess;
  output: string;
  exitCode: number | null | undefined;
}

beforeAll(async () => {
  // Inside the project, so that the bundle finds its packages.
  mkdirSync(path.join(ROOT, ".holdfast"), { recursive: true });
  home = mkdtempSync(path.join(ROOT, ".holdfast", "process-"));
  mkdirSync(path.join(home, "dist"));
  copyFileSync(path.join(ROOT, "host.json"), path.join(home, "host.json"));
  const source = path.join(ROOT, "test/fixtures/host-app/process.ts");
  await bundle({ source, target: path.join(home, "dist/main.cjs"), kind: "app" });
  const start = path.join(ROOT, "src/local/start.ts");
  await bundle({ source: start, target: path.join(home, "dist/local.mjs"), kind: "tool" });
});

afterAll(() => {
  for (const { child } of children) {
    child.kill("SIGKILL");
  }
  rmSync(home, { recursive: true, force: true });
});

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const inherited = { PATH: process.env["PATH"] ?? "", PORT: "0" };
  const child = spawn(process.execPath, [path.join(home, "dist/local.mjs"), ...args], {
    cwd: home,
    env: { ...inherited, ...env },
  });
  const program: Program = { child, output: "", exitCode: undefined };
  child.stdout.on("data", (chunk) => (program.output += String(chunk)));
  child.stderr.on("data", (chunk) => (program.output += String(chunk)));
  child.on("exit", (code) => (program.exitCode = code));
  children.push(program);
  return program;
}

function urlOf(program: Program): Promise<string> {
  const line = /^Holdfast is running at (\S+)$/m;
  const find = (): string | undefined => line.exec(program.output)?.[1];
  return waitFor(find, { what: `the host runs, got ${program.output}`, timeoutMs: 30_000 });
}

function ended(program: Program): Promise<boolean> {
  return waitFor(() => program.exitCode !== undefined, { what: "the process ends" });
}

/** The process ids of a host's own stores. */
function storesOf({ child }: Program): readonly number[] {
  const text = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  return text
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s.*--stores/.exec(line))
    .filter((found) => found?.[2] === String(child.pid))
    .map((found) => Number(found?.[1]));
}

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a host killed in mid-message leaves it to the next one", async () => {
  const stores = run(["--stores"]);
  const line = await waitFor(() => /^(\{.*\})$/m.exec(stores.output)?.[1], {
    what: "the stores print their settings",
  });
  const settings = JSON.parse(line) as Record<string, string>;
  const storage = settings["AzureWebJobsStorage"] ?? "";
  const queue = QueueServiceClient.fromConnectionString(storage).getQueueClient("process-work");
  await queue.create();
  await queue.sendMessage(Buffer.from("x").toString("base64"));
  const env = { ...settings, HOLDFAST_LOCAL_LEASE_SECONDS: "2", HOLDFAST_DATABASE: "mine" };

  const first = run([], env);
  const url = await urlOf(first);
  expect(await (await fetch(`${url}/api/hello`)).text()).toBe("mine");
  await waitFor(() => first.output.includes("delivery 1 began"), { what: "the first delivery" });
  first.child.kill("SIGKILL");
  await ended(first);

  const second = run([], env);
  await waitFor(() => second.output.includes("delivery 2 ended"), { what: "the second delivery" });
  expect(second.output).toContain("as given by COSMOS_ENDPOINT");
  second.child.kill("SIGTERM");
  await ended(second);
  expect(second.exitCode).toBe(0);
  expect((await queue.getProperties()).approximateMessagesCount).toBe(0);
  stores.child.kill("SIGTERM");
  await ended(stores);
  expect(stores.exitCode).toBe(0);
});

test("alone it brings stores in memory, says so, and takes them away", async () => {
  const host = run([]);
  const url = await urlOf(host);
  expect(host.output).toContain("in memory");
  const key = "-H 'x-functions-key: holdfast-local-key'";
  expect(host.output).toContain(`curl -s ${key} ${url}/api/v1/jobs`);
  expect(host.output).toContain("HOLDFAST_ALLOW_REDEFINE=");
  expect(await (await fetch(`${url}/api/hello`)).text()).toBe("holdfast");
  expect(storesOf(host)).toHaveLength(1);
  host.child.kill("SIGINT");
  await ended(host);
  expect(host.exitCode).toBe(0);
  expect(host.output).not.toMatch(/warn|error/i);
});

test("its stores end with it, even when it is killed", async () => {
  const host = run([]);
  await urlOf(host);
  const [stores] = storesOf(host);
  expect(stores).toBeGreaterThan(0);
  host.child.kill("SIGKILL");
  await ended(host);
  await waitFor(() => !isAlive(stores), { what: "the stores have ended" });
});

test("a host whose stores are lost ends and says so", async () => {
  const host = run([]);
  await urlOf(host);
  process.kill(storesOf(host)[0] ?? 0, "SIGKILL");
  await ended(host);
  expect(host.exitCode).toBe(1);
  expect(host.output).toContain("stores have ended");
});

test("a taken port is told, with the way out", async () => {
  const rival = createServer();
  await new Promise<void>((resolve) => {
    rival.listen(0, "127.0.0.1", resolve);
  });
  const address = rival.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const host = run([], { PORT: String(port) });
  await ended(host);
  rival.close();
  expect(host.exitCode).toBe(1);
  expect(host.output).toContain(`Port ${port} is taken by another program`);
  expect(host.output).toContain(`PORT=${port + 1} npm start`);
});

test("wrong settings are told", async () => {
  const check = async (env: Record<string, string>, text: string): Promise<void> => {
    const host = run([], env);
    await ended(host);
    expect([host.exitCode, host.output]).toEqual([1, expect.stringContaining(text)]);
  };
  await check({ PORT: "http" }, "PORT must be a port number.");
  await check({ COSMOS_ENDPOINT: "http://127.0.0.1:1" }, "together, or none");
  const all = { COSMOS_ENDPOINT: "http://127.0.0.1:1", COSMOS_KEY: "a", AzureWebJobsStorage: "no" };
  await check(all, "AzureWebJobsStorage is no connection string");
});
