// Records a release for the upgrade tests: `node build/record-release.mjs [checkout]` writes
// test/fixtures/releases/VERSION/ with the engine as one file and the jobs that it began and ended.
// The checkout is the project itself unless another one is named; it must have no changes, for
// what is recorded is kept for ever. Deterministic: the same commit gives the same bytes.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Two folders deep, as the sources are. */
const SCRATCH = path.join(ROOT, ".holdfast", "release");

/** @type {import("esbuild").BuildOptions} */
const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  charset: "ascii",
  logLevel: "error",
};

/**
 * The engine of a checkout as one file. With `isTraced` each decision goes to the function
 * `globalThis.holdfastTrace` as well.
 * @param {string} checkout
 * @param {string} target
 * @param {boolean} isTraced
 */
export async function bundleEngine(checkout, target, isTraced = false) {
  await build({
    ...COMMON,
    entryPoints: ["test/simulation/release-kit.ts"],
    outfile: target,
    minify: true,
    plugins: [takenFrom(checkout, isTraced)],
  });
}

/**
 * Runs the recorder with an engine; it writes one file for each job.
 * @param {{ engine: string, target: string, release: string }} given
 */
export async function recordJobs({ engine, target, release }) {
  const program = path.join(SCRATCH, "record.mjs");
  await build({
    ...COMMON,
    entryPoints: ["test/simulation/release-record.ts"],
    outfile: program,
  });
  const { recordAll } = await import(`${pathToFileURL(program).href}?${Math.random()}`);
  return recordAll({ engine, target, release });
}

/**
 * Resolves what the list of the kit names in the checkout, whatever tree the list stands in.
 * @param {string} checkout
 * @param {boolean} isTraced
 * @returns {import("esbuild").Plugin}
 */
function takenFrom(checkout, isTraced) {
  return {
    name: "taken-from",
    setup(builder) {
      builder.onResolve({ filter: /^\.\.\/\.\.\/src\// }, (found) => ({
        path: path.join(checkout, found.path.slice("../../".length)),
      }));
      if (!isTraced) return;
      builder.onResolve({ filter: /\/core\/advance\.ts$/ }, (found) =>
        found.importer.endsWith("/job-session.ts")
          ? { path: path.join(checkout, "src/core/advance.ts"), namespace: "traced" }
          : undefined,
      );
      builder.onLoad({ filter: /.*/, namespace: "traced" }, (found) => ({
        loader: "js",
        resolveDir: path.dirname(found.path),
        contents: traced(found.path),
      }));
    },
  };
}

/**
 * The reducer, whether it is called at once or step by step; a release has one form or both.
 * @param {string} file
 */
function traced(file) {
  return `import * as reducer from ${JSON.stringify(file)};
    function told(job, occurrence, context, decision) {
      globalThis.holdfastTrace({ job, occurrence, context, decision });
      return decision;
    }
    const kept = (context) => ({ ...context, loaded: new Map(context.loaded) });
    export function advance(job, occurrence, context) {
      const before = kept(context);
      return told(job, occurrence, before, reducer.advance(job, occurrence, context));
    }
    export function* advancing(job, occurrence, context) {
      const before = kept(context);
      return told(job, occurrence, before, yield* reducer.advancing(job, occurrence, context));
    }`;
}

/**
 * @param {string} checkout
 * @param {readonly string[]} args
 */
function git(checkout, args) {
  return execFileSync("git", ["-C", checkout, ...args], { encoding: "utf8" }).trim();
}

/**
 * @param {string} version
 * @param {string} commit
 */
function readme(version, commit) {
  return `# Release ${version}

Recorded from commit \`${commit}\` by \`node build/record-release.mjs\`; nothing here is edited by
hand, and nothing here changes once the release is out.

- \`engine.mjs\`: the engine of that commit as one minified file: everything that
  \`test/simulation/release-kit.ts\` names. Packages are the project's, in the versions of today.
- \`jobs/*.json\`: what the stores and the queue held for jobs that this engine began or ended, each
  with the decisions that led there and, for a begun one, how this engine itself ended it.

\`test/simulation/upgrade.test.ts\` ends and replays them under the engine of today.
`;
}

/** @param {string} checkout */
async function record(checkout) {
  const { version } = JSON.parse(await readFile(path.join(checkout, "package.json"), "utf8"));
  const changes = git(checkout, ["status", "--porcelain", "--", "src", "package.json"]);
  if (changes !== "") throw new Error(`The checkout has changes:\n${changes}`);
  const target = path.join(ROOT, "test", "fixtures", "releases", version);
  if (existsSync(target)) throw new Error(`Release ${version} is recorded already.`);
  const jobs = path.join(target, "jobs");
  await mkdir(jobs, { recursive: true });
  await mkdir(SCRATCH, { recursive: true });
  const traced = path.join(SCRATCH, `engine-${version}.mjs`);
  await bundleEngine(checkout, path.join(target, "engine.mjs"));
  await bundleEngine(checkout, traced, true);
  const commit = git(checkout, ["rev-parse", "HEAD"]);
  await writeFile(path.join(target, "README.md"), readme(version, commit));
  const names = await recordJobs({ engine: traced, target: jobs, release: version });
  console.log(`release ${version}: ${names.length} jobs in ${path.relative(ROOT, target)}`);
}

const started = process.argv[1];
if (started !== undefined && path.resolve(started) === fileURLToPath(import.meta.url)) {
  try {
    await record(path.resolve(process.argv[2] ?? ROOT));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
