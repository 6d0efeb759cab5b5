// Rules about the shape of code that the linter has no rule for: names of files, opening comments,
// long lines, long test functions, dates, waiting in core, how values are read, unfinished work.
import { basename } from "node:path";
import { eachFile, isCode, isSource, isTest, type Rule } from "./rule.ts";
import { isNode, lineAt, walk, type AstNode, type Source } from "./source.ts";

type Found = (readonly [line: number, message: string])[];

const MAX_LINE = 100;
const MAX_FUNCTION_LINES = 60;
const FORBIDDEN_NAMES = new Set(["index", "utils", "helpers", "common", "types", "misc"]);

/** Runs `inspect` on every node; what it returns is a problem at that node. */
function scan(
  source: Source,
  inspect: (node: AstNode, parent: AstNode | undefined) => string | undefined,
): Found {
  const found: Found = [];
  if (source.ast === undefined) return found;
  walk(source.ast, (node, parent) => {
    const message = inspect(node, parent);
    if (message !== undefined) found.push([lineAt(source.text, node.start), message]);
  });
  return found;
}

const names: Rule = {
  name: "files are named after what they hold",
  check: eachFile(isCode, ({ path }) => {
    const stem = basename(path).replace(/\..*$/, "");
    const singular = [...FORBIDDEN_NAMES].some((name) => name === stem || name === `${stem}s`);
    return singular ? [[1, `"${stem}" says nothing about what is inside`]] : [];
  }),
  bad: [
    { "src/core/index.ts": "" },
    { "src/core/utils.ts": "" },
    { "test/support/helper.ts": "" },
    { "src/core/types.ts": "" },
  ],
  good: [{ "src/core/ready.ts": "" }],
};

const opening: Rule = {
  name: "a source file opens with two to eight lines of comment",
  check: eachFile(isSource, ({ text }) => {
    const lines = text.replace(/^#!.*\n/, "").split("\n");
    const first = lines.findIndex((line) => !line.startsWith("//"));
    const length = first === -1 ? lines.length : first;
    return length >= 2 && length <= 8 ? [] : [[1, `${String(length)} lines of comment`]];
  }),
  bad: [
    { "src/core/a.ts": "export const a = 1;" },
    { "src/core/a.ts": "// One line.\nexport const a = 1;" },
    { "src/core/a.ts": "// x\n".repeat(9) },
  ],
  good: [{ "src/core/a.ts": "// What lives here.\n// What it guarantees.\nexport const a = 1;" }],
};

const width: Rule = {
  name: "no line is longer than 100 characters",
  check: eachFile(isCode, ({ text }) =>
    text.split("\n").flatMap((line, index) => {
      const { length } = line;
      return length > MAX_LINE ? [[index + 1, `${String(length)} characters`] as const] : [];
    }),
  ),
  bad: [{ "src/core/a.ts": `// ${"x".repeat(98)}` }],
  good: [{ "src/core/a.ts": `// ${"x".repeat(97)}` }],
};

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);
const TEST_CALLS = new Set(["test", "it", "describe"]);

function calleeName(node: AstNode): string | undefined {
  let callee = node["callee"];
  while (isNode(callee) && callee.type !== "Identifier")
    callee = callee["object"] ?? callee["callee"];
  return isNode(callee) ? (callee["name"] as string) : undefined;
}

function holdsTests(node: AstNode): boolean {
  let holds = false;
  walk(node, (inner) => {
    if (inner.type === "CallExpression" && TEST_CALLS.has(calleeName(inner) ?? "")) holds = true;
  });
  return holds;
}

// The linter holds this for the rest; it cannot tell a suite, which only lists tests, apart.
const testLength: Rule = {
  name: "no function in a test is longer than 60 lines",
  check: eachFile(isTest, (source) =>
    scan(source, (node) => {
      if (!FUNCTIONS.has(node.type)) return undefined;
      const lines = lineAt(source.text, node.end) - lineAt(source.text, node.start) + 1;
      return lines > MAX_FUNCTION_LINES && !holdsTests(node) ? `${String(lines)} lines` : undefined;
    }),
  ),
  bad: [{ "test/a.test.ts": `test("a", () => {${"\n".repeat(60)}});` }],
  good: [
    {
      "test/a.test.ts": `test("a", () => {${"\n".repeat(59)}});`,
      "test/b.test.ts": `describe("b", () => {\ntest("c", () => {});${"\n".repeat(60)}});`,
    },
  ],
};

const CLOCK_READERS = /^src\/(main\.ts$|azure\/|local\/|cli\/)/;

/** Of the app, and of the page, which may not import the core. */
const INSTANTS: ReadonlySet<string> = new Set(["src/core/instant.ts", "src/web/instant.ts"]);

const dates: Rule = {
  name: "only instant.ts of core and of web touches Date",
  check: eachFile(isSource, (source) => {
    if (INSTANTS.has(source.path)) return [];
    return scan(source, (node, parent) => {
      if (node.type !== "Identifier" || node["name"] !== "Date") return undefined;
      if (parent?.type.startsWith("TS") === true) return undefined;
      if (parent?.type === "Property" && parent["key"] === node) return undefined;
      if (parent?.type === "MemberExpression") {
        if (parent["property"] === node && parent["computed"] !== true) return undefined;
        const member = parent["property"];
        const now = isNode(member) && member["name"] === "now";
        if (now && CLOCK_READERS.test(source.path)) return undefined;
      }
      return "times are Instant strings; the clock is a port";
    });
  }),
  bad: [
    { "src/core/a.ts": "export const a = Date.now();" },
    { "src/runtime/a.ts": "export const a = Date.now();" },
    { "src/web/a.tsx": "export const a = <b>{Date.now()}</b>;" },
    { "src/azure/a.ts": "export const a = new Date(1);" },
    { "src/tasks/a.ts": "export const a = (x: unknown) => x instanceof Date;" },
  ],
  good: [
    {
      "src/core/instant.ts": "export const a = Date.parse('x');",
      "src/web/instant.ts": "export const a = Date.now();",
      "src/azure/a.ts": "export const a = (x: Date): number => Date.now() - x.getTime();",
    },
  ],
};

const waiting: Rule = {
  name: "core never waits",
  check: eachFile(
    (path) => path.startsWith("src/core/") && path.endsWith(".ts"),
    (source) =>
      scan(source, (node) => {
        const waits = node.type === "AwaitExpression" || node["await"] === true;
        return waits || node["async"] === true ? "core is called, never awaited" : undefined;
      }),
  ),
  bad: [
    { "src/core/a.ts": "export async function a() {}" },
    { "src/core/a.ts": "export const a = async () => 1;" },
    { "src/core/a.ts": "await a();" },
  ],
  good: [{ "src/core/a.ts": "export const a = () => 1;" }],
};

const reading: Rule = {
  name: "values are read with safeParse of core",
  check: eachFile(isSource, (source) =>
    scan(source, (node) => {
      const isMethod =
        node.type === "MemberExpression"
        && isNode(node["property"])
        && node["property"]["name"] === "safeParse";
      const isHome = source.path === "src/core/safe-parse.ts";
      return isMethod && !isHome ? "Zod's own throws for some values" : undefined;
    }),
  ),
  bad: [{ "src/core/a.ts": "export const a = schema.safeParse(1);" }],
  good: [
    { "src/core/a.ts": "export const a = safeParse(schema, 1);" },
    { "src/core/safe-parse.ts": "export const a = schema.safeParse(1);" },
  ],
};

const enums: Rule = {
  name: "no enums",
  check: eachFile(isCode, (source) =>
    scan(source, (node) =>
      node.type === "TSEnumDeclaration" ? "use a union of literals" : undefined,
    ),
  ),
  bad: [
    { "src/core/a.ts": "export enum A { b }" },
    { "src/core/a.ts": "declare const enum A { b }" },
  ],
  good: [{ "src/core/a.ts": 'export type A = "b";' }],
};

// The words are put together here, or this file would break its own rule.
const UNFINISHED = new RegExp(`\\bFIX${"ME"}\\b|\\bXX${"X"}\\b|\\bTO${"DO"}\\b(?!\\(#\\d+\\))`);

const unfinished: Rule = {
  name: "unfinished work names its issue",
  check: eachFile(isCode, ({ text }) =>
    text
      .split("\n")
      .flatMap((line, index) => (UNFINISHED.test(line) ? [[index + 1, line.trim()] as const] : [])),
  ),
  bad: [{ "src/core/a.ts": `// FIX${"ME"}: x` }, { "src/core/a.ts": `// TO${"DO"} later` }],
  good: [{ "src/core/a.ts": `// TO${"DO"}(#12): when the emulator has it.` }],
};

const retries: Rule = {
  name: "no test is retried",
  check: eachFile(isTest, (source) =>
    scan(source, (node) => {
      if (node.type !== "CallExpression" || !TEST_CALLS.has(calleeName(node) ?? ""))
        return undefined;
      const keys = (node["arguments"] as AstNode[])
        .filter((argument) => argument.type === "ObjectExpression")
        .flatMap((argument) => argument["properties"] as AstNode[])
        .map((property) => (isNode(property["key"]) ? property["key"]["name"] : undefined));
      return keys.some((key) => key === "retry" || key === "repeats" || key === "fails")
        ? "a flaky test is fixed or deleted"
        : undefined;
    }),
  ),
  bad: [
    { "test/a.test.ts": 'test("a", { retry: 2 }, () => {});' },
    { "test/a.test.ts": 'test.each([1])("a", { repeats: 2 }, () => {});' },
  ],
  good: [{ "test/a.test.ts": 'test("a", { timeout: 2 }, () => {});' }],
};

export const SHAPE_RULES: readonly Rule[] = [
  names,
  opening,
  width,
  testLength,
  dates,
  waiting,
  reading,
  enums,
  unfinished,
  retries,
];
