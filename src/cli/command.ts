// What a command is: its words, its options, its help, and what it does. Help, completion and the
// table of docs/cli.md are made from this, so none of them can say what the others do not.
import { parseArgs } from "node:util";
import { didYouMean } from "../core/nearest.ts";
import type { Client } from "../client/client.ts";
import type { Connection } from "./connection.ts";
import { CommandProblem, EXIT, jsonText, safe } from "./terminal.ts";
import type { Exit, Terminal } from "./terminal.ts";
import type { Paint } from "./text-layout.ts";

export interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: true;
  /** What stands for the value in help. */
  readonly value?: string;
  readonly text: string;
}

export interface Command {
  /** One word, or two as `handler test`. */
  readonly name: string;
  readonly summary: string;
  /** What stands behind the name: `JOB`, `FILE…`, `[NAME]`. */
  readonly operands: string;
  /** Least and most of them. */
  readonly takes: readonly [number, number];
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly string[];
  readonly run: (call: Call) => Promise<Exit>;
}

export type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** One call of a command, with what it may need. */
export interface Call {
  readonly terminal: Terminal;
  readonly paint: Paint;
  readonly operands: readonly string[];
  readonly values: Values;
  /** Says what was asked for as one document of JSON. */
  readonly isJson: boolean;
  /** Where the app is and which key it gets; read at the first use. */
  readonly connection: () => Promise<Connection>;
  readonly client: () => Promise<Client>;
}

/** What every command takes. */
export const COMMON: Readonly<Record<string, Option>> = {
  endpoint: { type: "string", value: "URL", text: "where the app is" },
  profile: { type: "string", value: "NAME", text: "a profile of the profile file" },
  json: { type: "boolean", text: "JSON on standard output" },
  "no-color": { type: "boolean", text: "no colours" },
  help: { type: "boolean", short: "h", text: "this help" },
};

export interface Understood {
  readonly command: Command;
  readonly operands: readonly string[];
  readonly values: Values;
}

/** The command comes first, then its operands and options. Errors: CommandProblem, EXIT.usage. */
export function understood(args: readonly string[], commands: readonly Command[]): Understood {
  const size = commands.some(({ name }) => name === args.slice(0, 2).join(" ")) ? 2 : 1;
  const word = args.slice(0, size).join(" ");
  const command = commands.find(({ name }) => name === word);
  if (command === undefined) throw unknownCommand(word, commands);
  const { operands, values } = parsed(command, args.slice(size));
  const [least, most] = command.takes;
  if (values["help"] !== true && (operands.length < least || operands.length > most)) {
    const expected = command.operands === "" ? "no operand" : command.operands;
    throw new CommandProblem(`${command.name}: expected ${expected}, got ${operands.length}`, {
      exit: EXIT.usage,
      hint: `holdfast ${command.name} --help`,
    });
  }
  return { command, operands, values };
}

function parsed(
  { name, options }: Command,
  args: readonly string[],
): { readonly operands: readonly string[]; readonly values: Values } {
  const all = { ...options, ...COMMON };
  const config = Object.fromEntries(
    Object.entries(all).map(([key, { type, short, multiple }]) => [
      key,
      { type, ...(short === undefined ? {} : { short }), ...(multiple ? { multiple } : {}) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: config,
      allowPositionals: true,
    });
    return { operands: positionals, values: values as Values };
  } catch (error) {
    const told = error instanceof Error ? error.message.split(". To specify")[0] : "";
    const wrong = /'(--?[^' ]+)/.exec(told ?? "")?.[1] ?? "";
    const near = didYouMean(wrong.replace(/^-+/, ""), Object.keys(all)).hint;
    const hint = near?.replace(/"([^"]+)"/, '"--$1"') ?? `holdfast ${name} --help`;
    throw new CommandProblem(`${name}: ${safe(told ?? "")}`, { exit: EXIT.usage, hint });
  }
}

function unknownCommand(word: string, commands: readonly Command[]): CommandProblem {
  const near = didYouMean(word, commands.map(({ name }) => name)).hint;
  return new CommandProblem(`unknown command "${safe(word)}"`, {
    exit: EXIT.usage,
    hint: near ?? "holdfast --help",
  });
}

export function textOf(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

export function textsOf(values: Values, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** Errors: CommandProblem for what is no whole number within the bounds. */
export function numberOf(
  values: Values,
  name: string,
  [least, most]: readonly [number, number],
): number | undefined {
  const text = textOf(values, name);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  const expected = `expected a whole number, ${least} to ${most}`;
  throw new CommandProblem(`--${name}: ${expected}, got "${safe(text)}"`, { exit: EXIT.usage });
}

/** Prints `value` as one document. */
export function printJson({ terminal }: Pick<Call, "terminal">, value: unknown): void {
  terminal.out(jsonText(value, terminal.isTty ? 2 : undefined));
}
