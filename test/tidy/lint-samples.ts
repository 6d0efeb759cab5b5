// One small file for each rule that .oxlintrc.json holds, to see that the rule fires.
// `scratch` builds a throw-away project of them with the real configuration and lints it once.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ROOT } from "./source.ts";

export interface LintSample {
  /** As in the linter's report: plugin(rule). */
  readonly rule: string;
  readonly path: string;
  readonly text: string;
}

const KINDS = 'type Kind = "a" | "b";\n';
const LATER = "async function later(): Promise<void> { await Promise.resolve(); }\n";
const long = (lines: number): string => "\n".repeat(lines);
const inTest = (text: string): string => `import { test, vi } from "vitest";\n${text}\n`;

function sample(rule: string, path: string, text: string): LintSample {
  return { rule, path, text };
}

export const BAD: readonly LintSample[] = [
  sample("eslint(max-lines)", "src/runtime/a1.ts", `export const a = 1;${long(401)}`),
  sample(
    "eslint(max-lines-per-function)",
    "src/runtime/a2.ts",
    `export function a(): void {${long(60)}}`,
  ),
  sample(
    "eslint(max-params)",
    "src/runtime/a3.ts",
    "export const f = (a: 1, b: 1, c: 1, d: 1) => [a, b, c, d];",
  ),
  sample(
    "import(no-cycle)",
    "src/runtime/a4.ts",
    'import type { B } from "./a5.ts";\nexport type A = B | 1;',
  ),
  sample(
    "import(no-cycle)",
    "src/runtime/a5.ts",
    'import type { A } from "./a4.ts";\nexport type B = A | 2;',
  ),
  sample("import(no-default-export)", "src/runtime/a6.ts", "export default 1;"),
  sample("unicorn(filename-case)", "src/runtime/BadName.ts", "export const a = 1;"),
  sample("node(no-process-env)", "src/runtime/a7.ts", 'export const a = process.env["A"];'),
  sample("node(no-process-env)", "src/azure/other.ts", 'export const a = process.env["A"];'),
  sample("eslint(no-console)", "src/runtime/a8.ts", 'console.log("a");'),
  sample(
    "typescript(no-explicit-any)",
    "src/runtime/a9.ts",
    "export const f = (a: any): unknown => a;",
  ),
  sample(
    "typescript(no-explicit-any)",
    "test/unit/a9.test.ts",
    "export const f = (a: any): unknown => a;",
  ),
  sample(
    "typescript(no-unsafe-assignment)",
    "src/runtime/b1.ts",
    'export const a: string = JSON.parse("1");',
  ),
  sample(
    "typescript(no-unsafe-return)",
    "src/runtime/b2.ts",
    'export const f = (): string => JSON.parse("1");',
  ),
  sample(
    "typescript(no-non-null-assertion)",
    "src/runtime/b3.ts",
    "export const f = (a?: string): string => a!;",
  ),
  sample(
    "typescript(no-namespace)",
    "src/runtime/b4.ts",
    "export namespace A { export const b = 1; }",
  ),
  sample(
    "typescript(consistent-type-imports)",
    "src/runtime/b5.ts",
    'import { A } from "./b6.ts";\nexport type B = A;',
  ),
  sample(
    "typescript(no-floating-promises)",
    "src/runtime/b7.ts",
    `${LATER}export function f(): void { later(); }`,
  ),
  sample(
    "typescript(no-floating-promises)",
    "test/unit/b7.test.ts",
    `${LATER}export function f(): void { later(); }`,
  ),
  sample(
    "typescript(no-misused-promises)",
    "src/runtime/b8.ts",
    `${LATER}export const f = (): void => { [1].forEach(async () => { await later(); }); };`,
  ),
  sample(
    "typescript(switch-exhaustiveness-check)",
    "src/runtime/b9.ts",
    `${KINDS}export function f(kind: Kind): number {
      switch (kind) { case "a": return 1; }
      return 2;
    }`,
  ),
  sample(
    "typescript(switch-exhaustiveness-check)",
    "src/runtime/c1.ts",
    `${KINDS}export function f(kind: Kind): number {
      switch (kind) { case "a": return 1; default: return 2; }
    }`,
  ),
  sample(
    "typescript(switch-exhaustiveness-check)",
    "src/runtime/c2.ts",
    `${KINDS}export function f(kind: Kind): number {
      switch (kind) { case "a": return 1; case "b": return 2; default: return 3; }
    }`,
  ),
  sample("eslint(no-restricted-properties)", "src/core/c3.ts", "export const a = Math.random();"),
  sample("eslint(no-restricted-globals)", "src/core/c4.ts", "export const a = setTimeout;"),
  sample("eslint(no-restricted-globals)", "src/core/c5.ts", "export const a = process;"),
  sample("eslint(no-restricted-globals)", "src/core/c6.ts", "export const a = Promise.resolve;"),
  sample("vitest(no-focused-tests)", "test/unit/d1.test.ts", inTest('test.only("a", () => {});')),
  sample("vitest(no-disabled-tests)", "test/unit/d2.test.ts", inTest('test.skip("a", () => {});')),
  sample("vitest(valid-title)", "test/unit/d3.test.ts", inTest('test("", () => {});')),
  sample("vitest(no-restricted-vi-methods)", "test/unit/d4.test.ts", inTest('vi.mock("a");')),
  sample(
    "vitest(no-restricted-vi-methods)",
    "test/unit/d5.test.ts",
    inTest("export const a = vi.fn<() => 1>();"),
  ),
  sample("vitest(no-restricted-vi-methods)", "test/unit/d6.test.ts", inTest("vi.useFakeTimers();")),
  sample("eslint(no-restricted-globals)", "test/unit/d7.test.ts", "setTimeout(() => 1, 1);"),
  sample(
    "eslint(no-restricted-imports)",
    "test/unit/d8.test.ts",
    'export { setTimeout } from "node:timers/promises";',
  ),
];

/** Files that break nothing; the linter must stay silent about them. */
export const GOOD: Readonly<Record<string, string>> = {
  "src/runtime/b6.ts": "export type A = 1;\n",
  "src/runtime/good.ts": `${KINDS}export function f(kind: Kind): number {
  switch (kind) {
    case "a":
      return 1;
    case "b":
      return 2;
  }
}
`,
  "src/azure/settings.ts": 'export const a = process.env["A"];\n',
  "test/support/wait-until.ts":
    "export const later = (f: () => void): unknown => setTimeout(f, 1);\n",
  "test/chaos/pace.ts": 'export { setTimeout as pause } from "node:timers/promises";\n',
};

const Report = z.object({
  number_of_files: z.number(),
  diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })),
});

export interface LintResult {
  readonly files: number;
  /** "rule path" of everything reported. */
  readonly reported: ReadonlySet<string>;
}

export function lintSamples(): LintResult {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-lint-"));
  try {
    cpSync(join(ROOT, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
    cpSync(join(ROOT, "tsconfig.json"), join(folder, "tsconfig.json"));
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const files = { ...Object.fromEntries(BAD.map(({ path, text }) => [path, text])), ...GOOD };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return read(lint(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The linter exits with 1 when it reports; its output is what counts. */
function lint(folder: string): string {
  const binary = join(ROOT, "node_modules/oxlint/bin/oxlint");
  try {
    return execFileSync(process.execPath, [binary, "-f", "json"], {
      cwd: folder,
      encoding: "utf8",
    });
  } catch (error) {
    return z.object({ stdout: z.string() }).parse(error).stdout;
  }
}

function read(output: string): LintResult {
  const report = Report.parse(JSON.parse(output));
  const reported = report.diagnostics.map(({ code, filename }) => `${code} ${filename}`);
  return { files: report.number_of_files, reported: new Set(reported) };
}
