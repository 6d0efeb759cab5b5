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

/** Controls but tab and newline, line separators, and what turns the writing direction around. */
const UNSAFE = /(?![\t\n])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * An entry as a person reads it. Further lines of a message are indented, and what a terminal would
 * obey is written out: no message can pass for another entry.
 */
export function printed({ level, category, message }: LogEntry): string {
  const text = message.replaceAll(UNSAFE, written).replaceAll("\n", "\n    ");
  return `[${level}] ${category}: ${text}`;
}

function written(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
}

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
