// Adds up vitest's JSON reports and prints the closing line of CI: `N passed, N failed`.
// Usage: node sum.mjs FAILURES REPORT...; a failed step whose report counts no failed test is
// itself counted as one. Exits with 1 on any failure, and when no test ran.
import { existsSync, readFileSync } from "node:fs";

const [steps = "0", ...paths] = process.argv.slice(2);
const reports = paths
  .filter((path) => existsSync(path))
  .map((path) => JSON.parse(readFileSync(path, "utf8")));
const total = (field) => reports.reduce((sum, report) => sum + report[field], 0);

const passed = total("numPassedTests");
const failed = Math.max(total("numFailedTests"), Number(steps));
const skipped = total("numPendingTests") + total("numTodoTests");
if (passed === 0) console.log("No test ran.");
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
