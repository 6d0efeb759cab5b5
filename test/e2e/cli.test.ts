// `holdfast` as it is installed, against the local host: a job from its first line to its
// provenance, as a person at a terminal or a pipeline sees it.
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../build/bundle.mjs";
import { appFixture, ROOT, SHIPPED_WORKFLOWS } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";

interface Ended {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

const WAITS = [
  "workflow_id: waits",
  "version: 1",
  "nodes:",
  "  start: { type: start, next: wait }",
  "  wait: { type: task, handler: sleep, params: { seconds: 60 }, next: end }",
  "  end: { type: end }",
].join("\n");

let fixture: AppFixture;
let app: StartedApp;
let home: string;
const cli = path.join(ROOT, "dist", `cli-test-${process.pid}.mjs`);

beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), "holdfast-cli-"));
  const source = path.join(ROOT, "src/cli/cli.ts");
  await bundle({ source, target: cli, kind: "tool" });
  fixture = await appFixture();
  const shipped = ["echo_test.yaml", "hello_world.yaml"].map((name) => {
    return [name, readFileSync(path.join(SHIPPED_WORKFLOWS, name), "utf8")] as const;
  });
  app = await fixture.start({
    workflows: { ...Object.fromEntries(shipped), "waits.yaml": WAITS },
  });
});

afterAll(async () => {
  await fixture.stop();
  rmSync(home, { recursive: true, force: true });
  for (const file of [cli, `${cli}.map`]) rmSync(file, { force: true });
});

function run(line: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const words = line.split(" ");
  const settings = { HOLDFAST_ENDPOINT: app.url, HOME: home, PATH: process.env["PATH"] ?? "" };
  return new Promise((resolve) => {
    const options = { cwd: home, env: { ...settings, ...env }, encoding: "utf8" } as const;
    execFile(process.execPath, [cli, ...words], options, (error, out, err) => {
      const exit = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ exit, out, err });
    });
  });
}

describe("a job", () => {
  test("is started and followed to its end, then told in every way there is", async () => {
    const watched = await run("submit echo_test -i message=hello -i steps=1 --watch");
    expect(watched.exit).toBe(0);
    expect(watched.err).toMatch(/^job [0-9a-f-]{36}\n$/);
    expect(watched.out).toMatch(/job ✓ completed 100 %\n$/);
    const id = watched.err.slice(4, 40);
    for (const [line, told] of [
      ["jobs --workflow echo_test", id.slice(-12)],
      [`show ${id}`, "log_head"],
      [`events ${id} --follow`, "job_completed"],
      [`logs ${id}`, "step 1 of 1"],
      [`result ${id}`, '"message": "hello"'],
      [`snapshot ${id} --source`, "workflow_id: echo_test"],
      [`provenance ${id}`, "holdfast@"],
      ["show last --json", `"job_id":"${id}"`],
    ] as const) {
      const { exit, out, err } = await run(line);
      expect([line, exit, err]).toEqual([line, 0, ""]);
      expect(out, line).toContain(told);
    }
  });

  test("that is cancelled ends what follows it with 1", async () => {
    const { out } = await run("submit waits");
    const id = out.trim();
    const following = run(`watch ${id}`);
    const cancelled = await run(`cancel ${id} --reason enough`);
    expect(cancelled.exit).toBe(0);
    const { exit, out: told } = await following;
    expect(exit).toBe(1);
    expect(told).toContain("job - cancelled");
  });
});

test("a workflow of one's own: written, refused with its place, mended, run", async () => {
  expect((await run("init mine")).out).toBe("workflows/mine.yaml\n");
  const good = await run("validate workflows/mine.yaml");
  expect([good.exit, good.out.slice(0, 4)]).toEqual([0, "ok  "]);
  writeFileSync(path.join(home, "bad.yaml"), "workflow_id: bad\nversion: one\nnodes: {}\n");
  const bad = await run("validate bad.yaml");
  expect(bad.exit).toBe(1);
  expect(bad.out).toMatch(/^bad\.yaml:2:10: .*\n {4}2 \| version: one\n {17}\^\n/);
  const graph = await run("graph workflows/mine.yaml");
  expect(graph.out).toMatch(/^flowchart TD\n/);
});

test("doctor finds nothing wrong here, a wrong key, and nobody there", async () => {
  const well = await run("doctor");
  expect([well.exit, well.out.includes("failed")]).toEqual([0, false]);
  const wrong = await run("doctor", { HOLDFAST_KEY: "wrong" });
  expect([wrong.exit, wrong.out.includes("does not take this key (401)")]).toEqual([1, true]);
  const refused = await run("jobs", { HOLDFAST_KEY: "wrong" });
  expect([refused.exit, refused.out]).toEqual([3, ""]);
  const nobody = await run("jobs --endpoint http://127.0.0.1:1");
  expect([nobody.exit, nobody.out]).toEqual([3, ""]);
});

test("a handler alone runs for as long as it needs, and no longer than it may", async () => {
  const slept = await run("handler test sleep -i seconds=0.2");
  expect([slept.exit, JSON.parse(slept.out)]).toEqual([0, { slept_seconds: 0.2 }]);
  const late = await run("handler test sleep -i seconds=60 --timeout 1");
  expect([late.exit, late.out]).toEqual([1, ""]);
  expect(late.err).toMatch(/^timed_out in /);
});

test("the TypeScript of the how-to page starts a job and reads its result", async () => {
  const page = readFileSync(path.join(ROOT, "docs/how-to.md"), "utf8");
  const [, code = ""] = /```ts\n([^]*?)```/.exec(page) ?? [];
  // Beside the clone's own files, for it imports one of them.
  const source = path.join(ROOT, `how-to-${process.pid}.ts`);
  writeFileSync(source, code.replace("http://127.0.0.1:7071", app.url));
  const target = path.join(home, "how-to.mjs");
  await bundle({ source, target, kind: "tool" }).finally(() => rmSync(source));
  const out = await new Promise<string>((resolve) => {
    execFile(process.execPath, [target], (_error, stdout, stderr) => resolve(stdout + stderr));
  });
  expect(out).toMatch(/^completed \{\s+greet: \{ greeting: 'Hello, Ada!' \}/);
});

test("a profile file may be a link, and is refused where others may read it", async () => {
  const kept = path.join(home, "kept.yaml");
  const profile = { endpoint: app.url, key: "wrong" };
  writeFileSync(kept, JSON.stringify({ profiles: { mine: profile } }), { mode: 0o600 });
  mkdirSync(path.join(home, ".config/holdfast"), { recursive: true });
  symlinkSync(kept, path.join(home, ".config/holdfast/profiles.yaml"));
  const refused = await run("jobs --profile mine");
  expect([refused.exit, refused.err.includes("(401)")]).toEqual([3, true]);
  chmodSync(kept, 0o644);
  const open = await run("jobs --profile mine");
  expect([open.exit, open.err.includes("chmod 600")]).toEqual([2, true]);
});

test("a reader that goes away ends it quietly", async () => {
  const call = `"${process.execPath}" "${cli}" workflows echo_test --json`;
  const line = `${call} | head -c 1; echo " \${PIPESTATUS[0]}"`;
  const env = { HOLDFAST_ENDPOINT: app.url, HOME: home, PATH: process.env["PATH"] ?? "" };
  const out = await new Promise<string>((resolve) => {
    execFile("bash", ["-c", line], { env }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
  expect(out).toBe("{ 0\n");
});
