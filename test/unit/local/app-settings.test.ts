// What `npm start` sets by itself, and what it leaves off.
import { expect, test } from "vitest";
import { appDefaults, givenStores } from "../../../src/local/app-settings.ts";

const STORES = {
  COSMOS_ENDPOINT: "https://a.documents.azure.com",
  COSMOS_KEY: "k",
  AzureWebJobsStorage: "s",
};

test("stores in memory may be rebuilt, those that outlast the host only if told so", () => {
  const rebuild = (isKept: boolean, env: Readonly<Record<string, string>> = {}) =>
    appDefaults(env, isKept)["HOLDFAST_ALLOW_REBUILD"];
  expect(rebuild(false)).toBe("true");
  expect(rebuild(true)).toBe("false");
  expect(rebuild(true, { HOLDFAST_ALLOW_REBUILD: "true" })).toBe("true");
  expect(rebuild(false, { HOLDFAST_ALLOW_REBUILD: "false" })).toBe("false");
});

test("half a set of stores is refused", () => {
  for (const name of Object.keys(STORES)) {
    expect(() => givenStores({ ...STORES, [name]: "" }), name).toThrow("together, or none");
  }
});
