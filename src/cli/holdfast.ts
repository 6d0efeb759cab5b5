// The command line as a function: arguments and a terminal in, an exit code out. Every problem ends
// here, as one line that says what is wrong and one that says what to do.
import { ApiError, Client, UnexpectedAnswer } from "../client/client.ts";
import type { Problem } from "../api/wire.ts";
import { APP_COMMANDS } from "./app-commands.ts";
import type { Call, Command, Values } from "./command.ts";
import { textOf, understood } from "./command.ts";
import { connectionOf } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { doctorCommands } from "./doctor.ts";
import type { DoctorSetting } from "./doctor.ts";
import { fileCommands } from "./file-commands.ts";
import { handlerCommands } from "./handler-command.ts";
import type { HandlerSetting } from "./handler-command.ts";
import { bashCompletion, commandHelp, overview, zshCompletion } from "./help.ts";
import { HISTORY_COMMANDS } from "./history-commands.ts";
import { JOB_COMMANDS } from "./job-commands.ts";
import { isUnreached } from "./patience.ts";
import { CommandProblem, EXIT, isColored, jsonText, safe } from "./terminal.ts";
import type { Exit, Terminal } from "./terminal.ts";
import { painter } from "./text-layout.ts";
import { errorText } from "../runtime/error-text.ts";

export interface Setting extends HandlerSetting, DoctorSetting {
  readonly version: string;
}

export function commandsOf(setting: Setting): readonly Command[] {
  const [init, ...files] = fileCommands(setting.handlers.known);
  const own = init === undefined ? files : [init, ...files];
  const commands: Command[] = [
    ...own,
    ...handlerCommands(setting),
    ...JOB_COMMANDS,
    ...HISTORY_COMMANDS,
    ...APP_COMMANDS,
    ...doctorCommands(setting),
  ];
  commands.push({
    name: "completion",
    summary: "completion for a shell",
    operands: "bash|zsh",
    takes: [1, 1],
    options: {},
    examples: ["source <(holdfast completion bash)"],
    run: async ({ terminal, operands }) => {
      const make = { bash: bashCompletion, zsh: zshCompletion }[operands[0] ?? ""];
      if (make === undefined) {
        const message = `completion: expected bash or zsh, got "${safe(operands[0] ?? "")}"`;
        throw new CommandProblem(message, { exit: EXIT.usage });
      }
      for (const line of make(commands)) terminal.out(line);
      return EXIT.ok;
    },
  });
  return commands;
}

/** Never rejects. */
export async function holdfast(
  args: readonly string[],
  terminal: Terminal,
  setting: Setting,
): Promise<Exit> {
  const commands = commandsOf(setting);
  const [first = "--help"] = args;
  if (first === "--help" || first === "-h" || first === "help") {
    for (const line of overview(commands)) terminal.out(line);
    return args.length === 0 ? EXIT.usage : EXIT.ok;
  }
  if (first === "--version" || first === "version") {
    terminal.out(setting.version);
    return EXIT.ok;
  }
  try {
    const { command, operands, values } = understood(args, commands);
    if (values["help"] === true) {
      for (const line of commandHelp(command)) terminal.out(line);
      return EXIT.ok;
    }
    return await command.run(callOf(terminal, operands, values));
  } catch (error) {
    if (terminal.signal.aborted) return EXIT.interrupted;
    return told(error, terminal, args.includes("--json"));
  }
}

function callOf(terminal: Terminal, operands: readonly string[], values: Values): Call {
  const isJson = values["json"] === true;
  const isPlain = values["no-color"] === true || isJson;
  let connection: Promise<Connection> | undefined;
  const connect = (): Promise<Connection> => {
    const given = { endpoint: textOf(values, "endpoint"), profile: textOf(values, "profile") };
    connection ??= connectionOf(terminal, given);
    return connection;
  };
  return {
    // JSON is for programs: nobody is asked, nothing is drawn.
    terminal: isJson ? { ...terminal, isTty: false, canAsk: false } : terminal,
    paint: painter(!isPlain && isColored(terminal)),
    operands,
    values,
    isJson,
    connection: connect,
    client: async () => new Client({ ...(await connect()), fetch: terminal.fetch }),
  };
}

interface Told {
  readonly exit: Exit;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly problem?: Problem | undefined;
}

function told(error: unknown, terminal: Terminal, isJson: boolean): Exit {
  const { exit, message, hint, problem } = reasonOf(error);
  if (isJson && problem !== undefined) terminal.out(jsonText(problem));
  terminal.err(`holdfast: ${message}`);
  for (const issue of problem?.issues ?? []) {
    const place = issue.pointer === undefined || issue.pointer === "" ? "" : `${issue.pointer}: `;
    const { file, line = "", column = "" } = issue;
    const where = file === undefined ? place : `${file}:${line}:${column}: `;
    // Where there is one alone, the message may have it already.
    if (message.endsWith(safe(`${where}${issue.message}`)) && issue.hint === undefined) continue;
    terminal.err(`  ${safe(`${where}${issue.message}`)}`);
    if (issue.hint !== undefined) terminal.err(`    hint: ${safe(issue.hint)}`);
  }
  if (hint !== undefined) terminal.err(`hint: ${hint}`);
  return exit;
}

function reasonOf(error: unknown): Told {
  if (error instanceof CommandProblem) return error;
  if (error instanceof ApiError) return refusal(error);
  if (error instanceof UnexpectedAnswer) {
    const hint = "is this the address of the app? holdfast doctor looks further";
    return { exit: EXIT.unreachable, message: error.message, hint };
  }
  if (!isUnreached(error)) {
    const hint = "this is a defect of holdfast, or of what answers at this address";
    return { exit: EXIT.no, message: `unexpected: ${safe(errorText(error))}`, hint };
  }
  const cause = error.cause as { readonly code?: unknown } | undefined;
  const code = typeof cause?.code === "string" ? ` (${cause.code})` : "";
  const hint = "is it running? npm start runs it here; holdfast doctor looks further";
  return { exit: EXIT.unreachable, message: `the app is not reached${code}`, hint };
}

const NOT_ALLOWED: ReadonlySet<number> = new Set([401, 403, 429, 503]);

/** What to try where the answer itself does not say it. */
const NEXT_STEPS: ReadonlyMap<string, string> = new Map([
  ["WORKFLOW_NOT_FOUND", "holdfast workflows lists what there is"],
  ["JOB_NOT_FOUND", "holdfast jobs lists what there is"],
]);

function refusal({ status, problem, message }: ApiError): Told {
  const exit = NOT_ALLOWED.has(status) ? EXIT.unreachable : EXIT.no;
  if (status === 401) {
    const hint = "HOLDFAST_KEY, or key in the profile file; npm start prints that of a local host";
    return { exit, message: "the app does not take this key (401)", hint, problem };
  }
  if (problem === undefined) {
    return { exit, message: `the host answered ${status}`, hint: "holdfast doctor looks further" };
  }
  const hint = NEXT_STEPS.get(problem.code);
  return { exit, message: `${problem.code}: ${safe(message)}`, hint, problem };
}
