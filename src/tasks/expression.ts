// Expressions inside params: parsed with the params, so that a mistake names the field; evaluated
// one by one, each under the engine's budget, so that many of them cannot block the process.
import * as z from "zod";
import { ExpressionError, evaluate } from "../core/expression/evaluate.ts";
import type { Scope } from "../core/expression/evaluate.ts";
import { parseExpression } from "../core/expression/parse.ts";
import type { Expression } from "../core/expression/parse.ts";
import { references } from "../core/expression/references.ts";
import type { Json } from "../core/json.ts";
import { MAX_EVALUATION_STEPS, MAX_EXPRESSION_CHARS } from "../core/limits.ts";
import { inTurn } from "../runtime/turn.ts";

/** The schema of an expression that sees one name only: `root`. */
export function expressionOver(root: string) {
  return z
    .string()
    .min(1)
    .max(MAX_EXPRESSION_CHARS)
    .transform((source, context): Expression => {
      const parsed = parseExpression(source);
      if (!parsed.ok) {
        const hint = parsed.hint === undefined ? "" : ` (${parsed.hint})`;
        const message = `${parsed.message}, at character ${parsed.offset + 1}${hint}`;
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      }
      for (const unknown of otherRoots(parsed.expression, root)) {
        const message = `unknown name "${unknown}"; an expression here sees only "${root}"`;
        context.addIssue({ code: "custom", message });
      }
      return parsed.expression;
    });
}

function otherRoots(parsed: Expression, root: string): ReadonlySet<string> {
  const roots = references(parsed).map((reference) => reference.root);
  return new Set(roots.filter((name) => name !== root));
}

export type Evaluated =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly message: string };

/**
 * The value, or why there is none; a bug of the evaluator still throws. Other work of the process
 * gets its turn before each one. Throws the signal's reason when it is aborted.
 */
export async function tryEvaluate(
  parsed: Expression,
  scope: Scope,
  signal: AbortSignal,
): Promise<Evaluated> {
  await new Promise<void>((resume) => inTurn(resume));
  signal.throwIfAborted();
  try {
    return { ok: true, value: evaluate(parsed, scope, { steps: MAX_EVALUATION_STEPS }) };
  } catch (error) {
    if (error instanceof ExpressionError) return { ok: false, message: error.message };
    throw error;
  }
}
