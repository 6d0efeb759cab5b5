// Whether the declared inputs make sense: bounds and patterns where their type allows them, enum
// values and a default that the declaration itself accepts.
import type { InputDefinition } from "./definition.ts";
import type { Draft, Finding } from "./draft.ts";
import type { Json } from "./json.ts";
import { compilePattern, typeProblem, valueProblem } from "./inputs.ts";
import { pointerOf } from "./schema-issues.ts";

const BOUNDED: ReadonlySet<string> = new Set(["string", "integer", "number", "array"]);
const COUNTED: ReadonlySet<string> = new Set(["string", "array"]);

export function checkInputs(draft: Draft): readonly Finding[] {
  return Object.entries(draft.definition.inputs).flatMap(([name, input]) => {
    return problemsOf(input).map(({ path, message, hint }) => ({
      pointer: pointerOf(["inputs", name, ...path]),
      at: "value" as const,
      message: `input "${name}": ${message}`,
      ...(hint === undefined ? {} : { hint }),
    }));
  });
}

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
}

function problemsOf(input: InputDefinition): readonly Problem[] {
  const problems = [...boundProblems(input), ...patternProblems(input), ...enumProblems(input)];
  if (input.required && input.default !== undefined) {
    const message = "an input with a default is never required";
    problems.push({ path: ["required"], message, hint: "leave out one of the two" });
  }
  // A default is judged by a declaration that is right itself.
  if (problems.some(({ path }) => path[0] !== "required")) return problems;
  return [...problems, ...defaultProblems(input)];
}

function boundProblems(input: InputDefinition): readonly Problem[] {
  const { type, min, max } = input;
  const given = (["min", "max"] as const).filter((bound) => input[bound] !== undefined);
  if (!BOUNDED.has(type)) {
    const kinds = [...BOUNDED].join(", ");
    return given.map((bound) => ({ path: [bound], message: `${bound} is only for ${kinds}` }));
  }
  const uncountable = given.filter((bound) => COUNTED.has(type) && !isCount(input[bound]));
  if (uncountable.length > 0) {
    return uncountable.map((bound) => ({
      path: [bound],
      message: `${bound} is a length here, expected a whole number from 0`,
    }));
  }
  if (min === undefined || max === undefined || min <= max) return [];
  return [{ path: ["min"], message: `min ${min} is above max ${max}` }];
}

function isCount(bound: number | undefined): boolean {
  return Number.isSafeInteger(bound) && Number(bound) >= 0;
}

function patternProblems({ type, pattern }: InputDefinition): readonly Problem[] {
  if (pattern === undefined) return [];
  if (type !== "string") return [{ path: ["pattern"], message: "pattern is only for string" }];
  const compiled = compilePattern(pattern);
  return compiled.ok ? [] : [{ path: ["pattern"], message: compiled.message }];
}

function enumProblems(input: InputDefinition): readonly Problem[] {
  const values: readonly Json[] = input.enum ?? [];
  return values.flatMap((value, index) => {
    const message = typeProblem(input.type, value);
    return message === undefined ? [] : [{ path: ["enum", index], message }];
  });
}

function defaultProblems(input: InputDefinition): readonly Problem[] {
  if (input.default === undefined) return [];
  const message = valueProblem(input, input.default);
  return message === undefined ? [] : [{ path: ["default"], message: `default: ${message}` }];
}
