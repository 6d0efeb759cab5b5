// docs/telemetry.md against the tables of names and the settings.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { METRICS, SPANS } from "../../../src/runtime/telemetry-names.ts";
import { codeOf, codesOf, readPage, tableOf } from "./page.ts";

const page = readPage("docs/telemetry.md");

test("spans stand with kind, name, parent and meaning", () => {
  const shown = tableOf(page, "One trace for each job").map(([span, kind, name, ...rest]) => [
    codeOf(span),
    kind,
    codeOf(name),
    ...rest,
  ]);
  expect(shown).toEqual(
    Object.entries(SPANS).map(([span, { kind, name, parent, meaning }]) => [
      span,
      kind,
      name,
      parent,
      meaning,
    ]),
  );
});

test("metrics stand with type, unit, attributes and meaning", () => {
  const shown = tableOf(page, "Metrics").map(([name, type, unit, attributes, meaning]) => [
    codeOf(name),
    type,
    codeOf(unit),
    codesOf(attributes),
    meaning,
  ]);
  expect(shown).toEqual(
    Object.entries(METRICS).map(([name, { type, unit, attributes, meaning }]) => [
      name,
      type,
      unit,
      [...attributes],
      meaning,
    ]),
  );
});

test("the page has every setting that says where telemetry goes, and no other", () => {
  const source = readFileSync("src/azure/telemetry-settings.ts", "utf8");
  const found = source.matchAll(/"((?:APPLICATIONINSIGHTS|OTEL|WEBSITE)_[A-Z_]+)"/g);
  const names = new Set([...found].map(([, name = ""]) => name));
  expect(names.size).toBeGreaterThan(5);
  const shown = tableOf(page, "Switching it on").map(([name]) => codeOf(name));
  expect(shown.toSorted()).toEqual([...names].toSorted());
});

test("every name is of the form that it has in code", () => {
  for (const name of Object.keys(METRICS)) expect(name).toMatch(/^holdfast(?:\.[a-z_]+){2}$/);
  for (const { meaning } of [...Object.values(METRICS), ...Object.values(SPANS)]) {
    expect(meaning).toMatch(/^[A-Z].+\.$/);
  }
});
