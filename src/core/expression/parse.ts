// The way from source text to an expression: whole expressions and branch conditions.
// Never throws; a refused text comes back with a message, an offset and, where known, a hint.
import type { Ast } from "./ast.ts";

export interface Expression {
  readonly source: string;
  readonly root: Ast;
}

export type Parsed =
  | { readonly ok: true; readonly expression: Expression }
  | {
      readonly ok: false;
      readonly message: string;
      readonly offset: number;
      readonly hint?: string;
    };

export function parseExpression(source: string): Parsed {
  return { ok: false, message: `not ready: ${source}`, offset: 0 };
}

export function parseCondition(source: string): Parsed {
  return parseExpression(source);
}
