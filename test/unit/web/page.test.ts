// The page as it is built and served: small, whole in its own files, and with no way to run or to
// show as HTML what somebody typed.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PAGE_FILES, writePage } from "../../../build/web.mjs";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const SOURCES = path.join(ROOT, "src/web");
const MOST_BYTES = 150 * 1024;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "holdfast-web-"));
  await writePage({ root: ROOT, folder });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const built = (name: string): string => readFileSync(path.join(folder, name), "utf8");

test("the page is its four files, and nothing else is left", () => {
  expect(readdirSync(folder).toSorted()).toEqual(Object.keys(PAGE_FILES).toSorted());
});

test("all of it is at most 150 KB on the wire", () => {
  const bytes = Object.keys(PAGE_FILES)
    .map((name) => gzipSync(built(name)).length)
    .reduce((sum, one) => sum + one, 0);
  console.log(`the page: ${(bytes / 1024).toFixed(1)} KB compressed`);
  expect(bytes).toBeLessThan(MOST_BYTES);
  expect(bytes).toBeGreaterThan(10 * 1024);
});

test("the same sources give the same bytes", async () => {
  const before = built("app.js");
  await writePage({ root: ROOT, folder });
  expect(built("app.js")).toBe(before);
});

test("the document has no script or style of its own and loads only its own files", () => {
  const html = built("index.html");
  const loaded = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => String(url));
  expect(loaded.toSorted()).toEqual(["ui/app.css", "ui/app.js", "ui/favicon.svg"]);
  expect(html).not.toMatch(/<style|style=|<script>|<script[^>]*>[^<]| on\w+=/);
  expect(built("app.css")).not.toMatch(/@import|url\(/);
});

test("neither the engine nor its schemas are in the script", () => {
  expect(built("app.js")).not.toMatch(/Zod|safeParse|invariant/);
});

/** Each would let a text become more than a text, or a key outlive its tab. */
const FORBIDDEN =
  /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage/;

test("no source of the page can show a text as HTML, run one, or keep a key for good", () => {
  const names = readdirSync(SOURCES).filter((name) => /\.tsx?$/.test(name));
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) {
    expect([name, FORBIDDEN.exec(readFileSync(path.join(SOURCES, name), "utf8"))]).toEqual([
      name,
      null,
    ]);
  }
  expect("node.innerHTML = text").toMatch(FORBIDDEN);
});
