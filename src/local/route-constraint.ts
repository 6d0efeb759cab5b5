// The inline constraints of ASP.NET routes, such as `{n:int}` or `{s:length(2,5)}`: does a path
// segment satisfy one. An unknown constraint stops the start; Azure would drop the function.

import { StartupProblem } from "./startup-problem.ts";

export type Constraint = (value: string) => boolean;

const INTEGER = /^\s*[+-]?\d+\s*$/;
const FLOATING = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i;
const DECIMAL = /^\s*[+-]?(\d[\d,]*(\.\d*)?|\.\d+)\s*$/;
const DASHED = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const ANY_GUID = `[0-9a-f]{32}|${DASHED}|\\{${DASHED}\\}|\\(${DASHED}\\)`;
const GUID = new RegExp(`^\\s*(?:${ANY_GUID})\\s*$`, "i");
const TIME = String.raw`[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?`;
const DATE_TIME = new RegExp(String.raw`^\s*\d{4}-\d{1,2}-\d{1,2}(?:${TIME})?\s*$`);
const INT = [-(2n ** 31n), 2n ** 31n - 1n] as const;
const LONG = [-(2n ** 63n), 2n ** 63n - 1n] as const;

const PLAIN: Readonly<Record<string, Constraint>> = {
  int: (value) => within(value, INT[0], INT[1]),
  long: (value) => within(value, LONG[0], LONG[1]),
  bool: (value) => /^\s*(true|false)\s*$/i.test(value),
  double: (value) => FLOATING.test(value),
  float: (value) => FLOATING.test(value),
  decimal: (value) => DECIMAL.test(value),
  guid: (value) => GUID.test(value),
  alpha: (value) => /^[a-z]*$/i.test(value),
  required: (value) => value !== "",
  // The host parses any .NET date; the ISO forms are what a route can sensibly hold.
  datetime: (value) => DATE_TIME.test(value),
};

type Build = (numbers: readonly bigint[]) => Constraint | undefined;

const NUMERIC: Readonly<Record<string, Build>> = {
  min: ([least]) => (least === undefined ? undefined : (value) => within(value, least, LONG[1])),
  max: ([most]) => (most === undefined ? undefined : (value) => within(value, LONG[0], most)),
  range: ([least, most]) =>
    least === undefined || most === undefined ? undefined : (value) => within(value, least, most),
  minlength: ([least]) => (least === undefined ? undefined : (value) => value.length >= least),
  maxlength: ([most]) => (most === undefined ? undefined : (value) => value.length <= most),
  length: ([least, most]) =>
    least === undefined
      ? undefined
      : (value) => value.length >= least && value.length <= (most ?? least),
};

/** The constraint written as `name` or `name(args)`. */
export function routeConstraint(name: string, args: string | undefined): Constraint {
  const key = name.toLowerCase();
  if (args === undefined && Object.hasOwn(PLAIN, key)) {
    return PLAIN[key] ?? (() => false);
  }
  if (key === "regex" && args !== undefined) {
    return matching(args);
  }
  if (args !== undefined && Object.hasOwn(NUMERIC, key)) {
    const parts = args.split(",").map((part) => part.trim());
    const built = parts.every((part) => /^-?\d+$/.test(part))
      ? NUMERIC[key]?.(parts.map(BigInt))
      : undefined;
    if (built !== undefined) {
      return built;
    }
  }
  const shown = args === undefined ? name : `${name}(${args})`;
  throw new StartupProblem(`"${shown}" is no route constraint.`);
}

function within(value: string, least: bigint, most: bigint): boolean {
  if (!INTEGER.test(value)) {
    return false;
  }
  const number = BigInt(value.trim().replace(/^\+/, ""));
  return number >= least && number <= most;
}

/** As in the host: anywhere in the segment, without case. */
function matching(pattern: string): Constraint {
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, "i");
  } catch {
    throw new StartupProblem(`"regex(${pattern})" is no route constraint: the pattern is wrong.`);
  }
  return (value) => expression.test(value);
}
