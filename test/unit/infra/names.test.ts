// infra/ against the code: one name stands for one thing. And what was compiled is of today.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { infraDigest } from "../../../build/infra-digest.mjs";
import { CONTAINERS, POISON_QUEUE, QUEUE_NAMES, WORK_QUEUE } from "../../../src/azure/names.ts";
import { readSettings } from "../../../src/azure/settings.ts";
import { WORK_FUNCTION } from "../../../src/functions/function-table.ts";
import { at, snapshot } from "../../support/infra-snapshot.ts";

const scenarios = { default: snapshot("default"), full: snapshot("full") };
const each = Object.entries(scenarios);
const last = (name: string | undefined) => name?.split("/").at(-1);

test("what tests look at was compiled from infra/ as it is: npm run infra", () => {
  const known = readFileSync("test/fixtures/infra/sources.sha256", "utf8").trim();
  expect(known).toBe(infraDigest("."));
});

describe.each(each)("%s", (_name, made) => {
  test("makes the queues of the code, and no other", () => {
    expect(made.of("queueServices/queues").map(({ name }) => last(name))).toEqual([...QUEUE_NAMES]);
  });

  test("makes the containers of the code, indexed and expiring as there", () => {
    const containers = made.of("sqlDatabases/containers").map(({ properties }) => {
      const { id, partitionKey, indexingPolicy, defaultTtl } = properties["resource"] as Record<
        string,
        unknown
      >;
      const paths = at(partitionKey, "paths");
      return { id, partitionKey: { paths }, indexingPolicy, ttl: defaultTtl };
    });
    expect(containers).toEqual(
      CONTAINERS.map(({ id, partitionKey, indexingPolicy, defaultTtl }) => ({
        id,
        partitionKey,
        indexingPolicy,
        ttl: defaultTtl,
      })),
    );
  });

  test("gives the app settings that it takes, and each only if somebody reads it", () => {
    const [settings] = made.of("sites/config").filter(({ name }) => last(name) === "appsettings");
    const given = settings?.properties as Record<string, string>;
    // Resolved when it is deployed.
    const resolved = {
      AzureWebJobsStorage__blobServiceUri: "https://a.blob.core.windows.net/",
      AzureWebJobsStorage__queueServiceUri: "https://a.queue.core.windows.net/",
      AzureWebJobsStorage__clientId: "id",
      COSMOS_CONNECTION__accountEndpoint: "https://a.documents.azure.com:443/",
      COSMOS_CONNECTION__clientId: "id",
      APPLICATIONINSIGHTS_CONNECTION_STRING:
        "InstrumentationKey=11111111-2222-3333-4444-555555555555;IngestionEndpoint=https://b/",
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: "ClientId=id;Authorization=AAD",
    };
    for (const name of Object.keys(resolved)) expect(given[name], name).toBeDefined();
    const result = readSettings({ ...given, ...resolved });
    expect(result).toMatchObject({
      ok: true,
      settings: {
        development: false,
        database: "holdfast",
        allowRebuild: false,
        cosmos: { kind: "identity", managed: true, clientId: "id" },
        queues: { kind: "identity", managed: true, clientId: "id" },
        telemetry: { azureMonitor: { identity: { managed: true, clientId: "id" } } },
      },
    });
    const read = ["settings", "connection-settings", "telemetry-settings"]
      .map((file) => readFileSync(`src/azure/${file}.ts`, "utf8"))
      .join("\n");
    const unread = Object.keys(given).filter(
      (name) => !read.includes(name.replace(/__(?:credential|clientId)$/, "")),
    );
    const ofTheHost = ["AzureWebJobsStorage__blobServiceUri", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"];
    const free = unread.filter((name) => !/^HOLDFAST_(?:VAR|SECRET)_/.test(name));
    expect(free.toSorted()).toEqual(ofTheHost);
  });

  test("runs a Node that the project runs on", () => {
    const version = at(made.one("Microsoft.Web/sites").properties, ...RUNTIME, "version");
    expect(["22", "24"]).toContain(version);
  });
});

const RUNTIME = ["functionAppConfig", "runtime"] as const;

test("always-ready instances name the function of the work queue", () => {
  const site = scenarios.full.one("Microsoft.Web/sites").properties;
  expect(at(site, "functionAppConfig", "scaleAndConcurrency", "alwaysReady")).toEqual([
    { name: "http", instanceCount: 1 },
    { name: `function:${WORK_FUNCTION}`, instanceCount: 2 },
  ]);
});

test("the host derives the name of the poison queue as the code does", () => {
  expect(POISON_QUEUE).toBe(`${WORK_QUEUE}-poison`);
});

test("versions of Node in the template are those that CI tries", () => {
  const template = readFileSync("infra/main.bicep", "utf8");
  const allowed = /@allowed\(\[(.*?)\]\)\s+@description\('Version of Node.js/.exec(template)?.[1];
  const ci = readFileSync(".ci/run", "utf8");
  const versions = (allowed ?? "").split(",").map((one) => one.trim().replaceAll("'", ""));
  expect(versions).toEqual(["22", "24"]);
  for (const version of versions) expect(ci).toMatch(new RegExp(`"${version}\\.\\d+\\.\\d+ `));
});
