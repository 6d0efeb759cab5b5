// The grammar: recursive descent over tokens, one function for each level of precedence.
// What it accepts is a subset of CEL; docs/expressions.md has the list. Throws a Refusal.
import type { ArithmeticOperator, ArithmeticTerm, Ast, CompareOperator, Step } from "./ast.ts";
import { type Cursor, close, described, isSymbol, type Name, nested, peek } from "./cursor.ts";
import { parseUntil, peekSecond, refuseWord, take, takeSymbol } from "./cursor.ts";
import { wordOperatorHint } from "./hint.ts";
import { parseFunction, parseMethod } from "./invocation.ts";
import { Refusal } from "./refusal.ts";
import type { Token } from "./token.ts";

const COMPARE: readonly CompareOperator[] = ["==", "!=", "<=", ">=", "<", ">"];

/** The whole of the tokens. */
export function parseAll(cursor: Cursor): Ast {
  if (peek(cursor).kind === "end") throw new Refusal("the expression is empty", 0);
  const ast = parseAny(cursor);
  refuseRest(cursor);
  return ast;
}

/** The whole of the tokens as what follows `value` in the short form of a condition. */
export function parseShort(cursor: Cursor): Ast {
  const ast = parseTernaryFrom(cursor, { kind: "name", name: "value", offset: 0 });
  refuseRest(cursor);
  return ast;
}

/** Whether the tokens begin as the short form of a condition does. */
export function beginsShort(cursor: Cursor): boolean {
  return compareOperator(cursor) !== undefined;
}

function refuseRest(cursor: Cursor): void {
  const token = peek(cursor);
  if (token.kind === "end") return;
  const message = `expected an operator or the end, got ${described(token)}`;
  throw new Refusal(message, token.offset, restHint(token));
}

function restHint(token: Token): string | undefined {
  if (token.kind === "name") return wordOperatorHint(token.value);
  if (token.kind === "text") return "join texts with +; a quote inside a text needs a backslash";
  if (isSymbol(token, ")") || isSymbol(token, "]") || isSymbol(token, "}")) {
    return `nothing is open that "${token.value}" could close`;
  }
  return undefined;
}

export function parseAny(cursor: Cursor): Ast {
  return nested(cursor, () => parseTernaryFrom(cursor, undefined));
}

/** `left`, where given, stands in front of the next token; the same goes for the levels below. */
function parseTernaryFrom(cursor: Cursor, left: Ast | undefined): Ast {
  const condition = parseOr(cursor, left);
  const mark = takeSymbol(cursor, ["?"]);
  if (mark === undefined) return condition;
  const yes = parseAny(cursor);
  const token = peek(cursor);
  if (takeSymbol(cursor, [":"]) === undefined) {
    const message = `expected ":" and the other value, got ${described(token)}`;
    throw new Refusal(message, token.offset, "write condition ? yes : no");
  }
  const no = parseAny(cursor);
  return { kind: "ternary", condition, yes, no, offset: mark.offset };
}

function parseOr(cursor: Cursor, left: Ast | undefined): Ast {
  const first = parseAnd(cursor, left);
  const operands = [first];
  while (takeSymbol(cursor, ["||"]) !== undefined) operands.push(parseAnd(cursor, undefined));
  if (operands.length === 1) return first;
  return { kind: "logic", operator: "||", operands, offset: first.offset };
}

function parseAnd(cursor: Cursor, left: Ast | undefined): Ast {
  const first = parseComparison(cursor, left);
  const operands = [first];
  while (takeSymbol(cursor, ["&&"]) !== undefined) {
    operands.push(parseComparison(cursor, undefined));
  }
  if (operands.length === 1) return first;
  return { kind: "logic", operator: "&&", operands, offset: first.offset };
}

function parseComparison(cursor: Cursor, given: Ast | undefined): Ast {
  const left = given ?? parseSum(cursor);
  const operator = compareOperator(cursor);
  if (operator === undefined) return left;
  const { offset } = take(cursor);
  const right = parseSum(cursor);
  if (compareOperator(cursor) !== undefined) {
    const token = peek(cursor);
    const hint = "join two comparisons with &&, such as 0 < x && x < 9";
    throw new Refusal(`a second comparison begins with ${described(token)}`, token.offset, hint);
  }
  return { kind: "compare", operator, left, right, offset };
}

function compareOperator(cursor: Cursor): CompareOperator | undefined {
  const token = peek(cursor);
  if (token.kind === "name" && token.value === "in") return "in";
  return COMPARE.find((operator) => isSymbol(token, operator));
}

function parseSum(cursor: Cursor): Ast {
  return parseChain(cursor, ["+", "-"], parseProduct);
}

function parseProduct(cursor: Cursor): Ast {
  return parseChain(cursor, ["*", "/", "%"], parseUnary);
}

function parseChain(
  cursor: Cursor,
  operators: readonly ArithmeticOperator[],
  parse: (cursor: Cursor) => Ast,
): Ast {
  const first = parse(cursor);
  const terms: ArithmeticTerm[] = [];
  for (;;) {
    const operator = takeSymbol(cursor, operators);
    if (operator === undefined) break;
    terms.push({ operator: operator.symbol, operand: parse(cursor), offset: operator.offset });
  }
  if (terms.length === 0) return first;
  return { kind: "arithmetic", first, rest: terms, offset: first.offset };
}

function parseUnary(cursor: Cursor): Ast {
  const operator = takeSymbol(cursor, ["!", "-"]);
  if (operator === undefined) return parsePostfix(cursor);
  const operand = nested(cursor, () => parseUnary(cursor));
  const { symbol, offset } = operator;
  if (symbol === "-" && operand.kind === "literal" && typeof operand.value === "number") {
    // Taken from zero, because -0 is not told apart from 0 anywhere.
    return { kind: "literal", value: 0 - operand.value, offset };
  }
  return { kind: "unary", operator: symbol, operand, offset };
}

function parsePostfix(cursor: Cursor): Ast {
  let ast = parsePrimary(cursor);
  for (;;) {
    const mark = takeSymbol(cursor, [".", "["]);
    if (mark === undefined) return ast;
    if (mark.symbol === "[") {
      const key = parseAny(cursor);
      close(cursor, "]", mark.offset);
      ast = withStep(ast, { key, offset: mark.offset });
      continue;
    }
    const name = takeKey(cursor);
    if (isSymbol(peek(cursor), "(")) ast = parseMethod(cursor, { receiver: ast, ...name });
    else ast = withStep(ast, { key: { kind: "literal", ...name }, offset: name.offset });
  }
}

function withStep(ast: Ast, step: Step): Ast {
  if (ast.kind === "path") return { ...ast, steps: [...ast.steps, step] };
  return { kind: "path", base: ast, steps: [step], offset: ast.offset };
}

/** The name after a dot; any word but the four that CEL keeps for itself there. */
function takeKey(cursor: Cursor): { readonly value: string; readonly offset: number } {
  const token = take(cursor);
  if (token.kind !== "name") {
    const hint = 'write a["b c"] or a[0] for keys that are no plain names';
    throw new Refusal(`expected a name after the dot, got ${described(token)}`, token.offset, hint);
  }
  const { value, offset } = token;
  if (value === "true" || value === "false" || value === "null" || value === "in") {
    const message = `"${value}" cannot follow a dot`;
    throw new Refusal(message, offset, `write ["${value}"]`);
  }
  return { value, offset };
}

function parsePrimary(cursor: Cursor): Ast {
  const token = peek(cursor);
  switch (token.kind) {
    case "number":
    case "text":
      take(cursor);
      return { kind: "literal", value: token.value, offset: token.offset };
    case "name":
      take(cursor);
      return parseName(cursor, token);
    case "symbol":
      return parseGroup(cursor, token.offset);
    case "end":
      throw new Refusal("expected a value, got the end", token.offset);
  }
}

function parseName(cursor: Cursor, name: Name): Ast {
  const { value, offset } = name;
  if (isSymbol(peek(cursor), "(")) return parseFunction(cursor, name);
  if (value === "true") return { kind: "literal", value: true, offset };
  if (value === "false") return { kind: "literal", value: false, offset };
  if (value === "null") return { kind: "literal", value: null, offset };
  refuseWord(name);
  return { kind: "name", name: value, offset };
}

function parseGroup(cursor: Cursor, offset: number): Ast {
  const open = takeSymbol(cursor, ["(", "[", "{"]);
  if (open === undefined) {
    const message = `expected a value, got ${described(peek(cursor))}`;
    throw new Refusal(message, offset, groupHint(cursor));
  }
  switch (open.symbol) {
    case "(": {
      const ast = parseAny(cursor);
      close(cursor, ")", offset);
      return ast;
    }
    case "[": {
      const items = parseUntil(cursor, { end: "]", opened: offset, parse: parseAny });
      return { kind: "list", items, offset };
    }
    case "{": {
      const entries = parseUntil(cursor, { end: "}", opened: offset, parse: parseEntry });
      refuseTwice(entries.map((entry) => entry.key));
      return { kind: "map", entries, offset };
    }
  }
}

function groupHint(cursor: Cursor): string | undefined {
  if (compareOperator(cursor) !== undefined) {
    return "a comparison has a value on both sides, such as value > 5";
  }
  const isFraction = isSymbol(peek(cursor), ".") && peekSecond(cursor).kind === "number";
  return isFraction ? "write a zero in front: 0.5" : undefined;
}

function parseEntry(cursor: Cursor): { readonly key: Ast; readonly value: Ast } {
  const first = peek(cursor);
  const key = parseAny(cursor);
  if (key.kind === "name" && first.kind === "name") {
    const hint = `write "${key.name}" in quotes, or (${key.name}) for the variable`;
    throw new Refusal(`the key ${key.name} is not in quotes`, key.offset, hint);
  }
  const token = peek(cursor);
  if (takeSymbol(cursor, [":"]) === undefined) {
    const message = `expected ":" after a key, got ${described(token)}`;
    throw new Refusal(message, token.offset, 'a map is written {"key": value}');
  }
  return { key, value: parseAny(cursor) };
}

function refuseTwice(keys: readonly Ast[]): void {
  const seen = new Set<unknown>();
  for (const key of keys) {
    if (key.kind !== "literal") continue;
    if (typeof key.value !== "string") {
      throw new Refusal("the key of a map must be a text", key.offset, "put it in quotes");
    }
    if (seen.has(key.value)) {
      throw new Refusal(`the key "${key.value}" stands twice in this map`, key.offset);
    }
    seen.add(key.value);
  }
}
