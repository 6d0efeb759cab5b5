// Help, completion and the tables of docs/cli.md, all made from the table of commands: what is not
// in that table is in none of them.
import type { Command, Option } from "./command.ts";
import { COMMON } from "./command.ts";
import { columns } from "./text-layout.ts";

export function overview(commands: readonly Command[]): readonly string[] {
  const rows = commands.map(({ name, operands, summary }) => [`  ${name} ${operands}`, summary]);
  return [
    "holdfast: workflows in YAML, every job pinned to the definition it was started with.",
    "",
    "  holdfast COMMAND [OPERANDS] [OPTIONS]",
    "",
    ...columns(["", ""], rows).slice(1),
    "",
    "Where the app is: --endpoint, HOLDFAST_ENDPOINT, a profile, or a host on this machine.",
    "Its key: the profile's, else HOLDFAST_KEY; never an argument.",
    "Exit codes: 0 done, 1 the answer is no, 2 not understood, 3 not reached or not allowed,",
    "130 interrupted.",
    "",
    "holdfast COMMAND --help says more; holdfast --version names the build.",
  ];
}

export function commandHelp({ name, operands, summary, options, examples }: Command) {
  const all = Object.entries({ ...options, ...COMMON });
  const rows = all.map(([key, option]) => [`  ${optionText(key, option)}`, option.text]);
  return [
    `holdfast ${name} ${operands}`.trimEnd(),
    `  ${summary}`,
    "",
    ...columns(["", ""], rows).slice(1),
    "",
    ...examples.map((example) => `  ${example}`),
  ];
}

export function optionText(key: string, { short, value }: Option): string {
  const letter = short === undefined ? "" : `-${short}, `;
  return `${letter}--${key}${value === undefined ? "" : ` ${value}`}`;
}

/** Words that may follow `holdfast`, and the options of each command. */
function words(commands: readonly Command[]): readonly (readonly [string, string])[] {
  return commands.map(({ name, options }) => {
    const flags = Object.keys({ ...options, ...COMMON }).map((key) => `--${key}`);
    return [name, flags.join(" ")];
  });
}

export function bashCompletion(commands: readonly Command[]): readonly string[] {
  const first = [...new Set(commands.map(({ name }) => name.split(" ")[0] ?? ""))];
  const cases = words(commands).map(([name, flags]) => `    "${name}"*) flags="${flags}" ;;`);
  const pairs = commands.map(({ name }) => name.split(" ")).filter(({ length }) => length > 1);
  return [
    "# holdfast completion for bash: source <(holdfast completion bash)",
    "_holdfast() {",
    '  local word="${COMP_WORDS[COMP_CWORD]}" flags=""',
    '  local said="${COMP_WORDS[*]:1:COMP_CWORD-1}"',
    "  if [ \"$COMP_CWORD\" -eq 1 ]; then",
    `    COMPREPLY=($(compgen -W "${first.join(" ")}" -- "$word"))`,
    "    return",
    "  fi",
    ...pairs.map(
      ([one = "", two = ""]) =>
        `  if [ "$said" = "${one}" ]; then` +
        ` COMPREPLY=($(compgen -W "${two}" -- "$word")); return; fi`,
    ),
    '  case "$said" in',
    ...cases,
    "  esac",
    '  if [ "${word:0:1}" = "-" ]; then',
    '    COMPREPLY=($(compgen -W "$flags" -- "$word"))',
    "  else",
    '    COMPREPLY=($(compgen -f -- "$word"))',
    "  fi",
    "}",
    "complete -o filenames -F _holdfast holdfast",
  ];
}

export function zshCompletion(commands: readonly Command[]): readonly string[] {
  const described = commands.map(
    ({ name, summary }) => `    '${name.split(" ")[0] ?? ""}:${summary.replaceAll(/[':]/g, " ")}'`,
  );
  const cases = words(commands).map(
    ([name, flags]) => `    ${name.split(" ")[0] ?? ""}) _values option ${flags} ;;`,
  );
  return [
    "#compdef holdfast",
    "# holdfast completion for zsh: source <(holdfast completion zsh)",
    "_holdfast() {",
    "  local -a commands",
    "  commands=(",
    ...described,
    "  )",
    "  if (( CURRENT == 2 )); then",
    "    _describe command commands",
    "    return",
    "  fi",
    '  if [[ "$words[CURRENT]" != -* ]]; then',
    "    _files",
    "    return",
    "  fi",
    '  case "$words[2]" in',
    ...cases,
    "  esac",
    "}",
    "compdef _holdfast holdfast",
  ];
}
