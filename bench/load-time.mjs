// How long the app takes to load and register, bundled and not: prints both medians and the ratio.
// Each load is a process of its own on a warm disk. Unbundled means our code as one file and every
// package from node_modules, as a deployment without a bundler would have it.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundle } from "../build/bundle.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROBE = path.join(ROOT, "test/fixtures/bundle/probe.cjs");
const LOADS = 11;

const parent = path.join(ROOT, ".holdfast");
mkdirSync(parent, { recursive: true });
const directory = mkdtempSync(path.join(parent, "load-"));
try {
  const source = path.join(ROOT, "src/main.ts");
  const bundled = path.join(directory, "main.cjs");
  const unbundled = path.join(directory, "unbundled.cjs");
  await bundle({ source, target: bundled, kind: "app" });
  await build({
    entryPoints: [source],
    outfile: unbundled,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20",
    format: "cjs",
    logLevel: "silent",
    define: { HOLDFAST_BUILD: '"unbundled"' },
  });
  const [with_, without] = [medianOf(bundled), medianOf(unbundled)];
  console.log(`bundled    ${with_.toFixed(0)} ms (median of ${LOADS})`);
  console.log(`unbundled  ${without.toFixed(0)} ms`);
  console.log(`ratio      ${(without / with_).toFixed(1)}`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/**
 * @param {string} file
 * @returns {number} milliseconds
 */
function medianOf(file) {
  const options = /** @type {const} */ ({ env: {}, encoding: "utf8" });
  const times = Array.from({ length: LOADS }, () => {
    const report = JSON.parse(execFileSync(process.execPath, [PROBE, file], options));
    return Number(report.loadMs);
  });
  return times.sort((a, b) => a - b)[Math.floor(LOADS / 2)] ?? 0;
}
