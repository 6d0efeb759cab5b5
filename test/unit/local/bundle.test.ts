// The build script: deterministic, named by its inputs, usable as CommonJS.

import { createRequire } from "node:module";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { bundle, bundleAll } from "../../../build/bundle.mjs";

/** A build also makes the page and the document, and other tests run beside it. */
const BUILDS = { timeout: 30_000 };
const directory = mkdtempSync(path.join(tmpdir(), "holdfast-bundle-"));
const source = path.join(directory, "entry.ts");
const target = path.join(directory, "out", "main.cjs");

function write(answer: number): void {
  writeFileSync(
    source,
    `declare const HOLDFAST_BUILD: string;
     export const build = HOLDFAST_BUILD;
     export const url = import.meta.url;
     export const answer: number = ${answer};`,
  );
}

function bytes(): readonly string[] {
  return [readFileSync(target, "utf8"), readFileSync(`${target}.map`, "utf8")];
}

test("two builds give the same bytes, another input another identity", BUILDS, async () => {
  write(1);
  const first = await bundle({ source, target, kind: "app" });
  const firstBytes = bytes();
  expect(await bundle({ source, target, kind: "app" })).toBe(first);
  expect(bytes()).toEqual(firstBytes);
  write(2);
  expect(await bundle({ source, target, kind: "app" })).not.toBe(first);
});

test("the app knows its build and its own address, and no draft is left", BUILDS, async () => {
  write(3);
  const identity = await bundle({ source, target, kind: "app" });
  const loaded = createRequire(import.meta.url)(target);
  expect(identity).toMatch(/^\d+\.\d+\.\d+\+[0-9a-f]{8}$/);
  expect(loaded.build).toBe(identity);
  expect(loaded.url).toMatch(/^file:.*main\.cjs$/);
  expect(readdirSync(path.dirname(target)).toSorted()).toEqual([
    "main.cjs",
    "main.cjs.map",
    "web",
  ]);
});

test("a broken source builds nothing, and no entry at all is an error", BUILDS, async () => {
  const broken = path.join(directory, "broken.ts");
  const other = path.join(directory, "broken.cjs");
  writeFileSync(broken, "export const = ;");
  await expect(bundle({ source: broken, target: other, kind: "app" })).rejects.toThrow("broken.ts");
  expect(existsSync(other)).toBe(false);
  const missing = [{ source: "src/none.ts", target: "dist/none.cjs", kind: "app" }] as const;
  await expect(bundleAll(missing)).rejects.toThrow("No entry exists: src/none.ts");
});
