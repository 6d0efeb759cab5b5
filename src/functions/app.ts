// What every function needs, put together by composition.ts at the first call. Registration comes
// first and never fails: an entry point that throws is a silently empty app. Settings that are
// wrong are answered per request, all at once, and by /health/ready.
import type { KnownHandlers } from "../core/check-params.ts";
import type { Issue } from "../core/error.ts";
import { WorkflowError } from "../core/error.ts";
import type {
  CatalogRow,
  CheckedDefinition,
  DefinitionCatalog,
} from "../runtime/definition-catalog.ts";
import type { Engine } from "../runtime/engine.ts";
import type { StatsOptions } from "../runtime/fold-stats.ts";
import type { StoreAdmin } from "../runtime/ports.ts";
import type { GaugeOptions } from "../runtime/read-gauges.ts";
import type { RateLimit } from "../runtime/rate-limit.ts";
import type { PoisonQueue } from "../runtime/process-poison.ts";
import type { Sessions } from "../runtime/sessions.ts";
import type { JobWait } from "../runtime/wait-for-job.ts";
import type { Submitter } from "../runtime/submission.ts";
import type { AuthMode } from "./caller.ts";
import type { Readiness } from "./readiness.ts";

export interface LiveCatalog extends DefinitionCatalog {
  list(): Promise<readonly CatalogRow[]>;
  versions(workflowId: string): Promise<readonly CatalogRow[]>;
}

/** Checks a stranger's text without holding up this process. Errors: RATE_LIMITED. */
export type DefinitionCheck = (
  text: { readonly source: string; readonly handlers: KnownHandlers },
) => Promise<CheckedDefinition>;

export interface App {
  readonly engine: Engine;
  readonly sessions: Sessions;
  readonly submitter: Submitter;
  /** The numbers over all jobs; the timer folds them forward. */
  readonly stats: StatsOptions;
  /** What the timer looks up where there is telemetry. */
  readonly gauges?: GaugeOptions;
  /** Requests that are held until their job moves. */
  readonly waits: JobWait;
  readonly catalog: LiveCatalog;
  readonly checkDefinition: DefinitionCheck;
  readonly admin: StoreAdmin;
  readonly readiness: Readiness;
  readonly auth: AuthMode;
  /** How often one caller may send (every POST), and read. */
  readonly rates: { readonly submit: RateLimit; readonly read: RateLimit };
  readonly allowRebuild: boolean;
  /** Where a poisoned message waits while no store keeps it. */
  readonly poisonQueue?: PoisonQueue;
  /** Base of absolute links; absent where links stay relative. */
  readonly publicUrl?: string;
  /** Resolves once stores exist; on a developer's machine it creates what is missing. */
  readonly prepared: () => Promise<void>;
}

export type AppResult =
  | { readonly ok: true; readonly app: App }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** The app, or CONFIGURATION_INVALID with everything that is wrong with the settings. */
export async function readyApp(result: AppResult): Promise<App> {
  const app = configured(result);
  await app.prepared();
  return app;
}

/**
 * The same for a message, which stores that could not be prepared do not fail: whoever handles it
 * meets them again, and puts it back.
 */
export async function appForMessage(result: AppResult): Promise<App> {
  const app = configured(result);
  await app.prepared().catch(() => undefined);
  return app;
}

function configured(result: AppResult): App {
  if (result.ok) return result.app;
  throw new WorkflowError("CONFIGURATION_INVALID", "the app's settings are incomplete or wrong", {
    issues: result.issues,
  });
}
