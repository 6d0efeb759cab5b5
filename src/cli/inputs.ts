// Inputs as they are typed: `-i name=value`, `-i name:=json`, and a file. A value that reads as a
// number, true, false, null, a list or a map is one, unless the workflow says that the input is a
// text; what the workflow says is asked of the app, and where it cannot be, the value decides.
import { parse } from "yaml";
import type { Client } from "../client/client.ts";
import { isJsonObject, jsonProblem } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Call } from "./command.ts";
import { textOf, textsOf } from "./command.ts";
import { CommandProblem, EXIT, safe } from "./terminal.ts";

/** How such a value is given; each command says what it is for. */
export const PAIRS = {
  type: "string",
  short: "i",
  multiple: true,
  value: "NAME=VALUE",
  text: "NAME:=JSON for a value that must be read as JSON",
} as const;

export interface Wanted {
  readonly client: Client;
  readonly workflowId: string;
  readonly version: number | undefined;
}

/** Errors: CommandProblem with EXIT.usage. */
export async function inputsOf(call: Call, wanted: Wanted): Promise<JsonObject> {
  const pairs = textsOf(call.values, "input");
  const file = textOf(call.values, "input-file");
  const fromFile = file === undefined ? {} : await fileInputs(call, file);
  const texts = pairs.some((pair) => needsType(pair)) ? await textInputs(call, wanted) : new Set();
  const typed = pairs.map((pair) => pairOf(pair, (name) => texts.has(name)));
  return { ...fromFile, ...Object.fromEntries(typed) };
}

/** Params of a handler: nobody can be asked what they are. */
export function plainInputs(pairs: readonly string[]): JsonObject {
  return Object.fromEntries(pairs.map((pair) => pairOf(pair, () => false)));
}

const PAIR = /^([A-Za-z][A-Za-z0-9_]*)(:?=)([^]*)$/;

function pairOf(pair: string, isText: (name: string) => boolean): readonly [string, Json] {
  const [, name = "", sign = "", text = ""] = PAIR.exec(pair) ?? [];
  if (name === "") {
    const message = `-i "${safe(pair)}": expected NAME=VALUE or NAME:=JSON`;
    throw new CommandProblem(message, { exit: EXIT.usage, hint: "-i message=hello" });
  }
  if (sign === "=") return [name, isText(name) ? text : guessed(text)];
  const value = jsonOf(text);
  if (value === undefined) {
    throw new CommandProblem(`-i ${name}:= expected JSON, got "${safe(text)}"`, {
      exit: EXIT.usage,
      hint: `a text is ${name}=TEXT, without the colon`,
    });
  }
  return [name, value];
}

function needsType(pair: string): boolean {
  const [, , sign, text = ""] = PAIR.exec(pair) ?? [];
  return sign === "=" && typeof guessed(text) !== "string";
}

/** JSON of what can only be meant as such; else the text. */
function guessed(text: string): Json {
  const value = /^(?:-?\d|true$|false$|null$|\[|\{)/.test(text) ? jsonOf(text) : undefined;
  return value === undefined ? text : value;
}

function jsonOf(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return jsonProblem(value) === undefined ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

/** The inputs that the workflow takes as texts; none where it cannot be asked. */
async function textInputs({ terminal }: Call, wanted: Wanted): Promise<ReadonlySet<string>> {
  const { client, workflowId, version } = wanted;
  const found = await client.workflow(workflowId, terminal).catch(() => undefined);
  const active = (found?.versions ?? []).filter(({ definition }) => definition !== undefined);
  const newest = active.toSorted((a, b) => (b.version ?? 0) - (a.version ?? 0))[0];
  const chosen = version === undefined ? newest : active.find((one) => one.version === version);
  const inputs = chosen?.definition?.["inputs"];
  if (!isJsonObject(inputs)) return new Set();
  const texts = Object.entries(inputs).filter(
    ([, input]) => isJsonObject(input) && input["type"] === "string",
  );
  return new Set(texts.map(([name]) => name));
}

export async function fileInputs({ terminal }: Call, path: string): Promise<JsonObject> {
  const text = await terminal.readText(path).catch(() => {
    throw new CommandProblem(`${safe(path)}: cannot be read`, { exit: EXIT.usage });
  });
  const value = yamlOf(text);
  if (isJsonObject(value) && jsonProblem(value) === undefined) return value;
  const message = `${safe(path)}: expected a map of inputs, as JSON or YAML`;
  throw new CommandProblem(message, { exit: EXIT.usage });
}

/** JSON is YAML. Undefined for what is neither. */
function yamlOf(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return undefined;
  }
}
