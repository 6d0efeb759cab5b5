// One line of the host's log, and the filter of host.json's `logging.logLevel`: the longest
// category prefix decides, else `default`.

import type { LogLevel } from "./rpc.ts";

export interface LogEntry {
  readonly level: LogLevel;
  /** As in Azure: `Host.…`, `Function.<name>`, and `Function.<name>.User` from the app. */
  readonly category: string;
  readonly message: string;
  readonly invocation_id?: string;
}

export type HostLog = (entry: LogEntry) => void;

export const LOG_LEVELS: readonly LogLevel[] = [
  "trace",
  "debug",
  "information",
  "warning",
  "error",
  "critical",
  "none",
];

/** Lets through what `levels` asks for. Categories compare without case, as the host does. */
export function filterLog(levels: ReadonlyMap<string, LogLevel>, log: HostLog): HostLog {
  return (entry) => {
    const least = LOG_LEVELS.indexOf(levelOf(levels, entry.category.toLowerCase()));
    if (entry.level !== "none" && LOG_LEVELS.indexOf(entry.level) >= least) {
      log(entry);
    }
  };
}

function levelOf(levels: ReadonlyMap<string, LogLevel>, category: string): LogLevel {
  let best = "";
  for (const prefix of levels.keys()) {
    const covers = category === prefix || category.startsWith(`${prefix}.`);
    if (covers && prefix.length > best.length) {
      best = prefix;
    }
  }
  return levels.get(best) ?? levels.get("default") ?? "information";
}
