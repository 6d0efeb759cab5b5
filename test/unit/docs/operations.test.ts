// docs/operations.md against settings, host.json, containers, queues, log events and limits.
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CONTAINERS, QUEUE_NAMES } from "../../../src/azure/names.ts";
import { readSettings } from "../../../src/azure/settings.ts";
import { LOG_EVENTS } from "../../../src/azure/telemetry.ts";
import {
  POISON_FUNCTION,
  SWEEP_FUNCTION,
  WORK_FUNCTION,
} from "../../../src/functions/function-table.ts";
import * as limits from "../../../src/core/limits.ts";
import { RELAXED } from "../../../src/local/app-settings.ts";
import { codeOf, codesOf, readPage, sectionOf, tableOf } from "./page.ts";

const page = readPage("docs/operations.md");
const firstCells = (heading: string) => tableOf(page, heading).map(([cell]) => codeOf(cell));
const source = (path: string) => readFileSync(path, "utf8");
const found = (text: string, name: RegExp) => new Set([...text.matchAll(name)].map(([all]) => all));

const STORES = { COSMOS_ENDPOINT: "https://a.example", COSMOS_KEY: "a2V5" };
const QUEUES = { AzureWebJobsStorage: "AccountName=a;AccountKey=a2V5" };
const BARE = { ...STORES, ...QUEUES };

describe("settings", () => {
  test("the page has every setting that the app reads, and no other", () => {
    const settings = source("src/azure/settings.ts");
    const connections = source("src/azure/connection-settings.ts");
    const own = found(settings, /\b(?:HOLDFAST_[A-Z_]*[A-Z]|AZURE_FUNCTIONS_ENVIRONMENT)\b/g);
    for (const prefix of ["HOLDFAST_VAR", "HOLDFAST_SECRET"]) own.delete(prefix);
    const keyed = found(connections, /(?<=given\[")[A-Za-z_]+(?="\])/g);
    const prefixes = ["COSMOS_CONNECTION", "AzureWebJobsStorage"];
    const identity = prefixes.flatMap((one) => [`${one}__credential`, `${one}__clientId`]);
    expect(firstCells("What the app does").sort()).toEqual(
      [...own, "HOLDFAST_VAR_<name>", "HOLDFAST_SECRET_<name>"].sort(),
    );
    expect(firstCells("Where the stores are").sort()).toEqual([...keyed, ...identity].sort());
  });

  const defaults = tableOf(page, "What the app does")
    .map(([name, value]) => [codeOf(name), codeOf(value)] as const)
    .filter(([, value]) => value !== "–");

  test.each(defaults)("setting %s to its documented default changes nothing", (name, value) => {
    const bare = readSettings(BARE);
    expect(bare.ok).toBe(true);
    expect(readSettings({ ...BARE, [name]: value })).toEqual(bare);
  });

  test("a setting without a documented default is unset by default", () => {
    const bare = readSettings(BARE);
    expect(bare).toMatchObject({ settings: { httpAllow: [], vars: {} } });
    expect(bare.ok && bare.settings).not.toHaveProperty("publicUrl");
  });

  test("the page has every setting of the local host", () => {
    const local = readdirSync("src/local").map((file) => source(`src/local/${file}`)).join("\n");
    const names = [...found(local, /(?<=")HOLDFAST_LOCAL_[A-Z_]*[A-Z](?=")/g)];
    expect(firstCells("What only the local host reads").sort()).toEqual(["PORT", ...names].sort());
  });

  test("what npm start relaxes is named", () => {
    const pairs = Object.entries(RELAXED).map((pair) => pair.join("="));
    expect(pairs.length).toBeGreaterThan(0);
    const told = codesOf(sectionOf(page, "What only the local host reads"));
    expect(told.filter((code) => code.startsWith("HOLDFAST_") && code.includes("="))).toEqual(
      expect.arrayContaining(pairs),
    );
  });
});

test("the page has every value of host.json", () => {
  const leaves = (value: unknown, path: string): readonly (readonly [string, string])[] =>
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, one]) => leaves(one, path ? `${path}.${key}` : key))
      : [[path, String(value)]];
  const documented = tableOf(page, "host.json").map(([key, value]) => [codeOf(key), codeOf(value)]);
  expect(documented).toEqual(leaves(JSON.parse(source("host.json")), ""));
  for (const [key, , why] of tableOf(page, "host.json")) expect(why, key).toMatch(/\w.*\.$/);
});

test("containers stand with partition key, indexed paths and expiry", () => {
  const shown = tableOf(page, "Containers and queues").map(([id, key, indexed, expiry]) => [
    codeOf(id),
    codeOf(key),
    codesOf(indexed),
    expiry,
  ]);
  expect(shown).toEqual(
    CONTAINERS.map(({ id, partitionKey, indexingPolicy, defaultTtl }) => [
      id,
      typeof partitionKey === "object" ? partitionKey.paths[0] : partitionKey,
      (indexingPolicy?.includedPaths ?? []).map(({ path }) => path.replace(/^\/|\/\?$/g, "")),
      defaultTtl === -1 ? "per item" : "never",
    ]),
  );
});

test("queues and the functions behind them are named", () => {
  const codes = codesOf(sectionOf(page, "Containers and queues"));
  const names = [...QUEUE_NAMES, WORK_FUNCTION, POISON_FUNCTION, SWEEP_FUNCTION];
  expect(codes).toEqual(expect.arrayContaining(names));
});

test("log events stand with their level", () => {
  const shown = tableOf(page, "Log").map(([name, level]) => [codeOf(name), level]);
  expect(shown).toEqual(Object.entries(LOG_EVENTS).map(([name, { level }]) => [name, level]));
});

/** `64 KiB`, `540 s`, `1 day`: as the number that stands in the code. */
function numberOf(cell: string): number {
  const [, digits = "", unit = ""] = /^([\d,]+)(?: (\w+))?$/.exec(cell) ?? [];
  const factor = UNITS.get(unit);
  if (digits === "" || factor === undefined) throw new Error(`no number: ${cell}`);
  return Number(digits.replaceAll(",", "")) * factor;
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["KiB", 1024],
  ["MiB", 1024 * 1024],
  ["s", 1],
  ["h", 3600],
  ["day", 86_400],
  ["days", 86_400],
]);

test("limits stand with their numbers and a reason each, in their order", () => {
  const rows = tableOf(page, "Limits");
  expect(rows.map(([name, value = ""]) => [codeOf(name), numberOf(value)])).toEqual(
    [...source("src/core/limits.ts").matchAll(/^export const (\w+)/gm)].map(([, name = ""]) => [
      name,
      new Map<string, number>(Object.entries(limits)).get(name),
    ]),
  );
  for (const [name, , reason] of rows) expect(reason, name).toMatch(/\w.*\.$/);
});
