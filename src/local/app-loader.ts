// Loads the built bundle as the Functions worker does and says loudly what Azure would keep quiet
// about: an app that threw while loading, registered nothing, misses a function that was asked
// for, or uses a trigger or binding that this host does not have.

import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import path from "node:path";
import {
  coreModule,
  noRegistrations,
  withCoreModule,
  type RegisteredFunction,
  type Registrations,
} from "./functions-core.ts";
import type { HostLog } from "./host-log.ts";
import type { BindingInfo, LogCategory, LogLevel } from "./rpc.ts";
import { messageOf, StartupProblem } from "./startup-problem.ts";

export interface LoadOptions {
  readonly bundlePath: string;
  /** Names that must be registered. */
  readonly expected: readonly string[];
  readonly log: HostLog;
}

export interface AppFunction extends RegisteredFunction {
  readonly name: string;
  readonly trigger: BindingInfo;
  /** The trigger's binding name. */
  readonly input: string;
}

export interface App {
  /** Sorted by name, as the host sorts them. */
  readonly functions: readonly AppFunction[];
  readonly registered: Registrations;
  readonly appHookData: Record<string, unknown>;
}

const TRIGGERS = ["httptrigger", "queuetrigger", "timertrigger"];
const FUNCTION_NAME = /^[a-z][a-z0-9_-]{0,127}$/i;
// Function order decides which route wins; .NET and Intl collate by the same Unicode tables.
const byName = new Intl.Collator("en").compare;

export async function loadApp(options: LoadOptions): Promise<App> {
  const registered = noRegistrations();
  const log = (level: LogLevel, category: LogCategory, message: string): void => {
    options.log({ level, category: `Worker.${category}`, message });
  };
  runBundle(options.bundlePath, registered, log);
  const functions = [...registered.functions.values()]
    .map(appFunction)
    .toSorted((a, b) => byName(a.name, b.name));
  checkComplete(functions, options);
  await refuseStreaming(registered);
  const app: App = { functions, registered, appHookData: {} };
  const hookData = {};
  for (const hook of registered.hooks.get("appStart") ?? []) {
    const functionAppDirectory = path.dirname(options.bundlePath);
    await hook({ hookData, appHookData: app.appHookData, functionAppDirectory });
  }
  registered.closed = true;
  return app;
}

/** Runs the app's `appTerminate` hooks. */
export async function terminateApp(app: App): Promise<void> {
  const hookData = {};
  for (const hook of app.registered.hooks.get("appTerminate") ?? []) {
    await hook({ hookData, appHookData: app.appHookData });
  }
}

type WorkerLog = (level: LogLevel, category: LogCategory, message: string) => void;

function runBundle(bundlePath: string, registered: Registrations, log: WorkerLog): void {
  const file = path.resolve(bundlePath);
  if (!existsSync(file)) {
    throw new StartupProblem(`There is no app at ${file}. Build it first: npm run build.`);
  }
  const require = createRequire(file);
  forget(require.cache, path.dirname(file));
  try {
    withCoreModule(coreModule(registered, log), () => {
      require(file);
    });
  } catch (error) {
    const count = registered.functions.size;
    const inAzure =
      count === 0
        ? "Azure would show an app without functions and no error"
        : "Azure would refuse to start the app";
    throw new StartupProblem(
      `The app threw while it was loaded, with ${count} functions registered `
        + `(${inAzure}): ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** A second host in one process gets its own copy of the app and of an unbundled library. */
function forget(cache: NodeJS.Dict<NodeModule>, folder: string): void {
  const library = `${path.sep}@azure${path.sep}functions${path.sep}`;
  for (const loaded of Object.keys(cache)) {
    if (path.dirname(loaded) === folder || loaded.includes(library)) {
      Reflect.deleteProperty(cache, loaded);
    }
  }
}

function appFunction({ metadata, callback }: RegisteredFunction): AppFunction {
  const { name, bindings } = metadata;
  if (!FUNCTION_NAME.test(name) || name.toLowerCase() === "host") {
    throw new StartupProblem(
      `"${name}" is no function name: a letter, then letters, digits, _ or -, and not "host".`,
    );
  }
  const triggers = Object.entries(bindings).filter(([, binding]) => /trigger$/i.test(binding.type));
  const [first] = triggers;
  if (first === undefined || triggers.length > 1) {
    throw new StartupProblem(`Function "${name}" must have one trigger, has ${triggers.length}.`);
  }
  const [input, trigger] = first;
  for (const [key, binding] of Object.entries(bindings)) {
    const type = binding.type.toLowerCase();
    const known = key === input ? TRIGGERS.includes(type) : isHttpOut(binding);
    if (!known) {
      throw new StartupProblem(
        `Function "${name}": the local host has no ${binding.direction} binding "${binding.type}".`,
      );
    }
  }
  return { name, metadata, callback, trigger, input };
}

function isHttpOut(binding: BindingInfo): boolean {
  return binding.direction === "out" && binding.type.toLowerCase() === "http";
}

function checkComplete(functions: readonly AppFunction[], options: LoadOptions): void {
  if (functions.length === 0) {
    throw new StartupProblem(
      `${options.bundlePath} registered no function. Either it never calls app.http and the like, `
        + "or its copy of @azure/functions did not find the runtime.",
    );
  }
  const names = new Set(functions.map(({ name }) => name));
  const missing = options.expected.filter((name) => !names.has(name));
  if (missing.length > 0) {
    throw new StartupProblem(
      `The app did not register ${missing.join(", ")}; it has ${[...names].join(", ")}.`,
    );
  }
}

async function refuseStreaming(registered: Registrations): Promise<void> {
  const capabilities = await registered.model?.getCapabilities?.({});
  if (capabilities?.["HttpUri"] !== undefined) {
    throw new StartupProblem("The local host has no HTTP streaming: leave out enableHttpStream.");
  }
}
