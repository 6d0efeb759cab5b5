// Rules that keep documents and code equal: error codes, log events, the README, and no trace of
// the machine that a file was written on.
import { execFileSync } from "node:child_process";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { eachFile, isSource, type Finding, type Problem, type Rule } from "./rule.ts";
import { isNode, lineAt, literalText, ROOT, walk, type AstNode, type Source } from "./source.ts";

const CODES_FILE = "src/core/error.ts";
const CODES_PAGE = "docs/errors.md";

function codesInSource(text: string): string[] {
  const list = /ERROR_CODES = \[(.*?)\]/s.exec(text)?.[1] ?? "";
  return [...list.matchAll(/"([A-Z_]+)"/g)].map((match) => match[1] ?? "");
}

/** The rows `| \`CODE\` | status | meaning | what to do |`; a row with an empty cell is no row. */
function codesInPage(text: string): string[] {
  const row = /^\| `([A-Z_]+)` \|(?: *[^|\s][^|\n]*\|){3}$/gm;
  return [...text.matchAll(row)].map((match) => match[1] ?? "");
}

const errorCodes: Rule = {
  name: "error codes and docs/errors.md agree",
  check: (project): Finding => {
    const text = (path: string): string => project.find((one) => one.path === path)?.text ?? "";
    const known = codesInSource(text(CODES_FILE));
    const documented = codesInPage(text(CODES_PAGE));
    const problem = (path: string, message: string): Problem => ({ path, line: 1, message });
    const repeated = documented.filter((code, index) => documented.indexOf(code) !== index);
    return {
      examined: known.length,
      problems: [
        ...known
          .filter((code) => !documented.includes(code))
          .map((code) => problem(CODES_PAGE, `${code} has no complete row`)),
        ...documented
          .filter((code) => !known.includes(code))
          .map((code) => problem(CODES_PAGE, `${code} does not exist`)),
        ...repeated.map((code) => problem(CODES_PAGE, `${code} stands twice`)),
      ],
    };
  },
  bad: [
    { [CODES_FILE]: 'const ERROR_CODES = ["A"];', [CODES_PAGE]: "" },
    { [CODES_FILE]: 'const ERROR_CODES = ["A"];', [CODES_PAGE]: "| `A` | 400 | |  |\n" },
    {
      [CODES_FILE]: 'const ERROR_CODES = ["A"];',
      [CODES_PAGE]: "| `A` | 400 | x | y |\n| `B` | 400 | x | y |\n",
    },
    { [CODES_FILE]: 'const ERROR_CODES = ["A"];' },
  ],
  good: [{ [CODES_FILE]: 'const ERROR_CODES = ["A"];', [CODES_PAGE]: "| `A` | 400 | x | y |\n" }],
};

const EVENTS_FILE = "src/azure/telemetry.ts";
const EVENT_NAME = /^[a-z][a-z_]*\.[a-z][a-z_]*$/;
/** The port is `write(level, name, fields)`; the others are what a shorthand would be called. */
const LOG_METHODS = new Set(["write", "log", "debug", "info", "warn", "error"]);

/** The names in `LOG_EVENTS`: the strings of a list, or the keys of an object. */
function eventTable(source: Source | undefined): string[] {
  const names: string[] = [];
  if (source?.ast === undefined) return names;
  walk(source.ast, (node) => {
    const id = node["id"];
    if (node.type !== "VariableDeclarator" || !isNode(id) || id["name"] !== "LOG_EVENTS") return;
    walk(node, (inner, parent) => {
      const text = literalText(inner);
      const isName = parent?.type === "ArrayExpression" || parent?.["key"] === inner;
      if (text !== undefined && isName) names.push(text);
    });
  });
  return names;
}

/** Event names that a logging call is given as its first or second argument. */
function eventsLogged(source: Source): (Problem & { readonly event: string })[] {
  const found: (Problem & { readonly event: string })[] = [];
  if (source.ast === undefined) return found;
  walk(source.ast, (node) => {
    const callee = node["callee"];
    if (node.type !== "CallExpression" || !isNode(callee)) return;
    const named = callee.type === "MemberExpression" ? (callee["property"] as AstNode) : callee;
    if (!LOG_METHODS.has(String(named["name"]))) return;
    const texts = (node["arguments"] as unknown[]).slice(0, 2).map(literalText);
    const event = texts.find((text) => text !== undefined && EVENT_NAME.test(text));
    if (event === undefined) return;
    const line = lineAt(source.text, node.start);
    found.push({ path: source.path, line, event, message: `${event} is not in LOG_EVENTS` });
  });
  return found;
}

const logEvents: Rule = {
  name: "log events and the table in azure/telemetry.ts agree",
  check: (project): Finding => {
    const table = project.find(({ path }) => path === EVENTS_FILE);
    const known = eventTable(table);
    const product = project.filter(({ path }) => isSource(path) && !path.startsWith("src/local/"));
    const logged = product.flatMap(eventsLogged);
    const problem = (message: string): Problem => ({ path: EVENTS_FILE, line: 1, message });
    const elsewhere = product.filter(({ path }) => path !== EVENTS_FILE);
    const unused = known.filter(
      (name) => !elsewhere.some(({ text }) => text.includes(`"${name}"`)),
    );
    return {
      examined: table === undefined ? 1 + logged.length : known.length,
      problems: [
        ...logged.filter(({ event }) => !known.includes(event)),
        ...known
          .filter((name) => !EVENT_NAME.test(name))
          .map((name) => problem(`${name}: noun.verb`)),
        ...unused.map((name) => problem(`${name} is logged nowhere`)),
      ],
    };
  },
  bad: [
    {
      [EVENTS_FILE]: 'export const LOG_EVENTS = ["job.created"] as const;',
      "src/runtime/a.ts": 'log.write("info", "job.created", {}); log.write("warn", "job.new", {});',
    },
    { [EVENTS_FILE]: 'export const LOG_EVENTS = ["job.created"] as const;' },
    {
      [EVENTS_FILE]: 'export const LOG_EVENTS = { "jobCreated": "x" };',
      "src/runtime/a.ts": 'const a = "jobCreated";',
    },
    { "src/runtime/a.ts": 'ports.log.write("info", "job.created", {});' },
  ],
  good: [
    {
      [EVENTS_FILE]: 'export const LOG_EVENTS = { "job.created": "x" } as const;',
      "src/runtime/a.ts": 'ports.log.write("info", "job.created", {});',
    },
  ],
};

const MAX_README_LINES = 120;

/** The commands under `<!-- name -->`; .ci/run reads them the same way. */
function commandsUnder(name: string, text: string): string {
  return (
    new RegExp(`<!-- ${name} -->\\s*\`\`\`(?:sh|bash)\\n(.*?)\`\`\``, "s").exec(text)?.[1] ?? ""
  );
}

const readme: Rule = {
  name: "README is a landing page with a command to run and one to test",
  check: eachFile(
    (path) => path === "README.md",
    ({ text }) => {
      const lines = text.trimEnd().split("\n").length;
      return [
        ...(lines > MAX_README_LINES ? [[lines, `${String(lines)} lines`] as const] : []),
        ...["run", "test"]
          .filter((name) => commandsUnder(name, text).trim() === "")
          .map((name) => [1, `no command block under <!-- ${name} -->`] as const),
      ];
    },
  ),
  bad: [
    { "README.md": "# a" },
    {
      "README.md":
        "<!-- run -->\n```sh\na\n```\n<!-- test -->\n```sh\nb\n```\n" + "x\n".repeat(120),
    },
  ],
  good: [{ "README.md": "<!-- run -->\n```sh\na\n```\n<!-- test -->\n```sh\nb\n```\n" }],
};

/** A loopback address is nobody's in particular, and tests name it. */
const LOOPBACK = /^(?:localhost$|127\.|\[)/;

function registryHost(): string {
  const registry = execFileSync("npm", ["config", "get", "registry"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return new URL(registry.trim()).hostname;
}

/** Strings that are true on this machine only. */
function traces(): string[] {
  const found = [ROOT, join(dirname(ROOT), "shared")];
  const home = homedir();
  const host = registryHost();
  if (home.split("/").length > 2) found.push(`${home}/`);
  if (!LOOPBACK.test(host)) found.push(host);
  return found;
}

const machine: Rule = {
  name: "no file names this machine or its registry",
  check: (project): Finding => {
    const strings = traces();
    const problems = project.flatMap(({ path, text }) =>
      strings
        .filter((trace) => text.includes(trace))
        .map((trace) => ({
          path,
          line: lineAt(text, text.indexOf(trace)),
          message: "names a path or host of this machine",
        })),
    );
    const resolved = project.filter(
      ({ path, text }) => path === "package-lock.json" && /"resolved": "https?:/.test(text),
    );
    const locked = resolved.map(({ path }) => ({ path, line: 1, message: "names a registry" }));
    return { examined: project.length, problems: [...problems, ...locked] };
  },
  bad: [
    { "docs/a.md": `see ${ROOT}/x` },
    { "package-lock.json": '"resolved": "https://registry.example/a.tgz"' },
  ],
  good: [{ "docs/a.md": "see src/main.ts", "package-lock.json": '{ "version": "1" }' }],
};

export const DOCUMENT_RULES: readonly Rule[] = [errorCodes, logEvents, readme, machine];
