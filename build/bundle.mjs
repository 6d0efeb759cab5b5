// Builds what runs: each entry becomes one file in dist/, the app one more for each of its chunks.
// Plain JavaScript, because the oldest supported Node cannot strip types. Deterministic: the same
// inputs give the same bytes, and HOLDFAST_BUILD names them (version + digest of every input).
// Files appear whole or not at all.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeApiDocument } from "./api-document.mjs";
import { buildChunks, lazyImports } from "./chunks.mjs";
import { writePage } from "./web.mjs";
import { writeWhole } from "./whole-file.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * One program to build. `app` is CommonJS without packages beside it, as the Functions worker loads
 * it; `tool` is an ES module that takes its packages from node_modules.
 * @typedef {{ source: string, target: string, kind: "app" | "tool" }} Entry
 */

/** @type {readonly Entry[]} */
export const ENTRIES = [
  { source: "src/main.ts", target: "dist/main.cjs", kind: "app" },
  { source: "src/local/start.ts", target: "dist/local.mjs", kind: "tool" },
  { source: "src/cli/demo.ts", target: "dist/demo.mjs", kind: "tool" },
  { source: "src/cli/poison.ts", target: "dist/poison.mjs", kind: "tool" },
  { source: "src/cli/archive.ts", target: "dist/archive.mjs", kind: "tool" },
  { source: "src/cli/cli.ts", target: "dist/cli.mjs", kind: "tool" },
];

// The identity depends on the inputs, which are known only after bundling. A stand-in of the same
// length is replaced afterwards, so no position in the source map moves.
const DIGEST_LENGTH = 8;
const STAND_IN = "#".repeat(DIGEST_LENGTH);

/** @type {import("esbuild").BuildOptions} */
const COMMON = {
  bundle: true,
  write: false,
  metafile: true,
  platform: "node",
  target: "node20",
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "eof",
  logLevel: "silent",
  // One character beyond Latin-1 would double what Node has to read and scan.
  charset: "ascii",
};

/** @type {Readonly<Record<Entry["kind"], import("esbuild").BuildOptions>>} */
const KINDS = {
  app: {
    format: "cjs",
    minify: true,
    external: ["@azure/functions-core"],
    // Packages that call createRequire(import.meta.url) throw at load otherwise, and Azure then
    // shows an app without functions and without an error.
    banner: {
      js: 'const holdfastImportMetaUrl = require("node:url").pathToFileURL(__filename).href;',
    },
    define: { "import.meta.url": "holdfastImportMetaUrl" },
  },
  tool: { format: "esm", packages: "external" },
};

/** What runs in a thread stands in the app's one file as text. */
const THREAD = "src/catalog/definition-thread.ts";

/**
 * What is not needed to register the functions; the stores' SDKs not before a message or a request
 * either, telemetry perhaps never.
 * @type {readonly import("./chunks.mjs").Chunk[]}
 */
export const CHUNKS = [
  { file: "composition.cjs", names: ["./composition.ts"] },
  { file: "stores.cjs", names: ["@azure/cosmos", "@azure/storage-queue", "@azure/identity"] },
  {
    file: "telemetry.cjs",
    names: [
      "@azure/monitor-opentelemetry-exporter",
      "@opentelemetry/api",
      "@opentelemetry/exporter-logs-otlp-proto",
      "@opentelemetry/exporter-metrics-otlp-proto",
      "@opentelemetry/exporter-trace-otlp-proto",
      "@opentelemetry/resources",
      "@opentelemetry/sdk-logs",
      "@opentelemetry/sdk-metrics",
      "@opentelemetry/sdk-trace-base",
    ],
  },
];

/**
 * Builds one entry and returns its build identity, such as `0.1.0+1a2b3c4d`.
 * @param {{ source: string, target: string, kind: Entry["kind"] }} entry absolute paths
 * @returns {Promise<string>}
 */
export async function bundle(entry) {
  const version = await packageVersion();
  const kind = KINDS[entry.kind];
  const thread = entry.kind === "app" ? await definitionThread() : undefined;
  const define = {
    ...kind.define,
    HOLDFAST_BUILD: JSON.stringify(`${version}+${STAND_IN}`),
    ...(thread ? { HOLDFAST_DEFINITION_THREAD: JSON.stringify(thread.text) } : {}),
  };
  const options = { ...COMMON, ...kind, define, absWorkingDir: ROOT, outfile: entry.target };
  const folder = path.dirname(entry.target);
  const [results] = await Promise.all([
    built(entry, options),
    entry.kind === "app" ? writeServed(path.join(folder, "web"), version) : undefined,
  ]);
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
  const files = [...inputs.filter((name) => !isVirtual(name)), ...(thread?.inputs ?? [])];
  const digest = await digestOf([...new Set(files)], version);
  const identity = `${version}+${digest}`;
  await mkdir(folder, { recursive: true });
  // Chunks before the bundle that asks for them, a map before its file.
  const texts = results.toReversed().flatMap(({ outputFiles = [] }) => {
    return [...outputFiles].sort((one, other) => other.path.length - one.path.length);
  });
  for (const file of texts) {
    await writeWhole(file.path, file.text.replaceAll(`${version}+${STAND_IN}`, identity));
  }
  return identity;
}

/**
 * The bundle, and its chunks.
 * @param {{ source: string, kind: Entry["kind"] }} entry
 * @param {import("esbuild").BuildOptions} options
 */
async function built({ source, kind }, options) {
  const chunks = kind === "app" ? CHUNKS : [];
  const plugins = [lazyImports(chunks)];
  const main = await build({ ...options, entryPoints: [source], plugins });
  const text = main.outputFiles?.find(({ path: file }) => !file.endsWith(".map"))?.text ?? "";
  return [main, ...(await buildChunks(chunks, options, text))];
}

/**
 * What the app serves as it is: the document of its API and the page.
 * @param {string} folder
 * @param {string} version
 */
async function writeServed(folder, version) {
  await Promise.all([
    writeApiDocument({ root: ROOT, version, folder }),
    writePage({ root: ROOT, folder }),
  ]);
}

/**
 * The program of the thread that checks definitions, as one script.
 * @returns {Promise<{ text: string, inputs: readonly string[] }>}
 */
export async function definitionThread() {
  const result = await build({
    ...COMMON,
    ...KINDS.app,
    absWorkingDir: ROOT,
    entryPoints: [THREAD],
    outfile: "thread.cjs",
    sourcemap: false,
  });
  const [file] = result.outputFiles ?? [];
  if (file === undefined) throw new Error("The thread gave no output.");
  return { text: file.text, inputs: Object.keys(result.metafile?.inputs ?? {}) };
}

/**
 * Builds every entry whose source exists. Building none is an error.
 * @param {readonly Entry[]} entries
 * @returns {Promise<readonly { target: string, identity: string }[]>}
 */
export async function bundleAll(entries = ENTRIES) {
  const present = entries.filter((entry) => existsSync(path.join(ROOT, entry.source)));
  if (present.length === 0) {
    throw new Error(`No entry exists: ${entries.map((entry) => entry.source).join(", ")}.`);
  }
  return Promise.all(
    present.map(async ({ source, target, kind }) => {
      const paths = { source: path.join(ROOT, source), target: path.join(ROOT, target) };
      return { target, identity: await bundle({ ...paths, kind }) };
    }),
  );
}

/**
 * What a plugin made up, and the entry of a chunk, have no file.
 * @param {string} input
 */
function isVirtual(input) {
  return input.startsWith("lazy:") || input === "<stdin>";
}

async function packageVersion() {
  const manifest = JSON.parse(await readFile(path.join(ROOT, "package.json"), "utf8"));
  return String(manifest.version);
}

/**
 * @param {readonly string[]} inputs paths relative to the project
 * @param {string} version
 */
async function digestOf(inputs, version) {
  const hash = createHash("sha256").update(version);
  for (const input of [...inputs].sort()) {
    const bytes = await readFile(path.resolve(ROOT, input));
    hash.update(`\0${input.replaceAll("\\", "/")}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex").slice(0, DIGEST_LENGTH);
}

const started = process.argv[1];
if (started !== undefined && path.resolve(started) === fileURLToPath(import.meta.url)) {
  try {
    // What a program prints may be read by another one.
    const isQuiet = process.argv.includes("--quiet");
    for (const { target, identity } of await bundleAll()) {
      if (!isQuiet) console.log(`${target}  ${identity}`);
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
