// The built-in module `@azure/functions-core`, which in Azure the Node worker supplies: what the
// real `@azure/functions` library registers its functions and hooks with. It is handed out by
// wrapping Node's module loader for that one name, and only while the app is being loaded.

import module from "node:module";
import type {
  FunctionCallback,
  FunctionMetadata,
  HookCallback,
  HookName,
  LogCategory,
  LogLevel,
  ProgrammingModel,
} from "./rpc.ts";

export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

/** What the app told the worker while it was loaded. */
export interface Registrations {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: Map<HookName, HookCallback[]>;
  model: ProgrammingModel | undefined;
  /** True once the app has started: from then on registering throws, as in the worker. */
  closed: boolean;
}

export type CoreLog = (level: LogLevel, category: LogCategory, message: string) => void;

const MODULE_NAME = "@azure/functions-core";
const HOOKS: readonly HookName[] = [
  "appStart",
  "appTerminate",
  "preInvocation",
  "postInvocation",
  "log",
];

export function noRegistrations(): Registrations {
  return {
    functions: new Map(),
    hooks: new Map(HOOKS.map((name) => [name, []])),
    model: undefined,
    closed: false,
  };
}

class Disposable {
  readonly #callbacks: (() => unknown)[];

  constructor(callback: () => unknown) {
    this.#callbacks = [callback];
  }

  static from(...disposables: readonly { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const disposable of disposables) {
        disposable.dispose();
      }
    });
  }

  dispose(): unknown {
    return this.#callbacks.pop()?.();
  }
}

/** The module's members: all that the library and the worker's documentation name. */
export function coreModule(registered: Registrations, log: CoreLog): object {
  return {
    version: "3.13.0-local",
    hostVersion: "4.1048.0-local",
    Disposable,
    log,
    setProgrammingModel(model: ProgrammingModel) {
      registered.model = model;
    },
    getProgrammingModel: () => registered.model,
    registerFunction(metadata: FunctionMetadata, callback: FunctionCallback) {
      if (registered.closed) {
        throw new Error("A function can only be registered during app startup.");
      }
      const key = metadata.name.toLowerCase();
      if (registered.functions.has(key)) {
        throw new Error(`Two functions are named "${metadata.name}".`);
      }
      registered.functions.set(key, { metadata, callback });
      return new Disposable(() => registered.functions.delete(key));
    },
    registerHook(name: HookName, callback: HookCallback) {
      const callbacks = registered.hooks.get(name);
      if (callbacks === undefined) {
        throw new RangeError(`Unrecognized hook "${name}".`);
      }
      callbacks.push(callback);
      return new Disposable(() => callbacks.splice(callbacks.indexOf(callback), 1));
    },
  };
}

type Load = (this: unknown, request: string, ...rest: readonly unknown[]) => unknown;

/**
 * Calls `load` while `require("@azure/functions-core")` gives `provided`. Not re-entrant, and
 * synchronous, so that two hosts in one process cannot get each other's module.
 */
export function withCoreModule<T>(provided: object, load: () => T): T {
  const loader = module as unknown as { _load: Load };
  const original = loader._load;
  loader._load = function loadWithCore(request, ...rest) {
    return request === MODULE_NAME ? provided : original.call(this, request, ...rest);
  };
  try {
    return load();
  } finally {
    loader._load = original;
  }
}
