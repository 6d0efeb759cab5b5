// The bundle that is deployed: in a bare process it registers exactly the table of functions
// through the real library, reads one small file for it, connects to nothing, needs no setting.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHUNKS } from "../../build/bundle.mjs";
import { POISON_QUEUE, WORK_QUEUE } from "../../src/azure/names.ts";
import {
  POISON_FUNCTION,
  SWEEP_FUNCTION,
  WORK_FUNCTION,
} from "../../src/functions/function-table.ts";
import { ROUTES } from "../../src/functions/routes.ts";
import { startHost } from "../../src/local/host.ts";
import { ROOT, appFixture, buildApp, captureAppLog } from "../support/app-fixture.ts";

const PROBE = path.join(ROOT, "test/fixtures/bundle/probe.cjs");
const LOADS = 5;
/** What they should take on a quiet machine; only three times as much fails. */
const LOAD_MS = 20;
const COMPOSED_MS = 100;
const EXPECTED = [
  ...ROUTES.map(({ name }) => name),
  WORK_FUNCTION,
  POISON_FUNCTION,
  SWEEP_FUNCTION,
].toSorted();

interface Registered {
  readonly name: string;
  readonly bindings: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface Probe {
  readonly model: string;
  readonly registered: readonly Registered[];
  readonly loadMs: number;
  readonly cpuMs: number;
  readonly composedMs: number;
  readonly requested: readonly string[];
  readonly files: readonly string[];
  readonly handles: readonly string[];
}

let directory: string;
let alone: string;
let probes: readonly Probe[];

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "holdfast-bundle-"));
  const built = path.join(directory, "built", "main.cjs");
  await buildApp(built);
  // Without maps, in a folder where no package can be found.
  alone = path.join(directory, "alone", "main.cjs");
  mkdirSync(path.dirname(alone));
  for (const file of ["main.cjs", ...CHUNKS.map((chunk) => chunk.file)]) {
    copyFileSync(path.join(path.dirname(built), file), beside(file));
  }
  probes = Array.from({ length: LOADS }, () => probe(alone));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function beside(file: string): string {
  return path.join(path.dirname(alone), file);
}

/** Loads it with an empty environment: no setting at all. */
function probe(file: string): Probe {
  const options = { env: {}, cwd: path.dirname(file), encoding: "utf8" } as const;
  return JSON.parse(execFileSync(process.execPath, [PROBE, file], options)) as Probe;
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Infinity;
}

function one(): Probe {
  const [first] = probes;
  if (first === undefined) throw new Error("nothing was probed");
  return first;
}

test("to register it reads one file and asks for nothing but Node and the worker's module", () => {
  const { files, requested, model } = one();
  expect(files).toEqual([alone]);
  const others = requested.filter((name) => name !== alone && !isBuiltin(name));
  expect(others).toEqual(["@azure/functions-core"]);
  expect(model).toBe("@azure/functions");
});

function isBuiltin(name: string): boolean {
  return name.startsWith("node:") || process.getBuiltinModule(name) !== undefined;
}

test("it registers exactly the functions of the table, each as the table says", () => {
  const { registered } = one();
  expect(registered.map(({ name }) => name).toSorted()).toEqual(EXPECTED);
  for (const { name, methods, route, authLevel } of ROUTES) {
    const found = registered.find((candidate) => candidate.name === name);
    const bindings = Object.values(found?.bindings ?? {});
    const trigger = bindings.find(({ direction }) => direction === "in");
    expect(trigger).toMatchObject({ type: "httpTrigger", methods, route, authLevel });
  }
});

test("the queue triggers and the timer name what host and app agree on", () => {
  const trigger = (name: string): object =>
    Object.values(one().registered.find((found) => found.name === name)?.bindings ?? {})[0] ?? {};
  const queue = { type: "queueTrigger", connection: "AzureWebJobsStorage" };
  expect(trigger(WORK_FUNCTION)).toMatchObject({ ...queue, queueName: WORK_QUEUE });
  expect(trigger(POISON_FUNCTION)).toMatchObject({ ...queue, queueName: POISON_QUEUE });
  expect(trigger(SWEEP_FUNCTION)).toMatchObject({ type: "timerTrigger", schedule: "0 * * * * *" });
});

test("loading connects to nothing and leaves nothing running", () => {
  expect(one().handles).toEqual([]);
});

test("what is large stands once, beside the file that is loaded", () => {
  const marks = [
    ["composition.cjs", "COSMOS_ENDPOINT and COSMOS_KEY"],
    ["stores.cjs", "x-ms-cosmos-is-query-plan-request"],
    ["telemetry.cjs", "Attempted duplicate registration of API"],
  ] as const;
  for (const [file, mark] of marks) {
    const holds = [beside(file), alone].map((one) => readFileSync(one, "utf8").includes(mark));
    expect([file, holds]).toEqual([file, [true, false]]);
  }
  expect(readFileSync(alone).length).toBeLessThan(150_000);
});

test("loading does not start the identity library, which would look for credentials", () => {
  // Its sources of credentials are child processes and files; nothing else here needs those.
  expect(readFileSync(beside("stores.cjs"), "utf8")).toContain("child_process");
  expect(one().requested.filter((name) => /child_process|^(node:)?fs$/.test(name))).toEqual([]);
});

test("loading to the last registration is quick", () => {
  const median = middle(probes.map(({ loadMs }) => loadMs));
  const work = Math.min(...probes.map(({ cpuMs }) => cpuMs));
  const composed = middle(probes.map(({ composedMs }) => composedMs));
  console.log(
    `load to registered: median ${median.toFixed(0)} ms, processor ${work.toFixed(0)} ms; `
      + `composed behind it after ${composed.toFixed(0)} ms`,
  );
  // The clock also counts waiting for a busy neighbour; the processor's time does not.
  expect(work).toBeLessThan(3 * LOAD_MS);
  expect(Math.min(...probes.map(({ composedMs }) => composedMs))).toBeLessThan(3 * COMPOSED_MS);
});

test("a function that is missing stops the start and is named", async () => {
  const file = beside("less.cjs");
  const text = readFileSync(alone, "utf8");
  const changed = text.replace("jobs_cancel:", "jobs_cancelled:");
  expect(changed).not.toBe(text);
  writeFileSync(file, changed);
  const captured = captureAppLog();
  const starting = startHost({
    bundlePath: file,
    hostJsonPath: path.join(ROOT, "host.json"),
    port: 0,
    env: { AzureWebJobsStorage: "UseDevelopmentStorage=true" },
    log: () => undefined,
    expectedFunctions: EXPECTED,
  });
  await expect(starting).rejects.toThrow(/did not register jobs_cancel;/);
  captured.release();
});

test("a build that is not whole says so, and answers no call", async () => {
  const file = path.join(directory, "lonely", "main.cjs");
  mkdirSync(path.dirname(file));
  copyFileSync(alone, file);
  const captured = captureAppLog();
  const host = await startHost({
    bundlePath: file,
    hostJsonPath: path.join(ROOT, "host.json"),
    port: 0,
    env: { AzureWebJobsStorage: "UseDevelopmentStorage=true" },
    log: () => undefined,
  });
  const answer = await fetch(`${host.url}/api/v1/health/live`);
  await host.stop();
  captured.release();
  expect(answer.status).toBe(500);
  const error = expect.stringContaining("Cannot find module './composition.cjs'");
  expect(captured.lines).toContainEqual({ event: "host.failed", level: "error", error });
});

test("without settings of the stores it starts, and readiness names them", async () => {
  const fixture = await appFixture();
  const env = { COSMOS_ENDPOINT: "", COSMOS_KEY: "" };
  const app = await fixture.start({ env });
  const live = await app.get("/health/live");
  const ready = await app.get("/health/ready");
  const jobs = await app.get("/jobs");
  await fixture.stop();
  expect(live.status).toBe(200);
  expect([ready.status, ready.body["checks"]]).toEqual([
    503,
    [{ name: "settings", error: expect.stringContaining("COSMOS_ENDPOINT and COSMOS_KEY") }],
  ]);
  expect([jobs.status, jobs.body.code]).toEqual([503, "CONFIGURATION_INVALID"]);
});
