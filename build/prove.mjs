// `npm run prove`: bundles the prover and its worker, then runs the prover with the arguments
// given. The bundles lie two folders deep, as the sources do, so that both find the project the
// same way; packages and build/ are taken from where they are.
// buildWorker can change a source on the way: that is how seeded mutants of the engine are made.

import { spawn } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { readFile } from "node:fs/promises";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TARGET = path.join(ROOT, ".holdfast", "prove");

/**
 * One change of one source file: `from` must be there exactly once.
 * @typedef {{ file: string, from: string, to: string }} Change
 */

/**
 * @param {string} source relative to the project
 * @param {string} target absolute
 * @param {readonly Change[]} [changes]
 */
async function bundleTool(source, target, changes = []) {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [source],
    outfile: target,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    // A mutant is built to be noticed, not to be read, and there are many of them.
    sourcemap: changes.length === 0 ? "inline" : false,
    sourcesContent: false,
    logLevel: "error",
    plugins: [inPlace, changing(changes)],
  });
}

/**
 * The worker of a seeded mutant: the simulator, with changes of the sources.
 * @param {string} name of the bundle, without its ending
 * @param {readonly Change[]} changes
 * @returns {Promise<string>} absolute path
 */
export async function buildWorker(name, changes) {
  const target = path.join(TARGET, `${name}.mjs`);
  await bundleTool("test/prove/mutant-worker.ts", target, changes);
  return target;
}

/**
 * What builds finds the project from its own place, so it stays there.
 * @type {import("esbuild").Plugin}
 */
const inPlace = {
  name: "in-place",
  setup(builder) {
    builder.onResolve({ filter: /\/build\/[a-z-]+\.mjs$/ }, ({ path: wanted, resolveDir }) => ({
      path: pathToFileURL(path.resolve(resolveDir, wanted)).href,
      external: true,
    }));
  },
};

/**
 * @param {readonly Change[]} changes
 * @returns {import("esbuild").Plugin}
 */
function changing(changes) {
  return {
    name: "changing",
    setup(builder) {
      if (changes.length === 0) return;
      const left = new Set(changes);
      // Other files never leave the bundler, which is quicker.
      const files = changes.map(({ file }) => file.replaceAll(".", "\\.")).join("|");
      builder.onLoad({ filter: new RegExp(`/(${files})$`) }, async ({ path: file }) => {
        const here = changes.filter((change) => path.join(ROOT, change.file) === file);
        if (here.length === 0) return undefined;
        let contents = await readFile(file, "utf8");
        for (const change of here) {
          const found = contents.split(change.from).length - 1;
          if (found !== 1) {
            throw new Error(`${change.file}: expected once, found ${found} times: ${change.from}`);
          }
          contents = contents.replace(change.from, () => change.to);
          left.delete(change);
        }
        return { contents, loader: "ts" };
      });
      builder.onEnd(() => {
        const [first] = left;
        if (first !== undefined) throw new Error(`${first.file} is no part of the bundle`);
      });
    },
  };
}

const started = process.argv[1];
if (started !== undefined && path.resolve(started) === fileURLToPath(import.meta.url)) {
  await bundleTool("test/prove/main.ts", path.join(TARGET, "main.mjs"));
  await bundleTool("test/prove/worker.ts", path.join(TARGET, "worker.mjs"));
  const main = path.join(TARGET, "main.mjs");
  const child = spawn(
    process.execPath,
    ["--enable-source-maps", main, ...process.argv.slice(2)],
    { stdio: "inherit" },
  );
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}
