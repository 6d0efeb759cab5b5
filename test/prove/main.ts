// `npm run prove`: runs the proofs one after another and prints them as one table. Small by
// default, as CI runs it; `--long` is the whole programme. Exit code 1 when a row does not hold.
// HOLDFAST_TEST_REPORT names a file that gets the count of rows as vitest's report has it.
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { holds } from "./row.ts";
import type { ProveOptions, Row, RowMaker } from "./row.ts";
import { ROWS } from "./rows.ts";
import { rowBroke, tableOf } from "./table.ts";

const USAGE = `npm run prove -- [options]
  --long          the whole programme instead of the part that CI runs
  --only A,B      only these rows: ${ROWS.map(({ name }) => name).join(", ")}
  --seed N        where seeded rows begin (default 1)
  --seeds N       how many seeds they run
  --workers N     child processes at once (default: one per core)`;

interface Given {
  readonly options: ProveOptions;
  readonly rows: readonly RowMaker[];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wholeNumber(option: string, value: string): number {
  if (!/^[1-9]\d{0,14}$/.test(value)) {
    throw new Error(`--${option}: expected a whole number of at least 1, got ${value}`);
  }
  return Number(value);
}

function given(): Given {
  const { values } = parseArgs({
    options: {
      long: { type: "boolean", default: false },
      only: { type: "string" },
      seed: { type: "string", default: "1" },
      seeds: { type: "string" },
      workers: { type: "string", default: String(availableParallelism()) },
    },
  });
  const names = values.only?.split(",") ?? ROWS.map(({ name }) => name);
  const rows = names.map((name) => {
    const row = ROWS.find((one) => one.name === name);
    if (row === undefined) throw new Error(`--only: no row ${name}`);
    return row;
  });
  const seeds = values.seeds === undefined ? {} : { seeds: wholeNumber("seeds", values.seeds) };
  const options = {
    long: values.long,
    firstSeed: wholeNumber("seed", values.seed),
    ...seeds,
    workers: wholeNumber("workers", values.workers),
    say,
  };
  return { options, rows };
}

/** A proof that breaks is a row that does not hold; the others still run. */
async function made(row: RowMaker, options: ProveOptions): Promise<Row> {
  try {
    return await row.run(options);
  } catch (error) {
    return rowBroke(row.name, error);
  }
}

async function prove({ options, rows }: Given): Promise<boolean> {
  const results: Row[] = [];
  for (const row of rows) {
    const started = performance.now();
    say(`-- ${row.name}`);
    const result = await made(row, options);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    say(`   ${holds(result) ? "holds" : "DOES NOT HOLD"} after ${seconds} s: ${result.measured}`);
    results.push(result);
  }
  say(tableOf(results));
  const failed = results.filter((row) => !holds(row)).length;
  const report = process.env["HOLDFAST_TEST_REPORT"];
  if (report !== undefined) {
    const counts = { numPassedTests: results.length - failed, numFailedTests: failed };
    writeFileSync(report, JSON.stringify({ ...counts, numPendingTests: 0, numTodoTests: 0 }));
  }
  return failed === 0;
}

let asked: Given | undefined;
try {
  asked = given();
} catch (error) {
  say(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
if (asked !== undefined) process.exitCode = (await prove(asked)) ? 0 : 1;
