// The parser's place in the tokens, and the small moves it makes there.
// Nesting is counted here, so the recursion of the grammar has a bound of its own.
import { invariant } from "../error.ts";
import { MAX_EXPRESSION_DEPTH } from "../limits.ts";
import type { Ast } from "./ast.ts";
import { isReservedWord, literalHint } from "./hint.ts";
import { Refusal } from "./refusal.ts";
import type { Token } from "./token.ts";

export interface Cursor {
  readonly tokens: readonly Token[];
  /** Parses any expression; held here because calls and the grammar around them need each other. */
  readonly parseAny: (cursor: Cursor) => Ast;
  /** Stands in front of the last token, `end`, at most. */
  at: number;
  depth: number;
}

export function peek(cursor: Cursor): Token {
  return tokenAt(cursor, cursor.at);
}

function tokenAt({ tokens }: Cursor, at: number): Token {
  const token = tokens[at];
  invariant(token !== undefined, "nothing is read behind the end of an expression");
  return token;
}

export function take(cursor: Cursor): Token {
  const token = peek(cursor);
  cursor.at += 1;
  return token;
}

/** The token after the next one, which is not the end. */
export function peekSecond(cursor: Cursor): Token {
  return tokenAt(cursor, cursor.at + 1);
}

export function isSymbol(token: Token, symbol: string): boolean {
  return token.kind === "symbol" && token.value === symbol;
}

/** Takes the next token if it is one of `symbols`, and says which. */
export function takeSymbol<S extends string>(
  cursor: Cursor,
  symbols: readonly S[],
): { readonly symbol: S; readonly offset: number } | undefined {
  const token = peek(cursor);
  const symbol = symbols.find((candidate) => isSymbol(token, candidate));
  if (symbol === undefined) return undefined;
  cursor.at += 1;
  return { symbol, offset: token.offset };
}

/** Takes the closing symbol of what was opened at `opened`, or refuses. */
export function close(cursor: Cursor, symbol: string, opened: number): void {
  if (takeSymbol(cursor, [symbol]) !== undefined) return;
  const token = peek(cursor);
  throw new Refusal(
    `expected "${symbol}" to close what begins at character ${opened + 1}, got ${described(token)}`,
    token.offset,
  );
}

export function described(token: Token): string {
  switch (token.kind) {
    case "end":
      return "the end";
    case "text":
      return "a text";
    case "number":
      return `the number ${token.value}`;
    case "name":
    case "symbol":
      return `"${token.value}"`;
  }
}

/** Runs `parse` one level deeper. */
export function nested<T>(cursor: Cursor, parse: () => T): T {
  if (cursor.depth >= MAX_EXPRESSION_DEPTH) {
    const message = `nested deeper than ${MAX_EXPRESSION_DEPTH} levels`;
    throw new Refusal(message, peek(cursor).offset);
  }
  cursor.depth += 1;
  const result = parse();
  cursor.depth -= 1;
  return result;
}

interface Series<T> {
  readonly end: string;
  readonly opened: number;
  readonly parse: (cursor: Cursor) => T;
}

/** Values with commas between them, up to and with the closing symbol. */
export function parseUntil<T>(cursor: Cursor, series: Series<T>): readonly T[] {
  if (takeSymbol(cursor, [series.end]) !== undefined) return [];
  const values = [series.parse(cursor)];
  while (takeSymbol(cursor, [","]) !== undefined) values.push(series.parse(cursor));
  close(cursor, series.end, series.opened);
  return values;
}

export interface Name {
  readonly value: string;
  readonly offset: number;
}

/** Refuses what cannot name a root or a variable. */
export function refuseWord(name: Name): void {
  const { value, offset } = name;
  if (value === "true" || value === "false" || value === "null" || isReservedWord(value)) {
    const hint = value === "in" ? "write x in list" : "as a key it is written after a dot";
    throw new Refusal(`"${value}" is a reserved word`, offset, hint);
  }
  const hint = literalHint(value);
  if (hint !== undefined) throw new Refusal(`unknown word "${value}"`, offset, hint);
}
