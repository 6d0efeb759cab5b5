// The generated part of docs/cli.md: every command with its operands, options and examples.
// test/unit/docs/cli.test.ts keeps the page equal to it; with `-u` it writes it.
import type { Command } from "./command.ts";
import { COMMON } from "./command.ts";
import { optionText } from "./help.ts";

export const BEGIN = "<!-- commands -->";
export const END = "<!-- end -->";

/** The page with what stands between the marks written anew. Throws where they are missing. */
export function commandPage(page: string, commands: readonly Command[]): string {
  const [head, rest] = page.split(BEGIN);
  const tail = rest?.split(END)[1];
  if (head === undefined || tail === undefined) throw new Error(`no ${BEGIN} … ${END}`);
  const parts = commands.map(commandPart);
  return `${head}${BEGIN}\n\n${commonPart()}\n\n${parts.join("\n\n")}\n\n${END}${tail}`;
}

function commonPart(): string {
  return ["## Every command", "", ...optionTable(Object.entries(COMMON))].join("\n");
}

function commandPart({ name, operands, summary, options, examples }: Command): string {
  const own = Object.entries(options);
  return [
    `## ${name}`,
    "",
    `\`holdfast ${name}${operands === "" ? "" : ` ${operands}`}\`: ${summary}.`,
    ...(own.length === 0 ? [] : ["", ...optionTable(own)]),
    "",
    "```sh",
    ...examples,
    "```",
  ].join("\n");
}

function optionTable(options: readonly (readonly [string, (typeof COMMON)[string]])[]): string[] {
  const rows = options.map(([key, option]) => {
    return `| \`${optionText(key, option).replaceAll("|", "\\|")}\` | ${option.text} |`;
  });
  return ["| Option | Meaning |", "| --- | --- |", ...rows];
}
