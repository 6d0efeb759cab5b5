// The emulators that `npm start` uses, on free loopback ports, with the settings that reach them
// read by the app's own reader. One database name per caller keeps tests apart.
import { startStores } from "../../src/local/emulators.ts";
import { readSettings } from "../../src/azure/settings.ts";
import type { Settings } from "../../src/azure/settings.ts";

export interface TestStores {
  readonly env: Readonly<Record<string, string>>;
  /** Settings of a developer's machine for these stores; `more` overrides single variables. */
  settings(more?: Readonly<Record<string, string>>): Settings;
  stop(): Promise<void>;
}

export async function startTestStores(): Promise<TestStores> {
  const stores = await startStores();
  const env = { ...stores.env, AZURE_FUNCTIONS_ENVIRONMENT: "Development" };
  return {
    env,
    settings: (more = {}) => {
      const result = readSettings({ ...env, ...more });
      if (result.ok) return result.settings;
      throw new Error(result.issues.map(({ message }) => message).join("\n"));
    },
    stop: () => stores.stop(),
  };
}
