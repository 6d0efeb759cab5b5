// Commands about workflow files, for which no app need run: a starter, the check that the app makes
// as well, and a drawing.
import type { KnownHandlers } from "../core/check-params.ts";
import { definitionDigest } from "../core/definition.ts";
import type { WorkflowDefinition } from "../core/definition.ts";
import { WORKFLOW_ID } from "../core/definition.ts";
import type { Issue } from "../core/error.ts";
import { compileWorkflow } from "../core/graph.ts";
import { parseDefinition } from "../core/parse.ts";
import { plural } from "../core/text.ts";
import { sha256 } from "../runtime/hash.ts";
import type { Call, Command } from "./command.ts";
import { printJson } from "./command.ts";
import { drawing, mermaid } from "./graph-drawing.ts";
import { CommandProblem, EXIT, safe } from "./terminal.ts";
import type { Exit, Terminal } from "./terminal.ts";
import type { Paint } from "./text-layout.ts";

function starter(name: string): string {
  return [
    `# ${name}: greets whoever is named, in capitals if asked.`,
    "# Inputs: name (text), loud (true or false, false by default).",
    "# Result: greet.message, and shout.message where it was loud.",
    "# yaml-language-server: $schema=./workflow.schema.json",
    `workflow_id: ${name}`,
    "version: 1",
    "description: Greets whoever is named.",
    "",
    "inputs:",
    "  name: { type: string, required: true, min: 1, description: Whom to greet. }",
    "  loud: { type: boolean, default: false, description: Whether to shout. }",
    "",
    "nodes:",
    "  start: { type: start, next: greet }",
    "  greet:",
    "    type: task",
    "    handler: echo",
    '    params: { message: "Hello, {{ inputs.name }}!" }',
    "    next: is_loud",
    "  is_loud:",
    "    type: conditional",
    '    condition_field: "{{ inputs.loud }}"',
    "    branches:",
    "      - { name: loud, condition: value, next: shout }",
    "      - { name: quiet, default: true, next: end }",
    "  shout:",
    "    type: task",
    "    handler: echo",
    '    params: { message: "{{ upper(nodes.greet.output.message) }}" }',
    "    next: end",
    "  end: { type: end }",
    "",
  ].join("\n");
}

async function init({ terminal, operands }: Call): Promise<Exit> {
  const name = operands[0] ?? "hello";
  if (!WORKFLOW_ID.test(name)) {
    const expected = "a-z first, then a-z 0-9 _ -, at most 64 characters";
    throw new CommandProblem(`"${safe(name)}": expected a workflow_id: ${expected}`, {
      exit: EXIT.usage,
    });
  }
  const path = `workflows/${name}.yaml`;
  try {
    await terminal.writeNew(path, starter(name));
  } catch (error) {
    const isThere = (error as { readonly code?: unknown }).code === "EEXIST";
    throw new CommandProblem(isThere ? `${path}: exists already` : `${path}: cannot be written`, {
      hint: isThere ? "holdfast init ANOTHER_NAME" : "go to the folder that has workflows/",
    });
  }
  terminal.out(path);
  terminal.err(`next: holdfast validate ${path}`);
  terminal.err(`      holdfast submit ${name} -i name=Ada --watch`);
  return EXIT.ok;
}

interface CheckedFile {
  readonly file: string;
  readonly source: string;
  readonly definition?: WorkflowDefinition;
  readonly issues: readonly Issue[];
}

async function checkedFile(terminal: Terminal, file: string, handlers: KnownHandlers) {
  const source = await terminal.readText(file).catch(() => undefined);
  if (source === undefined) {
    const message = `${safe(file)}: cannot be read`;
    throw new CommandProblem(message, { exit: EXIT.usage });
  }
  const parsed = parseDefinition(source, { file, handlers });
  const checked: CheckedFile = parsed.ok
    ? { file, source, definition: parsed.definition, issues: [] }
    : { file, source, issues: parsed.issues };
  return checked;
}

/** The files that are named, and every YAML file of the folders that are, as the app looks. */
async function filesOf({ terminal, operands }: Call): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of operands) {
    const inside = await filesIn(terminal, path);
    if (inside?.length === 0) {
      throw new CommandProblem(`${safe(path)}: holds no .yaml file`, { exit: EXIT.usage });
    }
    files.push(...(inside ?? [path]));
  }
  return files;
}

/** Undefined where `path` is no folder. Names that begin with a dot are left out. */
async function filesIn(terminal: Terminal, path: string): Promise<readonly string[] | undefined> {
  const names = await terminal.list(path);
  if (names === undefined) return undefined;
  const files: string[] = [];
  for (const name of names.filter((one) => !one.startsWith(".")).toSorted()) {
    const inside = await filesIn(terminal, `${path}/${name}`);
    if (inside !== undefined) files.push(...inside);
    else if (/\.ya?ml$/.test(name)) files.push(`${path}/${name}`);
  }
  return files;
}

async function validate(call: Call, handlers: KnownHandlers): Promise<Exit> {
  const { terminal, paint } = call;
  const checked: CheckedFile[] = [];
  for (const file of await filesOf(call)) {
    checked.push(await checkedFile(terminal, file, handlers));
  }
  const bad = checked.filter(({ issues }) => issues.length > 0);
  if (call.isJson) {
    printJson(call, {
      valid: bad.length === 0,
      files: checked.map(({ file, issues, definition }) => ({
        file,
        valid: issues.length === 0,
        ...(definition === undefined ? {} : identity(definition)),
        issues,
      })),
    });
  } else {
    for (const { file, source, issues, definition } of checked) {
      const lines = source.split(/\r?\n/);
      for (const issue of issues) {
        for (const line of issueLines(issue, lines, paint)) terminal.out(line);
      }
      if (definition !== undefined) {
        const { workflow_id, version, workflow_digest } = identity(definition);
        const what = `${workflow_id} ${version} ${workflow_digest}`;
        terminal.out(`${paint("good", "ok")}  ${safe(file)}  ${what}`);
      }
    }
    const problems = bad.reduce((sum, { issues }) => sum + issues.length, 0);
    if (problems > 0) {
      terminal.err(`${plural(problems, "problem")} in ${plural(bad.length, "file")}`);
    };
  }
  return bad.length === 0 ? EXIT.ok : EXIT.no;
}

function identity(definition: WorkflowDefinition) {
  const { workflow_id, version } = definition;
  return { workflow_id, version, workflow_digest: definitionDigest(definition, sha256) };
}

/** `file:line:column: message`, the line, and a caret under the place. */
function issueLines(issue: Issue, lines: readonly string[], paint: Paint): readonly string[] {
  const { file = "", line, column, message, hint } = issue;
  const place = [safe(file), line, column].filter((part) => part !== undefined).join(":");
  const told = [`${paint("bold", place)}: ${safe(message)}`];
  const source = line === undefined ? undefined : lines[line - 1];
  if (line !== undefined && source !== undefined) {
    // A tab is shown as one character, so the caret stands where it should.
    const shown = safe(source.replaceAll("\t", " "));
    const gutter = `${String(line).padStart(5)} | `;
    told.push(paint("dim", gutter) + shown);
    if (column !== undefined) {
      told.push(" ".repeat(gutter.length + Math.max(0, column - 1)) + paint("bad", "^"));
    }
  }
  if (hint !== undefined) told.push(`        ${paint("dim", "hint:")} ${safe(hint)}`);
  return told;
}

async function graph(call: Call, handlers: KnownHandlers): Promise<Exit> {
  const { terminal, operands, values } = call;
  const checked = await checkedFile(terminal, operands[0] ?? "", handlers);
  const { definition } = checked;
  if (definition === undefined) {
    for (const issue of checked.issues) {
      for (const line of issueLines(issue, checked.source.split(/\r?\n/), call.paint)) {
        terminal.err(line);
      }
    }
    return EXIT.no;
  }
  const workflow = compileWorkflow(definition, "");
  const lines = values["text"] === true ? drawing(workflow) : mermaid(workflow);
  if (call.isJson) printJson(call, { [values["text"] === true ? "text" : "mermaid"]: lines });
  else for (const line of lines) terminal.out(line);
  return EXIT.ok;
}

/** `handlers` are those that a definition may name. */
export function fileCommands(handlers: KnownHandlers): readonly Command[] {
  return [
    {
      name: "init",
      summary: "write a starter workflow",
      operands: "[NAME]",
      takes: [0, 1],
      options: {},
      examples: ["holdfast init invoices"],
      run: init,
    },
    {
      name: "validate",
      summary: "check workflow files: every problem with its line",
      operands: "FILE…",
      takes: [1, 10_000],
      options: {},
      examples: ["holdfast validate workflows", "holdfast validate workflows/routing.yaml --json"],
      run: (call) => validate(call, handlers),
    },
    {
      name: "graph",
      summary: "draw a workflow file, as Mermaid or as text",
      operands: "FILE",
      takes: [1, 1],
      options: { text: { type: "boolean", text: "for the terminal" } },
      examples: ["holdfast graph workflows/routing.yaml", "holdfast graph FILE --text"],
      run: (call) => graph(call, handlers),
    },
  ];
}
