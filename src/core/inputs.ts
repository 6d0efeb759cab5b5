// The inputs of a job: what the caller gave, held against what the definition declares. Values are
// judged, never changed; defaults fill what was left out. Messages tell types, lengths and bounds,
// never a text that was given: an input may be confidential.
import { RE2JS } from "re2js";
import { canonical } from "./canonical.ts";
import type { InputDefinition, WorkflowDefinition } from "./definition.ts";
import type { Issue } from "./error.ts";
import { firstIssues } from "./issues.ts";
import { isJsonObject, jsonProblem, type Json, type JsonObject } from "./json.ts";
import { didYouMean } from "./nearest.ts";
import { cutName, listNames } from "./text.ts";
import { childPointer } from "./yaml-source.ts";

export type AppliedInputs =
  | { readonly ok: true; readonly inputs: JsonObject }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Compiling so many takes up to 50 ms, once. `.{0,1000}` has 2,002, `[a-z]+` has 4. */
const MAX_PATTERN_INSTRUCTIONS = 4000;
/**
 * Matching costs at most a step of 10 ns for each pair of character and instruction. All inputs of
 * a submission share these: 50 ms, or 1,250,000 characters against `[a-z]+`.
 */
export const MAX_PATTERN_STEPS = 5_000_000;

/** Steps that matching may still take; counts down over the inputs of one submission. */
interface Matching {
  steps: number;
}

/** All problems at once, as `firstIssues` lists them. Inputs come back in declared order. */
export function applyInputs(definition: WorkflowDefinition, given: JsonObject): AppliedInputs {
  const names = Object.keys(definition.inputs);
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(definition.inputs, name));
  const unfit: Issue[] = [];
  const inputs: [string, Json][] = [];
  const matching = { steps: MAX_PATTERN_STEPS };
  for (const [name, input] of Object.entries(definition.inputs)) {
    const value = Object.hasOwn(given, name) ? given[name] : input.default;
    if (value !== undefined) inputs.push([name, value]);
    const problem = inputProblem([name, input], value, matching);
    if (problem !== undefined) unfit.push(problem);
  }
  const issues = firstIssues([...unknown, ...unfit], (one) =>
    typeof one === "string" ? unknownInput(one, names) : one,
  );
  // fromEntries makes every name an own property, whatever it is.
  return issues.length === 0
    ? { ok: true, inputs: Object.fromEntries(inputs) }
    : { ok: false, issues };
}

function unknownInput(name: string, names: readonly string[]): Issue {
  const pointer = childPointer("/input_params", name);
  const declares = names.length === 0 ? "no inputs" : listNames(names);
  const message = `input "${cutName(name)}": the workflow declares ${declares}`;
  return { pointer, message, ...didYouMean(name, names) };
}

function inputProblem(
  [name, input]: readonly [string, InputDefinition],
  value: Json | undefined,
  matching: Matching,
): Issue | undefined {
  const pointer = childPointer("/input_params", name);
  if (value === undefined) {
    if (!input.required) return undefined;
    return { pointer, message: `input "${name}": required, expected ${NAMES[input.type]}` };
  }
  const unfit = jsonProblem(value);
  if (unfit !== undefined) {
    return { pointer: pointer + unfit.pointer, message: `input "${name}": ${unfit.message}` };
  }
  const message = valueProblem(input, value, matching);
  return message === undefined ? undefined : { pointer, message: `input "${name}": ${message}` };
}

/** What keeps `value` from being a value of this input, or undefined. The value must be JSON. */
export function valueProblem(
  input: InputDefinition,
  value: Json,
  matching: Matching = { steps: MAX_PATTERN_STEPS },
): string | undefined {
  return (
    typeProblem(input.type, value) ??
    enumProblem(input, value) ??
    boundProblem(input, value) ??
    patternProblem(input, value, matching)
  );
}

const NAMES: Readonly<Record<InputDefinition["type"], string>> = {
  string: "a string",
  integer: "an integer",
  number: "a number",
  boolean: "true or false",
  array: "an array",
  object: "an object",
};

export function typeProblem(type: InputDefinition["type"], value: Json): string | undefined {
  return isOfType(type, value) ? undefined : `expected ${NAMES[type]}, got ${typeName(value)}`;
}

function isOfType(type: InputDefinition["type"], value: Json): boolean {
  switch (type) {
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
    case "integer":
      // Beyond 2^53 an integer is no longer exact.
      return Number.isSafeInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isJsonObject(value);
  }
}

function typeName(value: Json): string {
  if (value === null) return "null";
  if (typeof value === "string") return NAMES.string;
  if (typeof value === "object") return Array.isArray(value) ? NAMES.array : NAMES.object;
  return String(value);
}

function enumProblem(input: InputDefinition, value: Json): string | undefined {
  if (input.enum === undefined) return undefined;
  const allowed = input.enum.map((one) => canonical(one));
  if (allowed.includes(canonical(value))) return undefined;
  return `expected one of ${allowed.join(", ")}`;
}

function boundProblem({ min, max }: InputDefinition, value: Json): string | undefined {
  const [size, unit] = sizeOf(value);
  if (min !== undefined && size < min) return `expected at least ${min}${unit}, got ${size}`;
  if (max !== undefined && size > max) return `expected at most ${max}${unit}, got ${size}`;
  return undefined;
}

/** A number itself, else a length; texts count by code point, as `size` does in expressions. */
function sizeOf(value: Json): readonly [size: number, unit: string] {
  if (typeof value === "string") return [Array.from(value).length, " characters"];
  return Array.isArray(value) ? [value.length, " items"] : [Number(value), ""];
}

function patternProblem(
  input: InputDefinition,
  value: Json,
  matching: Matching,
): string | undefined {
  const { pattern } = input;
  if (pattern === undefined || typeof value !== "string") return undefined;
  const compiled = compiledOnce(input, pattern);
  if (!compiled.ok) return compiled.message;
  const most = Math.floor(matching.steps / compiled.size);
  if (value.length > most) {
    return `expected at most ${most} characters for a pattern of this size, got ${value.length}`;
  }
  matching.steps -= value.length * compiled.size;
  return compiled.matches(value) ? undefined : `expected a text that matches ${pattern}`;
}

/** Compiling takes far longer than matching, and a definition outlives its submissions. */
const compiledPatterns = new WeakMap<InputDefinition, CompiledPattern>();

function compiledOnce(input: InputDefinition, pattern: string): CompiledPattern {
  const known = compiledPatterns.get(input);
  if (known !== undefined) return known;
  const compiled = compilePattern(pattern);
  compiledPatterns.set(input, compiled);
  return compiled;
}

export type CompiledPattern =
  | {
      readonly ok: true;
      readonly matches: (text: string) => boolean;
      /** Instructions. */
      readonly size: number;
    }
  | { readonly ok: false; readonly message: string };

/** A pattern in RE2 syntax that is matched against whole texts, in linear time. */
export function compilePattern(pattern: string): CompiledPattern {
  try {
    const compiled = RE2JS.compile(pattern);
    const size = compiled.programSize();
    if (size <= MAX_PATTERN_INSTRUCTIONS) {
      return { ok: true, size, matches: (text) => compiled.matches(text) };
    }
    const most = `at most ${MAX_PATTERN_INSTRUCTIONS} are allowed`;
    return { ok: false, message: `the pattern takes ${size} instructions, ${most}` };
  } catch (error) {
    const reason = String(error).replace(/^\w+: /, "");
    return { ok: false, message: `expected a pattern in RE2 syntax: ${reason}` };
  }
}
