// `check`: tests a value against rules and reports every one that fails.
// A rule passes only if its expression gives true; one that cannot be evaluated has failed.
import * as z from "zod";
import { TerminalError, defineHandler } from "../runtime/handlers.ts";
import { expressionOver, tryEvaluate } from "./expression.ts";
import type { Evaluated } from "./expression.ts";
import { jsonValue } from "./json-value.ts";

const MAX_RULES = 100;

const rule = z.strictObject({
  name: z.string().min(1).max(64).describe("Shown when the rule fails."),
  expression: expressionOver("value").describe("Over `value`, without {{ }}; must give true."),
  message: z.string().max(256).exactOptional().describe("What to say when it is false."),
});

export const check = defineHandler({
  name: "check",
  version: "1",
  description: "Fails with CHECK_FAILED unless every rule holds; all failures are listed.",
  params: z.strictObject({
    value: jsonValue.describe("What the expressions see as `value`."),
    rules: z.array(rule).min(1).max(MAX_RULES),
    report_only: z
      .boolean()
      .default(false)
      .describe("Give the failures back as output instead of failing."),
  }),
  output: z.strictObject({
    passed: z.boolean(),
    checked: z.int(),
    failures: z.array(z.strictObject({ name: z.string(), message: z.string() })),
  }),
  run: async ({ params, signal }) => {
    const failures: { name: string; message: string }[] = [];
    for (const { name, expression: parsed, message } of params.rules) {
      const result = await tryEvaluate(parsed, { value: params.value }, signal);
      const problem = problemOf(result, message ?? `${parsed.source} is false`);
      if (problem !== undefined) failures.push({ name, message: problem });
    }
    const checked = params.rules.length;
    if (failures.length === 0 || params.report_only) {
      return { passed: failures.length === 0, checked, failures };
    }
    const list = failures.map(({ name, message }) => `"${name}": ${message}`).join("; ");
    const summary = `${failures.length} of ${checked} rules failed: ${list}`;
    throw new TerminalError(summary, "CHECK_FAILED");
  },
});

function problemOf(result: Evaluated, whenFalse: string): string | undefined {
  if (!result.ok) return result.message;
  if (result.value === true) return undefined;
  if (result.value === false) return whenFalse;
  return `expected true or false, got ${kindOf(result.value)}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
}
