// The package as it is sent to Azure: the same bytes each time, what belongs in it and nothing
// else, small, and loaded from where it was unpacked as the Functions worker loads it.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePackage } from "../../build/package.mjs";
import type { MadePackage } from "../../build/package.mjs";
import { startStores } from "../../src/local/emulators.ts";
import { startHost } from "../../src/local/host.ts";
import { ROUTES } from "../../src/functions/routes.ts";
import { AppClient } from "../support/app-client.ts";
import { ROOT } from "../support/app-fixture.ts";

const PROBE = path.join(ROOT, "test/fixtures/bundle/probe.cjs");
const LIMIT = 5 * 1024 * 1024;

let work: string;
let made: MadePackage;
let zip: Buffer;
let unpacked: string;

beforeAll(async () => {
  work = mkdtempSync(path.join(tmpdir(), "holdfast-package-"));
  const target = path.join(work, "one.zip");
  made = await makePackage(path.join(work, "one"), target);
  zip = readFileSync(target);
  unpacked = path.join(work, "unpacked");
  for (const [file, content] of Object.entries(unzipSync(zip))) {
    const place = path.join(unpacked, file);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, content);
  }
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

test("a second build elsewhere gives the same bytes", async () => {
  const target = path.join(work, "deep/er/two.zip");
  const second = await makePackage(path.join(work, "deep/er/two"), target);
  expect(second.identity).toBe(made.identity);
  expect(readFileSync(target).equals(zip)).toBe(true);
});

test("it holds what runs and what it serves, and nothing else", () => {
  const top = new Set(made.files.map((file) => file.split("/")[0]));
  expect([...top].toSorted((a = "", b = "") => a.localeCompare(b, "en"))).toEqual([
    "composition.cjs",
    "host.json",
    "LICENSE",
    "main.cjs",
    "package.json",
    "stores.cjs",
    "telemetry.cjs",
    "web",
    "workflows",
  ]);
  expect(Object.keys(unzipSync(zip)).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(made.files);
  const workflows = made.files.filter((file) => file.startsWith("workflows/"));
  expect(workflows).toContain("workflows/hello_world.yaml");
  expect(workflows.filter((file) => !file.endsWith(".yaml"))).toEqual([]);
  const manifest = JSON.parse(readFileSync(path.join(unpacked, "package.json"), "utf8")) as object;
  expect(manifest).toMatchObject({ name: "holdfast", main: "main.cjs" });
  expect(Object.keys(manifest).filter((key) => /^scripts|depend/i.test(key))).toEqual([]);
});

test("nothing of a developer's machine is in it", () => {
  for (const file of made.files.filter((name) => name.endsWith(".cjs"))) {
    const text = readFileSync(path.join(unpacked, file), "utf8");
    for (const stranger of ["holdfast-local-key", "cosmosdb-server", ROOT, work]) {
      expect(text, file).not.toContain(stranger);
    }
  }
});

test("it is at most 5 MB, unpacked", () => {
  console.log(`package: ${made.bytes} bytes, zip ${made.zipBytes} bytes`);
  expect(made.bytes).toBeLessThanOrEqual(LIMIT);
  expect(made.zipBytes).toBeLessThan(made.bytes / 2);
});

test("unpacked it loads in a bare process and registers every function", () => {
  const file = path.join(unpacked, "main.cjs");
  const options = { env: {}, cwd: unpacked, encoding: "utf8" } as const;
  const report = JSON.parse(execFileSync(process.execPath, [PROBE, file], options)) as {
    registered: readonly { name: string }[];
    files: readonly string[];
  };
  expect(report.registered).toHaveLength(ROUTES.length + 3);
  expect(report.files).toEqual([file]);
});

test("unpacked it finds its workflows and runs one", async () => {
  const stores = await startStores();
  try {
    const host = await startHost({
      bundlePath: path.join(unpacked, "main.cjs"),
      hostJsonPath: path.join(unpacked, "host.json"),
      port: 0,
      env: { ...stores.env, HOLDFAST_WORKFLOWS_DIR: path.join(unpacked, "workflows") },
      log: () => undefined,
    });
    try {
      const app = new AppClient(host.url);
      const id = await app.submit("hello_world", { input_params: { name: "Ada" } });
      expect((await app.ended(id)).status).toBe("completed");
      const page = await fetch(`${host.url}/api/ui`);
      expect(page.status).toBe(200);
    } finally {
      await host.stop();
    }
  } finally {
    await stores.stop();
  }
});
