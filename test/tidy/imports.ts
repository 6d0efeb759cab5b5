// The import matrix: which folder of src may import which folder and which package.
// One direction, no siblings, vendors behind azure/, no way from process-message to the catalog.
import { eachFile, isSource, type Finding, type Problem, type Rule } from "./rule.ts";
import type { Import, Source } from "./source.ts";
import { lineAt, literalText, walk } from "./source.ts";

interface Layer {
  /** Folders of src, besides its own. */
  readonly folders: readonly string[];
  /** Package names; `node:` stands for every built-in. */
  readonly packages: readonly string[];
  /** Packages whose types alone may be imported. */
  readonly typesOf?: readonly string[];
}

const INNER = ["core", "runtime"];
const SHELL = ["tasks", "azure", "catalog", "memory", "api", "functions", "client", "cli", "web"];

const MATRIX: Readonly<Record<string, Layer>> = {
  core: { folders: [], packages: ["zod", "yaml", "re2js"] },
  // Hashes, ids and abort signals come with Node; no network and no disk.
  runtime: {
    folders: ["core"],
    packages: ["zod", "node:crypto", "node:async_hooks", "node:events"],
  },
  tasks: { folders: INNER, packages: ["zod", "csv-parse", "ipaddr.js", "node:"] },
  azure: {
    folders: INNER,
    packages: [
      "zod",
      "@azure/cosmos",
      "@azure/identity",
      "@azure/storage-queue",
      // Telemetry, by its own names; loaded where it is configured.
      "@azure/monitor-opentelemetry-exporter",
      "@opentelemetry/api",
      "@opentelemetry/exporter-logs-otlp-proto",
      "@opentelemetry/exporter-metrics-otlp-proto",
      "@opentelemetry/exporter-trace-otlp-proto",
      "@opentelemetry/resources",
      "@opentelemetry/sdk-logs",
      "@opentelemetry/sdk-metrics",
      "@opentelemetry/sdk-trace-base",
      "node:",
    ],
  },
  catalog: { folders: INNER, packages: ["zod", "yaml", "node:"] },
  memory: { folders: INNER, packages: ["zod", "node:crypto"] },
  // Requests and answers as they are sent: what the app parses, and what a client may know of it.
  api: { folders: ["core"], packages: ["zod"] },
  functions: {
    folders: [...INNER, "api"],
    packages: ["zod", "node:crypto"],
    typesOf: ["@azure/functions"],
  },
  client: { folders: ["api"], packages: [] },
  cli: { folders: [...INNER, "api", "client"], packages: ["zod", "yaml", "node:"] },
  // Runs in a browser, which gets neither a schema nor a decision: types of `api`, and what it
  // says of a typed text.
  web: { folders: ["api", "client"], packages: ["preact", "@dagrejs/dagre", "diff"] },
  // A program of `cli` that speaks to the stores itself: a composition root, like main.ts.
  program: {
    folders: [...INNER, "azure", "tasks", "api", "client", "cli"],
    packages: ["zod", "node:"],
  },
  main: { folders: [...INNER, ...SHELL], packages: ["zod", "@azure/functions", "node:"] },
  local: {
    folders: [...INNER, ...SHELL.filter((folder) => folder !== "catalog")],
    packages: [
      "zod",
      "yaml",
      "croner",
      "azurite",
      "@vercel/cosmosdb-server",
      // It plays the Functions host, whose queue listener speaks to Storage queues itself.
      "@azure/storage-queue",
      "node:",
    ],
  },
};

/** What registers, and what is composed behind it. */
const ROOTS: ReadonlySet<string> = new Set(["src/main.ts", "src/composition.ts"]);

const PROGRAMS: ReadonlySet<string> = new Set([
  "src/cli/archive.ts",
  "src/cli/cli.ts",
  "src/cli/operator.ts",
  "src/cli/poison.ts",
]);

function layerOf(path: string): string | undefined {
  if (ROOTS.has(path)) return "main";
  if (PROGRAMS.has(path)) return "program";
  const folder = /^src\/([^/]+)\//.exec(path)?.[1];
  return folder !== undefined && folder in MATRIX ? folder : undefined;
}

function packageOf(specifier: string): string {
  const [first = "", second = ""] = specifier.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}

function verdict(from: string, layer: Layer, one: Import): string | undefined {
  if (one.target === undefined) {
    const name = one.specifier.startsWith("node:") ? one.specifier : packageOf(one.specifier);
    const allowed = layer.packages.some((entry) =>
      entry === "node:" ? name.startsWith("node:") : entry === name,
    );
    if (allowed || (one.typeOnly && (layer.typesOf ?? []).includes(name))) return undefined;
    return `${from} may not import the package ${name}`;
  }
  const to = layerOf(one.target);
  if (to === from || (to !== undefined && layer.folders.includes(to))) return undefined;
  return `${from} may not import ${to ?? one.target}`;
}

const matrix: Rule = {
  name: "imports follow the matrix",
  check: eachFile(isSource, (source) => {
    const from = layerOf(source.path);
    const layer = from === undefined ? undefined : MATRIX[from];
    if (from === undefined || layer === undefined)
      return [[1, "no layer of the matrix holds this"]];
    return source.imports.flatMap((one) => {
      const message = verdict(from, layer, one);
      return message === undefined ? [] : [[one.line, message] as const];
    });
  }),
  bad: [
    { "src/core/a.ts": 'import { b } from "../runtime/b.ts";' },
    { "src/core/a.ts": 'import type { b } from "../runtime/b.ts";' },
    { "src/core/a.ts": 'type B = import("../runtime/b.ts").B;' },
    { "src/core/a.ts": 'import { createHash } from "node:crypto";' },
    { "src/core/a.ts": 'export * from "../azure/b.ts";' },
    { "src/core/a.ts": 'import { b } from "../../test/support/b.ts";' },
    { "src/runtime/a.ts": 'import { CosmosClient } from "@azure/cosmos";' },
    { "src/runtime/a.ts": 'import { readFile } from "node:fs/promises";' },
    { "src/runtime/a.ts": 'import { b } from "../tasks/b.ts";' },
    { "src/tasks/a.ts": 'import { b } from "../azure/b.ts";' },
    { "src/functions/a.ts": 'import { app } from "@azure/functions";' },
    { "src/functions/a.ts": 'const b = await import("../catalog/b.ts");' },
    { "src/cli/a.ts": 'import { b } from "../catalog/b.ts";' },
    { "src/cli/a.ts": 'import { b } from "../azure/b.ts";' },
    { "src/cli/poison.ts": 'import { b } from "../catalog/b.ts";' },
    { "src/api/a.ts": 'import { b } from "../runtime/b.ts";' },
    { "src/client/a.ts": 'import { b } from "../core/b.ts";' },
    { "src/web/a.ts": 'import { b } from "../core/b.ts";' },
    { "src/runtime/a.ts": 'import { b } from "../api/b.ts";' },
    { "src/local/a.ts": 'import { b } from "../catalog/b.ts";' },
    { "src/local/a.ts": 'import { b } from "../main.ts";' },
    { "src/local/a.ts": 'import { CosmosClient } from "@azure/cosmos";' },
    { "src/main.ts": 'import { b } from "./local/b.ts";' },
    { "src/shared/a.ts": "export const a = 1;" },
    { "src/other.ts": "export const a = 1;" },
  ],
  good: [
    {
      "src/core/a.ts": 'import { z } from "zod";\nimport { b } from "./deep/b.ts";',
      "src/functions/a.ts": 'import type { HttpRequest } from "@azure/functions";',
      "src/functions/b.ts": 'import { type HttpRequest } from "@azure/functions";',
      "src/tasks/a.ts": 'import { parse } from "csv-parse/sync";',
      "src/cli/poison.ts": 'import "../azure/a.ts";',
      "src/azure/a.ts": 'import { lookup } from "node:dns/promises";\nimport "../core/a.ts";',
      "src/main.ts": 'import { b } from "./catalog/b.ts";\nimport { app } from "@azure/functions";',
    },
  ],
};

const literalImports: Rule = {
  name: "every import can be followed",
  check: eachFile(
    (path) => isSource(path) && !path.startsWith("src/local/"),
    (source) => {
      const found: [number, string][] = [];
      if (source.ast === undefined) return found;
      walk(source.ast, (node) => {
        const computed =
          node.type === "ImportExpression" && literalText(node["source"]) === undefined;
        const named = node.type === "Identifier" ? node["name"] : undefined;
        if (!computed && named !== "require" && named !== "createRequire") return;
        found.push([lineAt(source.text, node.start), "an import that no check can follow"]);
      });
      return found;
    },
  ),
  bad: [
    { "src/runtime/a.ts": "export const load = (name: string) => import(name);" },
    { "src/runtime/a.ts": 'export const fs = require("node:fs");' },
  ],
  good: [{ "src/runtime/a.ts": 'export const load = () => import("./b.ts");' }],
};

/** Every file of src that `roots` import, directly or through others, with the way there. */
function reach(project: readonly Source[], roots: readonly Source[]): Map<string, string> {
  const byPath = new Map(project.map((source) => [source.path, source]));
  const ways = new Map(roots.map((root) => [root.path, root.path]));
  const open = [...roots];
  for (let source = open.pop(); source !== undefined; source = open.pop()) {
    for (const { target } of source.imports) {
      if (target === undefined || ways.has(target)) continue;
      ways.set(target, `${ways.get(source.path) ?? ""} → ${target}`);
      const next = byPath.get(target);
      if (next !== undefined) open.push(next);
    }
  }
  return ways;
}

const pinned: Rule = {
  name: "process-message cannot reach the catalog",
  check: (project): Finding => {
    const roots = project.filter(({ path }) => /^src\/.*\/process-message[^/]*\.ts$/.test(path));
    const problems: Problem[] = [...reach(project, roots)]
      .filter(([path]) => path.startsWith("src/catalog/") || ROOTS.has(path))
      .map(([, way]) => ({ path: roots[0]?.path ?? "src", line: 1, message: way }));
    return { examined: roots.length, problems };
  },
  bad: [
    {
      "src/runtime/process-message.ts": 'import { b } from "./load.ts";',
      "src/runtime/load.ts": 'import type { c } from "../catalog/c.ts";',
    },
    { "src/functions/process-message.ts": 'import { b } from "../main.ts";' },
    { "src/functions/process-message.ts": 'import { b } from "../composition.ts";' },
  ],
  good: [
    {
      "src/runtime/process-message.ts": 'import { b } from "./load.ts";',
      "src/runtime/load.ts": 'import { c } from "../core/c.ts";',
      "src/catalog/c.ts": "export const c = 1;",
    },
  ],
};

const registrations: Rule = {
  name: "app.* is called only in main.ts",
  check: eachFile(isSource, (source) => {
    if (source.path === "src/main.ts" || source.ast === undefined) return [];
    return source.imports
      .filter(({ specifier, typeOnly }) => packageOf(specifier) === "@azure/functions" && !typeOnly)
      .map(({ line }) => [line, "only main.ts may import more than types of @azure/functions"]);
  }),
  bad: [{ "src/functions/a.ts": 'import { app } from "@azure/functions";\napp.http("x", {});' }],
  good: [{ "src/main.ts": 'import { app } from "@azure/functions";\napp.http("x", {});' }],
};

export const IMPORT_RULES: readonly Rule[] = [matrix, literalImports, pinned, registrations];
