// Where telemetry goes, from the settings: all that is wrong at once, and never a value repeated.
import { describe, expect, test } from "vitest";
import { readSettings } from "../../../src/azure/settings.ts";

const BARE = {
  COSMOS_ENDPOINT: "https://a.example",
  COSMOS_KEY: "a2V5",
  AzureWebJobsStorage: "AccountName=a;AccountKey=a2V5",
};
const KEY = "11111111-2222-3333-4444-555555555555";
const INSIGHTS = `InstrumentationKey=${KEY};IngestionEndpoint=https://x.in.example/`;

function read(given: Record<string, string>) {
  const result = readSettings({ ...BARE, ...given });
  return result.ok
    ? result.settings.telemetry
    : result.issues.map(({ message }) => message.slice(0, 52));
}

test("without a destination telemetry is off", () => {
  expect(read({})).toBeUndefined();
  expect(read({ APPLICATIONINSIGHTS_CONNECTION_STRING: " " })).toBeUndefined();
  expect(read({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" })).toBeUndefined();
  expect(read({ APPLICATIONINSIGHTS_AUTHENTICATION_STRING: "nonsense" })).toBeUndefined();
});

describe("Application Insights", () => {
  const connection = { APPLICATIONINSIGHTS_CONNECTION_STRING: INSIGHTS };

  test("by its connection string, under the app's name", () => {
    expect(read(connection)).toEqual({
      azureMonitor: { connectionString: INSIGHTS },
      service: "holdfast",
    });
    const platform = { WEBSITE_SITE_NAME: "my-app", WEBSITE_INSTANCE_ID: "abc" };
    expect(read({ ...connection, ...platform })).toMatchObject({
      service: "my-app",
      instance: "abc",
    });
    const named = { ...platform, OTEL_SERVICE_NAME: "mine" };
    expect(read({ ...connection, ...named })).toMatchObject({ service: "mine" });
  });

  test.each([
    ["Authorization=AAD", { managed: true }],
    ["ClientId=42;Authorization=aad", { managed: true, clientId: "42" }],
  ])("by an identity: %s", (authentication, identity) => {
    const given = { ...connection, APPLICATIONINSIGHTS_AUTHENTICATION_STRING: authentication };
    expect(read(given)).toMatchObject({ azureMonitor: { identity } });
  });

  test.each([
    [{ APPLICATIONINSIGHTS_CONNECTION_STRING: KEY }, "CONNECTION_STRING: exp"],
    [{ APPLICATIONINSIGHTS_CONNECTION_STRING: "InstrumentationKey=abc" }, "CONNECTION_STRING: exp"],
    [
      { APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${KEY};IngestionEndpoint=x` },
      "CONNECTION_STRING: exp",
    ],
    [
      { ...connection, APPLICATIONINSIGHTS_AUTHENTICATION_STRING: "ClientId=42" },
      "AUTHENTICATION_STRING:",
    ],
  ])("what is wrong is said: %o", (given, start) => {
    expect(read(given)).toEqual([expect.stringContaining(`APPLICATIONINSIGHTS_${start}`)]);
  });
});

describe("a collector", () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318/" };

  test("by its URL, with headers", () => {
    expect(read(endpoint)).toMatchObject({
      otlp: { endpoint: "http://localhost:4318", headers: {} },
    });
    const headers = "api-key=a%3Db, x-team = ignored".replace(" = ", "=");
    const given = { ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers };
    expect(read({ ...given, OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" })).toMatchObject({
      otlp: { headers: { "api-key": "a=b", "x-team": "ignored" } },
    });
  });

  test.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4318" }, "ENDPOINT"],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, "PROTOCOL"],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: "secret" }, "HEADERS"],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: "a=%E0%A4%A" }, "HEADERS"],
  ])("what is wrong is said: %o", (given, name) => {
    expect(read(given)).toEqual([expect.stringContaining(`OTEL_EXPORTER_OTLP_${name}: expected`)]);
  });
});

test("everything that is wrong is said at once, without a value", () => {
  const given = {
    APPLICATIONINSIGHTS_CONNECTION_STRING: "InstrumentationKey=hush",
    OTEL_EXPORTER_OTLP_ENDPOINT: "hush",
    OTEL_EXPORTER_OTLP_HEADERS: "hush",
    HOLDFAST_TRACE_RATIO: "1.5",
  };
  const said = read(given);
  expect(said).toHaveLength(4);
  expect(JSON.stringify(said)).not.toContain("hush");
});

test.each(["0", "0.25", "1", "1.0"])("a share of jobs may be %s", (ratio) => {
  const result = readSettings({ ...BARE, HOLDFAST_TRACE_RATIO: ratio });
  expect(result).toMatchObject({ settings: { traceRatio: Number(ratio) } });
});
