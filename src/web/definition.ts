// A definition as the page shows it, read from the JSON of a snapshot or of a file. What a later
// format adds is left out instead of refused: a page must show old and new jobs alike.
import type { Snapshot } from "../api/wire.ts";

export type JsonObject = Snapshot["workflow_snapshot"];
export type Json = JsonObject[string];

export interface ShownBranch {
  readonly name: string;
  readonly condition: string | undefined;
  readonly next: readonly string[];
}

export interface ShownNode {
  readonly id: string;
  readonly type: string;
  readonly description: string | undefined;
  readonly handler: string | undefined;
  readonly next: readonly string[];
  readonly branches: readonly ShownBranch[];
  /** `all_of` and `any_of` together. */
  readonly dependsOn: readonly string[];
  /** The node that takes over; undefined where none does. */
  readonly onError: string | undefined;
}

export const INPUT_TYPES = ["string", "integer", "number", "boolean", "array", "object"] as const;
export type InputType = (typeof INPUT_TYPES)[number];

export interface ShownInput {
  readonly name: string;
  readonly type: InputType;
  readonly required: boolean;
  readonly fallback: Json | undefined;
  readonly choices: readonly Json[] | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly pattern: string | undefined;
  readonly description: string | undefined;
}

export interface ShownDefinition {
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly nodes: readonly ShownNode[];
  readonly inputs: readonly ShownInput[];
  readonly secrets: readonly string[];
}

export function readDefinition(definition: JsonObject): ShownDefinition {
  return {
    name: textOf(definition["name"]),
    description: textOf(definition["description"]),
    nodes: membersOf(definition["nodes"]).map(([id, node]) => readNode(id, node)),
    inputs: membersOf(definition["inputs"]).map(([name, input]) => readInput(name, input)),
    secrets: textsOf(definition["secrets"]),
  };
}

function readNode(id: string, node: JsonObject): ShownNode {
  const waits = objectOf(node["depends_on"]);
  const onError = textOf(node["on_error"]);
  return {
    id,
    type: textOf(node["type"]) ?? "unknown",
    description: textOf(node["description"]),
    handler: textOf(node["handler"]) ?? textOf(objectOf(node["task"])["handler"]),
    next: textsOf(node["next"]),
    branches: listOf(node["branches"]).map(objectOf).map(readBranch),
    dependsOn: [...textsOf(waits["all_of"]), ...textsOf(waits["any_of"])],
    onError: onError === "continue" ? undefined : onError,
  };
}

function readBranch(branch: JsonObject): ShownBranch {
  return {
    name: textOf(branch["name"]) ?? "",
    condition: textOf(branch["condition"]),
    next: textsOf(branch["next"]),
  };
}

function readInput(name: string, input: JsonObject): ShownInput {
  const type = textOf(input["type"]);
  const choices = input["enum"];
  return {
    name,
    type: INPUT_TYPES.find((known) => known === type) ?? "string",
    required: input["required"] === true,
    fallback: input["default"],
    choices: choices === undefined ? undefined : listOf(choices),
    min: numberOf(input["min"]),
    max: numberOf(input["max"]),
    pattern: textOf(input["pattern"]),
    description: textOf(input["description"]),
  };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function membersOf(value: Json | undefined): readonly (readonly [string, JsonObject])[] {
  return Object.entries(objectOf(value)).map(([name, one]) => [name, objectOf(one)]);
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function textsOf(value: Json | undefined): readonly string[] {
  return listOf(value).filter((one) => typeof one === "string");
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}
