// What `npm start` gives the app: stores from outside where the environment names all of them, and
// what a local run relaxes. Each can be set otherwise, and each that is relaxed is printed.
import path from "node:path";
import type { StoreSettings } from "./emulators.ts";
import type { Environment } from "./host-json.ts";
import { StartupProblem } from "./startup-problem.ts";

/** All three settings, or none of them. */
export function givenStores(env: Environment): StoreSettings | undefined {
  const { COSMOS_ENDPOINT, COSMOS_KEY, AzureWebJobsStorage } = env;
  const given = [COSMOS_ENDPOINT, COSMOS_KEY, AzureWebJobsStorage].filter(Boolean).length;
  if (given === 0) {
    return undefined;
  }
  if (!COSMOS_ENDPOINT || !COSMOS_KEY || !AzureWebJobsStorage) {
    throw new StartupProblem(
      "Set COSMOS_ENDPOINT, COSMOS_KEY and AzureWebJobsStorage together, or none of them: "
        + "half a set of stores would mix your data with memory.",
    );
  }
  return { COSMOS_ENDPOINT, COSMOS_KEY, AzureWebJobsStorage };
}

/** What a local run relaxes. */
export const RELAXED: Readonly<Record<string, string>> = {
  HOLDFAST_ALLOW_REDEFINE: "true",
  HOLDFAST_ALLOW_REBUILD: "true",
  HOLDFAST_HTTP_ALLOW: "127.0.0.1,localhost",
};

/** Stores whose content outlasts the host are rebuilt only where somebody says that they may be. */
export function appDefaults(env: Environment, isKept: boolean): Environment {
  const defaults: Readonly<Record<string, string>> = {
    AZURE_FUNCTIONS_ENVIRONMENT: "Development",
    HOLDFAST_DATABASE: "holdfast",
    HOLDFAST_WORKFLOWS_DIR: path.join(process.cwd(), "workflows"),
    ...RELAXED,
    ...(isKept ? { HOLDFAST_ALLOW_REBUILD: "false" } : {}),
  };
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, env[name] ?? value]),
  );
}
