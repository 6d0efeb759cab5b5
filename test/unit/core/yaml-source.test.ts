// Places: where in the text a pointer or a character of a string stands.
import { expect, test } from "vitest";
import { type At, readYaml } from "../../../src/core/yaml-source.ts";

function check(source: string, pointer: string, expected: Readonly<Record<string, string>>): void {
  const { place, issues } = readYaml(source);
  expect(issues).toEqual([]);
  for (const [asked, where] of Object.entries(expected)) {
    const at: At = asked === "key" || asked === "value" ? asked : Number(asked);
    const { line, column } = place(pointer, at);
    expect(`${asked} ${line}:${column}`).toBe(`${asked} ${where}`);
  }
}

test("a member has the places of its key and of its value", () => {
  check("a:\n  b: 1\n", "/a/b", { key: "2:3", value: "2:6" });
  check("a:\n  - x\n  - y\n", "/a/1", { key: "3:5", value: "3:5" });
  check("{a: {b: 1}}", "/a", { key: "1:2", value: "1:5" });
});

test("keys are found by their escaped pointer", () => {
  check("a/b: {c~d: 1}\n", "/a~1b/c~0d", { key: "1:7", value: "1:12" });
});

test("what is not there has the place of its nearest ancestor", () => {
  check("a:\n  b: 1\n", "/a/x/y", { key: "1:1", value: "2:3" });
  check("a: 1\n", "/x", { key: "1:1", value: "1:1" });
  check("", "", { key: "1:1", value: "1:1" });
  check("\n\n", "/a", { key: "1:1", value: "1:1" });
});

test("a key without a value, in a block and in braces, is null near its key", () => {
  expect(readYaml("{a, b: 1}").value).toEqual({ a: null, b: 1 });
  check("{a, b: 1}", "/a", { key: "1:2", value: "1:2" });
  expect(readYaml("a:\nb: 1\n").value).toEqual({ a: null, b: 1 });
  expect(readYaml("? a\n").value).toEqual({ a: null });
});

test("an empty item of a list is null", () => {
  expect(readYaml("-\n- 1\n").value).toEqual([null, 1]);
  check("a:\n  -\n  - 1\n", "/a/0", { key: "2:4", value: "2:4" });
});

test("a character of a plain or quoted text has its own place", () => {
  check("a: hello\n", "/a", { 0: "1:4", 4: "1:8" });
  check('a: "hello"\n', "/a", { 0: "1:5", 4: "1:9" });
  check("a: 'hello'\n", "/a", { 0: "1:5", 5: "1:10" });
});

test("a character of a block has its line and column", () => {
  const block = "a: |\n  one\n    two\n\n  three\nb: 1\n";
  check(block, "/a", { 0: "2:3", 4: "3:3", 6: "3:5", 11: "5:3" });
  check("a: |- # note\n     one\n     two", "/a", { 0: "2:6", 4: "3:6", 7: "3:9" });
  check("a: |\r\n  one\r\n  two\r\n", "/a", { 4: "3:3", 6: "3:5" });
});

test("a text that the file writes otherwise has the place of its start", () => {
  check('a: "h\\u0065llo"\n', "/a", { 3: "1:4" });
  check("a: 'it''s'\n", "/a", { 4: "1:4" });
  check("a: >\n  one\n  two\n", "/a", { 5: "1:4" });
  check("a: one\n  two\n", "/a", { 5: "1:4" });
});

test("a character of what is no text has the place of its value", () => {
  check("a: 12\n", "/a", { 1: "1:4" });
  check("a: [1]\n", "/b", { 3: "1:1" });
});

test("a text that is too large has one place", () => {
  const { value, issues, refused, place } = readYaml("#".repeat(70_000));
  expect(value).toBeUndefined();
  expect(issues).toHaveLength(1);
  expect([...refused]).toEqual([""]);
  expect(place("/a", "key")).toEqual({ line: 1, column: 1 });
});

test("duplicate keys cost linear time, whatever their number", () => {
  const keys = Array.from({ length: 9000 }, (_, index) => `k${index}`);
  const { value, issues } = readYaml(`{${keys.join(",")},k0}`);
  expect(Object.keys(value ?? {})).toHaveLength(9000);
  expect(issues).toHaveLength(1);
});

/** The messages about a text, each with its place. */
function told(source: string): readonly string[] {
  return readYaml(source).issues.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

test.each([
  ["brackets", "["],
  ["braces", "{"],
  ["braces with keys", "{a: "],
  ["lists in lists", "- "],
  ["keys that are lists", "[{"],
])("nesting without end is refused at once: %s", (_name, piece) => {
  // Composing goes as deep as the text; where the stack ends, Node may abort the process.
  const issues = told(piece.repeat(60_000 / piece.length));
  expect(issues).toHaveLength(1);
  expect(issues[0]).toMatch(/^1:\d+ nested deeper than 64 levels$/);
});

test("nesting by indentation without end is refused at once", () => {
  const lines = Array.from({ length: 300 }, (_, level) => `${" ".repeat(level)}a:`);
  expect(told(lines.join("\n"))).toEqual(["192:192 nested deeper than 64 levels"]);
});

test("the deepest text that is allowed is read, whatever it is made of", () => {
  const lists = readYaml(`${"[".repeat(64)}${"]".repeat(64)}`);
  const maps = readYaml(`${"{a: ".repeat(64)}1${"}".repeat(64)}`);
  const blocks = readYaml(Array.from({ length: 64 }, (_, at) => `${" ".repeat(at)}a:`).join("\n"));
  const dashes = readYaml("- ".repeat(64));
  for (const { issues, value } of [lists, maps, blocks, dashes]) {
    expect(issues).toEqual([]);
    expect(value).toBeDefined();
  }
});

const DEPTHS = [1, 2, 10, 40, 63];

test.each(["__proto__", "constructor", "prototype"])(
  "the key %s is refused at every depth, with its place, in every way to write it",
  (key) => {
    const message = `the key "${key}" is not allowed`;
    for (const depth of DEPTHS) {
      const inner = depth - 1;
      const flow = `${"{a: ".repeat(inner)}{${key}: 1}${"}".repeat(inner)}`;
      expect(told(flow)).toEqual([`1:${inner * 4 + 2} ${message}`]);
      const block = Array.from({ length: inner }, (_, level) => `${" ".repeat(level)}a:\n`);
      expect(told(`${block.join("")}${" ".repeat(inner)}"${key}": 1\n`)).toEqual([
        `${depth}:${inner + 1} ${message}`,
      ]);
      const { value } = readYaml(flow);
      expect(JSON.stringify(value)).toBe(`${'{"a":'.repeat(inner)}{}${"}".repeat(inner)}`);
    }
    expect(told(`? ${key}\n`)).toEqual([`1:3 ${message}`]);
    expect(Object.prototype).not.toHaveProperty("a");
  },
);

test("a number that cannot be kept is refused at every depth, with its place", () => {
  for (const depth of DEPTHS) {
    const lists = `${"[".repeat(depth)}9007199254740993${"]".repeat(depth)}`;
    expect(told(lists)).toEqual([
      `1:${depth + 1} the integer 9007199254740993 cannot be kept exactly: put quotes around it`,
    ]);
  }
});

test("a warning of the library is an error", () => {
  expect(told("%FOO bar\n---\na: 1\n")).toEqual(["1:1 not valid YAML: Unknown directive %FOO"]);
});

test("a second document is found where it begins", () => {
  expect(told("a: 1\n---\nb: 2\n")).toEqual([
    "2:1 expected one YAML document, found a second one",
  ]);
});
