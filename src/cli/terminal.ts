// What a command may do to the world around it: write lines, read files, ask, fetch. One small
// interface, so that every command runs in a test without a process. Text that came from a server
// or a file is made printable here: nothing in it can move the cursor or paint the screen.
import { printable } from "../runtime/printable.ts";

export interface Terminal {
  /** What was asked for; a line without its end. */
  out(line: string): void;
  /** Everything else: problems, hints, questions. */
  err(line: string): void;
  /** Whether a person sees `out` as it comes. */
  readonly isTty: boolean;
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  nowMs(): number;
  /** Ends early, and well, when the command is interrupted. */
  pause(ms: number): Promise<void>;
  /** Calls `act` each second until the function that it answers is called. */
  everySecond(act: () => void): () => void;
  /** Replaces what the last call of this showed; only where `isTty`. */
  redraw(lines: readonly string[]): void;
  readText(path: string): Promise<string>;
  /** Fails where the file exists. */
  writeNew(path: string, text: string): Promise<void>;
  /** Names in a folder; undefined where `path` is no folder. */
  list(path: string): Promise<readonly string[] | undefined>;
  /** Permission bits of a file; undefined where the system has none. */
  mode(path: string): Promise<number | undefined>;
  /** Whether a person can be asked; not so in a pipeline. */
  readonly canAsk: boolean;
  /** The answer to a question; empty where nobody can be asked. */
  ask(question: string): Promise<string>;
  readonly fetch: typeof fetch;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** How a command ends: README and docs/cli.md name the same. */
export const EXIT = {
  ok: 0,
  /** The answer is no: a job that failed, a file that is invalid, something that is not there. */
  no: 1,
  usage: 2,
  /** Not reached, or not allowed. */
  unreachable: 3,
  interrupted: 130,
} as const;

export type Exit = (typeof EXIT)[keyof typeof EXIT];

/** A problem that ends the command, in words for whoever typed it. */
export class CommandProblem extends Error {
  override readonly name = "CommandProblem";
  readonly exit: Exit;
  readonly hint: string | undefined;

  constructor(message: string, { exit = EXIT.no, hint }: { exit?: Exit; hint?: string } = {}) {
    super(message);
    this.exit = exit;
    this.hint = hint;
  }
}

const MAX_SHOWN_BYTES = 4_000;

/** Text of others on one line, without anything that a terminal would obey. */
export function safe(text: string): string {
  return printable(text, MAX_SHOWN_BYTES);
}

/** JSON as it is, but for controls and direction marks, which it would leave to the terminal. */
export function jsonText(value: unknown, indent?: number): string {
  return (JSON.stringify(value, undefined, indent) ?? "null").replace(
    /[\u007f-\u009f\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A value of others as JSON of at most so many characters. */
export function brief(value: unknown, most = 200): string {
  const text = safe(JSON.stringify(value) ?? "");
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

export function isColored({ isTty, env }: Pick<Terminal, "isTty" | "env">): boolean {
  const { NO_COLOR: none = "", FORCE_COLOR: forced = "", TERM: term = "" } = env;
  if (none !== "") return false;
  return forced !== "" ? forced !== "0" : isTty && term !== "dumb";
}
