// Every vector of the language is evaluated, and the page shows exactly the settled ones.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evaluate, ExpressionError } from "../../../../src/core/expression/evaluate.ts";
import { parseExpression } from "../../../../src/core/expression/parse.ts";
import { MAX_EVALUATION_STEPS } from "../../../../src/core/limits.ts";
import { groups, sectionOf, type Vector } from "./vectors.ts";

const page = readFileSync(new URL("../../../../docs/expressions.md", import.meta.url), "utf8");

function outcome({ expression, scope = {} }: Vector): unknown {
  const parsed = parseExpression(expression);
  if (!parsed.ok) return parsed;
  try {
    return { value: evaluate(parsed.expression, scope, { steps: MAX_EVALUATION_STEPS }) };
  } catch (error) {
    if (error instanceof ExpressionError) return { error: error.reason };
    throw error;
  }
}

describe.each(groups)("$title", ({ vectors }) => {
  test.each(vectors)("$expression", (vector) => {
    const { value, error } = vector;
    expect(outcome(vector)).toStrictEqual(error === undefined ? { value } : { error });
  });
});

test("there are at least 120 vectors, each with a value or an error", () => {
  const vectors = groups.flatMap((group) => group.vectors);
  expect(vectors.length).toBeGreaterThanOrEqual(120);
  const isDecided = ({ value, error }: Vector) => (value === undefined) !== (error === undefined);
  expect(vectors.filter((one) => !isDecided(one))).toEqual([]);
});

test("no vector stands twice", () => {
  const seen = groups.flatMap((group) =>
    group.vectors.map((one) => JSON.stringify([one.expression, one.scope])),
  );
  expect(seen.filter((one, index) => seen.indexOf(one) !== index)).toEqual([]);
});

test("docs/expressions.md shows the settled vectors, all of them and no others", () => {
  const settled = groups.filter((group) => group.settled);
  expect(page.split("## Settled cases\n\n")[1]).toBe(settled.map(sectionOf).join("\n"));
});
