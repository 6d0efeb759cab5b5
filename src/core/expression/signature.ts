// What each function takes and how it is written; the parser checks calls against this table, so
// a wrong call is an author's mistake at load and never a surprise in a job.
import { FUNCTION_NAMES, type FunctionName, MACRO_NAMES, type MacroName } from "./ast.ts";

export interface Signature {
  readonly least: number;
  readonly most: number;
  /** Whether `x.f(y)` may be written for `f(x, y)`. */
  readonly method: boolean;
  readonly usage: string;
}

const SIGNATURES: Readonly<Record<FunctionName, Signature>> = {
  size: { least: 1, most: 1, method: true, usage: "size(x)" },
  has: { least: 1, most: 1, method: false, usage: "has(inputs.name)" },
  default: { least: 2, most: 2, method: false, usage: "default(inputs.name, fallback)" },
  startsWith: { least: 2, most: 2, method: true, usage: "text.startsWith(start)" },
  endsWith: { least: 2, most: 2, method: true, usage: "text.endsWith(end)" },
  contains: { least: 2, most: 2, method: true, usage: "text.contains(part)" },
  lower: { least: 1, most: 1, method: true, usage: "text.lower()" },
  upper: { least: 1, most: 1, method: true, usage: "text.upper()" },
  split: { least: 2, most: 2, method: true, usage: "text.split(separator)" },
  join: { least: 1, most: 2, method: true, usage: "list.join(separator)" },
  int: { least: 1, most: 1, method: false, usage: "int(x)" },
  double: { least: 1, most: 1, method: false, usage: "double(x)" },
  string: { least: 1, most: 1, method: false, usage: "string(x)" },
};

export function functionNamed(name: string): FunctionName | undefined {
  return FUNCTION_NAMES.find((known) => known === name);
}

export function macroNamed(name: string): MacroName | undefined {
  return MACRO_NAMES.find((known) => known === name);
}

export function signatureOf(name: FunctionName): Signature {
  return SIGNATURES[name];
}

export function macroUsage(name: MacroName): string {
  return name === "map" ? "list.map(x, x.name)" : `list.${name}(x, x > 0)`;
}
