// What the schema refuses, in which words and at which place.
import { expect, test } from "vitest";
import type { SchemaIssue } from "../../../src/core/draft.ts";
import { pointerOf, schemaFindings } from "../../../src/core/schema-issues.ts";
import { allMissing, issuesOf, workflow } from "../../support/parsed.ts";

function check(source: string, expected: readonly string[]): void {
  expect(issuesOf(source)).toEqual(expected);
}

test("an empty map lacks what is required", () => {
  check("{}", allMissing("1:1"));
});

test("a missing key is told at the key of its parent", () => {
  check(workflow("").replace("    handler: echo\n", ""), ['6:3 node "a": missing "handler"']);
  check(workflow("  b: {handler: echo}\n"), [
    '10:3 node "b": missing "type", expected one of start, end, task, conditional, fan_out, fan_in',
  ]);
  check(workflow("", "inputs:\n  x: {}\n"), ['11:3 input "x": missing "type"']);
  const branch = "  c:\n    type: conditional\n    branches:\n      - default: true\n";
  expect(issuesOf(workflow(branch))).toEqual([
    '10:3 node "c": missing "condition_field"',
    '13:9 node "c": branches[0]: missing "name"',
    '13:9 node "c": branches[0]: missing "next"',
  ]);
});

test("a wrong type says what was expected and what stands there", () => {
  check(workflow("    params: 1\n"), ['10:13 node "a": params: expected a map, got 1']);
  check(workflow("    description: [a]\n"), [
    '10:18 node "a": description: expected a text, got a list',
  ]);
  check(workflow("    timeout_seconds: {}\n"), [
    '10:22 node "a": timeout_seconds: expected a number, got a map',
  ]);
  check(workflow("    description:\n"), [
    '10:17 node "a": description: expected a text, got nothing',
  ]);
  check(workflow("", "is_active: yes\n"), [
    '10:12 workflow: is_active: expected true or false, got "yes"',
  ]);
  check(workflow("").replace("version: 1", "version: 1.5"), [
    "2:10 workflow: version: expected an integer, got 1.5",
  ]);
  check(workflow("    on_error: true\n"), [
    '10:15 node "a": on_error: expected a text, got true',
  ]);
  check("workflow_id: w\nversion: 1\nnodes: []\n", [
    "3:8 workflow: nodes: expected a map, got a list",
  ]);
  check(workflow("  x: 3\n"), ['10:6 node "x": expected a map, got 3']);
});

test("a map where a list would be clear gets a hint", () => {
  check(workflow("    depends_on: [s]\n"), [
    '10:17 node "a": depends_on: expected a map, got a list' +
      " | write depends_on: { all_of: [node_id] }",
  ]);
  check(workflow("    retry: 3\n"), [
    '10:12 node "a": retry: expected a map, got 3 | write retry: { max_attempts: 3 }',
  ]);
});

test("bounds are told with the value", () => {
  check(workflow("    retry: {max_attempts: 0, jitter: 1.5}\n"), [
    '10:27 node "a": retry.max_attempts: expected at least 1, got 0',
    '10:38 node "a": retry.jitter: expected at most 1, got 1.5',
  ]);
  check(workflow("    timeout_seconds: 541\n"), [
    '10:22 node "a": timeout_seconds: expected at most 540, got 541',
  ]);
  check(workflow("").replace("handler: echo", 'handler: ""'), [
    '8:14 node "a": handler: expected at least 1 character, got ""',
    '8:14 node "a": handler: this build has no handler ""',
  ].slice(0, 1));
  check(workflow("", "inputs: {x: {type: string, enum: []}}\n"), [
    '10:34 input "x": enum: expected at least 1 item, got a list',
  ]);
  const long = "x".repeat(130);
  check(workflow("", `name: ${long}\n`), [
    `10:7 workflow: name: expected at most 128 characters, got "${"x".repeat(59)}...`,
  ]);
});

test("a wrong word gets the one that was meant", () => {
  check(workflow("    retry: {backoff: exponental}\n"), [
    '10:22 node "a": retry.backoff: expected one of fixed, linear, exponential,' +
      ' got "exponental" | did you mean "exponential"?',
  ]);
  check(workflow("    retry: {backoff: 3}\n"), [
    '10:22 node "a": retry.backoff: expected one of fixed, linear, exponential, got 3',
  ]);
});

test("names have one form", () => {
  check(workflow("").replace("workflow_id: w", "workflow_id: A b"), [
    "1:14 workflow: workflow_id: expected a workflow_id: a-z first, then a-z 0-9 _ -, " +
      'at most 64 characters, got "A b"',
  ]);
  const form = "expected a node id: a letter first, then letters, digits, _, at most 64 characters";
  check(workflow("  _x: {type: end}\n"), [`10:3 node "_x": ${form}`]);
  check(workflow("  continue: {type: end}\n"), ['10:3 node "continue": this word is reserved']);
  check(workflow("", "vars: {a-b: 1}\n"), [
    '10:8 var "a-b": expected a name: a letter first, then letters, digits, _, ' +
      "at most 64 characters",
  ]);
  check(workflow("").replace("next: e", "next: 1e"), [`9:11 node "a": next: ${form}, got "1e"`]);
});

test("targets are one node id or a list of them", () => {
  check(workflow("").replace("next: e", "next: {e: 1}"), [
    '9:11 node "a": next: expected a node id or a list of node ids, got a map',
  ]);
  check(workflow("").replace("next: e", "next: [e, 3, [s]]"), [
    '9:15 node "a": next[1]: expected a text, got 3',
    '9:18 node "a": next[2]: expected a text, got a list',
  ]);
  check(workflow("    depends_on: {all_of: [s, 1]}\n"), [
    '10:30 node "a": depends_on.all_of[1]: expected a text, got 1',
  ]);
});

test("unknown keys are met with the key that was meant, also in other engines' words", () => {
  const keys = "type, description, depends_on, handler, params, retry, timeout_seconds";
  const a = (key: string, hint: string) =>
    `10:5 node "a": unknown key "${key}", allowed are ${keys}, on_error, next${hint}`;
  check(workflow("    nxt: e\n"), [a("nxt", ' | did you mean "next"?')]);
  check(workflow("    retries: 3\n"), [a("retries", ' | did you mean "retry.max_attempts"?')]);
  check(workflow("    timeout: 3\n"), [a("timeout", ' | did you mean "timeout_seconds"?')]);
  check(workflow("    with: {}\n"), [a("with", ' | did you mean "params"?')]);
  // `steps` means nodes, which a task does not have.
  check(workflow("    steps: {}\n"), [a("steps", "")]);
  const root =
    "workflow_id, name, version, description, is_active, timeout_seconds, inputs, vars, secrets";
  check(workflow("", "steps: {}\n"), [
    `10:1 workflow: unknown key "steps", allowed are ${root}, nodes | did you mean "nodes"?`,
  ]);
});

test("unknown keys inside a node name the keys of their place", () => {
  check(workflow("    retry: {attempts: 3}\n"), [
    '10:13 node "a": retry: unknown key "attempts", allowed are max_attempts, backoff, ' +
      'initial_delay_seconds, max_delay_seconds, jitter | did you mean "max_attempts"?',
  ]);
  check(workflow("    depends_on: {allof: [s]}\n"), [
    '10:18 node "a": depends_on: unknown key "allof", allowed are all_of, any_of' +
      ' | did you mean "all_of"?',
  ]);
  check(workflow("", "inputs: {x: {type: string, mim: 1}}\n"), [
    '10:28 input "x": unknown key "mim", allowed are type, required, default, description, ' +
      'enum, min, max, pattern | did you mean "min"?',
  ]);
  const nodes = `  f: {type: fan_out, source: "{{ [1] }}", task: {handler: echo, parms: {}}}
  c: {type: conditional, condition_field: "{{ 1 }}", branches: [{name: d, when: x, next: e}]}
`;
  expect(issuesOf(workflow(nodes))).toEqual([
    '10:65 node "f": task: unknown key "parms", allowed are handler, params' +
      ' | did you mean "params"?',
    '11:54 node "c": expected one branch with default: true, found none' +
      " | a value may match no branch",
    '11:65 node "c": branch "d" has no condition | write condition: or default: true',
    '11:75 node "c": branches[0]: unknown key "when", allowed are name, condition, default, next' +
      ' | did you mean "condition"?',
  ]);
});

test("what comes later is not called unknown", () => {
  check(workflow("    queue: big\n"), ['10:5 node "a": "queue" is not supported yet']);
  for (const type of ["wait", "signal", "workflow"]) {
    check(workflow(`  x: {type: ${type}, seconds: 3}\n`), [
      `10:13 node "x": node type "${type}" is not supported yet`,
    ]);
  }
});

test("unknown node types are met with the one that was meant", () => {
  const types = "expected one of start, end, task, conditional, fan_out, fan_in";
  const x = (type: string, hint: string) =>
    check(workflow(`  x: {type: ${type}}\n`), [
      `10:13 node "x": node type "${type}" is unknown, ${types}${hint}`,
    ]);
  x("tsak", ' | did you mean "task"?');
  x("choice", ' | did you mean "conditional"?');
  x("map", ' | did you mean "fan_out"?');
  x("banana", "");
  check(workflow("  x: {type: [task]}\n"), [
    `10:13 node "x": type: ${types}, got a list`,
  ]);
  check(workflow("  x: {type: 3}\n"), [`10:13 node "x": type: ${types}, got 3`]);
});

test("what follows from a refused value is not told a second time", () => {
  check(workflow("").replace("handler: echo", "handler: *x"), [
    "8:14 aliases are not allowed: repeat the value",
  ]);
  check(workflow("").replace("version: 1", "version: 12345678901234567890"), [
    "2:10 the integer 12345678901234567890 cannot be kept exactly: put quotes around it",
  ]);
  check(workflow("").replace("next: e", "next: [e, *x]"), [
    "9:15 aliases are not allowed: repeat the value",
  ]);
});

test("a pointer escapes slashes and tildes", () => {
  expect(pointerOf([])).toBe("");
  expect(pointerOf(["nodes", "a/b~c", 0])).toBe("/nodes/a~1b~0c/0");
});

test("a type that the words do not know keeps its own name", () => {
  const path = ["name"];
  const issue: SchemaIssue = { code: "invalid_type", expected: "date", path, message: "" };
  expect(schemaFindings(issue, { name: 1 })).toEqual([
    { pointer: "/name", at: "value", message: "workflow: name: expected date, got 1" },
  ]);
});
