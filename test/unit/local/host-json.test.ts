// host.json as the Functions host reads it.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { hostSettings, readHostJson } from "../../../src/local/host-json.ts";
import { StartupProblem } from "../../../src/local/startup-problem.ts";

type Env = Record<string, string>;

function settings(file: object, env: Env = {}): ReturnType<typeof hostSettings> {
  return hostSettings({ version: "2.0", ...file }, env);
}

function checkProblem(work: () => unknown, ...parts: readonly string[]): void {
  expect(work).toThrow(StartupProblem);
  for (const part of parts) {
    expect(work).toThrow(part);
  }
}

test("an empty file has the host's defaults", () => {
  expect(settings({})).toMatchObject({
    routePrefix: "api",
    functionTimeoutMs: 1_800_000,
    queues: {
      batchSize: 16,
      newBatchThreshold: 8,
      maxDequeueCount: 5,
      visibilityTimeoutMs: 0,
      maxPollingIntervalMs: 60_000,
      messageEncoding: "base64",
      leaseSeconds: 600,
    },
  });
});

test("the shipped file is read without a warning", () => {
  const shipped = readHostJson(path.resolve(import.meta.dirname, "../../../host.json"), {});
  expect(shipped.warnings).toEqual([]);
  expect(shipped).toMatchObject({
    routePrefix: "api",
    functionTimeoutMs: 600_000,
    queues: {
      batchSize: 16,
      newBatchThreshold: 8,
      maxDequeueCount: 5,
      visibilityTimeoutMs: 30_000,
      maxPollingIntervalMs: 2_000,
    },
  });
  expect(shipped.logLevels.get("host.aggregator")).toBe("warning");
});

test("the version must be 2.0", () => {
  checkProblem(() => hostSettings({}, {}), 'version must be "2.0"');
  checkProblem(() => settings({ version: "1.0" }), '"1.0"');
});

test("every wrong value is reported at once", () => {
  const extensions = { queues: { batchSize: 33, maxDequeueCount: 0, visibilityTimeout: "soon" } };
  checkProblem(
    () => settings({ extensions, functionTimeout: "never" }),
    "batchSize must be a whole number 1 to 32",
    "maxDequeueCount",
    'visibilityTimeout must be a duration like 00:00:30, got "soon"',
    "functionTimeout",
  );
});

test("an app setting overrides any key, without case", () => {
  const env = {
    AzureFunctionsJobHost__extensions__queues__batchSize: "2",
    azurefunctionsjobhost__Extensions__Http__RoutePrefix: "",
    AzureFunctionsJobHost__functionTimeout: "-1",
  };
  const read = settings({ extensions: { Queues: { BatchSize: 9 } } }, env);
  expect(read.queues.batchSize).toBe(2);
  expect(read.queues.newBatchThreshold).toBe(1);
  expect(read.routePrefix).toBe("");
  expect(read.functionTimeoutMs).toBeUndefined();
});

test("Development forces the polling interval, and a test's own setting goes before", () => {
  const extensions = { queues: { maxPollingInterval: "00:00:30" } };
  const Development = { AZURE_FUNCTIONS_ENVIRONMENT: "Development" };
  expect(settings({ extensions }).queues.maxPollingIntervalMs).toBe(30_000);
  expect(settings({ extensions }, Development).queues.maxPollingIntervalMs).toBe(2_000);
  const quick = { ...Development, HOLDFAST_LOCAL_POLL_MS: "50" };
  expect(settings({ extensions }, quick).queues.maxPollingIntervalMs).toBe(50);
});

test("the lease and the release delay can be shortened by name", () => {
  const env = { HOLDFAST_LOCAL_LEASE_SECONDS: "2", HOLDFAST_LOCAL_RELEASE_SECONDS: "1" };
  expect(settings({}, env).queues).toMatchObject({ leaseSeconds: 2, visibilityTimeoutMs: 1_000 });
  checkProblem(() => settings({}, { HOLDFAST_LOCAL_LEASE_SECONDS: "x" }), "HOLDFAST_LOCAL_LEASE");
});

test("what does nothing here is named", () => {
  const extensions = { http: { maxConcurrentRequests: 5 }, queues: { batchsize: 1, typo: 1 } };
  expect(settings({ extensions }).warnings).toEqual([
    "host.json: extensions.http.maxConcurrentRequests does nothing locally.",
    "host.json: extensions.queues.typo is not a setting of the queue trigger.",
  ]);
});

test("a missing or broken file is reported in words", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "holdfast-hostjson-"));
  const file = path.join(directory, "host.json");
  checkProblem(() => readHostJson(file, {}), "There is no host.json at");
  writeFileSync(file, "{");
  checkProblem(() => readHostJson(file, {}), "is not JSON");
  writeFileSync(file, "[]");
  checkProblem(() => readHostJson(file, {}), "must hold a JSON object");
});
