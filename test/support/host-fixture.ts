// Starts the local host on the fixture app, bundled as the real app is.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { bundle } from "../../build/bundle.mjs";
import { readFileSync } from "node:fs";
import { startHost, type HostOptions, type RunningHost } from "../../src/local/host.ts";
import type { LogEntry } from "../../src/local/host-log.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

export interface HostFixture {
  readonly directory: string;
  readonly bundlePath: string;
  readonly logs: LogEntry[];
  start(options?: Partial<HostOptions>): Promise<RunningHost>;
}

/** Bundles `source` (relative to test/fixtures) once; `start` may be called often. */
export async function hostFixture(source: string): Promise<HostFixture> {
  const directory = mkdtempSync(path.join(tmpdir(), "holdfast-host-"));
  const bundlePath = path.join(directory, "main.cjs");
  await bundle({
    source: path.join(ROOT, "test/fixtures", source),
    target: bundlePath,
    kind: "app",
  });
  const logs: LogEntry[] = [];
  return {
    directory,
    bundlePath,
    logs,
    start: (options = {}) =>
      startHost({
        bundlePath,
        hostJsonPath: path.join(ROOT, "host.json"),
        port: 0,
        env: {},
        log: (entry) => logs.push(entry),
        ...options,
      }),
  };
}

/** The project's host.json with other queue settings, in a file of its own. */
export function hostJsonWith(directory: string, queues: Readonly<Record<string, unknown>>): string {
  const settings = JSON.parse(readFileSync(path.join(ROOT, "host.json"), "utf8"));
  Object.assign(settings.extensions.queues, queues);
  settings.logging.logLevel.default = "Debug";
  const file = path.join(directory, `host-${Math.random().toString(36).slice(2)}.json`);
  writeFileSync(file, JSON.stringify(settings));
  return file;
}
