// From what a person typed to the inputs of a submission. Only what cannot be sent at all is
// refused here, such as text that is no JSON; everything else the app judges, by its own rules.
import type { ProblemIssue, Submission } from "../api/wire.ts";
import { isRounded, jsonTextProblems } from "../api/json-text.ts";
import { plural } from "./summary.ts";
import type { InputType, Json, ShownInput } from "./definition.ts";

export type Parsed =
  /** Left out: the default applies, or the app says that it is required. */
  | { readonly kind: "absent" }
  | { readonly kind: "value"; readonly value: Json }
  | { readonly kind: "wrong"; readonly message: string };

const ABSENT: Parsed = { kind: "absent" };

/** An empty field is left out. */
export function parsedInput(input: ShownInput, text: string): Parsed {
  if (text.trim() === "" && !(input.type === "string" && text !== "")) return ABSENT;
  if (input.choices !== undefined) return chosen(input.choices, text);
  switch (input.type) {
    case "string":
      return { kind: "value", value: text };
    case "integer":
    case "number":
      return parsedNumber(input.name, input.type, text);
    case "boolean":
      return parsedBoolean(input.name, text);
    case "array":
    case "object":
      return parsedJson(input.name, input.type, text);
  }
}

/** A choice is named by its place, for two may look the same as text. */
function chosen(choices: readonly Json[], text: string): Parsed {
  const value = choices[Number(text)];
  return value === undefined ? ABSENT : { kind: "value", value };
}

const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function parsedNumber(name: string, type: "integer" | "number", text: string): Parsed {
  const value = Number(text);
  if (isRounded(text.trim())) return wrong(name, "a whole number of at most 15 digits", text);
  if (DECIMAL.test(text.trim()) && Number.isFinite(value)) return { kind: "value", value };
  const expected = type === "integer" ? "a whole number, such as 3" : "a number, such as 3 or 0.5";
  return wrong(name, expected, text);
}

function parsedBoolean(name: string, text: string): Parsed {
  if (text === "true" || text === "false") return { kind: "value", value: text === "true" };
  return wrong(name, "true or false", text);
}

function parsedJson(name: string, type: InputType, text: string): Parsed {
  try {
    const value = JSON.parse(text) as Json;
    const [problem] = jsonTextProblems(text, 1);
    if (problem === undefined) return { kind: "value", value };
    const place = problem.pointer === "" ? "" : `, ${problem.pointer}`;
    return { kind: "wrong", message: `input "${name}"${place}: ${problem.message}` };
  } catch (error) {
    const example = type === "array" ? '["a", 1]' : '{"a": 1}';
    const why = error instanceof Error ? ` (${error.message})` : "";
    const message = `input "${name}": expected JSON, such as ${example}, got something else${why}`;
    return { kind: "wrong", message };
  }
}

function wrong(name: string, expected: string, text: string): Parsed {
  const got = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  return { kind: "wrong", message: `input "${name}": expected ${expected}, got ${got}` };
}

/** What a field of a default shows: a text as it is, everything else as JSON. */
export function textOfValue(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What an author said about an input, in one line. */
export function rulesOf(input: ShownInput): string {
  const { type, required, min, max, pattern, fallback } = input;
  const bounds = [
    min === undefined ? undefined : `at least ${measured(min, type)}`,
    max === undefined ? undefined : `at most ${measured(max, type)}`,
  ];
  const parts = [
    type,
    required ? "required" : "optional",
    ...bounds,
    pattern === undefined ? undefined : `matches ${pattern}`,
    fallback === undefined ? undefined : `default ${JSON.stringify(fallback)}`,
  ];
  return parts.filter((part) => part !== undefined).join(" · ");
}

/** A bound of a text or a list is its length. */
function measured(bound: number, type: InputType): string {
  if (type === "string") return plural(bound, "character");
  return type === "array" ? plural(bound, "item") : String(bound);
}

/** Commas and line ends part them; empty ones fall away. */
export function tagsOf(text: string): readonly string[] {
  return text
    .split(/[,\n]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}

/** Fields of the form that are no inputs, as the API names them. */
export const LABEL_FIELDS = ["tags", "correlation_id", "submitted_by", "idempotency_key"] as const;

export interface Asked {
  readonly workflowId: string;
  readonly version: number | undefined;
  readonly inputs: readonly ShownInput[];
}

export interface Made {
  /** Undefined where some field cannot be sent at all. */
  readonly submission: Submission | undefined;
  readonly issues: readonly ProblemIssue[];
}

/** `fields` by name: inputs as `input.NAME`, the others as LABEL_FIELDS has them. */
export function submissionOf(
  { workflowId, version, inputs }: Asked,
  fields: ReadonlyMap<string, string>,
): Made {
  const issues: ProblemIssue[] = [];
  const params: [string, Json][] = [];
  for (const input of inputs) {
    const parsed = parsedInput(input, fields.get(`input.${input.name}`) ?? "");
    if (parsed.kind === "value") params.push([input.name, parsed.value]);
    else if (parsed.kind === "wrong") {
      issues.push({ message: parsed.message, pointer: `/input_params/${input.name}` });
    }
  }
  if (issues.length > 0) return { submission: undefined, issues };
  const text = (name: (typeof LABEL_FIELDS)[number]): string => (fields.get(name) ?? "").trim();
  const labels = (["correlation_id", "submitted_by", "idempotency_key"] as const).flatMap(
    (name): [string, string][] => (text(name) === "" ? [] : [[name, text(name)]]),
  );
  const tags = tagsOf(text("tags"));
  const submission: Submission = {
    workflow_id: workflowId,
    ...(version === undefined ? {} : { version }),
    input_params: Object.fromEntries(params),
    ...Object.fromEntries(labels),
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
  };
  return { submission, issues };
}

export interface PlacedIssues {
  /** By input name. */
  readonly inputs: ReadonlyMap<string, readonly string[]>;
  /** By the name of another field, such as `tags`. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** Those that belong to no field. */
  readonly others: readonly string[];
}

/** Each issue beside the field that its JSON pointer names. */
export function placedIssues(
  issues: readonly ProblemIssue[],
  known: { readonly inputs: readonly string[]; readonly fields: readonly string[] },
): PlacedIssues {
  const inputs = new Map<string, string[]>();
  const fields = new Map<string, string[]>();
  const others: string[] = [];
  for (const { message, pointer = "", hint } of issues) {
    const text = hint === undefined ? message : `${message}; ${hint}`;
    const [, first = "", second = ""] = pointer.split("/").map(unescaped);
    if (first === "input_params" && known.inputs.includes(second)) push(inputs, second, text);
    else if (known.fields.includes(first)) push(fields, first, text);
    else others.push(pointer === "" ? text : `${pointer}: ${text}`);
  }
  return { inputs, fields, others };
}

/** RFC 6901. */
function unescaped(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}

function push(map: Map<string, string[]>, key: string, text: string): void {
  map.set(key, [...(map.get(key) ?? []), text]);
}
