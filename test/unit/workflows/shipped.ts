// The workflows that the project ships, read the way a server reads them, with the cases that
// stand beside each file as `<name>.expected.json`.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { WorkflowFiles } from "../../../src/catalog/workflow-files.ts";
import type { GoodFile } from "../../../src/catalog/workflow-files.ts";
import type { KnownHandlers } from "../../../src/core/check-params.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { HandlerRegistry } from "../../../src/runtime/handlers.ts";
import { builtinHandlers } from "../../../src/tasks/builtin.ts";

export const WORKFLOWS = fileURLToPath(new URL("../../../workflows", import.meta.url));
const EXPECTED = ".expected.json";
const NO_CLOCK = { now: () => "2026-01-01T00:00:00.000Z", after: () => () => {} };

const json: z.ZodType<JsonObject> = z.record(z.string(), z.json());
const named = { case: z.string().min(1), input_params: json };
const caseSchema = z.discriminatedUnion("status", [
  z.strictObject({ ...named, status: z.literal("completed"), result_data: json }),
  z.strictObject({
    ...named,
    status: z.literal("failed"),
    error: z.strictObject({ code: z.string(), message: z.string(), node_id: z.string() }),
    result_data: json,
  }),
  // The pointers of all bad inputs; no job is created.
  z.strictObject({ ...named, status: z.literal("refused"), issues: z.array(z.string()).min(1) }),
]);

/** `{{base_url}}` in it stands for the server that has the files of `workflows/data`. */
export type WorkflowCase = z.output<typeof caseSchema>;

export function knownHandlers(): KnownHandlers {
  return new HandlerRegistry(builtinHandlers({ http: { allow: [] }, clock: NO_CLOCK })).known;
}

/** Every shipped file; a broken one throws with its issues. */
export async function shippedWorkflows(): Promise<readonly GoodFile[]> {
  const files = new WorkflowFiles({ folder: WORKFLOWS, handlers: knownHandlers() });
  return (await files.read()).map((file) => {
    if (file.kind === "good") return file;
    throw new Error(JSON.stringify(file.issues, null, 1));
  });
}

export function casesOf(file: string): readonly WorkflowCase[] {
  const path = join(WORKFLOWS, file.replace(/\.yaml$/, EXPECTED));
  return z.array(caseSchema).min(1).parse(JSON.parse(readFileSync(path, "utf8")));
}

/** Names of the files in the folder itself that end so. */
export function filesEnding(end: string): readonly string[] {
  return readdirSync(WORKFLOWS).filter((name) => name.endsWith(end)).sort();
}
