// What a submission would be pinned to: the definition as the catalog has it now, its inputs with
// defaults, its vars with settings. Reads and checks; writes nothing.
import type { WorkflowDefinition } from "../core/definition.ts";
import { WorkflowError } from "../core/error.ts";
import { applyInputs } from "../core/inputs.ts";
import { jsonBytes, jsonProblem, kindOf } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { MAX_INPUT_BYTES } from "../core/limits.ts";
import type { CatalogEntry } from "./definition-catalog.ts";
import { missingSecrets, secretMissing } from "./secrets.ts";
import type { Submission, Submitter } from "./submission.ts";

/** What a job would be pinned to. */
export interface FoundPin {
  readonly entry: CatalogEntry;
  /** Defaults applied. */
  readonly inputs: JsonObject;
  /** Settings applied. */
  readonly vars: JsonObject;
}

/**
 * Errors: those of the catalog; INPUT_INVALID with its issues; CONFIGURATION_INVALID for a setting
 * of a var; SECRET_MISSING.
 */
export async function findPin(submitter: Submitter, submission: Submission): Promise<FoundPin> {
  const entry = await submitter.catalog.find(submission.workflow_id, submission.version);
  const inputs = checkedInputs(entry.definition, submission.input_params ?? {});
  const vars = pinnedVars(entry.definition, submitter.vars);
  const missing = missingSecrets(submitter.engine, entry.definition);
  if (missing.length > 0) throw secretMissing(missing);
  return { entry, inputs, vars };
}

/** Errors: INPUT_INVALID with all its issues. */
export function checkedInputs(definition: WorkflowDefinition, given: JsonObject): JsonObject {
  const checked = applyInputs(definition, given);
  if (!checked.ok) {
    const { workflow_id, version } = definition;
    const message = `input_params do not fit ${workflow_id} version ${version}`;
    throw new WorkflowError("INPUT_INVALID", message, { issues: checked.issues });
  }
  const bytes = jsonBytes(checked.inputs);
  if (bytes > MAX_INPUT_BYTES) {
    const message = `input_params: ${bytes} bytes, at most ${MAX_INPUT_BYTES}`;
    throw new WorkflowError("INPUT_INVALID", message, { issues: [{ message }] });
  }
  return checked.inputs;
}

/** The definition's vars; a setting of that name wins, as JSON of the same type unless a text. */
export function pinnedVars(
  definition: WorkflowDefinition,
  settings: Readonly<Record<string, string>>,
): JsonObject {
  const pinned: Record<string, Json> = {};
  for (const [name, value] of Object.entries(definition.vars)) {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined;
    pinned[name] = setting === undefined ? value : settingValue(name, value, setting);
  }
  return pinned;
}

/** Errors: CONFIGURATION_INVALID, without the value: others than operators read it. */
function settingValue(name: string, declared: Json, setting: string): Json {
  if (typeof declared === "string") return setting;
  const refused = (expected: string): WorkflowError =>
    new WorkflowError("CONFIGURATION_INVALID", `setting HOLDFAST_VAR_${name}: ${expected}`);
  // A null says nothing of the type that is meant.
  const expected = declared === null ? "a value" : kindOf(declared);
  const value = jsonOf(setting);
  if (value === undefined) throw refused(`expected ${expected}, as JSON`);
  const problem = jsonProblem(value);
  if (problem !== undefined) throw refused(problem.message);
  const json = value as Json;
  if (declared === null || kindOf(json) === expected) return json;
  throw refused(`expected ${expected}, got ${kindOf(json)}`);
}

/** Undefined where it is none: the parser's own words would repeat what stands there. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

