// Health, and the rebuild of the stores. Health answers even where settings are missing; a rebuild
// asks three times before it destroys: the setting, the word, and a container it may create.
import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import { rebuildQuery } from "../api/requests.ts";
import { WorkflowError } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";
import { statsView } from "../runtime/fold-stats.ts";
import type { App, AppResult } from "./app.ts";
import { assertAdmin } from "./caller.ts";
import type { HttpCaller } from "./caller.ts";
import { json, retryAfter } from "./problem.ts";
import { readQuery } from "./request.ts";

/** The process answers: nothing else is looked at. */
export function live(): HttpResponseInit {
  return json(200, { status: "live" });
}

/** Settings, store and queue; 503 with what is wrong. */
export async function ready(result: AppResult): Promise<HttpResponseInit> {
  if (!result.ok) {
    const checks = result.issues.map(({ message }) => ({ name: "settings", error: message }));
    return json(503, { status: "not ready", checks }, retryAfter());
  }
  const { app } = result;
  const failed = await app.prepared().then(
    () => undefined,
    () => "the stores could not be prepared",
  );
  const checks = await app.readiness.check();
  const isReady = failed === undefined && checks.every(({ ok }) => ok);
  const body = {
    status: isReady ? "ready" : "not ready",
    build: app.engine.build,
    checks: checks.map((check): JsonObject => ({ ...check })),
    ...(failed === undefined ? {} : { error: failed }),
  };
  return isReady ? json(200, body) : json(503, body, retryAfter());
}

/** The numbers over all jobs: with sign-in for administrators, for they tell of others' jobs. */
export async function getStats(
  app: App,
  _request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  assertAdmin(caller, app.auth);
  return json(200, await statsView(app.stats.store));
}

const CONFIRMATION = "DESTROY";

/**
 * Clears the queues and recreates the containers. Off unless HOLDFAST_ALLOW_REBUILD; refused
 * without the word; and where the identity may not create containers nothing is touched.
 */
export async function rebuild(
  app: App,
  request: HttpRequest,
  caller: HttpCaller,
): Promise<HttpResponseInit> {
  assertAdmin(caller, app.auth);
  if (!app.allowRebuild) {
    const message = "rebuild is switched off; HOLDFAST_ALLOW_REBUILD=true allows it";
    throw new WorkflowError("REBUILD_DISABLED", message);
  }
  const { confirm } = readQuery(request, rebuildQuery);
  if (confirm !== CONFIRMATION) {
    const message = `this deletes every job; say ?confirm=${CONFIRMATION} to mean it`;
    throw new WorkflowError("CONFIRMATION_MISSING", message);
  }
  if (!(await app.admin.mayRebuild())) {
    const message =
      "this identity may not create containers, so nothing was changed; " +
      "deploy the infrastructure template (infra/) to recreate them";
    throw new WorkflowError("REBUILD_FORBIDDEN", message);
  }
  const statements = await app.admin.rebuild();
  const failed = statements.filter(({ ok }) => !ok).length;
  app.submitter.versions.forget();
  app.engine.log.write("warn", "rebuild.done", { statements: statements.length, failed });
  const shown = statements.map((statement): JsonObject => ({ ...statement }));
  return json(failed === 0 ? 200 : 500, { rebuilt: failed === 0, statements: shown });
}
