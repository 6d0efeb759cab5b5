// SECURITY.md: every control names a test, and the test exists under that name.
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { linksOf, readPage, tableOf } from "./page.ts";

const page = readPage("SECURITY.md");
const rows = tableOf(page, "Controls");

test.each(rows.map(([id = "", threat = "", , shown = ""]) => [`${id} ${threat}`, shown]))(
  "%s is shown by a test that exists",
  (_what, shown) => {
    const [, path = "", name = ""] = /^`(test\/[\w./-]+\.ts)` "([^"]+)"$/.exec(shown) ?? [];
    expect(existsSync(path), shown).toBe(true);
    const source = readFileSync(path, "utf8").replaceAll(/\(\s+/g, "(");
    expect(source.includes(`("${name}"`), shown).toBe(true);
  },
);

test("every threat of the checklist that concerns the app has a control", () => {
  const known = new Set(rows.map(([id]) => id));
  const outside = [13, 14, 17];
  const all = Array.from({ length: 22 }, (_, index) => index + 1);
  const mine = all.filter((number) => !outside.includes(number)).map((number) => `S${number}`);
  expect([...known]).toEqual(mine);
});

test.each(["README.md", "ARCHITECTURE.md"])("%s leads to it", (path) => {
  expect(linksOf(readPage(path))).toContain("SECURITY.md");
});
