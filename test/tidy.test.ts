// Holds the rules of CONTRIBUTING.md that a machine can hold and that neither the compiler nor the
// linter knows. Every rule proves on samples that it fires, and fails when it examined nothing.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DOCUMENT_RULES } from "./tidy/documents.ts";
import { EXCEPTIONS } from "./tidy/exceptions.ts";
import { IMPORT_RULES } from "./tidy/imports.ts";
import { BAD, GOOD, lintSamples } from "./tidy/lint-samples.ts";
import { LOCK_RULES } from "./tidy/lock.ts";
import type { Problem } from "./tidy/rule.ts";
import { SHAPE_RULES } from "./tidy/shape.ts";
import { readProject, sourcesOf } from "./tidy/source.ts";

const RULES = [...IMPORT_RULES, ...SHAPE_RULES, ...DOCUMENT_RULES, ...LOCK_RULES];
const NAMED = RULES.map((rule) => [rule.name, rule] as const);
const project = readProject();

function isExcused(rule: string, problem: Problem): boolean {
  return EXCEPTIONS.some((one) => one.rule === rule && one.path === problem.path);
}

describe.each(NAMED)("%s", (_name, rule) => {
  test("the project keeps the rule", () => {
    const { examined, problems } = rule.check(project);
    const open = problems.filter((problem) => !isExcused(rule.name, problem));
    expect(open.map(({ path, line, message }) => `${path}:${String(line)} ${message}`)).toEqual([]);
    expect(examined, "files or names examined").toBeGreaterThan(0);
  });

  test("the rule fires on every bad sample and on no good one", () => {
    for (const files of rule.bad) {
      expect(rule.check(sourcesOf(files)).problems, JSON.stringify(files)).not.toEqual([]);
    }
    for (const files of rule.good) {
      const { examined, problems } = rule.check(sourcesOf(files));
      expect(problems).toEqual([]);
      expect(examined).toBeGreaterThan(0);
    }
    expect(rule.bad.length * rule.good.length, "samples").toBeGreaterThan(0);
  });

  test("each exception is still needed", () => {
    const excused = EXCEPTIONS.filter((one) => one.rule === rule.name);
    const { problems } = rule.check(project);
    const stale = excused.filter(({ path }) => !problems.some((problem) => problem.path === path));
    expect(stale).toEqual([]);
  });
});

test("each exception names a rule and gives a reason", () => {
  const names = RULES.map(({ name }) => name);
  const broken = EXCEPTIONS.filter(({ rule, reason }) => !names.includes(rule) || reason === "");
  expect(broken).toEqual([]);
});

test("the linter fires on every bad sample and on no good one", { timeout: 60_000 }, () => {
  const { files, reported } = lintSamples();
  const silent = BAD.filter(({ rule, path }) => !reported.has(`${rule} ${path}`));
  expect(silent.map(({ rule, path }) => `${rule} ${path}`)).toEqual([]);
  const unjust = [...reported].filter((line) =>
    Object.keys(GOOD).some((path) => line.endsWith(path)),
  );
  expect(unjust).toEqual([]);
  expect(files).toBe(BAD.length + Object.keys(GOOD).length);
});

test("check runs the compiler on everything, on core, on web, and the linter", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
    scripts: Record<string, string>;
  };
  expect(scripts["test"]).toContain("npm run --silent check &&");
  expect(scripts["check"]).toBe("npm run --silent typecheck && npm run --silent lint");
  expect(scripts["typecheck"]).toBe("tsc -p . && tsc -p src/core && tsc -p src/web");
  expect(scripts["lint"]).toBe("oxlint");
});

test("core is compiled without the types of Node", () => {
  const config = JSON.parse(readFileSync("src/core/tsconfig.json", "utf8")) as {
    compilerOptions: { types: string[]; lib: string[] };
  };
  expect(config.compilerOptions.types).toEqual([]);
  expect(config.compilerOptions.lib.every((name) => name.startsWith("ES"))).toBe(true);
});
