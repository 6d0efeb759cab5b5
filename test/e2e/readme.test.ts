// The README says what is true: its commands are the project's, the demo prints what it shows, its
// YAML and its provenance belong together, its links lead somewhere. And the commands that
// `npm start` prints work as they stand.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canonical } from "../../src/core/canonical.ts";
import { definitionDigest } from "../../src/core/definition.ts";
import { parseDefinition } from "../../src/core/parse.ts";
import { CLAIM } from "../../src/cli/demo-claim.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { handlersNamed } from "../support/parsed.ts";
import { waitFor } from "../support/wait-until.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const README = readFileSync(path.join(ROOT, "README.md"), "utf8");
const BOUND_MS = 100_000;
let home: string;
const programs: Program[] = [];

interface Program {
  readonly child: ChildProcess;
  output: string;
  errors: string;
  exitCode: number | null | undefined;
}

beforeAll(() => {
  execFileSync("npm", ["run", "--silent", "build"], { cwd: ROOT, stdio: "ignore" });
  home = mkdtempSync(path.join(tmpdir(), "holdfast-readme-"));
});

afterAll(() => {
  for (const { child, exitCode } of programs) {
    if (exitCode === undefined) child.kill("SIGKILL");
  }
  rmSync(home, { recursive: true, force: true });
});

function start(command: string, args: readonly string[]): Program {
  const { PATH = "", HOME = "" } = process.env;
  // TMPDIR shows what is left behind; PORT=0 takes a free one.
  const env = { PATH, HOME, PORT: "0", TMPDIR: home };
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  const program: Program = { child, output: "", errors: "", exitCode: undefined };
  child.stdout.on("data", (chunk) => (program.output += String(chunk)));
  child.stderr.on("data", (chunk) => (program.errors += String(chunk)));
  child.on("exit", (code) => (program.exitCode = code));
  programs.push(program);
  return program;
}

const node = (script: string): Program => start(process.execPath, [path.join(ROOT, script)]);

async function ended(program: Program): Promise<void> {
  const bound = { what: `the end, after ${program.output}`, timeoutMs: BOUND_MS };
  await waitFor(() => program.exitCode !== undefined, bound);
}

function shown(program: Program, text: RegExp): Promise<string> {
  const bound = { what: `${String(text)}, got ${program.output}`, timeoutMs: 40_000 };
  return waitFor(() => text.exec(program.output)?.[1], bound);
}

/** The process ids of a process's children. */
function childrenOf(parent: number | undefined): readonly number[] {
  const text = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const pairs = text.trim().split("\n").map((row) => row.trim().split(/\s+/).map(Number));
  return pairs.filter(([, ppid]) => ppid === parent).map(([pid]) => pid ?? 0);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function commandUnder(name: string): string {
  const found = new RegExp(`^<!-- ${name} -->\\n\`\`\`sh\\n(.*?)\\n\`\`\`$`, "ms").exec(README);
  return found?.[1] ?? "";
}

function block(language: string): string {
  return new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(README)?.[1] ?? "";
}

/** Ids, digests and times differ from one time to the next. */
function masked(text: string): string {
  return text.replace(/…[0-9a-f]{8}/g, "…ID").replace(/\b[0-9a-f]{12}\b/g, "DIGEST");
}

test("README names the two commands that the project has", () => {
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
  const ci = readFileSync(path.join(ROOT, ".ci/run"), "utf8");
  for (const [name, command] of [
    ["run", "npm ci && npm run demo"],
    ["test", "npm ci && npm test"],
  ] as const) {
    expect(commandUnder(name)).toBe(command);
    expect(ci).toMatch(new RegExp(`^(\\w+=\\S+ )?readme \\d+ ${name}$`, "m"));
  }
  expect(scripts).toMatchObject({
    demo: expect.stringContaining("node dist/demo.mjs"),
    test: expect.stringContaining("vitest run"),
    start: expect.stringContaining("node dist/local.mjs"),
  });
});

const slow = { timeout: 120_000 };

test("npm run demo ends by itself with the table that README shows", slow, async () => {
  const program = start("npm", ["run", "demo"]);
  await ended(program);
  expect([program.exitCode, program.errors.replaceAll(/^npm warn Unknown .*\n/gm, "")]).toEqual([
    0,
    "",
  ]);
  const output = masked(program.output);
  const excerpt = masked(block("text")).trimEnd().split("\n");
  expect(excerpt.length).toBeGreaterThan(10);
  let from = 0;
  for (const line of excerpt) {
    const found = output.indexOf(`${line}\n`, from);
    expect(found, `in the demo, after what README shows before it: ${line}`).not.toBe(-1);
    from = found;
  }
  expect(program.output).toMatch(/^Each of the 10 jobs ended with the version and digest/m);
  expect(program.output).not.toMatch(/warn/i);
  expect(program.output).not.toContain("\u001B");
  expect(readdirSync(home).filter((name) => name.startsWith("holdfast-demo-"))).toEqual([]);
});

test("a demo that is stopped takes its host with it", async () => {
  const program = node("dist/demo.mjs");
  const address = await shown(program, /^ {2}host\s+(http:\S+),/m);
  const [host = 0] = childrenOf(program.child.pid);
  const family = [host, ...childrenOf(host)];
  expect(family).toHaveLength(2);
  program.child.kill("SIGINT");
  await ended(program);
  expect([program.exitCode, program.errors.trim()]).toEqual([130, "Stopped by SIGINT."]);
  await waitFor(() => !family.some(isAlive), { what: "host and stores have ended" });
  await expect(fetch(address)).rejects.toThrow("fetch failed");
  expect(readdirSync(home).filter((name) => name.startsWith("holdfast-demo-"))).toEqual([]);
});

test("a demo whose host is lost fails and says so", async () => {
  const program = node("dist/demo.mjs");
  await shown(program, /^(2\. Edit)/m);
  const [host = 0] = childrenOf(program.child.pid);
  const stores = childrenOf(host);
  expect(stores).toHaveLength(1);
  process.kill(host, "SIGKILL");
  await ended(program);
  await waitFor(() => !stores.some(isAlive), { what: "the stores have ended" });
  expect(program.exitCode).toBe(1);
  expect(program.errors).toContain("The demo failed: The host ended");
  expect(program.errors).toContain("The last lines of the host:");
});

test("README's workflow is the one that the demo edits, and valid", () => {
  const source = block("yaml");
  expect(source).toBe(CLAIM.v1);
  const handlers = handlersNamed("sleep", "echo");
  const parsed = parseDefinition(source, { file: "README.md", handlers });
  expect(parsed).toMatchObject({ ok: true });
  expect(parseDefinition(CLAIM.broken, { file: "broken", handlers })).toMatchObject({ ok: false });
});

test("README's provenance is of README's workflow", () => {
  const record = JSON.parse(block("json")) as Readonly<Record<string, unknown>>;
  const handlers = handlersNamed("sleep", "echo");
  const parsed = parseDefinition(block("yaml"), { file: "", handlers });
  const digest = parsed.ok ? definitionDigest(parsed.definition, sha256) : "";
  const text = (given: string): string => `sha256:${sha256(given)}`;
  expect(record).toMatchObject({
    workflow_id: "claim",
    workflow_version: 1,
    status: "completed",
    workflow_digest: digest,
    source_digest: text(block("yaml")),
    inputs_digest: text(canonical({ amount: 700 })),
  });
});

test("every link of README leads to a file of the project", () => {
  const links = [...README.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = ""]) => link);
  expect(links.length).toBeGreaterThan(8);
  expect(links.filter((link) => !existsSync(path.join(ROOT, link)))).toEqual([]);
});

test("the curl lines that npm start prints work as they stand", async () => {
  const program = node("dist/local.mjs");
  const url = await shown(program, /^Holdfast is running at (\S+)$/m);
  await shown(program, /(Ctrl-C stops)/);
  const commands = program.output.replaceAll("\\\n", " ").match(/^ {2}curl .*$/gm) ?? [];
  const [submitted = "", ...others] = commands.map((command) => {
    return execFileSync("sh", ["-c", command], { encoding: "utf8" });
  });
  expect(submitted).toMatch(/^HTTP\/1\.1 202 /);
  const { links } = JSON.parse(submitted.slice(submitted.indexOf("{"))) as {
    links: Readonly<Record<string, string>>;
  };
  const key = /^ {2}key +(\S+)$/m.exec(program.output)?.[1] ?? "";
  const headers = { "x-functions-key": key };
  await waitFor(async () => (await fetch(`${url}${links["result"]}`, { headers })).ok, {
    what: "the link to the result works",
  });
  const [jobs, workflows] = others.map((text) => JSON.parse(text) as { count: number });
  expect(jobs).toMatchObject({ count: 1 });
  expect(workflows?.count).toBeGreaterThan(5);
  program.child.kill("SIGINT");
  await ended(program);
  expect([program.exitCode, program.errors]).toEqual([0, ""]);
});
