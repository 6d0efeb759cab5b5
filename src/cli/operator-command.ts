// What the commands of an operator have in common: arguments in, lines and an exit code out; the
// program beside each says where the stores are.
// Exit codes: 0 done, 1 something was not found or could not be done, 2 not understood.
import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";
import { WorkflowError } from "../core/error.ts";
import { errorText } from "../runtime/error-text.ts";

export interface Output {
  /** What was asked for. */
  out(line: string): void;
  /** What went wrong, and what to do about it. */
  err(line: string): void;
}

/** What to do about an error, by its code; "" for one that is not ours. */
type HintFor = (code: string) => string | undefined;

export interface OperatorCommand<Asked extends object> {
  readonly usage: readonly string[];
  /** The line that prints `usage`. */
  readonly help: string;
  /** What was asked, "help", or what is wrong with it. Connects to nothing. */
  readonly understood: (args: readonly string[]) => Asked | string;
  /** The exit code. */
  readonly perform: (asked: Asked) => Promise<number>;
  readonly hintFor: HintFor;
}

/** Never rejects. */
export async function runCommand<Asked extends object>(
  command: OperatorCommand<Asked>,
  args: readonly string[],
  output: Output,
): Promise<number> {
  const asked = command.understood(args);
  if (asked === "help") {
    for (const line of command.usage) output.out(line);
    return 0;
  }
  if (typeof asked === "string") {
    output.err(asked);
    output.err(`hint: ${command.help}`);
    return 2;
  }
  try {
    return await command.perform(asked);
  } catch (error) {
    tellError(error, command.hintFor, output);
    return 1;
  }
}

export function tellError(error: unknown, hintFor: HintFor, output: Output): void {
  output.err(errorText(error));
  const hint = hintFor(error instanceof WorkflowError ? error.code : "");
  if (hint !== undefined) output.err(`hint: ${hint}`);
}

/** Options and operands, or what is wrong with them. */
export function parsedBy<const Options extends NonNullable<ParseArgsConfig["options"]>>(
  options: Options,
  args: readonly string[],
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    return error instanceof Error ? error.message : "the arguments cannot be read";
  }
}
