// The log of one attempt: what a handler writes while it runs, kept with the outcome.
// Only the last lines are kept, in a bounded number of bytes; writing never throws.
import { utf8Bytes } from "../core/json.ts";
import { MAX_LOG_BYTES, MAX_LOG_LINES } from "../core/limits.ts";
import { plainCopy } from "./plain-copy.ts";
import { printable } from "./printable.ts";

/** One long line must not push out all the others. */
const MAX_LINE_BYTES = MAX_LOG_BYTES / 4;
/** What is written out of fields at all; a response or a table is a mistake, not a line. */
const MAX_FIELDS_BYTES = 16 * 1024;

export class AttemptLog {
  readonly #mask: (text: string) => string;
  #lines: readonly string[] = [];

  /** `mask` takes out what must not be kept; it sees each line whole, before it is cut. */
  constructor(mask: (text: string) => string = (text) => text) {
    this.#mask = mask;
  }

  /** Untyped on purpose: a handler may be plain JavaScript. */
  write(message: unknown, fields?: unknown): void {
    const text = this.#mask(`${textOf(message)}${fieldsOf(fields)}`);
    const line = printable(text, MAX_LINE_BYTES);
    this.#lines = [...this.#lines, line].slice(-MAX_LOG_LINES);
  }

  /** The newest lines that fit, oldest first; what is written afterwards does not change it. */
  lines(): readonly string[] {
    let bytes = 0;
    const first = this.#lines.findLastIndex((line) => {
      bytes += utf8Bytes(line);
      return bytes > MAX_LOG_BYTES;
    });
    return this.#lines.slice(first + 1);
  }
}

function textOf(message: unknown): string {
  if (typeof message === "string") return message;
  // A number without bound takes time without bound to write.
  if (typeof message === "bigint") return "(a bigint)";
  try {
    return String(message);
  } catch {
    return "(a message that cannot be read)";
  }
}

function fieldsOf(fields: unknown): string {
  if (fields === undefined) return "";
  try {
    const copy = plainCopy(fields, MAX_FIELDS_BYTES);
    switch (copy.kind) {
      case "copied":
        return ` ${JSON.stringify(copy.value)}`;
      case "too_large":
        return " (fields that are too large)";
      case "not_json":
    }
  } catch {
    // A getter or a proxy threw.
  }
  return " (fields that are not JSON)";
}
