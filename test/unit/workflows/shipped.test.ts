// What holds for the files in `workflows/` beside their results: they load, they explain
// themselves, together they show the whole format, and no build changes their digests.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { definitionDigest } from "../../../src/core/definition.ts";
import type { Json } from "../../../src/core/json.ts";
import { sha256 } from "../../../src/runtime/hash.ts";
import digests from "../../fixtures/digests.json" with { type: "json" };
import { startDataServer } from "./data-server.ts";
import { featuresOf, formatFeatures } from "./format-coverage.ts";
import { runCase } from "./run-case.ts";
import { WORKFLOWS, casesOf, filesEnding, knownHandlers, shippedWorkflows } from "./shipped.ts";

const shipped = await shippedWorkflows();
const data = await startDataServer();
afterAll(() => data.server.close());

test("each workflow is in a file named after it, with its cases beside it", () => {
  const names = shipped.map(({ definition }) => definition.workflow_id);
  expect(names.length).toBeGreaterThanOrEqual(10);
  expect(shipped.map(({ file }) => file)).toEqual(names.map((name) => `${name}.yaml`));
  expect(filesEnding(".expected.json")).toEqual(names.map((name) => `${name}.expected.json`));
});

test("each file begins with what it does, its inputs, its result and its schema", () => {
  for (const { source } of shipped) {
    const [what, inputs, result, schema, first] = source.split("\n");
    expect(what).toMatch(/^# [A-Z].*\.$/);
    expect(inputs).toMatch(/^# Inputs: .*\.$/);
    expect(result).toMatch(/^# Result: .*\.$/);
    expect(schema).toBe("# yaml-language-server: $schema=./workflow.schema.json");
    expect(first).toMatch(/^workflow_id: /);
    expect(source.split("\n").filter((line) => line.length > 100)).toEqual([]);
  }
});

test("a build never changes the digest of an unchanged file", () => {
  const found = shipped.map(({ definition }) => [
    `${definition.workflow_id} ${definition.version}`,
    definitionDigest(definition, sha256),
  ]);
  expect(Object.fromEntries(found)).toEqual(digests);
});

test("together they use every node type, every field and every word of the format", () => {
  const used = new Set(shipped.flatMap(({ source }) => [...featuresOf(parse(source) as Json)]));
  const all = formatFeatures();
  expect(all.size).toBeGreaterThanOrEqual(78);
  expect([...all].filter((feature) => !used.has(feature))).toEqual([]);
});

test("a file uses the fields and words that stand in it, each by its owner", () => {
  const nodes = { s: { type: "start", next: [] }, f: { type: "fan_in", aggregation: "sum" } };
  expect([...featuresOf({ workflow_id: "w", nodes, retry: { jitter: 1 } })]).toEqual([
    "workflow.workflow_id",
    "workflow.nodes",
    "start.type",
    "start.next",
    "fan_in.type",
    "fan_in.aggregation",
    "fan_in.aggregation=sum",
  ]);
});

test("together they use every built-in handler", () => {
  const used = shipped.flatMap(({ definition }) =>
    Object.values(definition.nodes).flatMap((node) => {
      if (node.type === "task") return [node.handler];
      return node.type === "fan_out" ? [node.task.handler] : [];
    }),
  );
  expect(new Set(used)).toEqual(new Set(knownHandlers().keys()));
});

test("each has a case that completes, and each real one a case that fails", () => {
  for (const { file } of shipped) {
    expect(casesOf(file).map(({ status }) => status), file).toContain("completed");
  }
  for (const file of ["order_import.yaml", "document_pipeline.yaml"]) {
    expect(casesOf(file).map(({ status }) => status)).toContain("failed");
  }
});

test("a server that is busy at first changes no result", async () => {
  for (const [file, busy] of [
    ["order_import.yaml", ["/orders.csv"]],
    ["document_pipeline.yaml", ["/documents/index.json", "/documents/plan-basin.json"]],
  ] as const) {
    const workflow = shipped.find((one) => one.file === file);
    const [one] = casesOf(file);
    if (workflow === undefined || one === undefined) throw new Error(`no ${file}`);
    data.restart(busy);
    const { found } = await runCase(workflow, one, data.baseUrl);
    expect(found).toEqual(one);
    for (const path of busy) {
      const asked = data.server.seen.filter(({ url }) => url === path);
      expect(asked).toHaveLength(2);
      expect(new Set(asked.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
    }
  }
});

test("a document that is missing is asked for once", async () => {
  const workflow = shipped.find(({ file }) => file === "document_pipeline.yaml");
  const [one] = casesOf("document_pipeline.yaml");
  if (workflow === undefined || one === undefined) throw new Error("no document_pipeline.yaml");
  data.restart();
  await runCase(workflow, one, data.baseUrl);
  const path = "/documents/permits/permit-0399.json";
  expect(data.server.seen.filter(({ url }) => url === path)).toHaveLength(1);
});

test("the sample data are text files that end with a line break", () => {
  for (const name of ["orders.csv", "orders_large.csv", "documents/index.json"]) {
    expect(readFileSync(join(WORKFLOWS, "data", name), "utf8")).toMatch(/[^\n]\n$/);
  }
});
