// How long the app takes to load and register, and until it is composed behind the registration:
// bundled, with telemetry switched on as well, and not bundled. Prints medians and ratios. Each
// load is a process of its own on a warm disk; they take turns, so that a neighbour slows all.
// Unbundled means each of our files and every package from node_modules, as a deployment without a
// bundler would have it; "all at once" without our import() as well, as apps usually are.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundle, CHUNKS, definitionThread } from "../build/bundle.mjs";

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
  const eager = path.join(directory, "src/eager.js");
  const deferred = ["./composition.js", ...CHUNKS.flatMap(({ names }) => names)];
  const packages = deferred.filter((name) => !name.endsWith(".ts"));
  const requires = packages.map((name) => `require(${JSON.stringify(name)});`);
  writeFileSync(eager, `${requires.join("\n")}\nrequire("./main.js");\n`);
  const cases = [
    { name: "bundled", file: bundled, env: CONFIGURED },
    { name: "bundled, telemetry", file: bundled, env: TELEMETRY },
    { name: "unbundled", file: unbundled, env: CONFIGURED },
    { name: "unbundled, all at once", file: eager, env: TELEMETRY },
  ].map((one) => ({ ...one, loads: /** @type {Load[]} */ ([]) }));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { file, env, loads } of cases) loads.push(loadOf(file, env));
  }
  const [base] = cases;
  console.log("                          registered            composed");
  for (const { name, loads } of cases) {
    const cells = /** @type {const} */ (["loadMs", "composedMs"]).map((what) => {
      const ms = medianOf(loads.map((load) => load[what]));
      const ratio = ms / medianOf((base?.loads ?? []).map((load) => load[what]));
      return `${ms.toFixed(0).padStart(6)} ms ${ratio.toFixed(1).padStart(5)} times`;
    });
    console.log(`${name.padEnd(22)} ${cells.join("  ")}`);
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
 * Milliseconds since the file was asked for.
 * @typedef {{ readonly loadMs: number, readonly composedMs: number }} Load
 */

/**
 * @param {string} file
 * @param {Readonly<Record<string, string>>} env
 * @returns {Load}
 */
function loadOf(file, env) {
  const options = /** @type {const} */ ({ encoding: "utf8" });
  return JSON.parse(execFileSync(process.execPath, [PROBE, file], { ...options, env }));
}

/**
 * @param {readonly number[]} times
 * @returns {number}
 */
function medianOf(times) {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}
