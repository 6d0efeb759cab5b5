// The vectors of the expression language, and how docs/expressions.md shows them.
// A vector without `scope` is evaluated with an empty one.
import { readFileSync } from "node:fs";
import type { Json } from "../../../../src/core/json.ts";
import type { ExpressionReason, Scope } from "../../../../src/core/expression/evaluate.ts";

export interface Vector {
  readonly expression: string;
  readonly scope?: Scope;
  readonly value?: Json;
  readonly error?: ExpressionReason;
}

export interface VectorGroup {
  readonly title: string;
  /** Whether docs/expressions.md promises these cases. */
  readonly settled: boolean;
  readonly vectors: readonly Vector[];
}

const file = new URL("../../../fixtures/expressions/vectors.json", import.meta.url);

export const groups = JSON.parse(readFileSync(file, "utf8")) as readonly VectorGroup[];

/** The group as the page shows it: a heading and a table. */
export function sectionOf(group: VectorGroup): string {
  const head = [`### ${group.title}`, "", "| Expression | Scope | Value |", "|---|---|---|"];
  return [...head, ...group.vectors.map(rowOf), ""].join("\n");
}

function rowOf({ expression, scope, value, error }: Vector): string {
  const shownScope = scope === undefined ? "" : code(JSON.stringify(scope));
  const result = error === undefined ? code(JSON.stringify(value)) : `error \`${error}\``;
  return `| ${code(expression)} | ${shownScope} | ${result} |`;
}

/** Inline code in a table: a bar would end the cell. */
function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}
