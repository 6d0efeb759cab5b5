// Makes infra/monitor/holdfast.workbook.json from the queries beside it: tabs, parameters, and each
// query as it stands in its file. Run by `npm run infra`; a test compares.
// The placeholder HOLDFAST_WORKSPACE becomes the workspace's id where the template deploys it.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const QUERIES = path.join(ROOT, "infra/monitor/queries");
const TARGET = path.join(ROOT, "infra/monitor/holdfast.workbook.json");
const HOME = "https://github.com/Microsoft/Application-Insights-Workbooks";
const WORKSPACE = "HOLDFAST_WORKSPACE";
const RESOURCE_TYPE = "microsoft.operationalinsights/workspaces";

/** What a query file names with `let`, and the parameter that the workbook's reader chooses. */
const PARAMETERS = [
  ['let workflow = "";', 'let workflow = "{workflow}";'],
  ['let version = "";', 'let version = "{version}";'],
  ['let job = "";', 'let job = "{job}";'],
  ["let grain = 5m;", "let grain = {TimeRange:grain};"],
];

/** 4 h, 24 h, 7 d, 30 d. */
const TIME_RANGES = [4, 24, 168, 720].map((hours) => ({ durationMs: hours * 3_600_000 }));

const TABS = [
  {
    name: "fleet",
    title: "Fleet",
    charts: [
      ["fleet-jobs", "Jobs accepted and ended"],
      ["fleet-open", "Open jobs"],
    ],
    tables: [
      ["fleet-workflows", "Workflows"],
      ["fleet-failures", "Why jobs failed"],
    ],
  },
  {
    name: "workflow",
    title: "One workflow by version",
    charts: [["workflow-durations", "Duration of a job, in seconds"]],
    tables: [
      ["workflow-versions", "Versions"],
      ["workflow-nodes", "Attempts by node"],
      ["workflow-jobs", "Jobs that ended last"],
    ],
  },
  {
    name: "job",
    title: "One job end to end",
    charts: [],
    tables: [
      ["job-facts", "The job"],
      ["job-spans", "Trace"],
      ["job-events", "Log"],
      ["job-charge", "Requests to the stores, as far as they were traced"],
    ],
  },
  {
    name: "engine",
    title: "Health of the engine",
    charts: [
      ["engine-queues", "Messages in the queues"],
      ["engine-lag", "Lag, in seconds"],
      ["engine-rescues", "Duplicates, put back, sent again, poisoned, conflicts"],
      ["engine-charge", "Request units"],
    ],
    tables: [
      ["engine-problems", "Warnings and errors"],
      ["engine-statuses", "Answers of Cosmos DB"],
      ["engine-functions", "Functions"],
    ],
  },
];

/** @returns {string} the text of the workbook */
export function workbook() {
  const items = [parameters(), tabs(), ...TABS.map(tab)];
  const document = {
    version: "Notebook/1.0",
    items,
    fallbackResourceIds: [WORKSPACE],
    $schema: `${HOME}/blob/master/schema/workbook.json`,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** @param {string} name */
function queryOf(name) {
  const text = readFileSync(path.join(QUERIES, `${name}.kql`), "utf8").replaceAll("\r\n", "\n");
  return PARAMETERS.reduce((query, [from = "", to = ""]) => query.replace(from, to), text);
}

function parameters() {
  const text = { version: "KqlParameterItem/1.0", type: 1, isRequired: false, value: "" };
  const choice = {
    ...text,
    type: 2,
    query: queryOf("workflows"),
    queryType: 0,
    resourceType: RESOURCE_TYPE,
    crossComponentResources: [WORKSPACE],
    timeContextFromParameter: "TimeRange",
  };
  return {
    type: 9,
    name: "parameters",
    content: {
      version: "KqlParameterItem/1.0",
      queryType: 0,
      resourceType: RESOURCE_TYPE,
      crossComponentResources: [WORKSPACE],
      parameters: [
        {
          version: "KqlParameterItem/1.0",
          name: "TimeRange",
          label: "Time",
          type: 4,
          isRequired: true,
          value: TIME_RANGES[1],
          typeSettings: { selectableValues: TIME_RANGES, allowCustom: true },
        },
        { ...choice, name: "workflow", label: "Workflow" },
        { ...text, name: "version", label: "Version (empty: all)" },
        { ...text, name: "job", label: "Job id" },
      ],
    },
  };
}

function tabs() {
  const links = TABS.map(({ name, title }) => ({
    id: name,
    cellValue: "tab",
    linkTarget: "parameter",
    linkLabel: title,
    subTarget: name,
    style: "link",
  }));
  return { type: 11, name: "tabs", content: { version: "LinkItem/1.0", style: "tabs", links } };
}

/** @param {typeof TABS[number]} given */
function tab({ name, charts, tables }) {
  const items = [
    ...charts.map(([query = "", title = ""]) => item(query, title, "timechart")),
    ...tables.map(([query = "", title = ""]) => item(query, title, "table")),
  ];
  return {
    type: 12,
    name,
    content: { version: "NotebookGroup/1.0", groupType: "editable", items },
    conditionalVisibility: { parameterName: "tab", comparison: "isEqualTo", value: name },
  };
}

/**
 * @param {string} query
 * @param {string} title
 * @param {"timechart" | "table"} visualization
 */
function item(query, title, visualization) {
  return {
    type: 3,
    name: query,
    customWidth: visualization === "table" ? "100" : "50",
    content: {
      version: "KqlItem/1.0",
      query: queryOf(query),
      size: 0,
      title,
      noDataMessage: "Nothing in this time.",
      timeContextFromParameter: "TimeRange",
      queryType: 0,
      resourceType: RESOURCE_TYPE,
      crossComponentResources: [WORKSPACE],
      visualization,
      ...(visualization === "table" ? { gridSettings: { filter: true, rowLimit: 1000 } } : {}),
    },
  };
}

const started = process.argv[1];
if (started !== undefined && path.resolve(started) === fileURLToPath(import.meta.url)) {
  writeFileSync(TARGET, workbook());
}
