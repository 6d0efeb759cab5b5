// What an expression may read, and where; and which outputs are certain when a node starts.
import { describe, expect, test } from "vitest";
import { parseDefinition } from "../../../src/core/parse.ts";
import { handlersNamed } from "../../support/parsed.ts";

/** Issues of a workflow, without places where `placed` is false. */
function issuesOf(source: string, placed: boolean): readonly string[] {
  const handlers = handlersNamed("echo");
  const parsed = parseDefinition(source, { file: "w.yaml", handlers });
  if (parsed.ok) return [];
  return parsed.issues.map(({ line, column, message, hint }) => {
    const text = `${message}${hint === undefined ? "" : ` | ${hint}`}`;
    return placed ? `${line}:${column} ${text}` : text;
  });
}

const HEAD = `workflow_id: w
version: 1
inputs:
  must: {type: string, required: true}
  filled: {type: integer, default: 3}
  maybe: {type: string}
vars: {rate: 2}
nodes:
  s: {type: start, next: [a, f]}
  f: {type: fan_out, source: "{{ [1] }}", task: {handler: echo}, next: i}
  i: {type: fan_in, next: e}
  e: {type: end}
  b: {type: task, handler: echo, depends_on: {all_of: [a, i]}}
`;

/** Line 14: one task `a`, with these params. */
function params(text: string): readonly string[] {
  return issuesOf(`${HEAD}  a: {type: task, handler: echo, next: e, params: ${text}}\n`, true);
}

describe("places that read", () => {
  test("inputs, vars, job facts and upstream nodes are there", () => {
    const reads = [
      "inputs.must",
      "inputs.filled",
      "default(inputs.maybe, 1)",
      "has(inputs.maybe)",
      "inputs",
      "inputs[vars.rate]",
      "vars.rate",
      "vars",
      "vars.rate.deeper[0]",
      "job.job_id",
      "job.workflow_id + job.created_at",
      "job.workflow_version",
      'default(job.correlation_id, "")',
      "job",
      "nodes.s.status",
      "default(nodes.s.error, null)",
      "[1, 2].map(x, x + 1)",
    ];
    for (const read of reads) expect(params(`{p: '{{ ${read} }}'}`)).toEqual([]);
  });

  test("an issue stands at its character inside the text", () => {
    expect(params("{p: '{{ 1 }} and {{ inputs.nope }}'}")).toEqual([
      '14:71 node "a": inputs.nope: expected an input of this workflow, found no "nope"',
    ]);
    expect(params('{deep: [{x: "{{ 1 + }}"}]}')[0]).toMatch(/^14:71 node "a": /);
    const block = "|\n        one\n        {{ vars.rat }}\n";
    const a = "  a:\n    type: task\n    handler: echo\n    next: e\n    params:\n";
    const source = `${HEAD}${a}      p: ${block}`;
    expect(issuesOf(source, true)).toEqual([
      '21:12 node "a": vars.rat: expected a var of this workflow, found no "rat"' +
        ' | did you mean "rate"?',
    ]);
  });

  test("all problems of all texts are told at once", () => {
    expect(params("{p: '{{ vars.x }}{{ vars.y }}', q: ['{{ job.id }}', '{{ nodes }}']}")).toEqual([
      '14:59 node "a": vars.x: expected a var of this workflow, found no "x"',
      '14:71 node "a": vars.y: expected a var of this workflow, found no "y"',
      '14:91 node "a": job.id: expected one of job_id, workflow_id, workflow_version, ' +
        'correlation_id, created_at, found no "id"',
      '14:107 node "a": nodes: expected nodes.<id>, with the id written out',
    ]);
    const two = params("{p: '{{ 1 + }} {{ }} {{ x'}");
    expect(two).toHaveLength(3);
  });

  test("an optional input without a default must be guarded", () => {
    expect(params("{p: '{{ inputs.maybe }}'}")).toEqual([
      '14:59 node "a": inputs.maybe: the input is optional and has no default' +
        " | write default(inputs.maybe, ...), or give the input a default",
    ]);
    expect(params("{p: '{{ default(1, inputs.maybe) }}'}")).toHaveLength(1);
  });

  test("a correlation id must be guarded", () => {
    expect(params("{p: '{{ job.correlation_id }}'}")).toEqual([
      '14:59 node "a": job.correlation_id: a job may have none' +
        ' | write default(job.correlation_id, "")',
    ]);
  });

  test("an unknown name is met with what was probably meant", () => {
    const root = (name: string) => params(`{p: '{{ ${name} }}'}`)[0]?.slice(16);
    const known = "expected one of inputs, nodes, vars, job, secrets, found";
    expect(root("must")).toBe(`${known} "must" | did you mean inputs.must?`);
    expect(root("rate")).toBe(`${known} "rate" | did you mean vars.rate?`);
    expect(root("i.count")).toBe(`${known} "i" | did you mean nodes.i.output?`);
    expect(root("input.x")).toBe(`${known} "input" | did you mean "inputs"?`);
    expect(root("env.X")).toBe(`${known} "env"`);
    expect(root("inputs.mist")).toContain('| did you mean "must"?');
    expect(root("inputs[0]")).toContain('inputs.0: expected an input of this workflow');
    expect(root("inputs.toString")).toContain('found no "toString"');
  });

  test("item and index are there only in the task of a fan_out, value only where one is", () => {
    expect(params("{p: '{{ item }} {{ index }} {{ value }}'}")).toEqual([
      '14:59 node "a": "item" is there only in the task params of a fan_out',
      '14:70 node "a": "index" is there only in the task params of a fan_out',
      '14:82 node "a": "value" is there only in branch conditions and in select',
    ]);
    const nodes = `workflow_id: w
version: 1
nodes:
  s: {type: start, next: [f, c]}
  f: {type: fan_out, source: "{{ [item] }}", next: i, task: {handler: echo, params: {p: "{{
    item + index + value }}"}}}
  i: {type: fan_in, select: "value.x + item", next: e}
  c:
    type: conditional
    condition_field: "{{ value }}"
    branches:
      - {name: x, condition: "value > index", next: e}
      - {name: y, condition: "{{ value > inputs.x }}", next: e}
      - {name: z, condition: "in [item]", next: e}
      - {name: d, default: true, next: e}
  e: {type: end}
`;
    expect(issuesOf(nodes, true).map((issue) => issue.replace(/ is there only.*/, ""))).toEqual([
      '5:35 node "f": "item"',
      // A text over several lines is placed at its start.
      '5:89 node "f": "value"',
      '7:40 node "i": "item"',
      '10:26 node "c": "value"',
      '12:39 node "c": "index"',
      '13:42 node "c": inputs.x: expected an input of this workflow, found no "x"',
      '14:35 node "c": "item"',
    ]);
  });

  test("source and condition_field must be one expression", () => {
    const source = (text: string) => HEAD.replace('"{{ [1] }}"', text);
    const rest = "  a: {type: task, handler: echo}\n";
    expect(issuesOf(source("inputs.must") + rest, true)).toEqual([
      '10:30 node "f": expected exactly one {{ expression }} and nothing around it' +
        " | write {{ inputs.must }}",
    ]);
    expect(issuesOf(source('"{{ nodes.i.output }}"') + rest, true)).toEqual([
      '10:34 node "f": nodes.i: "i" is not upstream of "f"',
    ]);
  });
});

describe("nodes that are read", () => {
  const read = (text: string) => params(`{p: '{{ ${text} }}'}`).map((issue) => issue.slice(6));

  test("must exist and be upstream", () => {
    expect(read("nodes.nope.output")).toEqual([
      'node "a": nodes.nope: expected a node of this workflow, found no "nope"',
    ]);
    expect(read("nodes.b.output")).toEqual(['node "a": nodes.b: "b" is not upstream of "a"']);
    expect(read("nodes.a.output")).toEqual(['node "a": nodes.a: "a" is not upstream of "a"']);
    expect(read("default(nodes.i.output, 1)")).toEqual([
      'node "a": nodes.i: "i" is not upstream of "a"',
    ]);
    expect(read("nodes.i.status")).toEqual(['node "a": nodes.i: "i" is not upstream of "a"']);
  });

  test("are named in full", () => {
    expect(read("nodes[inputs.must]")).toEqual([
      'node "a": nodes: expected nodes.<id>, with the id written out',
    ]);
    expect(read("nodes.s")).toEqual([
      'node "a": nodes.s: expected nodes.s.output, .status or .error',
    ]);
    expect(read("nodes.s.ouput")).toEqual([
      'node "a": nodes.s: expected nodes.s.output, .status or .error | did you mean "output"?',
    ]);
    expect(read('nodes["s"][inputs.must]')).toHaveLength(1);
  });

  test("have an output only as task or fan_in", () => {
    expect(read("nodes.s.output")).toEqual([
      'node "a": nodes.s.output: a start node has no output',
    ]);
    const source = (text: string) =>
      HEAD.replace("[a, i]}", `[a, i]}, params: {p: "{{ ${text} }}"}`) +
      "  a: {type: task, handler: echo}\n";
    expect(issuesOf(source("nodes.f.output"), false)).toEqual([
      'node "b": nodes.f.output: a fan_out node has no output' +
        " | read the output of the fan_in that follows it",
    ]);
    expect(issuesOf(source("nodes.i.output.results + nodes.a.output"), false)).toEqual([]);
  });

  test("have ended and completed, or are guarded", () => {
    const nodes = (text: string) => `workflow_id: w
version: 1
nodes:
  s: {type: start, next: [c, p]}
  c:
    type: conditional
    condition_field: "{{ 1 }}"
    branches:
      - {name: x, condition: "> 1", next: a}
      - {name: y, default: true, next: e}
  p: {type: task, handler: echo}
  q: {type: task, handler: echo, depends_on: {any_of: [a, p]}, params: {p: "{{ ${text} }}"}}
  a: {type: task, handler: echo, on_error: continue, next: z}
  z: {type: task, handler: echo, params: {p: "{{ ${text} }}"}, next: e}
  e: {type: end}
`;
    expect(issuesOf(nodes("nodes.a.output.x"), false)).toEqual([
      'node "q": nodes.a.output: "a" may not have ended when "q" starts' +
        " | write default(nodes.a.output, ...)",
      'node "z": nodes.a.output: "a" may have been skipped or have failed' +
        " | write default(nodes.a.output, ...)",
    ]);
    expect(issuesOf(nodes("default(nodes.a.output.x, 3)"), false)).toEqual([]);
    expect(issuesOf(nodes("has(nodes.a.output) ? 1 : 2"), false)).toEqual([]);
    expect(issuesOf(nodes("nodes.a.status"), false)).toEqual([]);
    expect(issuesOf(nodes("nodes.a.error.code"), false)).toEqual([]);
  });

  test("are not judged while the graph is in question", () => {
    const broken = HEAD.replace("next: e}", "next: nowhere}");
    const both = "nodes.b.output + nodes.s.output";
    const a = `  a: {type: task, handler: echo, params: {p: "{{ ${both} }}"}}\n`;
    const found = issuesOf(broken + a, false);
    expect(found).toEqual([
      'node "i": next: expected a node, found no "nowhere"',
      'node "a": nodes.s.output: a start node has no output',
    ]);
    const unread = HEAD.replace("handler: echo, depends_on", "handler: [], depends_on");
    const text = '  a: {type: task, handler: echo, params: {p: "{{ nodes.b.output }}"}}\n';
    expect(issuesOf(unread + text, false)).toEqual([
      'node "b": handler: expected a text, got a list',
    ]);
  });
});
