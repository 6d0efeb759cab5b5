// Every query of the workbook and of the alerts: read by a real KQL parser against the tables of a
// workspace, and in words that the code uses. A query that names what nothing sends is never empty
// by accident, it is empty for ever.
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { workbook } from "../../../build/workbook.mjs";
import { LOG_EVENTS } from "../../../src/azure/telemetry.ts";
import { METRICS, SPANS } from "../../../src/runtime/telemetry-names.ts";
import { kusto } from "../../support/kusto.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../../infra/monitor");
const LOAD = 30_000;

let analyze: ReturnType<typeof kusto>;
beforeAll(() => {
  analyze = kusto();
}, LOAD);

interface Query {
  readonly name: string;
  readonly text: string;
}

function queriesOf(folder: string): readonly Query[] {
  return readdirSync(path.join(FOLDER, folder))
    .filter((file) => file.endsWith(".kql"))
    .map((file) => ({
      name: file.replace(".kql", ""),
      text: readFileSync(path.join(FOLDER, folder, file), "utf8"),
    }));
}

const shown = queriesOf("queries");
const alerts = queriesOf("alerts");
const all = [...shown, ...alerts];

describe.each(all)("$name", ({ text }) => {
  test("says what it answers, is without fault, and uses names that are sent", () => {
    expect(text).toMatch(/^\/\/ [A-Z0-9].*\.\n(?:\/\/ .*\n)*[A-Za-z]/);
    expect(analyze(text).problems).toEqual([]);
    for (const [, name = ""] of text.matchAll(/"(holdfast\.[\w.]+)"/g)) {
      expect(Object.keys(METRICS)).toContain(name);
    }
    for (const [, names = ""] of text.matchAll(/Message (?:==|in|has_any) \(?("[^)\n]*")/g)) {
      const events = [...names.matchAll(/"([^"]+)"/g)].map(([, event]) => event);
      expect(events.length).toBeGreaterThan(0);
      expect(Object.keys(LOG_EVENTS)).toEqual(expect.arrayContaining(events));
    }
    for (const [, names = ""] of text.matchAll(/Properties\.span\) in \(([^)]*)\)/g)) {
      const spans = [...names.matchAll(/"([^"]+)"/g)].map(([, span]) => span);
      expect(Object.keys(SPANS)).toEqual(expect.arrayContaining(spans));
    }
  });
});

/** `Properties.x` of the metrics that a query names must be an attribute of each of them. */
test.each(all.filter(({ text }) => /holdfast\.\w/.test(text)))(
  "$name asks metrics for attributes that they have",
  ({ text }) => {
    for (const statement of text.split(";")) {
      const metrics = [...statement.matchAll(/"(holdfast\.[\w.]+)"/g)].map(([, name]) => name);
      const asked = [...statement.matchAll(/Properties\.(\w+)/g)].map(([, name]) => name ?? "");
      const known = new Set<string>(
        metrics.flatMap((name) => [...METRICS[name as keyof typeof METRICS].attributes]),
      );
      expect(asked.filter((name) => !known.has(name))).toEqual([]);
    }
  },
);

test.each([
  ["a word too many", "AppMetrics | where where Name == 'x'"],
  ["an unknown table", "AppMetric | take 1"],
  ["an unknown column", "AppMetrics | where Nmae == 'x'"],
  ["an unknown function", "AppMetrics | summarize value = summ(Sum)"],
  ["a column that is gone", "AppMetrics | summarize by Name | where Sum > 1"],
  ["a wrong number of arguments", "AppMetrics | summarize max(Sum, 3)"],
  ["an open string", 'AppMetrics | where Name == "x'],
])("the parser finds %s", (_what, query) => {
  expect(analyze(query).problems.length).toBeGreaterThan(0);
});

test.each(alerts)("$name answers one number, as `value`", ({ text }) => {
  const { columns } = analyze(text);
  expect(columns).toContain("value");
  const dimensions = columns.filter((name) => name !== "value");
  expect(dimensions.length).toBeLessThanOrEqual(1);
});

interface Item {
  readonly type: number;
  readonly name: string;
  readonly items?: readonly Item[];
  readonly content: {
    readonly items?: readonly Item[];
    readonly query?: string;
    readonly timeContextFromParameter?: string;
    readonly parameters?: readonly { readonly name: string; readonly query?: string }[];
    readonly links?: readonly { readonly subTarget: string; readonly cellValue: string }[];
  };
  readonly conditionalVisibility?: { readonly parameterName: string; readonly value: string };
}

describe("the workbook", () => {
  const text = readFileSync(path.join(FOLDER, "holdfast.workbook.json"), "utf8");
  const { items } = JSON.parse(text) as { readonly items: readonly Item[] };
  const groups = items.filter(({ type }) => type === 12);
  const parameters = items.find(({ type }) => type === 9)?.content.parameters ?? [];
  const queries = groups.flatMap(({ content }) => content.items ?? []);

  test("is what the generator makes of the queries", () => {
    expect(text).toBe(workbook());
  });

  test("shows every query once", () => {
    const inTabs = queries.map(({ name }) => name);
    expect([...inTabs, "workflows"].toSorted()).toEqual(shown.map(({ name }) => name).toSorted());
    expect(new Set(inTabs).size).toBe(inTabs.length);
  });

  test("has a tab for each group", () => {
    const [tabs] = items.filter(({ type }) => type === 11);
    const links = tabs?.content.links ?? [];
    expect(links.map(({ subTarget }) => subTarget)).toEqual(groups.map(({ name }) => name));
    for (const { name, conditionalVisibility } of groups) {
      const { cellValue } = links[0] ?? {};
      expect(conditionalVisibility).toMatchObject({ parameterName: cellValue, value: name });
    }
  });

  test("uses no parameter that nobody can choose, and none is idle", () => {
    const names = parameters.map(({ name }) => name);
    const used = queries.flatMap(({ content }) =>
      [...(content.query ?? "").matchAll(/\{(\w+)(?::grain)?\}/g)].map(([, name]) => name),
    );
    const times = queries.map(({ content }) => content.timeContextFromParameter);
    expect(new Set([...used, ...times])).toEqual(new Set(names));
    for (const { content } of queries) expect(content.query).not.toMatch(/let \w+ = "";|= 5m;/);
  });

  test("what it sends is still without fault once its parameters are chosen", () => {
    for (const { content } of queries) {
      const chosen = (content.query ?? "").replaceAll("{TimeRange:grain}", "1h");
      expect(analyze(chosen).problems).toEqual([]);
    }
  });
});
