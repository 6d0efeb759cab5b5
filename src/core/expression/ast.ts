// The syntax tree of an expression: what the parser builds and every other file reads.
// Paths, && || and runs of + - * / % are flat, so depth counts real nesting only.
// `offset` counts UTF-16 units from the start of the source.
import type { Json } from "../json.ts";

export type Ast =
  | LiteralAst
  | NameAst
  | ListAst
  | MapAst
  | PathAst
  | UnaryAst
  | ArithmeticAst
  | LogicAst
  | CompareAst
  | TernaryAst
  | CallAst
  | HasAst
  | DefaultAst
  | MacroAst;

export interface LiteralAst {
  readonly kind: "literal";
  readonly value: Exclude<Json, object> | null;
  readonly offset: number;
}

/** A root of the scope, or a variable bound by a macro around it. */
export interface NameAst {
  readonly kind: "name";
  readonly name: string;
  readonly offset: number;
}

export interface ListAst {
  readonly kind: "list";
  readonly items: readonly Ast[];
  readonly offset: number;
}

export interface MapEntry {
  readonly key: Ast;
  readonly value: Ast;
}

export interface MapAst {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
  readonly offset: number;
}

/** `base.a["b"][0]`: one or more steps from a base that is itself no path. */
export interface PathAst {
  readonly kind: "path";
  readonly base: Ast;
  readonly steps: readonly Step[];
  readonly offset: number;
}

/** One step; `.a` and `["a"]` are the same. */
export interface Step {
  readonly key: Ast;
  readonly offset: number;
}

export interface UnaryAst {
  readonly kind: "unary";
  readonly operator: "!" | "-";
  readonly operand: Ast;
  readonly offset: number;
}

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";

/** `first + a - b`, taken from left to right. */
export interface ArithmeticAst {
  readonly kind: "arithmetic";
  readonly first: Ast;
  readonly rest: readonly ArithmeticTerm[];
  readonly offset: number;
}

export interface ArithmeticTerm {
  readonly operator: ArithmeticOperator;
  readonly operand: Ast;
  readonly offset: number;
}

/** Two or more operands of one operator. */
export interface LogicAst {
  readonly kind: "logic";
  readonly operator: "&&" | "||";
  readonly operands: readonly Ast[];
  readonly offset: number;
}

export type CompareOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in";

export interface CompareAst {
  readonly kind: "compare";
  readonly operator: CompareOperator;
  readonly left: Ast;
  readonly right: Ast;
  readonly offset: number;
}

export interface TernaryAst {
  readonly kind: "ternary";
  readonly condition: Ast;
  readonly yes: Ast;
  readonly no: Ast;
  readonly offset: number;
}

/** A function of one or two values; a method's receiver is the first. */
export interface CallAst {
  readonly kind: "call";
  readonly name: ValueFunction;
  readonly first: Ast;
  readonly second: Ast | undefined;
  readonly offset: number;
}

/** Whether something stands at the path. */
export interface HasAst {
  readonly kind: "has";
  readonly path: PathAst;
  readonly offset: number;
}

/** The operand, or the fallback where the operand reads something that is not there. */
export interface DefaultAst {
  readonly kind: "default";
  readonly operand: Ast;
  readonly fallback: Ast;
  readonly offset: number;
}

export interface MacroAst {
  readonly kind: "macro";
  readonly name: MacroName;
  readonly list: Ast;
  readonly variable: string;
  readonly body: Ast;
  readonly offset: number;
}

export const FUNCTION_NAMES = [
  "size",
  "has",
  "default",
  "startsWith",
  "endsWith",
  "contains",
  "lower",
  "upper",
  "split",
  "join",
  "int",
  "double",
  "string",
] as const;

export type FunctionName = (typeof FUNCTION_NAMES)[number];

/** The functions whose arguments are all evaluated, one after the other. */
export type ValueFunction = Exclude<FunctionName, "has" | "default">;

export const MACRO_NAMES = ["map", "filter", "exists", "all"] as const;

export type MacroName = (typeof MACRO_NAMES)[number];

/** The parts of a node that are expressions themselves, in source order; `steps` keys included. */
export function children(ast: Ast): readonly Ast[] {
  switch (ast.kind) {
    case "literal":
    case "name":
      return [];
    case "list":
      return ast.items;
    case "map":
      return ast.entries.flatMap((entry) => [entry.key, entry.value]);
    case "path":
      return [ast.base, ...ast.steps.map((step) => step.key)];
    case "unary":
      return [ast.operand];
    case "arithmetic":
      return [ast.first, ...ast.rest.map((term) => term.operand)];
    case "logic":
      return ast.operands;
    case "compare":
      return [ast.left, ast.right];
    case "ternary":
      return [ast.condition, ast.yes, ast.no];
    case "call":
      return ast.second === undefined ? [ast.first] : [ast.first, ast.second];
    case "has":
      return [ast.path];
    case "default":
      return [ast.operand, ast.fallback];
    case "macro":
      return [ast.list, ast.body];
  }
}

export interface Measure {
  readonly nodes: number;
  readonly depth: number;
}

/** Nodes and nesting of a tree; the parser compares them with the limits. */
export function measure(ast: Ast): Measure {
  let nodes = 1;
  let depth = 0;
  for (const child of children(ast)) {
    const inner = measure(child);
    nodes += inner.nodes;
    depth = Math.max(depth, inner.depth);
  }
  return { nodes, depth: depth + 1 };
}
