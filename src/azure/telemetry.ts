// The structured log: one line of JSON per event, and the one table of every event name.
// A line never breaks, whatever a value holds: control characters are escaped and lengths bounded.
// Fields are ids, counts and codes; payloads and secrets never come here.
import type { Log, LogFields } from "../runtime/ports.ts";
import type { Telemetry } from "../runtime/telemetry.ts";

export type LogLevel = Parameters<Log["write"]>[0];

interface LogEvent {
  readonly level: LogLevel;
  readonly meaning: string;
}

/** `noun.verb`; a name that code writes and this table lacks fails the tidy test. */
export const LOG_EVENTS = {
  "host.ready": { level: "info", meaning: "The app registered its functions and read settings." },
  "host.failed": { level: "error", meaning: "The app cannot be composed; no call is answered." },
  "settings.invalid": { level: "error", meaning: "A setting is missing or wrong; see `message`." },
  "definition.refused": { level: "warn", meaning: "A workflow file or version was not accepted." },
  "job.accepted": { level: "info", meaning: "Entry 0 and the projection of a job exist." },
  "job.started": { level: "info", meaning: "The first attempt of a job was claimed." },
  "job.ended": { level: "info", meaning: "The terminal entry of a job was created." },
  "node.started": { level: "info", meaning: "An attempt at a node was claimed." },
  "node.ended": { level: "info", meaning: "The outcome of an attempt was recorded." },
  "lease.renewed": { level: "info", meaning: "A long attempt told the store that it lives." },
  "projection.failed": { level: "warn", meaning: "The job document could not be refreshed." },
  "projection.cut": { level: "warn", meaning: "A state is too large to be stored; it is folded." },
  "message.deferred": { level: "info", meaning: "A message waits on the world; sent again." },
  "message.dropped": { level: "info", meaning: "A message asked for nothing that is still due." },
  "message.failed": { level: "warn", meaning: "Handling a message failed; it comes again." },
  "message.invalid": { level: "error", meaning: "A queue message is not one of ours." },
  "message.poisoned": { level: "error", meaning: "The host gave a message up." },
  "send.failed": { level: "warn", meaning: "A message was not sent; the sweeper will send it." },
  "sweep.done": { level: "info", meaning: "The sweeper looked at every job that was due." },
  "gauge.failed": { level: "warn", meaning: "A gauge of telemetry could not be looked up." },
  "telemetry.failed": { level: "warn", meaning: "Traces, metrics or log lines were not sent." },
  "stats.failed": { level: "warn", meaning: "The numbers over all jobs could not be folded." },
  "sweep.failed": { level: "warn", meaning: "The sweeper could not move one job; it goes on." },
  "check.failed": { level: "warn", meaning: "Readiness found a store or the queue not ready." },
  "count.failed": { level: "warn", meaning: "Open jobs could not be counted; none was refused." },
  "request.failed": { level: "error", meaning: "An HTTP request ended in an error of ours." },
  "rebuild.done": { level: "warn", meaning: "Containers and queues were rebuilt on request." },
} as const satisfies Readonly<Record<string, LogEvent>>;

export type LogEventName = keyof typeof LOG_EVENTS;

/** Writes one line; in Functions `context.log` and its levels, else the process's own streams. */
export type LogSink = (level: LogLevel, line: string) => void;

const MAX_NAME_CHARS = 64;
const MAX_VALUE_CHARS = 1_000;
const MAX_FIELDS = 40;

export function jsonLog(sink: LogSink): Log {
  return {
    write(level, name, fields) {
      sink(level, logLine(level, name, fields));
    },
  };
}

/**
 * The log beside traces and metrics. There a line has its span, and the platform need not be asked
 * for it; what is wrong is also written as before, for telemetry may be what is wrong.
 */
export function telemetryLog(telemetry: Telemetry, lines: Log): Log {
  return {
    write(level, name, fields) {
      telemetry.log(level, name, fieldsOf(fields));
      if (level !== "info") lines.write(level, name, fields);
    },
  };
}

export const processSink: LogSink = (level, line) => {
  (level === "info" ? process.stdout : process.stderr).write(`${line}\n`);
};

export function logLine(level: LogLevel, name: string, fields: LogFields): string {
  const head = { event: short(name, MAX_NAME_CHARS), level };
  return escaped(JSON.stringify({ ...head, ...fieldsOf(fields) }));
}

/** The fields of a line, within their bounds. */
function fieldsOf(fields: LogFields): LogFields {
  const entries = Object.entries(fields)
    .filter(([key, value]) => value !== undefined && key !== "event" && key !== "level")
    .slice(0, MAX_FIELDS)
    .map(([key, value]) => [short(key, MAX_NAME_CHARS), plain(value)] as const);
  return Object.fromEntries(entries);
}

function plain(value: LogFields[string]): string | number | boolean | undefined {
  if (typeof value === "string") return short(value, MAX_VALUE_CHARS);
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function short(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** JSON escapes C0 itself; DEL, C1, line separators and direction marks fool terminals as well. */
function escaped(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
