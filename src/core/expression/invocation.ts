// Calls in the grammar: functions f(x), methods x.f(y) and macros list.map(x, body).
// Names and argument counts are settled here, so evaluation never meets an unknown call.
import { type Ast, FUNCTION_NAMES, type FunctionName, type MacroName } from "./ast.ts";
import { type Cursor, close, described, isSymbol, type Name, parseUntil, peek } from "./cursor.ts";
import { peekSecond, refuseWord, take } from "./cursor.ts";
import { functionHint } from "./hint.ts";
import { Refusal } from "./refusal.ts";
import { functionNamed, macroNamed, macroUsage, signatureOf } from "./signature.ts";

interface Method extends Name {
  readonly receiver: Ast;
}

/** The next token is the opening parenthesis. */
export function parseFunction(cursor: Cursor, name: Name): Ast {
  const { value, offset } = name;
  const known = functionNamed(value);
  if (known === undefined) {
    const macro = macroNamed(value);
    const hint = macro === undefined ? unknownHint(value) : `write ${macroUsage(macro)}`;
    throw new Refusal(`there is no function ${value}`, offset, hint);
  }
  return checkedCall(known, parseArguments(cursor), offset);
}

/** The next token is the opening parenthesis; the receiver becomes the first argument. */
export function parseMethod(cursor: Cursor, method: Method): Ast {
  const { value, offset, receiver } = method;
  const macro = macroNamed(value);
  if (macro !== undefined) return parseMacro(cursor, macro, method);
  const known = functionNamed(value);
  if (known === undefined) {
    throw new Refusal(`there is no method ${value}`, offset, unknownHint(value));
  }
  const signature = signatureOf(known);
  if (!signature.method) {
    throw new Refusal(`${known} is no method`, offset, `write ${signature.usage}`);
  }
  return checkedCall(known, [receiver, ...parseArguments(cursor)], offset);
}

function unknownHint(name: string): string {
  return functionHint(name) ?? `there are ${FUNCTION_NAMES.join(", ")}, map, filter, exists, all`;
}

function parseArguments(cursor: Cursor): readonly Ast[] {
  const { offset } = take(cursor);
  return parseUntil(cursor, { end: ")", opened: offset, parse: cursor.parseAny });
}

function checkedCall(name: FunctionName, args: readonly Ast[], offset: number): Ast {
  const { least, most, usage } = signatureOf(name);
  const [first, second] = args;
  if (first === undefined || args.length < least || args.length > most) {
    const expected = least === most ? `${least}` : `${least} or ${most}`;
    const message = `${name} takes ${expected} values, got ${args.length}`;
    throw new Refusal(message, offset, `write ${usage}`);
  }
  if (name === "default" && second !== undefined) {
    return { kind: "default", operand: first, fallback: second, offset };
  }
  if (name === "has" && first.kind === "path") return { kind: "has", path: first, offset };
  if (name === "has" || name === "default") {
    const message = "has takes a path with at least one step";
    throw new Refusal(message, offset, `write ${usage}; compare with null by x == null`);
  }
  return { kind: "call", name, first, second, offset };
}

function parseMacro(cursor: Cursor, name: MacroName, method: Method): Ast {
  const { offset: opened } = take(cursor);
  const usage = `write ${macroUsage(name)}`;
  const variable = peek(cursor);
  if (variable.kind !== "name" || !isSymbol(peekSecond(cursor), ",")) {
    const message = `${name} takes a variable and an expression, got ${described(variable)}`;
    throw new Refusal(message, variable.offset, usage);
  }
  refuseWord(variable);
  take(cursor);
  take(cursor);
  const body = cursor.parseAny(cursor);
  if (isSymbol(peek(cursor), ",")) {
    const hint = "to leave elements out write list.filter(x, condition).map(x, value)";
    throw new Refusal(`${name} takes one expression`, peek(cursor).offset, hint);
  }
  close(cursor, ")", opened);
  const { receiver: list, offset } = method;
  return { kind: "macro", name, list, variable: variable.value, body, offset };
}
