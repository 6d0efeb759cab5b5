// Three projects: `unit` (unit, contract and tidy: pure, in parallel), `simulation` (seeded faults)
// and `e2e` (the built bundle, one file at a time). Nothing is retried, focused or switched off.
// HOLDFAST_TEST_REPORT names a file that also gets the results as JSON; CI adds them up.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const report = process.env["HOLDFAST_TEST_REPORT"];

export default defineConfig({
  test: {
    passWithNoTests: false,
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    coverage: {
      provider: "v8",
      include: ["src/core/**/*.ts"],
      // Each run has a folder of its own: two runs at once would delete each other's files.
      reportsDirectory: join(tmpdir(), `holdfast-coverage-${String(process.pid)}`),
      reporter: [["text", { skipFull: true }]],
      thresholds: { branches: 100 },
    },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/contract/**/*.test.ts", "test/tidy.test.ts"],
          allowOnly: false,
          retry: 0,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "simulation",
          include: ["test/simulation/**/*.test.ts", "test/fuzz/**/*.test.ts"],
          allowOnly: false,
          retry: 0,
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          allowOnly: false,
          retry: 0,
          pool: "forks",
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
