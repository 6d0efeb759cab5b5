// Links between the documents: each file is there, each anchor is a heading.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { anchorOf, headingsOf, linksOf, readPage } from "./page.ts";

const atRoot = readdirSync(".").filter((file) => file.endsWith(".md"));
const inDocs = readdirSync("docs").filter((file) => file.endsWith(".md"));
const PAGES = [...atRoot, ...inDocs.map((file) => join("docs", file))];

function brokenLinks(path: string): readonly string[] {
  return linksOf(readPage(path)).filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? path : join(dirname(path), file);
    if (!existsSync(target)) return true;
    return anchor !== undefined && !headingsOf(readPage(target)).map(anchorOf).includes(anchor);
  });
}

test.each(PAGES)("every link of %s leads somewhere", (path) => {
  expect(brokenLinks(path)).toEqual([]);
});

test("the pages link each other", () => {
  expect(PAGES.length).toBeGreaterThan(6);
  expect(PAGES.flatMap((path) => linksOf(readPage(path))).length).toBeGreaterThan(30);
});
