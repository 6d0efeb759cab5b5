// Inputs as they are typed: `-i name=value`, `-i name:=json`, and a file. A value that reads as a
// number, true, false, null, a list or a map is one, unless the workflow says that the input is a
// text; what the workflow says is asked of the app, and where it cannot be, the value decides.
// Nothing is rounded or dropped on the way: what would be is refused, with its place.
import type { Client } from "../client/client.ts";
import { isJsonObject, jsonProblem } from "../core/json.ts";
import type { Json, JsonObject, JsonProblem } from "../core/json.ts";
import { isRounded, jsonTextProblems } from "../api/json-text.ts";
import { readYaml } from "../core/yaml-source.ts";
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
  return { ...fromFile, ...mapOf(typed) };
}

/** Params of a handler: nobody can be asked what they are. */
export function plainInputs(pairs: readonly string[]): JsonObject {
  return mapOf(pairs.map((pair) => pairOf(pair, () => false)));
}

function mapOf(pairs: readonly (readonly [string, Json])[]): JsonObject {
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return Object.fromEntries(pairs);
  const message = `-i ${twice}: given twice; which of the two is meant?`;
  throw new CommandProblem(message, { exit: EXIT.usage });
}

const PAIR = /^([A-Za-z][A-Za-z0-9_]*)(:?=)([^]*)$/;

function pairOf(pair: string, isText: (name: string) => boolean): readonly [string, Json] {
  const [, name = "", sign = "", text = ""] = PAIR.exec(pair) ?? [];
  if (name === "") {
    const message = `-i "${safe(pair)}": expected NAME=VALUE or NAME:=JSON`;
    throw new CommandProblem(message, { exit: EXIT.usage, hint: "-i message=hello" });
  }
  if (sign === "=") return [name, isText(name) ? text : guessed(text)];
  const found = readJson(text);
  if (found.kind === "value") return [name, found.value];
  if (found.kind === "refused") throw refused(`-i ${name}:=`, found.problem);
  throw new CommandProblem(`-i ${name}:= expected JSON, got "${safe(text)}"`, {
    exit: EXIT.usage,
    hint: `a text is ${name}=TEXT, without the colon`,
  });
}

function refused(what: string, { pointer, message }: JsonProblem): CommandProblem {
  const place = pointer === "" ? "" : `${pointer}: `;
  return new CommandProblem(safe(`${what} ${place}${message}`), { exit: EXIT.usage });
}

function needsType(pair: string): boolean {
  const [, , sign, text = ""] = PAIR.exec(pair) ?? [];
  return sign === "=" && typeof guessed(text) !== "string";
}

/** JSON of what can only be meant as such; else the text, such as of a number with many digits. */
function guessed(text: string): Json {
  if (isRounded(text) || !/^(?:-?\d|true$|false$|null$|\[|\{)/.test(text)) return text;
  const found = readJson(text);
  if (found.kind === "refused") throw refused(`-i "${text}":`, found.problem);
  return found.kind === "value" ? found.value : text;
}

type Read =
  | { readonly kind: "value"; readonly value: Json }
  /** JSON, and something in it would not arrive as it was typed. */
  | { readonly kind: "refused"; readonly problem: JsonProblem }
  | { readonly kind: "no_json" };

function readJson(text: string): Read {
  try {
    const value = JSON.parse(text) as Json;
    const problem = jsonTextProblems(text, 1)[0] ?? jsonProblem(value);
    return problem === undefined ? { kind: "value", value } : { kind: "refused", problem };
  } catch {
    return { kind: "no_json" };
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
  const read = readJson(text);
  if (read.kind === "refused") throw refused(`${path}:`, read.problem);
  const value = read.kind === "value" ? read.value : yamlOf(path, text);
  if (isJsonObject(value)) return value;
  const message = `${safe(path)}: expected a map of inputs, as JSON or YAML`;
  throw new CommandProblem(message, { exit: EXIT.usage });
}

/** Errors: CommandProblem with the place of the first of its problems. */
function yamlOf(path: string, text: string): Json | undefined {
  const { value, issues } = readYaml(text);
  const [first] = issues;
  if (first === undefined) return value;
  const { line = 1, column = 1, message, hint } = first;
  const problem = safe(`${path}:${line}:${column}: ${message}`);
  const more = hint === undefined ? {} : { hint };
  throw new CommandProblem(problem, { exit: EXIT.usage, ...more });
}
