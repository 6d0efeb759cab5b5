// Every alert as the compiler predicts it: its query, its bound, and its runbook in
// docs/monitoring.md, which must be there, say the same, and stand for an alert.
import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { at, snapshot } from "../../support/infra-snapshot.ts";
import type { Predicted } from "../../support/infra-snapshot.ts";
import { codeOf, headingsOf, readPage, sectionOf, tableOf } from "../docs/page.ts";

const made = { default: snapshot("default"), full: snapshot("full") };
const page = readPage("docs/monitoring.md");

function rulesOf(name: keyof typeof made): readonly Predicted[] {
  return made[name].of("scheduledQueryRules");
}

function nameOf({ name = "" }: Predicted): string {
  return name.replace("holdfast-", "");
}

const rules = rulesOf("default");
const names = [...rules.map(nameOf), "throttled"];

test("each query of an alert is one alert's", () => {
  const files = readdirSync("infra/monitor/alerts").map((file) => file.replace(".kql", ""));
  expect(rules.map(nameOf).toSorted()).toEqual(files.toSorted());
  for (const rule of rules) {
    const query = at(rule.properties, "criteria", "allOf", 0, "query");
    expect(query).toBe(readFileSync(`infra/monitor/alerts/${nameOf(rule)}.kql`, "utf8"));
  }
});

test.each(rules.map((rule) => [nameOf(rule), rule] as const))("%s is a sound rule", (_, rule) => {
  const { properties } = rule;
  const [workspace] = made.default.of("Microsoft.OperationalInsights/workspaces");
  expect(properties).toMatchObject({
    enabled: true,
    autoMitigate: true,
    scopes: [workspace?.id],
  });
  expect(at(properties, "criteria", "allOf", 0)).toMatchObject({
    metricMeasureColumn: "value",
    operator: "GreaterThan",
    timeAggregation: "Maximum",
  });
  const bound = at(properties, "criteria", "allOf", 0, "threshold");
  expect(Number.isInteger(bound)).toBe(true);
  const query = String(at(properties, "criteria", "allOf", 0, "query"));
  // A query that looks further back than its window must be given the time.
  expect(/ago\(day\)/.test(query)).toBe(properties["overrideQueryTimeRange"] === "P1D");
  const dimensions = at(properties, "criteria", "allOf", 0, "dimensions") as readonly unknown[];
  expect(dimensions).toHaveLength(query.includes("project workflow_id, value") ? 1 : 0);
});

test("every alert has a runbook, every runbook an alert, in the order of the table", () => {
  const rows = tableOf(page, "Alerts").map(([cell]) => codeOf(cell));
  expect(rows).toEqual(names);
  const headings = headingsOf(page);
  expect(headings.slice(headings.indexOf("Runbooks") + 1)).toEqual(rows);
  for (const name of names) {
    const runbook = sectionOf(page, name);
    expect(runbook, name).toMatch(/^1\. /m);
    expect(runbook, name).toMatch(/^Over (?:when|with) /m);
  }
});

test("the table says severity and bound as they are", () => {
  for (const [cell, severity, bound = ""] of tableOf(page, "Alerts")) {
    const rule = rules.find((one) => nameOf(one) === codeOf(cell));
    const found = rule ?? made.default.one("metricAlerts");
    expect([codeOf(cell), severity]).toEqual([codeOf(cell), String(found.properties["severity"])]);
    const threshold = Number(at(found.properties, "criteria", "allOf", 0, "threshold"));
    if (threshold > 0) expect(bound, codeOf(cell)).toMatch(new RegExp(`\\b${threshold}\\b`));
  }
});

test("each says where its runbook is", () => {
  for (const rule of [...rules, made.default.one("metricAlerts")]) {
    expect(rule.properties["description"]).toBe(`Runbook: docs/monitoring.md#${nameOf(rule)}`);
  }
});

test("parameters set the bounds and who is told", () => {
  const boundOf = (name: string): unknown => {
    const rule = rulesOf("full").find((one) => nameOf(one) === name);
    return at(rule?.properties, "criteria", "allOf", 0, "threshold");
  };
  expect([boundOf("oldest-job"), boundOf("failure-ratio")]).toEqual([2, 5]);
  expect(made.default.of("actionGroups")).toEqual([]);
  const group = made.full.one("actionGroups");
  expect(at(group.properties, "emailReceivers", 0, "emailAddress")).toBe("oncall@jobs.example");
  for (const rule of rulesOf("full")) {
    expect(at(rule.properties, "actions", "actionGroups", 0)).toBe(group.id);
  }
});

test("the workbook belongs to the component and asks the workspace", () => {
  const workbook = made.default.one("Microsoft.Insights/workbooks");
  const [workspace] = made.default.of("Microsoft.OperationalInsights/workspaces");
  const component = made.default.one("Microsoft.Insights/components");
  expect(workbook.properties["sourceId"]).toBe(component.id);
  const text = String(workbook.properties["serializedData"]);
  expect(text).not.toContain("HOLDFAST_WORKSPACE");
  expect(text).toContain(`"${workspace?.id}"`);
});
