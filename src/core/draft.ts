// A definition under examination: as much of it as could be read, so that one mistake does not
// hide the others, and the findings that the checks make about it.
import type * as z from "zod";
import { definitionSchema, type WorkflowDefinition } from "./definition.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import { safeParse } from "./safe-parse.ts";
import type { At } from "./yaml-source.ts";

/** One thing that is wrong, by JSON pointer; the reader of the YAML knows line and column. */
export interface Finding {
  readonly pointer: string;
  readonly at: At;
  readonly message: string;
  /** A function where it compares names: it is asked only for findings that are listed. */
  readonly hint?: string | (() => string | undefined);
}

export interface Draft {
  /** Lacks what the schema refused; placeholders stand for a missing id or version. */
  readonly definition: WorkflowDefinition;
  /** Every name as written, also of what could not be read. */
  readonly nodes: ReadonlySet<string>;
  readonly inputs: ReadonlySet<string>;
  readonly vars: ReadonlySet<string>;
  readonly secrets: readonly Json[];
  /** Every node was read as written, so that something missing is missing in the file. */
  readonly complete: boolean;
}

export type SchemaIssue = z.core.$ZodIssue;

export interface Reading {
  readonly draft: Draft;
  readonly issues: readonly SchemaIssue[];
}

const partSchema = definitionSchema.pick({ inputs: true, vars: true, nodes: true });

/** Reads `value` by the schema; what it refuses is left out of the draft, part by part. */
export function readDraft(value: JsonObject): Reading {
  const names = {
    nodes: keysOf(value["nodes"]),
    inputs: keysOf(value["inputs"]),
    vars: keysOf(value["vars"]),
    secrets: listOf(value["secrets"]),
  };
  const whole = safeParse(definitionSchema, value, { reportInput: true });
  if (whole.success) {
    return { draft: { definition: whole.data, ...names, complete: true }, issues: [] };
  }
  const issues = withoutEchoes(whole.error.issues.flatMap(leavesOf));
  const complete = issues.every((issue) => issue.path[0] !== "nodes");
  const definition = readParts(value);
  return { draft: { definition, ...names, complete }, issues };
}

/** The schema may measure what is of the wrong type as well: "too short" for a list as a text. */
function withoutEchoes(issues: readonly SchemaIssue[]): readonly SchemaIssue[] {
  const mistyped = new Set<string>();
  return issues.filter((issue) => {
    const place = JSON.stringify(issue.path.map(String));
    if (mistyped.has(place)) return false;
    if (issue.code === "invalid_type") mistyped.add(place);
    return true;
  });
}

/** A list of node ids is refused as a whole by the schema; what is wrong are some of its items. */
function leavesOf(issue: SchemaIssue): readonly SchemaIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  const inList = issue.errors.find((option) => option.every(({ path }) => path.length > 0));
  if (inList === undefined) return [issue];
  return inList.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function keysOf(value: Json | undefined): ReadonlySet<string> {
  return new Set(isJsonObject(value) ? Object.keys(value) : []);
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function readParts(value: JsonObject): WorkflowDefinition {
  let { inputs, vars, nodes } = JSON.parse(JSON.stringify(value)) as JsonObject;
  for (;;) {
    const parts: JsonObject = { inputs: inputs ?? {}, vars: vars ?? {}, nodes: nodes ?? {} };
    const read = safeParse(partSchema, parts);
    if (read.success) {
      const rest = { workflow_id: "unread", version: 1, is_active: true, timeout_seconds: 1 };
      return { ...rest, ...read.data };
    }
    for (const path of read.error.issues.flatMap(pathsOf)) remove(parts, path);
    ({ inputs, vars, nodes } = parts);
  }
}

/** What must go: the member at fault. Of a list all goes, or other items would change places. */
function pathsOf(issue: SchemaIssue): readonly (readonly PropertyKey[])[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => [...issue.path, key]);
  const index = issue.path.findIndex((key) => typeof key === "number");
  return [index < 0 ? issue.path : issue.path.slice(0, index)];
}

/**
 * Takes away the member at `path` or, where only that one is missing, its parent. The first issue
 * of a reading always loses something here, so reading ends.
 */
function remove(parts: JsonObject, path: readonly PropertyKey[]): void {
  const parent = path.slice(0, -1);
  const gone = memberAt(parts, path) !== undefined || parent.length < 2 ? path : parent;
  const holder = memberAt(parts, gone.slice(0, -1));
  if (isJsonObject(holder)) Reflect.deleteProperty(holder, String(gone.at(-1)));
}

/** The value at a path, undefined where there is none. */
export function memberAt(value: Json, path: readonly PropertyKey[]): Json | undefined {
  let found: Json | undefined = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Object.hasOwn(found, key) ? (Reflect.get(found, key) as Json) : undefined;
  }
  return found;
}
