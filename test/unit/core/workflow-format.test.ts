// The generated files are what the schema says now. `npx vitest run <this file> -u` writes them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
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

interface Shape {
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly [member: string]: unknown;
}

/** Every field of a schema that stands in it somewhere. */
function fieldsOf(shape: unknown): readonly Shape[] {
  if (typeof shape !== "object" || shape === null) return [];
  const own = Object.values((shape as Shape).properties ?? {});
  return [...own, ...Object.values(shape).flatMap(fieldsOf)];
}

test("a stock validator takes every example of the schema, and every shipped workflow", () => {
  const ajv = new Ajv({ strict: false });
  const schema = JSON.parse(readFileSync(SCHEMA, "utf8")) as Shape;
  let examined = 0;
  for (const field of fieldsOf(schema)) {
    for (const example of field.examples ?? []) {
      examined += 1;
      const isValid = ajv.validate({ definitions: schema["definitions"], ...field }, example);
      expect(isValid, `${JSON.stringify(example)} ${ajv.errorsText()}`).toBe(true);
    }
  }
  expect(examined).toBeGreaterThan(50);
  const validate = ajv.compile(schema);
  const files = readdirSync("workflows").filter((name) => name.endsWith(".yaml"));
  for (const file of files) {
    const text = readFileSync(`workflows/${file}`, "utf8");
    expect(text, file).toMatch(/^# yaml-language-server: \$schema=.\/workflow.schema.json$/m);
    expect(validate(parse(text)), `${file}: ${ajv.errorsText(validate.errors)}`).toBe(true);
  }
  expect(files.length).toBeGreaterThan(5);
});

test("the schema refuses a field that does not exist, and a wrong type", () => {
  const schema = JSON.parse(readFileSync(SCHEMA, "utf8")) as Shape;
  const validate = new Ajv({ strict: false }).compile(schema);
  const nodes = { start: { type: "start", next: "end" }, end: { type: "end" } };
  const good = { workflow_id: "a", version: 1, nodes };
  expect(validate(good)).toBe(true);
  for (const bad of [
    { ...good, wrong: 1 },
    { ...good, version: "1" },
    { ...good, nodes: { ...nodes, t: { type: "task" } } },
    { ...good, nodes: { ...nodes, t: { type: "tsk", handler: "echo" } } },
    { ...good, inputs: { a: { type: "text" } } },
  ]) {
    expect(validate(bad), JSON.stringify(bad)).toBe(false);
  }
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
