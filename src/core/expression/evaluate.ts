// The evaluator: an expression and a scope to a JSON value, or an ExpressionError.
// Total: no input makes it loop, overflow the stack or touch anything but own properties. Every
// node and every element costs a step, so cost is counted, not timed.
import { isForbiddenKey, type Json } from "../json.ts";
import { MAX_JSON_DEPTH, MAX_RENDERED_BYTES } from "../limits.ts";
import type { ArithmeticAst, Ast, CompareAst, DefaultAst, LogicAst, MacroAst } from "./ast.ts";
import type { MapAst, PathAst, Step } from "./ast.ts";
import { bind, charge, ExpressionError, failure, lookUp, textSteps } from "./frame.ts";
import type { Budget, ExpressionReason, Frame, Scope } from "./frame.ts";
import { call, concatenate } from "./functions.ts";
import { calculate, checkedNumber } from "./number.ts";
import type { Expression } from "./parse.ts";
import { fits } from "./room.ts";
import { aKind, characterAt, compareText, isEqual, isList, isMap } from "./value.ts";
import { keysOf, memberOf, type Place } from "./value.ts";

export { type Budget, ExpressionError, type ExpressionReason, type Scope } from "./frame.ts";

/** What a caught error costs beside the work that led to it. */
const ABSORB_STEPS = 100;
/** What each key costs that a macro puts in order. */
const SORT_STEPS = 4;

/** At most MAX_RENDERED_BYTES of JSON and MAX_JSON_DEPTH levels. Counts `budget` down. */
export function evaluate(expression: Expression, scope: Scope, budget: Budget): Json {
  const value = compute(expression, scope, budget);
  if (fits(value, { bytes: MAX_RENDERED_BYTES }, MAX_JSON_DEPTH)) return value;
  const message = `the value is larger than ${MAX_RENDERED_BYTES} bytes or nested too deep`;
  const frame: Frame = { source: expression.source, scope, budget, bound: undefined };
  throw failure(frame, { reason: "size", message, offset: 0 });
}

/** The value of any size; for templates, which measure all values of a render together. */
export function compute(expression: Expression, scope: Scope, budget: Budget): Json {
  return run(expression.root, { source: expression.source, scope, budget, bound: undefined });
}

function run(ast: Ast, frame: Frame): Json {
  charge(frame, 1, ast.offset);
  switch (ast.kind) {
    case "literal":
      return ast.value;
    case "name": {
      const value = lookUp(frame, ast.name);
      if (value === undefined) throw fail(frame, ast, ["missing", `there is no ${ast.name} here`]);
      return value;
    }
    case "list":
      return ast.items.map((item) => run(item, frame));
    case "map":
      return runMap(ast, frame);
    case "path":
      return runPath(ast, frame);
    case "unary":
      if (ast.operator === "!") return !truth(ast.operand, frame);
      return checkedNumber(0 - numeric(run(ast.operand, frame), frame, ast), place(frame, ast));
    case "arithmetic":
      return runArithmetic(ast, frame);
    case "logic":
      return runLogic(ast, frame);
    case "compare":
      return runCompare(ast, frame);
    case "ternary":
      return run(truth(ast.condition, frame) ? ast.yes : ast.no, frame);
    case "call": {
      const first = run(ast.first, frame);
      const second = ast.second === undefined ? "" : run(ast.second, frame);
      return call(ast.name, [first, second], place(frame, ast));
    }
    case "has":
      return found(ast.path, frame) !== undefined;
    case "default":
      return runDefault(ast, frame);
    case "macro":
      return runMacro(ast, frame);
  }
}

interface Located {
  readonly offset: number;
}

function place(frame: Frame, at: Located): Place {
  return { frame, offset: at.offset };
}

function fail(
  frame: Frame,
  at: Located,
  [reason, message]: readonly [ExpressionReason, string],
): ExpressionError {
  return failure(frame, { reason, message, offset: at.offset });
}

function truth(ast: Ast, frame: Frame): boolean {
  const value = run(ast, frame);
  if (typeof value === "boolean") return value;
  throw fail(frame, ast, ["type", `expected true or false, got ${aKind(value)}`]);
}

function numeric(value: Json, frame: Frame, at: Located): number {
  if (typeof value === "number") return value;
  throw fail(frame, at, ["type", `expected a number, got ${aKind(value)}`]);
}

function runMap(ast: MapAst, frame: Frame): Json {
  const map: Record<string, Json> = {};
  for (const entry of ast.entries) {
    const key = run(entry.key, frame);
    if (typeof key !== "string") {
      throw fail(frame, entry.key, ["type", `expected a string as key, got ${aKind(key)}`]);
    }
    if (Object.hasOwn(map, key) || isForbiddenKey(key)) {
      throw fail(frame, entry.key, ["type", "this key stands twice or is not allowed"]);
    }
    map[key] = run(entry.value, frame);
  }
  return map;
}

function runPath(ast: PathAst, frame: Frame): Json {
  let value = run(ast.base, frame);
  for (const step of ast.steps) value = runStep(value, step, frame);
  return value;
}

function runStep(value: Json, step: Step, frame: Frame): Json {
  const key = run(step.key, frame);
  if (typeof key !== "string" && typeof key !== "number") {
    const message = `expected a string or an integer as key, got ${aKind(key)}`;
    throw fail(frame, step, ["type", message]);
  }
  if (typeof key === "number" && !Number.isInteger(key)) {
    throw fail(frame, step, ["type", "expected a string or an integer as key, got a fraction"]);
  }
  const found = member(value, key, { frame, step });
  if (found !== undefined) return found;
  const name = step.key.kind === "literal" ? ` ${JSON.stringify(key)}` : "";
  throw fail(frame, step, ["missing", `there is no key${name} in ${aKind(value)}`]);
}

function member(
  value: Json,
  key: string | number,
  { frame, step }: { readonly frame: Frame; readonly step: Step },
): Json | undefined {
  if (typeof key === "string") return isMap(value) ? memberOf(value, key) : undefined;
  if (isList(value)) return value[key];
  if (typeof value !== "string") return undefined;
  charge(frame, textSteps(value.length), step.offset);
  return characterAt(value, key);
}

function runArithmetic(ast: ArithmeticAst, frame: Frame): Json {
  let value = run(ast.first, frame);
  for (const term of ast.rest) {
    const right = run(term.operand, frame);
    const at = place(frame, term);
    if (term.operator === "+") {
      value = add(value, right, at);
    } else {
      const operands = [numeric(value, frame, term), numeric(right, frame, term)] as const;
      value = calculate(term.operator, operands, at);
    }
  }
  return value;
}

function add(left: Json, right: Json, at: Place): Json {
  if (typeof left === "number" && typeof right === "number") return checkedNumber(left + right, at);
  if (typeof left === "string" && typeof right === "string") return concatenate(left, right, at);
  if (isList(left) && isList(right)) {
    charge(at.frame, left.length + right.length, at.offset);
    return [...left, ...right];
  }
  const got = `got ${aKind(left)} and ${aKind(right)}`;
  const message = `+ takes two numbers, two strings or two lists, ${got} (string(x) converts)`;
  throw fail(at.frame, at, ["type", message]);
}

function runCompare(ast: CompareAst, frame: Frame): boolean {
  const left = run(ast.left, frame);
  const right = run(ast.right, frame);
  const at = place(frame, ast);
  switch (ast.operator) {
    case "==":
      return isEqual(left, right, at);
    case "!=":
      return !isEqual(left, right, at);
    case "<":
      return order(left, right, at) < 0;
    case "<=":
      return order(left, right, at) <= 0;
    case ">":
      return order(left, right, at) > 0;
    case ">=":
      return order(left, right, at) >= 0;
    case "in":
      return isIn(left, right, at);
  }
}

function order(left: Json, right: Json, at: Place): number {
  // Not a difference: that of two large numbers could overflow.
  if (typeof left === "number" && typeof right === "number") {
    return left < right ? -1 : Number(left > right);
  }
  if (typeof left === "string" && typeof right === "string") {
    charge(at.frame, textSteps(Math.min(left.length, right.length)), at.offset);
    return compareText(left, right);
  }
  const got = `got ${aKind(left)} and ${aKind(right)}`;
  throw fail(at.frame, at, ["type", `only two numbers or two strings have an order, ${got}`]);
}

function isIn(needle: Json, holder: Json, at: Place): boolean {
  if (isList(holder)) return holder.some((item) => isEqual(needle, item, at));
  if (!isMap(holder)) {
    const hint = typeof holder === "string" ? " (write text.contains(part))" : "";
    throw fail(at.frame, at, ["type", `in takes a list or map, got ${aKind(holder)}${hint}`]);
  }
  if (typeof needle === "string") return memberOf(holder, needle) !== undefined;
  throw fail(at.frame, at, ["type", `the keys of a map are strings, got ${aKind(needle)}`]);
}

function runLogic(ast: LogicAst, frame: Frame): boolean {
  return decide(frame, ast, {
    decisive: ast.operator === "||",
    tests: ast.operands,
    test: (operand) => truth(operand, frame),
  });
}

interface Question<T> {
  /** The answer that one test alone can give. */
  readonly decisive: boolean;
  readonly tests: readonly T[];
  readonly test: (of: T) => boolean;
}

/** && || exists and all: a decisive answer outweighs errors, wherever they stand. */
function decide<T>(frame: Frame, at: Located, question: Question<T>): boolean {
  let problem: ExpressionError | undefined;
  for (const of of question.tests) {
    try {
      if (question.test(of) === question.decisive) return question.decisive;
    } catch (error) {
      const absorbed = absorb(error, frame, at);
      problem ??= absorbed;
    }
  }
  if (problem !== undefined) throw problem;
  return !question.decisive;
}

/** The error, if an expression may go on after it; exhaustion and bugs are thrown on. */
function absorb(error: unknown, frame: Frame, at: Located): ExpressionError {
  if (!(error instanceof ExpressionError)) throw error;
  if (error.reason === "budget" || error.reason === "size") throw error;
  charge(frame, ABSORB_STEPS, at.offset);
  return error;
}

/** Null is a value and stays; only what is missing is replaced. */
function runDefault(ast: DefaultAst, frame: Frame): Json {
  const value = found(ast.operand, frame);
  return value === undefined ? run(ast.fallback, frame) : value;
}

/** The value, or undefined where something that it reads is missing. */
function found(ast: Ast, frame: Frame): Json | undefined {
  try {
    return run(ast, frame);
  } catch (error) {
    const absorbed = absorb(error, frame, ast);
    if (absorbed.reason === "missing") return undefined;
    throw absorbed;
  }
}

function runMacro(ast: MacroAst, frame: Frame): Json {
  const items = elements(ast, frame);
  const inside = (item: Json): Frame => bind(frame, ast.variable, item);
  const test = (item: Json): boolean => truth(ast.body, inside(item));
  switch (ast.name) {
    case "map":
      return items.map((item) => run(ast.body, inside(item)));
    case "filter":
      return items.filter(test);
    case "exists":
      return decide(frame, ast, { decisive: true, tests: items, test });
    case "all":
      return decide(frame, ast, { decisive: false, tests: items, test });
  }
}

/** The items of a list, or the keys of a map in the order of canonical JSON. */
function elements(ast: MacroAst, frame: Frame): readonly Json[] {
  const value = run(ast.list, frame);
  if (isList(value)) return value;
  if (!isMap(value)) {
    throw fail(frame, ast, ["type", `${ast.name} takes a list or map, got ${aKind(value)}`]);
  }
  const keys = keysOf(value, place(frame, ast));
  charge(frame, keys.length * SORT_STEPS, ast.offset);
  return [...keys].sort();
}
