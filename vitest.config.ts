// Three projects: `unit` (unit, contract and tidy: pure, in parallel), `simulation` (seeded faults)
// and `e2e` (the built bundle, two files at a time). Nothing is retried, focused or switched off.
// HOLDFAST_TEST_REPORT names a file that also gets the results as JSON; CI adds them up.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const report = process.env["HOLDFAST_TEST_REPORT"];

/**
 * Threads that read the sources once and run file after file: three times as fast as a process for
 * each file. So a test that changes anything global puts it back: the order of files varies.
 */
const SHARED = { pool: "threads", isolate: false, maxWorkers: "100%" } as const;

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
          ...SHARED,
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
          ...SHARED,
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
          // They wait more than they work; more at once would stretch what they time.
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
