// docs/azure.md against the parameters of infra/ and what azd passes to them.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { snapshot } from "../../support/infra-snapshot.ts";
import { codeOf, codesOf, readPage, sectionOf, tableOf } from "./page.ts";

const page = readPage("docs/azure.md");
const template = readFileSync("infra/main.bicep", "utf8");
const passed = JSON.parse(readFileSync("infra/main.parameters.json", "utf8")) as {
  parameters: Record<string, { value: string }>;
};

interface Parameter {
  readonly name: string;
  readonly meaning: string;
  readonly fallback: string | undefined;
}

const parameters: readonly Parameter[] = [
  ...template.matchAll(/@description\('([^']*)'\)\nparam (\w+) [\w[\]]+(?: = (\S+))?$/gm),
].map(([, meaning = "", name = "", fallback]) => ({ name, meaning, fallback }));

const rows = tableOf(page, "Parameters");

test("the page has every parameter with its meaning", () => {
  expect(parameters.length).toBeGreaterThan(10);
  expect(parameters).toHaveLength(template.match(/^param /gm)?.length ?? 0);
  expect(rows.map(([name, , , meaning]) => [codeOf(name), meaning])).toEqual(
    parameters.map(({ name, meaning }) => [name, meaning]),
  );
});

test("a default on the page is that of the template, and that which azd passes", () => {
  for (const [cell, variable = "", value = ""] of rows) {
    const name = codeOf(cell);
    const { fallback = "" } = parameters.find((one) => one.name === name) ?? {};
    const simple = /^'?([\w.-]+)'?$/.exec(fallback)?.[1];
    const shown = value === "–" ? undefined : codeOf(value);
    expect([name, shown]).toEqual([name, simple]);
    const azd = passed.parameters[name]?.value;
    const [, named, given = ""] = /^\$\{(\w+)=?(.*)\}$/.exec(azd ?? "") ?? [];
    expect([name, named]).toEqual([name, variable === "–" ? undefined : codeOf(variable)]);
    if (named !== undefined && named.startsWith("HOLDFAST")) {
      expect([name, given]).toEqual([name, simple ?? ""]);
    }
  }
});

test("the table of roles names the containers and queues as they are", () => {
  const codes = codesOf(sectionOf(page, "What is made"));
  for (const id of ["journal", "jobs", "stats", "definitions"]) expect(codes).toContain(id);
  const queues = snapshot("default").of("queueServices/queues");
  for (const { name } of queues) expect(codes).toContain(name?.split("/").at(-1));
});
