// .github/workflows: what runs there exists here, with least permissions, bounds, and no secret.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly strategy?: { readonly matrix: { readonly node: readonly string[] } };
}

interface Pipeline {
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = ".github/workflows";
const files = readdirSync(FOLDER);
const text = (file: string) => readFileSync(`${FOLDER}/${file}`, "utf8");
const read = (file: string) => parse(text(file)) as Pipeline;
const jobsOf = (file: string) => Object.entries(read(file).jobs);
const stepsOf = (file: string) => jobsOf(file).flatMap(([, job]) => job.steps ?? []);
const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
  scripts: Record<string, string>;
};

test("there is one that tests and one that deploys", () => {
  expect(files.toSorted()).toEqual(["ci.yml", "deploy.yml"]);
});

test.each(files)("%s: every command and file that it names is here", (file) => {
  const named = /npm run (?:--silent )?(\w+)/g;
  const runs = stepsOf(file).flatMap(({ run = "" }) => [...run.matchAll(named)]);
  for (const [, script = ""] of runs) expect(Object.keys(scripts)).toContain(script);
  const called = jobsOf(file).flatMap(([, { uses = [] }]) => uses);
  for (const path of called) expect(existsSync(path)).toBe(true);
  const pages = text(file).matchAll(/docs\/[\w-]+\.md/g);
  for (const [path] of pages) expect(existsSync(path)).toBe(true);
});

test.each(files)("%s: whoever runs has a bound, and the least that it needs", (file) => {
  const { permissions, concurrency } = read(file);
  expect(permissions).toEqual({ contents: "read" });
  expect(concurrency).toBeDefined();
  for (const [name, job] of jobsOf(file)) {
    if (job.uses !== undefined) continue;
    expect(job["timeout-minutes"], name).toBeLessThanOrEqual(30);
    const more = Object.entries(job.permissions ?? {}).filter(([scope]) => scope !== "contents");
    expect([name, more]).toEqual([name, name === "deploy" ? [["id-token", "write"]] : []]);
  }
});

test.each(files)("%s: keeps no secret, and shows none", (file) => {
  expect(text(file)).not.toMatch(/\$\{\{\s*secrets\./);
  const shown = stepsOf(file).filter(({ run = "" }) => /echo[^\n]*KEY/.test(run));
  for (const { run = "" } of shown) expect(run).toMatch(/echo "::add-mask::\$HOLDFAST_KEY"/);
  // What a stranger's pull request may set stands in no script.
  for (const { run = "" } of stepsOf(file)) expect(run).not.toMatch(/\$\{\{/);
  for (const step of stepsOf(file).filter(({ uses = "" }) => uses.startsWith("actions/checkout"))) {
    expect(step.with?.["persist-credentials"]).toBe(false);
  }
});

test("every supported line of Node is tried, as .ci/run does", () => {
  const [matrix] = jobsOf("ci.yml").flatMap(([, { strategy }]) => strategy?.matrix.node ?? []);
  expect(matrix).toBe("20.19");
  const nodes = read("ci.yml").jobs["test"]?.strategy?.matrix.node ?? [];
  const local = readFileSync(".ci/run", "utf8").matchAll(/"(\d+)\.\d+\.\d+ \d/g);
  expect(nodes.slice(1)).toEqual([...local].map(([, line]) => line));
});

test("what is deployed is the package that was tested, and it is tried", () => {
  const steps = stepsOf("deploy.yml");
  const runs = steps.map(({ run = "" }) => run).join("\n");
  expect(runs).not.toContain("npm run package");
  expect(runs).toContain("--from-package dist/package");
  expect(runs.indexOf("azd deploy")).toBeLessThan(runs.indexOf("npm run --silent smoke"));
  const uploaded = stepsOf("ci.yml").find(({ uses }) => uses?.startsWith("actions/upload"));
  const taken = steps.find(({ uses }) => uses?.startsWith("actions/download"));
  expect(taken?.with?.["name"]).toBe(uploaded?.with?.["name"]);
  expect(read("deploy.yml").jobs["ci"]?.uses).toBe("./.github/workflows/ci.yml");
});

test("the compiler there is the one that wrote what tests look at", () => {
  const version = /Include="Azure\.Bicep\.[^"]*" Version="([\d.]+)"/;
  const [, pinned] = version.exec(readFileSync(".ci/bicep/bicep.csproj", "utf8")) ?? [];
  expect(text("ci.yml")).toContain(`az bicep install --version v${pinned}`);
});
