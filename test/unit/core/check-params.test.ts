// Whether tasks name the params that their handlers take, through parseDefinition.
import { expect, test } from "vitest";
import type { KnownHandlers } from "../../../src/core/check-params.ts";
import { parseDefinition } from "../../../src/core/parse.ts";

const HANDLERS: KnownHandlers = new Map([
  ["resize", { known: ["width", "height"], required: ["width"] }],
  ["open", { required: ["name"] }],
  ["tick", { known: [], required: [] }],
  ["anything", undefined],
]);

/** Nodes from line 5 on; each issue as `line:column message | hint`. */
function issuesOf(nodes: string): readonly string[] {
  const source = `workflow_id: w\nversion: 1\nnodes:\n  s: {type: start, next: a}\n${nodes}
  e: {type: end}\n`;
  const parsed = parseDefinition(source, { file: "w.yaml", handlers: HANDLERS });
  if (parsed.ok) return [];
  return parsed.issues.map(({ line, column, message, hint }) => {
    return `${line}:${column} ${message}${hint === undefined ? "" : ` | ${hint}`}`;
  });
}

const task = (handler: string, params: string) =>
  issuesOf(`  a: {type: task, next: e, handler: ${handler}${params}}`);

test.each([
  ["all that it takes", "resize", ", params: {width: 1, height: 2}"],
  ["only what it needs", "resize", ", params: {width: '{{ 1 }}'}"],
  ["more, where it takes others as well", "open", ", params: {name: x, other: y}"],
  ["nothing, where it takes nothing", "tick", ""],
  ["what nothing is known of", "anything", ", params: {width: 1}"],
])("a task may give %s", (_what, handler, params) => {
  expect(task(handler, params)).toEqual([]);
});

test("what is missing and what is unknown is told with its place, all of it", () => {
  const rest = ", params: {widht: 1, depth: 2}";
  const takes = "it takes width, height";
  expect(task("resize", rest)).toEqual([
    '5:45 node "a": params: handler "resize" needs "width"',
    `5:54 node "a": params: handler "resize" takes no "widht", ${takes} | did you mean "width"?`,
    `5:64 node "a": params: handler "resize" takes no "depth", ${takes}`,
  ]);
});

test("a task without params is told what it needs where it stands", () => {
  expect(task("open", "")).toEqual(['5:3 node "a": params: handler "open" needs "name"']);
});

test("a handler without params takes none", () => {
  const says = 'node "a": params: handler "tick" takes no "speed", it takes none';
  expect(task("tick", ", params: {speed: 1}")).toEqual([`5:52 ${says}`]);
});

test("the task of a fan_out is looked at alike", () => {
  const fanOut = (params: string) =>
    issuesOf(`  a:
    type: fan_out
    source: "{{ [1] }}"
    task:
      handler: resize
      params: ${params}
    next: e`);
  expect(fanOut("{width: '{{ item }}'}")).toEqual([]);
  expect(fanOut("{wide: '{{ item }}'}")).toEqual([
    '10:7 node "a": task.params: handler "resize" needs "width"',
    '10:16 node "a": task.params: handler "resize" takes no "wide", it takes width, height',
  ]);
});

test("an unknown handler is told alone", () => {
  expect(task("rezise", ", params: {depth: 1}")).toEqual([
    '5:37 node "a": handler: this build has no handler "rezise" | did you mean "resize"?',
  ]);
});
