// How long the app takes to load and register: bundled, with telemetry switched on as well, and
// not bundled. Prints medians and ratios. Each load is a process of its own on a warm disk, and the
// three take turns, so that a busy neighbour slows all of them. Unbundled means each of our files
// and every package from node_modules, as a deployment without a bundler would have it.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundle, definitionThread } from "../build/bundle.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROBE = path.join(ROOT, "test/fixtures/bundle/probe.cjs");
const ROUNDS = 15;
/** The app composes itself, and begins to load telemetry behind the registration. */
const CONFIGURED = {
  COSMOS_CONNECTION__accountEndpoint: "https://nobody.documents.azure.com:443/",
  AzureWebJobsStorage__queueServiceUri: "https://nobody.queue.core.windows.net/",
};
const TELEMETRY = {
  ...CONFIGURED,
  APPLICATIONINSIGHTS_CONNECTION_STRING: "InstrumentationKey=00000000-0000-0000-0000-000000000000",
};

const OWN_IMPORT = /((?:from |import\()"\.[^"]*)\.ts"/g;

/**
 * Imports name the .ts files; what is written has .js.
 * @type {import("esbuild").Plugin}
 */
const asJavaScript = {
  name: "as-javascript",
  setup(bundler) {
    bundler.onLoad({ filter: /\.ts$/ }, ({ path: file }) => ({
      contents: readFileSync(file, "utf8").replaceAll(OWN_IMPORT, '$1.js"'),
      loader: "ts",
    }));
  },
};

const parent = path.join(ROOT, ".holdfast");
mkdirSync(parent, { recursive: true });
const directory = mkdtempSync(path.join(parent, "load-"));
try {
  const source = path.join(ROOT, "src/main.ts");
  const bundled = path.join(directory, "main.cjs");
  const unbundled = path.join(directory, "src/main.js");
  await bundle({ source, target: bundled, kind: "app" });
  const { text } = await definitionThread();
  writeFileSync(path.join(directory, "package.json"), '{"type":"commonjs"}');
  await build({
    entryPoints: sourcesOf(path.join(ROOT, "src")),
    outdir: path.join(directory, "src"),
    outbase: path.join(ROOT, "src"),
    platform: "node",
    target: "node20",
    format: "cjs",
    logLevel: "silent",
    plugins: [asJavaScript],
    define: {
      HOLDFAST_BUILD: '"unbundled"',
      HOLDFAST_DEFINITION_THREAD: JSON.stringify(text),
      "import.meta.url": '"file:///"',
    },
  });
  const cases = [
    { name: "bundled", file: bundled, env: CONFIGURED, times: [0] },
    { name: "bundled, telemetry", file: bundled, env: TELEMETRY, times: [0] },
    { name: "unbundled", file: unbundled, env: CONFIGURED, times: [0] },
  ];
  for (const one of cases) one.times.length = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { file, env, times } of cases) times.push(loadMs(file, env));
  }
  const medians = cases.map(({ times }) => medianOf(times));
  const unbundledMs = medians.at(-1) ?? 0;
  for (const [index, { name }] of cases.entries()) {
    const ms = medians[index] ?? 0;
    const ratio = (unbundledMs / ms).toFixed(1);
    console.log(`${name.padEnd(20)} ${ms.toFixed(0).padStart(5)} ms   ${ratio} times as fast`);
  }
  console.log(`medians of ${ROUNDS} rounds, Node ${process.versions.node}`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** @param {string} folder */
function sourcesOf(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !/^(?:web|local|cli)\//.test(file))
    .map((file) => path.join(folder, file));
}

/**
 * @param {string} file
 * @param {Readonly<Record<string, string>>} env
 * @returns {number} milliseconds
 */
function loadMs(file, env) {
  const options = /** @type {const} */ ({ encoding: "utf8" });
  const report = JSON.parse(execFileSync(process.execPath, [PROBE, file], { ...options, env }));
  return Number(report.loadMs);
}

/**
 * @param {readonly number[]} times
 * @returns {number}
 */
function medianOf(times) {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}
