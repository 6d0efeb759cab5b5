// Whether nodes form a workflow, through parseDefinition: messages with their places.
import { expect, test } from "vitest";
import { parseDefinition } from "../../../src/core/parse.ts";
import { handlersNamed } from "../../support/parsed.ts";

/** Nodes start in line 4; each issue as `line:column message | hint`. */
function issuesOf(nodes: string): readonly string[] {
  const source = `workflow_id: w\nversion: 1\nnodes:\n${nodes}`;
  const handlers = handlersNamed("echo", "sleep");
  const parsed = parseDefinition(source, { file: "w.yaml", handlers });
  if (parsed.ok) return [];
  return parsed.issues.map(({ line, column, message, hint }) => {
    return `${line}:${column} ${message}${hint === undefined ? "" : ` | ${hint}`}`;
  });
}

function check(nodes: string, expected: readonly string[]): void {
  expect(issuesOf(nodes)).toEqual(expected);
}

const task = (id: string, rest: string) => `  ${id}: {type: task, handler: echo, ${rest}}\n`;

test("every node type in one workflow is fine", () => {
  check(
    `  s: {type: start, next: [a, f]}
  a: {type: task, handler: echo, on_error: r, next: c, retry: {max_delay_seconds: 9}}
  r: {type: task, handler: sleep, on_error: continue, next: [e]}
  c:
    type: conditional
    condition_field: "{{ nodes.a.output }}"
    branches:
      - {name: x, condition: "> 1", next: e}
      - {name: y, condition: "> 0", next: [e]}
      - {name: z, default: true, next: []}
  f: {type: fan_out, source: "{{ [1] }}", task: {handler: echo}, next: i}
  i: {type: fan_in, next: e}
  j: {type: fan_in, depends_on: {any_of: f}, aggregation: sum}
  e: {type: end, depends_on: {any_of: [i, j], all_of: [c]}}
`,
    [],
  );
});

test("a workflow needs one start and an end", () => {
  check(`  a: {type: end}\n`, ["3:1 workflow: expected one start node, found none"]);
  check(`  s: {type: start}\n`, ["3:1 workflow: expected an end node, found none"]);
  check("  s: {type: start, next: e}\n  t: {type: start, next: e}\n  e: {type: end}\n", [
    '5:3 node "t": expected one start node, found "s" before it',
  ]);
  check("", [
    "3:7 workflow: nodes: expected a map, got nothing",
  ]);
});

test("an unreadable node counts as what it may be", () => {
  // Neither "no end" nor "no way leads here" is said, because x may be both.
  check(`  s: {type: start, next: x}\n  x: {type: edn}\n`, [
    '5:13 node "x": node type "edn" is unknown, expected one of start, end, task, conditional, ' +
      'fan_out, fan_in | did you mean "end"?',
  ]);
});

test("every target must exist", () => {
  check(
    `  s: {type: start, next: [work, wrok]}
${task("work", "next: e, on_error: nowhere")}  e:
    {type: end, depends_on: {all_of: [wrk], any_of: gone}}
`,
    [
      '4:33 node "s": next: expected a node, found no "wrok" | did you mean "work"?',
      '5:56 node "work": on_error: expected a node, found no "nowhere"',
      '7:39 node "e": depends_on.all_of: expected a node, found no "wrk" | did you mean "work"?',
      '7:53 node "e": depends_on.any_of: expected a node, found no "gone"',
    ],
  );
  check(
    `  s: {type: start, next: c}
  c:
    type: conditional
    condition_field: "{{ 1 }}"
    branches:
      - {name: x, default: true, next: [e, f]}
  e: {type: end}
`,
    ['9:44 node "c": branches.next: expected a node, found no "f"'],
  );
});

test("names of object members that every object has are no nodes", () => {
  check("  s: {type: start, next: [e, toString, valueOf]}\n  e: {type: end}\n", [
    '4:30 node "s": next: expected a node, found no "toString"',
    '4:40 node "s": next: expected a node, found no "valueOf"',
  ]);
});

test("a node cannot follow itself, in any way", () => {
  check(
    `  s: {type: start, next: [a, b, c]}
${task("a", "next: [e, a]")}${task("b", "next: e, on_error: b")}${task(
      "c",
      "next: e, depends_on: {all_of: c}",
    )}  e: {type: end}
`,
    [
      '5:44 node "a": next: a node cannot follow itself',
      '6:53 node "b": on_error: a node cannot follow itself',
      '7:64 node "c": depends_on.all_of: a node cannot follow itself',
    ],
  );
});

test("nothing leads to the start and nothing follows an end", () => {
  check(
    `  s: {type: start, next: a}\n${task("a", "next: [s, e]")}${task(
      "b",
      "depends_on: {any_of: [e]}",
    )}  e: {type: end}\n`,
    [
      "4:3 cycle: s -> a -> s",
      '5:41 node "a": next: nothing leads to the start node "s"',
      '6:56 node "b": depends_on.any_of: nothing follows the end node "e"',
    ],
  );
});

test("a cycle is told with its path", () => {
  check(
    `  s: {type: start, next: a}\n${task("a", "next: b")}${task("b", "next: c")}${task(
      "c",
      "next: [a, e]",
    )}  e: {type: end}\n`,
    ["5:3 cycle: a -> b -> c -> a"],
  );
});

test("cycles through branches, on_error and depends_on are cycles too", () => {
  check(
    `  s: {type: start, next: [a, c, x]}
${task("a", "on_error: b, next: e")}${task("b", "next: a")}  c:
    type: conditional
    condition_field: "{{ 1 }}"
    branches: [{name: y, default: true, next: d}]
${task("d", "next: c")}${task("x", "depends_on: {all_of: y}")}${task("y", "next: x")}${task(
      "z",
      "depends_on: {any_of: [x]}, next: y",
    )}  e: {type: end}
`,
    [
      "5:3 cycle: a -> b -> a",
      "7:3 cycle: c -> d -> c",
      // Two cycles share x and y: one of them is told.
      "12:3 cycle: x -> z -> y -> x",
    ],
  );
});

test("a cycle that nothing leads to is told, and what it leads to is not", () => {
  check(
    `  s: {type: start, next: e}\n${task("a", "next: b")}${task("b", "next: [a, c]")}${task(
      "c",
      "next: e",
    )}  e: {type: end}\n`,
    [
      "5:3 cycle: a -> b -> a",
      '5:3 node "a": no way leads here from the start node | name it in the next of another node',
      '6:3 node "b": no way leads here from the start node | name it in the next of another node',
      '7:3 node "c": no way leads here from the start node | name it in the next of another node',
    ],
  );
});

test("a node reached through depends_on or on_error alone is in reach", () => {
  check(
    `  s: {type: start, next: a}\n${task("a", "on_error: r")}${task("r", "next: e")}${task(
      "d",
      "depends_on: {any_of: a}",
    )}  e: {type: end}\n`,
    [],
  );
});

test("handlers must be in this build", () => {
  check(
    `  s: {type: start, next: [a, f]}
  a: {type: task, handler: ecoh, next: e}
  f: {type: fan_out, source: "{{ [] }}", task: {handler: unheard}, next: e}
  e: {type: end}
`,
    [
      '5:28 node "a": handler: this build has no handler "ecoh" | did you mean "echo"?',
      '6:58 node "f": task.handler: this build has no handler "unheard"',
    ],
  );
});

test("a delay cannot begin above its own maximum", () => {
  check(
    `  s: {type: start, next: a}
${task("a", "next: e, retry: {initial_delay_seconds: 301}")}${task(
      "b",
      "depends_on: {all_of: a}, retry: {initial_delay_seconds: 5, max_delay_seconds: 5}",
    )}  e: {type: end}\n`,
    [
      '5:74 node "a": retry.initial_delay_seconds: expected at most max_delay_seconds, 300, ' +
        "got 301 | raise max_delay_seconds",
    ],
  );
});

const branches = (...lines: readonly string[]) => `  s: {type: start, next: c}
  e: {type: end}
  c:
    type: conditional
    condition_field: "{{ 1 }}"
    branches:
${lines.map((line) => `      - {${line}, next: e}\n`).join("")}`;

test("exactly one branch is the default, the others have conditions", () => {
  check(branches("name: a, condition: '1 == 1'"), [
    '9:5 node "c": expected one branch with default: true, found none' +
      " | a value may match no branch",
  ]);
  check(branches("name: a, default: true", "name: b, default: true", "name: d, default: true"), [
    '11:28 node "c": expected one branch with default: true, found another',
    '12:28 node "c": expected one branch with default: true, found another',
  ]);
  check(branches("name: a, default: true, condition: '> 1'"), [
    '10:45 node "c": the default branch "a" takes no condition',
  ]);
  check(branches("name: a, default: false", "name: b, default: true"), [
    '10:9 node "c": branch "a" has no condition | write condition: or default: true',
  ]);
});

test("branch names are unique", () => {
  check(branches("name: a, condition: '> 1'", "name: a, default: true"), [
    '11:16 node "c": two branches are named "a"',
  ]);
});

const pair = (more: string) => `  s: {type: start, next: [f, a]}
  f: {type: fan_out, source: "{{ [] }}", task: {handler: echo}, next: i}
  a: {type: task, handler: echo, next: e}
  i: {type: fan_in, next: e}
  e: {type: end}
${more}`;

test("a fan_in follows one fan_out and nothing else", () => {
  check(pair(""), []);
  check(pair("").replace("handler: echo, next: e", "handler: echo, next: [e, i]"), [
    '7:3 node "i": expects one fan_out upstream, found task "a"',
  ]);
  check(pair("").replace("next: i", "next: e"), [
    '7:3 node "i": no way leads here from the start node | name it in the next of another node',
  ]);
  check(pair("").replace("[f, a]", "[f, a, g]") + pair("").split("\n")[1]?.replace("f:", "g:"), [
    '7:3 node "i": expects one fan_out upstream, found fan_out "f" and fan_out "g"',
  ]);
  check(
    pair("  g: {type: fan_out, source: '{{ [] }}', task: {handler: echo}, next: i}\n")
      .replace("[f, a]", "[f, a, g]")
      .replace("next: e}\n  i", "next: [e, i]}\n  i"),
    [
      '7:3 node "i": expects one fan_out upstream, ' +
        'found task "a" and fan_out "f" and fan_out "g"',
    ],
  );
});

test("a fan_out named by next and by depends_on is one source", () => {
  check(pair("").replace("fan_in, next", "fan_in, depends_on: {all_of: [f]}, next"), []);
});

test("an error does not lead into a fan_in", () => {
  check(pair("").replace("handler: echo, next: e", "handler: echo, on_error: i, next: e"), [
    '7:3 node "i": on_error cannot lead to a fan_in',
  ]);
});

test("500 nodes are fine and 501 are not", () => {
  const chain = (count: number) => {
    const tasks = Array.from({ length: count - 2 }, (_, index) => {
      const next = index === count - 3 ? "e" : `n${index + 1}`;
      return `  n${index}: {type: task, handler: echo, next: ${next}}\n`;
    });
    return `  s: {type: start, next: n0}\n${tasks.join("")}  e: {type: end}\n`;
  };
  check(chain(500), []);
  check(chain(501), ["3:1 workflow: expected at most 500 nodes, got 501"]);
});
