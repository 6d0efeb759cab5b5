// Settings: every variable, its default, its bounds, and all problems told at once.
import { describe, expect, test } from "vitest";
import { readSettings } from "../../../src/azure/settings.ts";
import type { Environment, Settings } from "../../../src/azure/settings.ts";
import { codeOf, readPage, tableOf } from "../docs/page.ts";

const EMULATOR_KEY =
  "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==";
const STORAGE = "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=c2VjcmV0;";
const AZURE: Environment = {
  COSMOS_CONNECTION__accountEndpoint: "https://acme.documents.azure.com:443/",
  AzureWebJobsStorage__queueServiceUri: "https://acme.queue.core.windows.net",
};
const LOCAL: Environment = {
  AZURE_FUNCTIONS_ENVIRONMENT: "Development",
  COSMOS_ENDPOINT: "http://127.0.0.1:8081",
  COSMOS_KEY: EMULATOR_KEY,
  AzureWebJobsStorage: "UseDevelopmentStorage=true",
};

function settingsOf(env: Environment): Settings {
  const result = readSettings(env);
  if (!result.ok) throw new Error(result.issues.map(({ message }) => message).join("\n"));
  return result.settings;
}

function problemsOf(env: Environment): readonly string[] {
  const result = readSettings(env);
  return result.ok ? [] : result.issues.map(({ message }) => message);
}

test("two addresses are enough in Azure, the rest has defaults", () => {
  expect(settingsOf(AZURE)).toEqual({
    development: false,
    cosmos: {
      kind: "identity",
      endpoint: "https://acme.documents.azure.com:443/",
      managed: false,
    },
    database: "holdfast",
    queues: {
      kind: "identity",
      endpoint: "https://acme.queue.core.windows.net",
      managed: false,
    },
    workflowsDir: "./workflows",
    httpAllow: [],
    allowRebuild: false,
    allowRedefine: false,
    auth: "keys",
    adminRole: "Holdfast.Admin",
    submitRatePerMinute: 12_000,
    submitBurst: 12_000,
    readRatePerMinute: 60_000,
    maxHeldRequests: 8,
    maxOpenJobs: 100_000,
    maxOpenJobsPerCaller: 0,
    vars: {},
    secrets: {},
    leaseSeconds: 60,
    renewSeconds: 40,
    resendSeconds: 60,
    sweepSchedule: "0 * * * * *",
    refreshSeconds: 2,
    retentionSeconds: { completed: 7_776_000, failed: 7_776_000, cancelled: 7_776_000 },
    statsDelaySeconds: 30,
    traceRatio: 1,
    telemetrySeconds: 15,
  });
});

test("jobs are kept as long as their status says, from a day to ten years", () => {
  const settings = settingsOf({
    ...AZURE,
    HOLDFAST_RETAIN_COMPLETED_DAYS: "1",
    HOLDFAST_RETAIN_FAILED_DAYS: "3650",
  });
  const day = 86_400;
  const retention = { completed: day, failed: 3650 * day, cancelled: 90 * day };
  expect(settings.retentionSeconds).toEqual(retention);
  for (const days of ["0", "3651", "1.5", "-1", "90d"]) {
    const issues = problemsOf({ ...AZURE, HOLDFAST_RETAIN_CANCELLED_DAYS: days });
    expect(issues, days).toEqual([
      expect.stringMatching(/^HOLDFAST_RETAIN_CANCELLED_DAYS: .*days/),
    ]);
  }
});

test("every other setting is read", () => {
  const settings = settingsOf({
    ...AZURE,
    COSMOS_CONNECTION__clientId: "client-a",
    COSMOS_CONNECTION__credential: "managedidentity",
    AzureWebJobsStorage__credential: "ManagedIdentity",
    HOLDFAST_DATABASE: "other",
    HOLDFAST_WORKFLOWS_DIR: "/srv/workflows",
    HOLDFAST_HTTP_ALLOW: " localhost:8080, ,10.0.0.0/8 ",
    HOLDFAST_ALLOW_REBUILD: "1",
    HOLDFAST_ALLOW_REDEFINE: "true",
    HOLDFAST_AUTH: "platform",
    WEBSITE_AUTH_ENABLED: "True",
    HOLDFAST_ADMIN_ROLE: "Jobs.All",
    HOLDFAST_SUBMIT_RATE_PER_MINUTE: "60",
    HOLDFAST_SUBMIT_BURST: "5",
    HOLDFAST_READ_RATE_PER_MINUTE: "0",
    HOLDFAST_MAX_HELD_REQUESTS: "5",
    HOLDFAST_MAX_OPEN_JOBS: "7",
    HOLDFAST_MAX_OPEN_JOBS_PER_CALLER: "3",
    HOLDFAST_VAR_greeting: "hello",
    HOLDFAST_VAR_Max: "[1]",
    HOLDFAST_SECRET_API_TOKEN: " t0ken ",
    HOLDFAST_SECRET_unread: "@Microsoft.KeyVault(SecretUri=https://v.example/secrets/a)",
    HOLDFAST_SECRET_none: "",
    HOLDFAST_LEASE_SECONDS: "2",
    HOLDFAST_RENEW_SECONDS: "0.5",
    HOLDFAST_RESEND_SECONDS: "3",
    HOLDFAST_REFRESH_SECONDS: "0.25",
    HOLDFAST_STATS_DELAY_SECONDS: "1",
    HOLDFAST_SWEEP_SCHEDULE: "*/2 * * * * *",
    HOLDFAST_PUBLIC_URL: "https://flows.example.org/base//",
  });
  expect(settings.cosmos).toMatchObject({ managed: true, clientId: "client-a" });
  expect(settings.queues).toMatchObject({ managed: true });
  expect(settings).toMatchObject({
    database: "other",
    workflowsDir: "/srv/workflows",
    httpAllow: ["localhost:8080", "10.0.0.0/8"],
    allowRebuild: true,
    allowRedefine: true,
    auth: "platform",
    adminRole: "Jobs.All",
    submitRatePerMinute: 60,
    submitBurst: 5,
    readRatePerMinute: 0,
    maxHeldRequests: 5,
    maxOpenJobs: 7,
    maxOpenJobsPerCaller: 3,
    vars: { greeting: "hello", Max: "[1]" },
    secrets: { API_TOKEN: "t0ken" },
    leaseSeconds: 2,
    renewSeconds: 0.5,
    resendSeconds: 3,
    refreshSeconds: 0.25,
    statsDelaySeconds: 1,
    sweepSchedule: "*/2 * * * * *",
    publicUrl: "https://flows.example.org/base",
  });
});

test("an empty environment tells everything that is missing, with what to set", () => {
  const result = readSettings({});
  expect(result.ok).toBe(false);
  const issues = result.ok ? [] : result.issues;
  expect(issues.map(({ message }) => message)).toEqual([
    "COSMOS_ENDPOINT and COSMOS_KEY: missing, so no Cosmos DB can be reached",
    "AzureWebJobsStorage: missing, so no queue can be reached",
  ]);
  expect(issues[0]?.hint).toContain("COSMOS_CONNECTION__accountEndpoint");
  expect(issues[1]?.hint).toContain("AzureWebJobsStorage__queueServiceUri");
});

test("every problem is told at once", () => {
  const problems = problemsOf({
    HOLDFAST_ALLOW_REBUILD: "yes",
    HOLDFAST_AUTH: "none",
    HOLDFAST_LEASE_SECONDS: "soon",
    "HOLDFAST_VAR_9lives": "x",
    HOLDFAST_PUBLIC_URL: "flows.example.org",
  });
  for (const name of [
    "HOLDFAST_ALLOW_REBUILD",
    "HOLDFAST_AUTH",
    "HOLDFAST_LEASE_SECONDS",
    "HOLDFAST_VAR_9lives",
    "HOLDFAST_PUBLIC_URL",
    "COSMOS_ENDPOINT",
    "AzureWebJobsStorage",
  ]) {
    expect(problems.filter((problem) => problem.startsWith(name))).toHaveLength(1);
  }
});

test.each([
  ["HOLDFAST_ALLOW_REBUILD", "TRUE"],
  ["HOLDFAST_ALLOW_REBUILD", "yes"],
  ["HOLDFAST_ALLOW_REDEFINE", "on"],
  ["HOLDFAST_LEASE_SECONDS", "0"],
  ["HOLDFAST_LEASE_SECONDS", "-5"],
  ["HOLDFAST_LEASE_SECONDS", "1e3"],
  ["HOLDFAST_LEASE_SECONDS", "3601"],
  ["HOLDFAST_LEASE_SECONDS", "NaN"],
  ["HOLDFAST_RENEW_SECONDS", "60"],
  ["HOLDFAST_AUTH", "platform"],
  ["HOLDFAST_ADMIN_ROLE", "two words"],
  ["HOLDFAST_SUBMIT_RATE_PER_MINUTE", "-1"],
  ["HOLDFAST_SUBMIT_RATE_PER_MINUTE", "1e3"],
  ["HOLDFAST_SUBMIT_BURST", "0"],
  ["HOLDFAST_READ_RATE_PER_MINUTE", "many"],
  ["HOLDFAST_MAX_OPEN_JOBS", "1.5"],
  ["HOLDFAST_MAX_OPEN_JOBS_PER_CALLER", "none"],
  ["HOLDFAST_SWEEP_SCHEDULE", "* * * * *"],
  ["HOLDFAST_SWEEP_SCHEDULE", "60 seconds"],
  ["HOLDFAST_SWEEP_SCHEDULE", "99 * * * * *"],
  ["HOLDFAST_SWEEP_SCHEDULE", "a a a a a a"],
  ["HOLDFAST_PUBLIC_URL", "ftp://example.org"],
  ["HOLDFAST_DATABASE", "a/b"],
  ["HOLDFAST_VAR_", "x"],
  ["HOLDFAST_VAR_a-b", "x"],
  ["HOLDFAST_SECRET_", "x"],
  ["HOLDFAST_SECRET_a-b", "x"],
  ["COSMOS_CONNECTION__credential", "password"],
  ["COSMOS_CONNECTION__accountEndpoint", "acme"],
])("%s=%s is refused by name", (name, value) => {
  const problems = problemsOf({ ...AZURE, [name]: value });
  expect(problems).toHaveLength(1);
  expect(problems[0]?.startsWith(name)).toBe(true);
});

/** Another test keeps these tables equal to what the app reads. */
const EVERY_SETTING = ["What the app does", "Where the stores are"].flatMap((table) =>
  tableOf(readPage("docs/operations.md"), table).map(([name]) => codeOf(name)),
);

test.each(EVERY_SETTING)("no problem with %s repeats its value", (row) => {
  const name = row.replace(/<name>$/i, "a-b");
  const canary = "c4nary";
  const values = [
    canary,
    `${canary} two words`,
    `https://user:${canary}@intranet.example/x`,
    `ftp://${canary}.example/`,
    `http://localhost/${canary}`,
    `AccountName=devstoreaccount1;AccountKey=${canary}`,
    `0 0 0 ${canary} * *`,
  ];
  const unlike = [AZURE, LOCAL].flatMap((env) =>
    values.map((value) => ({ ...env, [name]: value })),
  );
  for (const env of unlike) {
    const read = readSettings(env);
    if (!read.ok) expect(JSON.stringify(read.issues)).not.toContain(canary);
  }
  // What any text may be here is judged where it is used, and tested there.
  const isAnyText = /__clientId$|^HOLDFAST_WORKFLOWS_DIR$|^HOLDFAST_HTTP_ALLOW$/.test(name);
  expect(unlike.some((env) => !readSettings(env).ok)).toBe(!isAnyText);
});

test("empty values count as unset", () => {
  const settings = settingsOf({
    ...AZURE,
    COSMOS_ENDPOINT: "",
    COSMOS_KEY: " ",
    HOLDFAST_ALLOW_REBUILD: "",
    HOLDFAST_PUBLIC_URL: "",
    HOLDFAST_VAR_a: "",
  });
  expect(settings.allowRebuild).toBe(false);
  expect(settings.vars).toEqual({});
});

describe("connections", () => {
  test("an account key works in Azure, by https", () => {
    const settings = settingsOf({
      COSMOS_ENDPOINT: "https://acme.documents.azure.com",
      COSMOS_KEY: "c2VjcmV0",
      AzureWebJobsStorage: STORAGE,
    });
    expect(settings.cosmos.kind).toBe("key");
    expect(settings.queues).toEqual({ kind: "connection_string", connectionString: STORAGE });
  });

  test("a developer's machine may use the emulators", () => {
    const settings = settingsOf(LOCAL);
    expect(settings.development).toBe(true);
    expect(settings.cosmos).toMatchObject({ kind: "key", endpoint: "http://127.0.0.1:8081" });
  });

  test.each([
    { COSMOS_ENDPOINT: "http://127.0.0.1:8081", COSMOS_KEY: "c2VjcmV0" },
    { COSMOS_ENDPOINT: "https://localhost:8081", COSMOS_KEY: "c2VjcmV0" },
    { COSMOS_ENDPOINT: "https://[::1]:8081", COSMOS_KEY: "c2VjcmV0" },
    { COSMOS_ENDPOINT: "http://acme.documents.azure.com", COSMOS_KEY: "c2VjcmV0" },
    { COSMOS_ENDPOINT: "https://acme.documents.azure.com", COSMOS_KEY: EMULATOR_KEY },
    { COSMOS_CONNECTION__accountEndpoint: "https://localhost:8081" },
    { AzureWebJobsStorage: "UseDevelopmentStorage=true" },
    { AzureWebJobsStorage: "AccountName=devstoreaccount1;AccountKey=x" },
    { AzureWebJobsStorage: `${STORAGE}QueueEndpoint=http://127.0.0.1:10001/acme` },
    { AzureWebJobsStorage__queueServiceUri: "http://acme.queue.core.windows.net" },
  ])("an emulator or plain http is refused in Azure: %j", (more) => {
    const base: Record<string, string> = {
      COSMOS_ENDPOINT: "https://acme.documents.azure.com",
      COSMOS_KEY: "c2VjcmV0",
      AzureWebJobsStorage: STORAGE,
    };
    if ("COSMOS_CONNECTION__accountEndpoint" in more) {
      delete base["COSMOS_ENDPOINT"];
      delete base["COSMOS_KEY"];
    }
    if ("AzureWebJobsStorage__queueServiceUri" in more) delete base["AzureWebJobsStorage"];
    expect(problemsOf({ ...base, ...more })).toHaveLength(1);
    expect(problemsOf({ ...base, ...more, AZURE_FUNCTIONS_ENVIRONMENT: "Development" })).toEqual(
      [],
    );
  });

  const LOOPBACKS = [
    "localhost", "LOCALHOST", "localhost.", "db.localhost", "127.0.0.1", "127.1", "127.255.0.9",
    "0x7f.1", "2130706433", "017700000001", "0.0.0.0", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:7f00:1]",
  ];

  test.each(LOOPBACKS)("an emulator at %s is refused in Azure, however it is named", (host) => {
    const { AzureWebJobsStorage__queueServiceUri: queues, ...cosmos } = AZURE;
    const identity = "COSMOS_CONNECTION__accountEndpoint";
    const spellings: readonly Environment[] = [
      { COSMOS_ENDPOINT: `https://${host}:8081`, COSMOS_KEY: "a2V5", [identity]: "" },
      { [identity]: `https://${host}` },
      { AzureWebJobsStorage__queueServiceUri: `https://${host}:10001/acme` },
      ...["Queue", "Blob"].map((service) => ({
        AzureWebJobsStorage__queueServiceUri: "",
        AzureWebJobsStorage: `${STORAGE}${service}Endpoint=https://${host}:10001/acme`,
      })),
    ];
    for (const spelling of spellings) {
      const env = { ...cosmos, AzureWebJobsStorage__queueServiceUri: queues, ...spelling };
      expect(problemsOf(env)).toEqual([expect.stringContaining("names an emulator")]);
      expect(problemsOf({ ...env, AZURE_FUNCTIONS_ENVIRONMENT: "Development" })).toEqual([]);
    }
  });

  const AZURITE_KEY =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
  test.each([
    "UseDevelopmentStorage=true",
    "usedevelopmentstorage=TRUE;",
    "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://proxy.example",
    "AccountName=devstoreaccount1;AccountKey=a2V5",
    "accountname=DevStoreAccount1;accountkey=a2V5",
    `AccountName=acme;AccountKey=${AZURITE_KEY}`,
    `${STORAGE}QueueEndpoint=https://queues.example.org/devstoreaccount1`,
  ])("the storage emulator is known by name, account and key: %s", (connection) => {
    const { AzureWebJobsStorage__queueServiceUri: _uri, ...cosmos } = AZURE;
    const env = { ...cosmos, AzureWebJobsStorage: connection };
    expect(problemsOf(env)).toEqual([expect.stringContaining("names an emulator")]);
  });

  test.each([
    "DefaultEndpointsProtocol=http;AccountName=acme;AccountKey=a2V5",
    `${STORAGE}QueueEndpoint=http://acme.queue.core.windows.net`,
  ])("a connection string over plain http is refused in Azure: %s", (connection) => {
    const { AzureWebJobsStorage__queueServiceUri: _uri, ...cosmos } = AZURE;
    expect(problemsOf({ ...cosmos, AzureWebJobsStorage: connection })).toHaveLength(1);
  });

  test("the published key of the Cosmos emulator is refused on any host", () => {
    for (const host of ["acme.documents.azure.com", "cosmos", "10.0.0.4"]) {
      const env = { ...AZURE, COSMOS_CONNECTION__accountEndpoint: "" };
      const given = { ...env, COSMOS_ENDPOINT: `https://${host}`, COSMOS_KEY: EMULATOR_KEY };
      expect(problemsOf(given)).toEqual([expect.stringContaining("COSMOS_KEY: names an emulator")]);
    }
  });

  test("only the exact word Development makes a developer's machine", () => {
    for (const word of ["development", "Staging", "Dev", "true", "Development,Production"]) {
      expect(problemsOf({ ...LOCAL, AZURE_FUNCTIONS_ENVIRONMENT: word })).toHaveLength(2);
    }
  });

  test("two ways to connect at once are refused", () => {
    const both = { ...AZURE, COSMOS_KEY: "c2VjcmV0", AzureWebJobsStorage: STORAGE };
    expect(problemsOf(both)).toHaveLength(2);
  });

  test.each(["", "nonsense", "AccountName=acme", "AccountKey=x"])(
    "the connection string %j is none",
    (connection) => {
      const { AzureWebJobsStorage__queueServiceUri: _uri, ...cosmos } = AZURE;
      expect(problemsOf({ ...cosmos, AzureWebJobsStorage: connection })).toHaveLength(1);
    },
  );

  test("no issue repeats a secret", () => {
    const told = JSON.stringify(
      readSettings({
        COSMOS_ENDPOINT: "nowhere",
        COSMOS_KEY: "TOPSECRET",
        AzureWebJobsStorage: "AccountKey=TOPSECRET",
        HOLDFAST_VAR_9: "TOPSECRET",
        HOLDFAST_SECRET_9: "TOPSECRET",
      }),
    );
    expect(told).not.toContain("TOPSECRET");
  });
});
