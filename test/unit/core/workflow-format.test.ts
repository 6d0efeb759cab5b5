// The generated files are what the schema says now. `npx vitest run <this file> -u` writes them.
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  editorSchema,
  formatPage,
  tableNames,
  tablesIn,
} from "../../../build/workflow-format.ts";
import { issuesOf } from "../../support/parsed.ts";

const PAGE = new URL("../../../docs/workflow-format.md", import.meta.url).pathname;
const SCHEMA = new URL("../../../workflows/workflow.schema.json", import.meta.url).pathname;

test("the format page has every table as the schema gives it", async () => {
  const page = readFileSync(PAGE, "utf8");
  expect([...tablesIn(page)].sort()).toEqual([...tableNames()].sort());
  await expect(formatPage(page)).toMatchFileSnapshot(PAGE);
});

test("the schema for editors is the schema of the parser", async () => {
  expect(existsSync(SCHEMA)).toBe(true);
  await expect(editorSchema()).toMatchFileSnapshot(SCHEMA);
});

test("a page that asks for an unknown table is refused", () => {
  expect(() => formatPage("<!-- fields: nope -->\n<!-- end -->")).toThrow("nope");
});

test("every workflow on the format page is valid", () => {
  const blocks = [...readFileSync(PAGE, "utf8").matchAll(/```yaml\n([^]*?)```/g)];
  const workflows = blocks.map(([, text]) => String(text)).filter((text) => /^nodes:/m.test(text));
  expect(workflows.length).toBeGreaterThan(0);
  for (const text of workflows) expect(issuesOf(text)).toEqual([]);
});
