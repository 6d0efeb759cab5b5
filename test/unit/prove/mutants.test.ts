// Each seeded mutant can still be made: what it changes stands in its file exactly once. Whether a
// proof notices it is for `npm run prove -- --only mutants`.
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { CORE_MUTANTS } from "../../prove/mutants/core-mutants.ts";
import { DEATHS } from "../../prove/mutants/deaths.ts";
import { RUNTIME_MUTANTS } from "../../prove/mutants/runtime-mutants.ts";

const ROOT = path.join(import.meta.dirname, "../../..");
const MUTANTS = [...CORE_MUTANTS, ...RUNTIME_MUTANTS];

test("there are enough mutants, each with a name of its own", () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});

test.each(MUTANTS)("$name changes what stands in its file once", ({ changes }) => {
  for (const { file, from, to } of changes) {
    const source = readFileSync(path.join(ROOT, file), "utf8");
    expect(source.split(from), `${file}: ${from}`).toHaveLength(2);
    expect(to).not.toBe(from);
  }
});

test("whoever is known to die is a mutant that may", () => {
  for (const name of Object.keys(DEATHS)) {
    const mutant = MUTANTS.find((one) => one.name === name);
    expect(mutant, name).toBeDefined();
    expect(mutant?.survives, name).toBeUndefined();
  }
});
