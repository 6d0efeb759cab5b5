// Which fields and which words of the YAML format a file uses, told from the JSON Schema of the
// format itself, so that a field added later is asked for without anybody writing it down here.
import { z } from "zod";
import { definitionSchema } from "../../../src/core/definition.ts";
import { isJsonObject } from "../../../src/core/json.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";

const SCHEMA = z.toJSONSchema(definitionSchema, { io: "input" }) as JsonObject;
const UNION = ["anyOf", "oneOf"] as const;

/** Every field as `<owner>.<field>`, and every word of a fixed list as `<owner>.<field>=<word>`. */
export function formatFeatures(): ReadonlySet<string> {
  const found = new Set<string>();
  collect(SCHEMA, "workflow", found);
  return found;
}

function collect(schema: Json | undefined, owner: string, found: Set<string>): void {
  if (!isJsonObject(schema)) return;
  for (const option of optionsOf(schema)) collect(option, ownerOf(option, owner), found);
  collect(schema["items"], owner, found);
  collect(schema["additionalProperties"], owner, found);
  for (const [field, value] of membersOf(schema)) {
    found.add(`${owner}.${field}`);
    for (const word of wordsOf(value)) found.add(`${owner}.${field}=${word}`);
    collect(value, field, found);
  }
}

/** The features of the format that this document uses. */
export function featuresOf(document: Json): ReadonlySet<string> {
  const found = new Set<string>();
  use(SCHEMA, { value: document, owner: "workflow" }, found);
  return found;
}

interface Place {
  readonly value: Json | undefined;
  readonly owner: string;
}

function use(schema: Json | undefined, { value, owner }: Place, found: Set<string>): void {
  if (!isJsonObject(schema)) return;
  for (const option of optionsOf(schema)) {
    if (fits(option, value)) use(option, { value, owner: ownerOf(option, owner) }, found);
  }
  if (Array.isArray(value)) {
    for (const one of value) use(schema["items"], { value: one as Json, owner }, found);
  }
  if (!isJsonObject(value)) return;
  const members = new Map(membersOf(schema));
  for (const [field, inner] of Object.entries(value)) {
    const member = members.get(field);
    if (member === undefined) {
      use(schema["additionalProperties"], { value: inner, owner }, found);
      continue;
    }
    found.add(`${owner}.${field}`);
    const word = wordsOf(member).find((one) => one === inner);
    if (word !== undefined) found.add(`${owner}.${field}=${word}`);
    use(member, { value: inner, owner: field }, found);
  }
}

function optionsOf(schema: JsonObject): readonly JsonObject[] {
  return UNION.flatMap((key) => schema[key] ?? []).filter((one) => isJsonObject(one));
}

function membersOf(schema: JsonObject): readonly (readonly [string, Json])[] {
  const { properties } = schema;
  return isJsonObject(properties) ? (Object.entries(properties) as [string, Json][]) : [];
}

/** Node types own their fields: `task.handler`, not `nodes.handler`. */
function ownerOf(option: JsonObject, owner: string): string {
  return typeWord(option) ?? owner;
}

function typeWord(option: JsonObject): string | undefined {
  const type = new Map(membersOf(option)).get("type");
  return isJsonObject(type) && typeof type["const"] === "string" ? type["const"] : undefined;
}

function fits(option: JsonObject, value: Json | undefined): boolean {
  const word = typeWord(option);
  if (word !== undefined) return isJsonObject(value) && value["type"] === word;
  return true;
}

function wordsOf(schema: Json): readonly string[] {
  const words = isJsonObject(schema) ? schema["enum"] : undefined;
  return Array.isArray(words) ? words.filter((word) => typeof word === "string") : [];
}
