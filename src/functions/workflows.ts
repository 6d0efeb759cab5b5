// The routes about definitions and handlers: what the catalog holds today, and whether a text
// would be accepted.
import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import { WORKFLOW_ID } from "../core/definition.ts";
import { WorkflowError } from "../core/error.ts";
import type { Issue } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";
import { MAX_SOURCE_BYTES } from "../core/limits.ts";
import type { CatalogRow } from "../runtime/definition-catalog.ts";
import { describeHandlers } from "../runtime/describe-handlers.ts";
import { missingSecrets } from "../runtime/secrets.ts";
import type { App } from "./app.ts";
import { json } from "./problem.ts";
import { readText, shown } from "./request.ts";

export async function listWorkflows(app: App): Promise<HttpResponseInit> {
  const rows = await app.catalog.list();
  return json(200, { workflows: rows.map(rowOf), count: rows.length });
}

function rowOf({ issues, ...row }: CatalogRow): JsonObject {
  return { ...row, ...(issues.length === 0 ? {} : { issues: issues.map(issueOf) }) };
}

function issueOf(issue: Issue): JsonObject {
  return { ...issue };
}

export async function getWorkflow(app: App, request: HttpRequest): Promise<HttpResponseInit> {
  const id = request.params["workflow_id"] ?? "";
  const rows = WORKFLOW_ID.test(id) ? await app.catalog.versions(id) : [];
  if (rows.length === 0) {
    throw new WorkflowError("WORKFLOW_NOT_FOUND", `workflow ${shown(id)}: not found`);
  }
  const versions = await Promise.all(rows.map((row) => versionOf(app, id, row)));
  return json(200, { workflow_id: id, versions });
}

async function versionOf(app: App, id: string, row: CatalogRow): Promise<JsonObject> {
  const isRunnable = row.status === "ok" && row.is_active === true && row.version !== undefined;
  if (!isRunnable) return rowOf(row);
  const entry = await app.catalog.find(id, row.version);
  const missing = missingSecrets(app.engine, entry.definition);
  return {
    ...rowOf(row),
    ...(missing.length === 0 ? {} : { missing_secrets: missing }),
    definition: entry.definition as unknown as JsonObject,
    source: entry.source,
  };
}

/** Takes YAML as the body; 200 with `valid` either way, for the question itself was fine. */
export async function validateWorkflow(
  app: App,
  request: HttpRequest,
): Promise<HttpResponseInit> {
  const source = await readText(request, MAX_SOURCE_BYTES);
  const handlers = app.engine.handlers.known;
  const checked = await app.checkDefinition({ source, handlers });
  if (!checked.valid) return json(200, { valid: false, issues: checked.issues.map(issueOf) });
  const { workflow_id, version, workflow_digest } = checked;
  return json(200, { valid: true, issues: [], workflow_id, version, workflow_digest });
}

export async function listHandlers(app: App): Promise<HttpResponseInit> {
  const handlers = describeHandlers(app.engine.handlers) as unknown as readonly JsonObject[];
  return json(200, { handlers, count: handlers.length });
}
