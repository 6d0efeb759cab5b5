// The evaluator: an expression and a scope to a JSON value, or an ExpressionError.
import { WorkflowError } from "../error.ts";
import type { Json } from "../json.ts";
import type { Expression } from "./parse.ts";

export interface Scope {
  readonly [root: string]: Json | undefined;
}

export interface Budget {
  steps: number;
}

export type ExpressionReason = "missing" | "type" | "budget" | "number" | "size";

export class ExpressionError extends WorkflowError {
  readonly reason: ExpressionReason;

  constructor(reason: ExpressionReason, message: string) {
    super("EXPRESSION_FAILED", message);
    this.reason = reason;
  }
}

export function evaluate(expression: Expression, _scope: Scope, _budget: Budget): Json {
  throw new ExpressionError("type", expression.source);
}
