// Compiles infra/ with the Bicep compiler and writes what it would make, for two sets of
// parameters, into test/fixtures/infra: tests read that, so that they need no compiler. With
// --check nothing is written; what is there must be what comes out. A remark is an error.
// The compiler: HOLDFAST_BICEP, or `bicep` on the PATH.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { infraDigest } from "./infra-digest.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MAIN = "infra/main.bicep";
const FIXTURES = "test/fixtures/infra";
const DIGEST = `${FIXTURES}/sources.sha256`;
/** Nobody's: what depends on them is named after them. */
const NOWHERE = [
  "--subscription-id=00000000-0000-0000-0000-000000000001",
  "--tenant-id=00000000-0000-0000-0000-000000000002",
  "--location=westeurope",
  "--deployment-name=holdfast",
];

const isCheck = process.argv.includes("--check");
const work = mkdtempSync(path.join(tmpdir(), "holdfast-infra-"));
try {
  for (const folder of ["infra", FIXTURES]) {
    cpSync(path.join(ROOT, folder), path.join(work, folder), { recursive: true });
  }
  bicep(["build", MAIN, "--stdout"]);
  bicep(["lint", MAIN]);
  const scenarios = readdirSync(path.join(ROOT, FIXTURES)).filter((file) =>
    file.endsWith(".bicepparam"),
  );
  if (scenarios.length === 0) throw new Error(`No parameters in ${FIXTURES}.`);
  for (const file of scenarios) {
    bicep(["snapshot", `${FIXTURES}/${file}`, "--mode", "overwrite", ...NOWHERE]);
    settle(`${FIXTURES}/${file.replace(".bicepparam", ".snapshot.json")}`);
  }
  writeFileSync(path.join(work, DIGEST), `${infraDigest(ROOT)}\n`);
  settle(DIGEST);
  console.log(`${scenarios.length} sets of parameters ${isCheck ? "agree" : "written"}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

/**
 * Runs the compiler in the copy; whatever it says beside its output is a failure.
 * @param {readonly string[]} args
 */
function bicep(args) {
  const program = process.env["HOLDFAST_BICEP"] ?? "bicep";
  const { error, status, stderr } = spawnSync(program, args, {
    cwd: work,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) {
    throw new Error(`${program}: not found; install Bicep, or set HOLDFAST_BICEP to its path`);
  }
  const said = stderr.replaceAll(`${work}/`, "").trim();
  if (status !== 0 || said !== "") throw new Error(`bicep ${args.slice(0, 2).join(" ")}: ${said}`);
}

/**
 * The compiler gives outputs in any order.
 * @param {string} snapshot
 */
function ordered(snapshot) {
  const { predictedResources, diagnostics, outputs } = JSON.parse(snapshot);
  if (diagnostics.length > 0) throw new Error(`a snapshot: ${JSON.stringify(diagnostics)}`);
  const names = Object.keys(outputs).sort();
  const sorted = Object.fromEntries(names.map((name) => [name, outputs[name]]));
  return `${JSON.stringify({ predictedResources, outputs: sorted }, null, 2)}\n`;
}

/**
 * Writes a file of the copy back, or compares it.
 * @param {string} file relative to the project
 */
function settle(file) {
  const made = readFileSync(path.join(work, file), "utf8");
  const text = file.endsWith(".json") ? ordered(made) : made;
  const target = path.join(ROOT, file);
  if (!isCheck) writeFileSync(target, text);
  else if (readFileSync(target, "utf8") !== text) {
    throw new Error(`${file}: not what infra/ comes to; run: npm run infra`);
  }
}
