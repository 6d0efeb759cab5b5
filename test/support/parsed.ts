// Shows what a definition's text was refused for, in one line an issue, for tests to compare.
import type { WorkflowDefinition } from "../../src/core/definition.ts";
import type { KnownHandlers } from "../../src/core/check-params.ts";
import { parseDefinition, type ParseResult } from "../../src/core/parse.ts";

/** Handlers that take any params. */
export function handlersNamed(...names: readonly string[]): KnownHandlers {
  return new Map(names.map((name) => [name, undefined]));
}

const HANDLERS = handlersNamed("echo", "sleep", "http_request");

/** With the handlers `echo`, `sleep` and `http_request`. */
export function parse(source: string): ParseResult {
  return parseDefinition(source, { file: "w.yaml", handlers: HANDLERS });
}

export function definitionOf(source: string): WorkflowDefinition {
  const parsed = parse(source);
  if (!parsed.ok) throw new Error(issuesOf(source).join("\n"));
  return parsed.definition;
}

/** Each issue as `line:column message | hint`. */
export function issuesOf(source: string): readonly string[] {
  const parsed = parse(source);
  if (parsed.ok) return [];
  return parsed.issues.map(({ line, column, message, hint }) => {
    return `${line}:${column} ${message}${hint === undefined ? "" : ` | ${hint}`}`;
  });
}

/** A valid workflow whose task `a` stands in lines 6 to 9, with more lines behind it. */
export function workflow(task: string, more = ""): string {
  return `workflow_id: w
version: 1
nodes:
  s: {type: start, next: a}
  e: {type: end}
  a:
    type: task
    handler: echo
    next: e
${task}${more}`;
}

/** What an empty map is told, at a place. */
export function allMissing(place: string): readonly string[] {
  return ["workflow_id", "version", "nodes"].map((key) => `${place} workflow: missing "${key}"`);
}
