// Reads host.json as the Functions host does: defaults, `AzureFunctionsJobHost__a__b` overrides,
// the Development environment's polling interval. Every wrong value is reported at once. What this
// host does not honour is reported too, because Azure would.

import { readFileSync } from "node:fs";
import { LOG_LEVELS } from "./host-log.ts";
import type { LogLevel } from "./rpc.ts";
import { messageOf, StartupProblem } from "./startup-problem.ts";
import { parseTimeSpan } from "./time-span.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface QueueSettings {
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxDequeueCount: number;
  /** How long a failed message stays hidden. */
  readonly visibilityTimeoutMs: number;
  readonly maxPollingIntervalMs: number;
  readonly messageEncoding: "base64" | "none";
  /** The host's own ten minutes; only a test shortens it. */
  readonly leaseSeconds: number;
}

export interface HostSettings {
  readonly routePrefix: string;
  /** Undefined: no bound. */
  readonly functionTimeoutMs: number | undefined;
  readonly queues: QueueSettings;
  readonly logLevels: ReadonlyMap<string, LogLevel>;
  readonly extensionBundle: { readonly id: string; readonly version: string } | undefined;
  /** Settings that are in the file and do nothing here. */
  readonly warnings: readonly string[];
}

type Json = Record<string, unknown>;

const OVERRIDE = /^AzureFunctionsJobHost(?:__|:)(.+)$/i;
const QUEUE_KEYS = [
  "batchsize",
  "newbatchthreshold",
  "maxdequeuecount",
  "visibilitytimeout",
  "maxpollinginterval",
  "messageencoding",
];

// QueueListener holds a message for ten minutes, fixed; azure.md section 2.
const LEASE_SECONDS = 600;
// Storage queues in the Development environment; local-host.md section 4.
const DEVELOPMENT_POLLING = "00:00:02";

export function readHostJson(path: string, env: Environment): HostSettings {
  return hostSettings(parseFile(path), env);
}

function parseFile(path: string): Json {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new StartupProblem(`There is no host.json at ${path}.`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) {
      return value;
    }
  } catch (error) {
    throw new StartupProblem(`${path} is not JSON: ${messageOf(error)}.`);
  }
  throw new StartupProblem(`${path} must hold a JSON object.`);
}

/** The settings of a parsed host.json under `env`; the StartupProblem lists every error. */
export function hostSettings(file: Json, env: Environment): HostSettings {
  const reader = new Reader(withOverrides(file, env));
  const version = reader.text("version", "");
  if (version !== "2.0") {
    reader.problems.push(`version must be "2.0", got ${JSON.stringify(version)}`);
  }
  const settings: HostSettings = {
    routePrefix: reader.text("extensions.http.routePrefix", "api").replace(/^\/+|\/+$/g, ""),
    functionTimeoutMs: functionTimeout(reader),
    queues: queueSettings(reader, env),
    logLevels: logLevels(reader),
    extensionBundle: reader.has("extensionBundle")
      ? {
          id: reader.text("extensionBundle.id", ""),
          version: reader.text("extensionBundle.version", ""),
        }
      : undefined,
    warnings: notHonoured(reader),
  };
  if (reader.problems.length > 0) {
    throw new StartupProblem(`host.json: ${reader.problems.join("; ")}.`);
  }
  return settings;
}

function functionTimeout(reader: Reader): number | undefined {
  const text = reader.text("functionTimeout", "00:30:00");
  return text === "-1" ? undefined : reader.span("functionTimeout", "00:30:00", 1);
}

function queueSettings(reader: Reader, env: Environment): QueueSettings {
  const at = "extensions.queues";
  const batchSize = reader.integer(`${at}.batchSize`, 16, [1, 32]);
  const encoding = reader.text(`${at}.messageEncoding`, "base64").toLowerCase();
  if (encoding !== "base64" && encoding !== "none") {
    reader.problems.push(`${at}.messageEncoding must be base64 or none, got "${encoding}"`);
  }
  const fileInterval = reader.span(`${at}.maxPollingInterval`, "00:01:00", 100);
  const development = env["AZURE_FUNCTIONS_ENVIRONMENT"]?.toLowerCase() === "development";
  const forced = parseTimeSpan(DEVELOPMENT_POLLING) ?? fileInterval;
  return {
    batchSize,
    // The default is also multiplied by the processors, except on Consumption; we take that one.
    newBatchThreshold: reader.integer(
      `${at}.newBatchThreshold`,
      Math.trunc(batchSize / 2),
      [0, 10_000],
    ),
    maxDequeueCount: reader.integer(`${at}.maxDequeueCount`, 5, [1, 10_000]),
    visibilityTimeoutMs: localNumber(env, "HOLDFAST_LOCAL_RELEASE_SECONDS", 1000)
      ?? reader.span(`${at}.visibilityTimeout`, "00:00:00", 0),
    maxPollingIntervalMs: localNumber(env, "HOLDFAST_LOCAL_POLL_MS", 1)
      ?? (development ? forced : fileInterval),
    messageEncoding: encoding === "none" ? "none" : "base64",
    leaseSeconds: localNumber(env, "HOLDFAST_LOCAL_LEASE_SECONDS", 1) ?? LEASE_SECONDS,
  };
}

/** A test's own number from the environment, times `factor`. */
function localNumber(env: Environment, name: string, factor: number): number | undefined {
  const text = env[name];
  if (text === undefined || text === "") {
    return undefined;
  }
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) {
    throw new StartupProblem(`${name} must be a number from 0.`);
  }
  return value * factor;
}

function logLevels(reader: Reader): ReadonlyMap<string, LogLevel> {
  const levels = new Map<string, LogLevel>();
  for (const [category, value] of Object.entries(reader.object("logging.logLevel"))) {
    const level = LOG_LEVELS.find((known) => known === String(value).toLowerCase());
    if (level === undefined) {
      const got = JSON.stringify(value);
      reader.problems.push(`logging.logLevel.${category} is no log level: ${got}`);
    } else {
      levels.set(category.toLowerCase(), level);
    }
  }
  return levels;
}

function notHonoured(reader: Reader): readonly string[] {
  const http = Object.keys(reader.object("extensions.http"))
    .filter((key) => key.toLowerCase() !== "routeprefix")
    .map((key) => `host.json: extensions.http.${key} does nothing locally.`);
  const queues = Object.keys(reader.object("extensions.queues"))
    .filter((key) => !QUEUE_KEYS.includes(key.toLowerCase()))
    .map((key) => `host.json: extensions.queues.${key} is not a setting of the queue trigger.`);
  return [...http, ...queues];
}

function withOverrides(file: Json, env: Environment): Json {
  const merged: Json = structuredClone(file);
  for (const [name, value] of Object.entries(env)) {
    const path = OVERRIDE.exec(name)?.[1];
    if (path !== undefined && value !== undefined) {
      setAt(merged, path.split(/__|:/), value);
    }
  }
  return merged;
}

function setAt(target: Json, path: readonly string[], value: string): void {
  const [head, ...rest] = path;
  if (head === undefined) {
    return;
  }
  const key = keyIn(target, head) ?? head;
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const child = target[key];
  const next: Json = isObject(child) ? child : {};
  target[key] = next;
  setAt(next, rest, value);
}

/** .NET configuration keys know no case. */
function keyIn(target: Json, name: string): string | undefined {
  return Object.keys(target).find((key) => key.toLowerCase() === name.toLowerCase());
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

class Reader {
  readonly problems: string[] = [];
  readonly #root: Json;

  constructor(root: Json) {
    this.#root = root;
  }

  has(path: string): boolean {
    return this.#at(path) !== undefined;
  }

  object(path: string): Json {
    const value = this.#at(path);
    return isObject(value) ? value : {};
  }

  text(path: string, fallback: string): string {
    const value = this.#at(path);
    if (value === undefined || value === null) {
      return fallback;
    }
    if (typeof value === "string" || typeof value === "number") {
      return String(value);
    }
    this.problems.push(`${path} must be text, got ${JSON.stringify(value)}`);
    return fallback;
  }

  integer(path: string, fallback: number, bounds: readonly [number, number]): number {
    const text = this.text(path, String(fallback));
    const value = Number(text);
    if (!Number.isInteger(value) || value < bounds[0] || value > bounds[1]) {
      const [least, most] = bounds;
      this.problems.push(`${path} must be a whole number ${least} to ${most}, got "${text}"`);
      return fallback;
    }
    return value;
  }

  /** A duration of at least `leastMs`. */
  span(path: string, fallback: string, leastMs: number): number {
    const text = this.text(path, fallback);
    const value = parseTimeSpan(text);
    if (value === undefined || value < leastMs) {
      const least = leastMs === 0 ? "" : ` of at least ${leastMs} ms`;
      this.problems.push(`${path} must be a duration like 00:00:30${least}, got "${text}"`);
      return 0;
    }
    return value;
  }

  #at(path: string): unknown {
    let value: unknown = this.#root;
    for (const name of path.split(".")) {
      if (!isObject(value)) {
        return undefined;
      }
      const key = keyIn(value, name);
      value = key === undefined ? undefined : value[key];
    }
    return value;
  }
}
