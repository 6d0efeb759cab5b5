// What the schema refused, in words for the author: what, where, expected, got, and a hint.
// Unknown keys are met with the key that was probably meant, also in the words of other engines.
import {
  branchSchema,
  definitionSchema,
  endSchema,
  fanOutSchema,
  inputSchema,
  nodeSchema,
  retrySchema,
} from "./definition.ts";
import { memberAt, type Finding, type SchemaIssue } from "./draft.ts";
import type { Json } from "./json.ts";
import { didYouMean } from "./nearest.ts";
import { cutName, plural } from "./text.ts";
import { childPointer } from "./yaml-source.ts";

type Path = readonly PropertyKey[];

/** Settled in the design, built later: said so instead of "unknown". */
const LATER_KEYS: ReadonlySet<string> = new Set(["queue"]);
const LATER_TYPES: ReadonlySet<string> = new Set(["wait", "signal", "workflow"]);

/** Words of other engines, and of this one's older dialects, with the keys that serve here. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["id", "workflow_id"],
  ["steps", "nodes"],
  ["tasks", "nodes"],
  ["states", "nodes"],
  ["jobs", "nodes"],
  ["input", "inputs"],
  ["parameters", "inputs"],
  ["input_params", "inputs"],
  ["variables", "vars"],
  ["env", "vars"],
  ["credentials", "secrets"],
  ["active", "is_active"],
  ["enabled", "is_active"],
  ["timeout", "timeout_seconds"],
  ["timeout_minutes", "timeout_seconds"],
  ["retries", "retry.max_attempts"],
  ["retry_policy", "retry"],
  ["attempts", "max_attempts"],
  ["delay_seconds", "initial_delay_seconds"],
  ["on_failure", "on_error"],
  ["catch", "on_error"],
  ["needs", "depends_on.all_of"],
  ["dependencies", "depends_on.all_of"],
  ["uses", "handler"],
  ["action", "handler"],
  ["function", "handler"],
  ["with", "params"],
  ["args", "params"],
  ["arguments", "params"],
  ["on_true", "branches"],
  ["on_false", "branches"],
  ["choices", "branches"],
  ["cases", "branches"],
  ["field", "condition_field"],
  ["expression", "condition_field"],
  ["condition", "condition_field"],
  ["if", "condition"],
  ["when", "condition"],
  ["items", "source"],
  ["for_each", "source"],
  ["concurrency", "max_parallel"],
  ["mode", "aggregation"],
]);

export function pointerOf(path: Path): string {
  return path.reduce<string>((pointer, key) => childPointer(pointer, String(key)), "");
}

/** All findings of one refusal of the schema; `value` is the document that it refused. */
export function schemaFindings(issue: SchemaIssue, value: Json): readonly Finding[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(path, key, value));
  }
  if (issue.code === "invalid_key") {
    return issue.issues.map(({ message }) => {
      return { pointer: pointerOf(path), at: "key", message: `${subjectOf(path)}: ${message}` };
    });
  }
  if (issue.code === "invalid_union" && issue.discriminator !== undefined) {
    return [typeFinding(path, value)];
  }
  if (memberAt(value, path) === undefined) return [missingKey(path)];
  return [{ ...mismatch(path, value, expectation(issue)), ...hintFor(issue, value) }];
}

/** `node "a"`, `input "b"`, `workflow`: what the author thinks of, with the field inside it. */
function subjectOf(path: Path): string {
  const [part, name, ...rest] = path;
  const kind = KINDS.get(String(part));
  if (kind === undefined || name === undefined) return labelled("workflow", path);
  return labelled(`${kind} "${cutName(String(name))}"`, rest);
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ["nodes", "node"],
  ["inputs", "input"],
  ["vars", "var"],
]);

function labelled(subject: string, field: Path): string {
  if (field.length === 0) return subject;
  const steps = field.map((key) => {
    return typeof key === "number" ? `[${key}]` : `.${cutName(String(key))}`;
  });
  return `${subject}: ${steps.join("").replace(/^\./, "")}`;
}

function mismatch(path: Path, value: Json, expected: string): Finding {
  const got = described(memberAt(value, path));
  const message = `${subjectOf(path)}: ${expected}, got ${got}`;
  return { pointer: pointerOf(path), at: "value", message };
}

function missingKey(path: Path): Finding {
  const message = `${subjectOf(path.slice(0, -1))}: missing "${String(path.at(-1))}"`;
  return { pointer: pointerOf(path), at: "key", message };
}

function unknownKey(path: Path, key: string, value: Json): Finding {
  const at = { pointer: pointerOf([...path, key]), at: "key" } as const;
  const subject = subjectOf(path);
  if (LATER_KEYS.has(key)) return { ...at, message: `${subject}: "${key}" is not supported yet` };
  const allowed = allowedKeys(path, value);
  const meant = FOREIGN.get(key);
  const hint =
    meant !== undefined && allowed.includes(meant.replace(/\..*/, ""))
      ? `did you mean "${meant}"?`
      : () => didYouMean(key, allowed).hint;
  const unknown = `unknown key "${cutName(key)}"`;
  return { ...at, message: `${subject}: ${unknown}, allowed are ${allowed.join(", ")}`, hint };
}

/** The keys of the object at `path`, as the schema has them. */
function allowedKeys(path: Path, value: Json): readonly string[] {
  if (path.length === 0) return Object.keys(definitionSchema.shape);
  if (path[0] === "inputs") return Object.keys(inputSchema.shape);
  const inside = INSIDE.get(String(path[2]));
  if (inside !== undefined) return inside;
  const type = memberAt(value, [...path, "type"]);
  const nodes = nodeSchema.options.filter(({ shape }) => shape.type.value === type);
  return nodes.flatMap(({ shape }) => Object.keys(shape));
}

/** The objects inside a node. */
const INSIDE: ReadonlyMap<string, readonly string[]> = new Map([
  ["retry", Object.keys(retrySchema.shape)],
  ["depends_on", Object.keys(endSchema.shape.depends_on.unwrap().shape)],
  ["branches", Object.keys(branchSchema.shape)],
  ["task", Object.keys(fanOutSchema.shape.task.shape)],
]);

function typeFinding(path: Path, value: Json): Finding {
  const node = path.slice(0, -1);
  const types = nodeSchema.options.map(({ shape }): string => shape.type.value);
  const expected = `expected one of ${types.join(", ")}`;
  const type = memberAt(value, path);
  if (type === undefined) {
    const missing = missingKey(path);
    return { ...missing, message: `${missing.message}, ${expected}` };
  }
  const at = { pointer: pointerOf(path), at: "value" } as const;
  if (typeof type !== "string") return mismatch(path, value, expected);
  const message = `${subjectOf(node)}: node type "${cutName(type)}"`;
  if (LATER_TYPES.has(type)) return { ...at, message: `${message} is not supported yet` };
  const meant = FOREIGN_TYPES.get(type);
  const hint =
    meant === undefined ? () => didYouMean(type, types).hint : `did you mean "${meant}"?`;
  return { ...at, message: `${message} is unknown, ${expected}`, hint };
}

const FOREIGN_TYPES: ReadonlyMap<string, string> = new Map([
  ["step", "task"],
  ["activity", "task"],
  ["action", "task"],
  ["choice", "conditional"],
  ["condition", "conditional"],
  ["switch", "conditional"],
  ["if", "conditional"],
  ["map", "fan_out"],
  ["parallel", "fan_out"],
  ["foreach", "fan_out"],
  ["for_each", "fan_out"],
  ["join", "fan_in"],
  ["reduce", "fan_in"],
]);

const TYPES: ReadonlyMap<string, string> = new Map([
  ["string", "a text"],
  ["number", "a number"],
  ["int", "an integer"],
  ["boolean", "true or false"],
  ["array", "a list"],
  ["object", "a map"],
  ["record", "a map"],
]);

function expectation(issue: SchemaIssue): string {
  // The only union besides node types.
  if (issue.code === "invalid_union") return "expected a node id or a list of node ids";
  if (issue.code === "invalid_type") {
    return `expected ${TYPES.get(issue.expected) ?? issue.expected}`;
  }
  if (issue.code === "invalid_value") return `expected one of ${issue.values.join(", ")}`;
  if (issue.code === "too_small") return `expected at least ${amount(issue.minimum, issue.origin)}`;
  if (issue.code === "too_big") return `expected at most ${amount(issue.maximum, issue.origin)}`;
  return issue.message;
}

function amount(bound: number | bigint, origin: string): string {
  if (origin === "string") return plural(bound, "character");
  return origin === "array" ? plural(bound, "item") : String(bound);
}

function hintFor(issue: SchemaIssue, value: Json): Pick<Finding, "hint"> {
  const got = memberAt(value, issue.path);
  if (issue.code === "invalid_value" && typeof got === "string") {
    return { hint: () => didYouMean(got, issue.values.map(String)).hint };
  }
  const key = String(issue.path.at(-1));
  if (key === "depends_on") return { hint: "write depends_on: { all_of: [node_id] }" };
  return key === "retry" ? { hint: "write retry: { max_attempts: 3 }" } : {};
}

const MAX_SHOWN = 60;

function described(value: Json | undefined): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}
