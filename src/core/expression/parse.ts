// The way from source text to an expression: whole expressions and branch conditions.
// Never throws; a refused text comes back with a message, an offset and, where known, a hint.
// Length, nodes and nesting are bounded here, so whatever is evaluated is small.
import { MAX_EXPRESSION_CHARS, MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_NODES } from "../limits.ts";
import { type Ast, measure } from "./ast.ts";
import { bracesEnd } from "./braces.ts";
import type { Cursor } from "./cursor.ts";
import { beginsShort, parseAll, parseAny, parseShort } from "./grammar.ts";
import { Refusal } from "./refusal.ts";
import { scan } from "./token.ts";

export interface Expression {
  readonly source: string;
  readonly root: Ast;
}

export type Parsed =
  | { readonly ok: true; readonly expression: Expression }
  | {
      readonly ok: false;
      readonly message: string;
      /** UTF-16 units from the start of the source. */
      readonly offset: number;
      readonly hint?: string;
    };

export function parseExpression(source: string): Parsed {
  return parseWith(source, parseAll);
}

/**
 * A branch condition: `< 100` or `in [1, 2]` mean `value < 100` and `value in [1, 2]`; everything
 * else is an ordinary expression, usually over `value`.
 */
export function parseCondition(source: string): Parsed {
  const inner = withoutBraces(source);
  const parsed = parseWith(inner.source, (cursor) =>
    beginsShort(cursor) ? parseShort(cursor) : parseAll(cursor),
  );
  return parsed.ok ? parsed : { ...parsed, offset: parsed.offset + inner.offset };
}

/** A condition may stand in {{ }} like other expressions; it is one with and without them. */
function withoutBraces(source: string): { readonly source: string; readonly offset: number } {
  const offset = source.length - source.trimStart().length + 2;
  if (!source.startsWith("{{", offset - 2)) return { source, offset: 0 };
  const end = bracesEnd(source, offset);
  if (end === undefined || source.slice(end + 2).trim() !== "") return { source, offset: 0 };
  return { source: source.slice(offset, end), offset };
}

function parseWith(source: string, parse: (cursor: Cursor) => Ast): Parsed {
  try {
    if (source.length > MAX_EXPRESSION_CHARS) {
      const message = `an expression has at most ${MAX_EXPRESSION_CHARS} characters`;
      throw new Refusal(`${message}, got ${source.length}`, 0);
    }
    const root = parse({ tokens: scan(source), parseAny, at: 0, depth: 0 });
    checkMeasure(root);
    return { ok: true, expression: { source, root } };
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    const { message, offset, hint } = problem;
    return { ok: false, message, offset, ...(hint === undefined ? {} : { hint }) };
  }
}

function checkMeasure(root: Ast): void {
  const { nodes, depth } = measure(root);
  if (nodes > MAX_EXPRESSION_NODES) {
    throw new Refusal(`the expression has ${nodes} parts, at most ${MAX_EXPRESSION_NODES}`, 0);
  }
  if (depth > MAX_EXPRESSION_DEPTH) {
    throw new Refusal(`nested deeper than ${MAX_EXPRESSION_DEPTH} levels`, root.offset);
  }
}
