// Whether every expression parses, and whether what it reads is there when it is read: declared
// inputs and vars, facts of the job, nodes upstream, and outputs of nodes that certainly completed.
import { certaintyOf, type Certainty } from "./certainty.ts";
import { unknownSecret, unusedSecrets } from "./check-secrets.ts";
import type { NodeDefinition } from "./definition.ts";
import type { Draft, Finding } from "./draft.ts";
import { parseCondition, parseExpression, type Parsed } from "./expression/parse.ts";
import { type Reference, references } from "./expression/references.ts";
import type { JsonObject } from "./json.ts";
import { didYouMean } from "./nearest.ts";
import { pointerOf } from "./schema-issues.ts";
import { parseSingle, parseTemplate, templateReferences } from "./template.ts";

/** What an expression may read anywhere. */
const ROOTS = ["inputs", "nodes", "vars", "job"];
const JOB_FIELDS = ["job_id", "workflow_id", "workflow_version", "correlation_id", "created_at"];
const JOB_NAMES: ReadonlySet<string> = new Set(JOB_FIELDS);
const NODE_FIELDS = ["output", "status", "error"];

/** One read of one expression, at its place in the document. */
interface Read extends Reference {
  readonly node: string;
  readonly pointer: string;
  /** What only this place offers: `item` and `index`, or `value`. */
  readonly extra: readonly string[];
}

interface Text {
  readonly reads: readonly Read[];
  readonly findings: readonly Finding[];
}

/**
 * `isSound` tells that the graph has no finding: only then is it clear what runs before what.
 * Paths into outputs, inputs and vars are not followed: their shape is known at run time only.
 */
export function checkReferences(draft: Draft, isSound: boolean): readonly Finding[] {
  const texts = Object.entries(draft.definition.nodes).flatMap(([id, node]) => textsOf(id, node));
  const certainty = isSound ? certaintyOf(draft.definition) : undefined;
  const reads = texts.flatMap((text) => text.reads);
  const unread = texts.flatMap(({ findings }) => findings);
  const isWhole = draft.complete && unread.length === 0;
  const used = reads.flatMap(({ root, path }) => (root === "secrets" ? path.map(String) : []));
  return [
    ...unread,
    ...reads.flatMap((read) => checkRead(draft, certainty, read)),
    ...(isWhole ? unusedSecrets(draft, new Set(used)) : []),
  ];
}

function textsOf(id: string, node: NodeDefinition): readonly Text[] {
  const at = (...path: readonly (string | number)[]) => pointerOf(["nodes", id, ...path]);
  switch (node.type) {
    case "start":
    case "end":
      return [];
    case "task":
      return [templateText({ node: id, pointer: at("params"), extra: ["secrets"] }, node.params)];
    case "fan_out":
      return [
        expressionText({ node: id, pointer: at("source"), extra: [] }, node.source, parseSingle),
        templateText(
          { node: id, pointer: at("task", "params"), extra: ["item", "index", "secrets"] },
          node.task.params,
        ),
      ];
    case "conditional":
      return [
        expressionText(
          { node: id, pointer: at("condition_field"), extra: [] },
          node.condition_field,
          parseSingle,
        ),
        ...node.branches.flatMap(({ condition }, index) => {
          if (condition === undefined) return [];
          const pointer = at("branches", index, "condition");
          const place = { node: id, pointer, extra: ["value"] };
          return [expressionText(place, condition, parseCondition)];
        }),
      ];
    case "fan_in": {
      if (node.select === undefined) return [];
      const place = { node: id, pointer: at("select"), extra: ["value"] };
      return [expressionText(place, node.select, parseExpression)];
    }
  }
}

type Place = Pick<Read, "node" | "pointer" | "extra">;

function templateText(place: Place, params: JsonObject): Text {
  const parsed = parseTemplate(params);
  if (parsed.ok) {
    const found = templateReferences(parsed.template);
    const reads = found.map((read) => {
      return { ...read, ...place, pointer: place.pointer + read.pointer };
    });
    return { reads, findings: [] };
  }
  const findings = parsed.issues.map(({ pointer, message, offset, hint }) => {
    return problem({ ...place, pointer: place.pointer + pointer, offset }, message, hint);
  });
  return { reads: [], findings };
}

function expressionText(place: Place, text: string, parse: (text: string) => Parsed): Text {
  const parsed = parse(text);
  if (!parsed.ok) {
    const { message, offset, hint } = parsed;
    return { reads: [], findings: [problem({ ...place, offset }, message, hint)] };
  }
  // The source is the text itself, or what stands in its braces.
  const begin = text.indexOf(parsed.expression.source);
  const reads = references(parsed.expression).map((read) => {
    return { ...read, ...place, offset: read.offset + begin };
  });
  return { reads, findings: [] };
}

function problem(
  { node, pointer, offset }: Pick<Read, "node" | "pointer" | "offset">,
  message: string,
  hint?: Finding["hint"],
): Finding {
  const hinted = hint === undefined ? {} : { hint };
  return { pointer, at: offset, message: `node "${node}": ${message}`, ...hinted };
}

function checkRead(
  draft: Draft,
  certainty: Certainty | undefined,
  read: Read,
): readonly Finding[] {
  switch (read.root) {
    case "inputs":
      return checkInput(draft, read);
    case "vars":
      return checkMember(read, draft.vars, "a var of this workflow");
    case "job":
      return checkJob(read);
    case "nodes":
      return checkNode(draft, certainty, read);
    case "secrets":
      return checkSecret(draft, read);
    default:
      return checkRoot(draft, read);
  }
}

function checkInput(draft: Draft, read: Read): readonly Finding[] {
  const unknown = checkMember(read, draft.inputs, "an input of this workflow");
  const name = String(read.path[0]);
  const input = draft.definition.inputs[name];
  if (unknown.length > 0 || read.guarded || input === undefined) return unknown;
  if (input.required || input.default !== undefined) return [];
  const hint = `write default(inputs.${name}, ...), or give the input a default`;
  return [problem(read, `inputs.${name}: the input is optional and has no default`, hint)];
}

/** What stands in params is a name alone: parseTemplate refuses the rest. */
function checkSecret(draft: Draft, read: Read): readonly Finding[] {
  if (!read.extra.includes("secrets")) return checkRoot(draft, read);
  const unknown = unknownSecret(draft, String(read.path[0]));
  return unknown === undefined ? [] : [problem(read, unknown.message, unknown.hint)];
}

/** A root that is read whole, or by a computed name, is not followed. */
function checkMember(read: Read, known: ReadonlySet<string>, what: string): readonly Finding[] {
  const [first] = read.path;
  if (first === undefined) return [];
  const name = String(first);
  if (known.has(name)) return [];
  const message = `${read.root}.${name}: expected ${what}, found no "${name}"`;
  return [problem(read, message, () => didYouMean(name, known).hint)];
}

function checkJob(read: Read): readonly Finding[] {
  const [field] = read.path;
  if (field !== "correlation_id" || read.guarded) {
    return checkMember(read, JOB_NAMES, `one of ${JOB_FIELDS.join(", ")}`);
  }
  const hint = 'write default(job.correlation_id, "")';
  return [problem(read, "job.correlation_id: a job may have none", hint)];
}

function checkNode(
  draft: Draft,
  certainty: Certainty | undefined,
  read: Read,
): readonly Finding[] {
  const [id, field] = read.path;
  if (typeof id !== "string") {
    return [problem(read, "nodes: expected nodes.<id>, with the id written out")];
  }
  if (!draft.nodes.has(id)) return checkMember(read, draft.nodes, "a node of this workflow");
  const name = `nodes.${id}`;
  if (typeof field !== "string" || !NODE_FIELDS.includes(field)) {
    const hint = () => didYouMean(String(field), NODE_FIELDS).hint;
    return [problem(read, `${name}: expected ${name}.output, .status or .error`, hint)];
  }
  if (certainty !== undefined && !certainty.isUpstream(id, read.node)) {
    return [problem(read, `${name}: "${id}" is not upstream of "${read.node}"`)];
  }
  return field === "output" ? checkOutput(draft, certainty, { ...read, id }) : [];
}

function checkOutput(
  draft: Draft,
  certainty: Certainty | undefined,
  read: Read & { readonly id: string },
): readonly Finding[] {
  const { id, node } = read;
  const name = `nodes.${id}.output`;
  const type = draft.definition.nodes[id]?.type;
  if (type !== undefined && type !== "task" && type !== "fan_in") {
    const hint = type === "fan_out" ? "read the output of the fan_in that follows it" : undefined;
    return [problem(read, `${name}: a ${type} node has no output`, hint)];
  }
  if (certainty === undefined || read.guarded) return [];
  const hint = `write default(${name}, ...)`;
  if (!certainty.hasEnded(id, node)) {
    return [problem(read, `${name}: "${id}" may not have ended when "${node}" starts`, hint)];
  }
  if (certainty.completes(id, node)) return [];
  return [problem(read, `${name}: "${id}" may have been skipped or have failed`, hint)];
}

/** Names that some places offer and others do not, and names that nobody knows. */
function checkRoot(draft: Draft, read: Read): readonly Finding[] {
  const { root, extra } = read;
  if (extra.includes(root)) return [];
  const home = HOMES.get(root);
  if (home !== undefined) return [problem(read, `"${root}" ${home}`)];
  const known = [...ROOTS, ...extra];
  const message = `expected one of ${known.join(", ")}, found "${root}"`;
  const hint = () => rootHint(draft, root) ?? didYouMean(root, known).hint;
  return [problem(read, message, hint)];
}

const HOMES: ReadonlyMap<string, string> = new Map([
  ["item", "is there only in the task params of a fan_out"],
  ["index", "is there only in the task params of a fan_out"],
  ["value", "is there only in branch conditions and in select"],
  ["secrets", "is there only in the params of tasks, as {{ secrets.NAME }}"],
]);

function rootHint(draft: Draft, root: string): string | undefined {
  if (draft.inputs.has(root)) return `did you mean inputs.${root}?`;
  if (draft.vars.has(root)) return `did you mean vars.${root}?`;
  return draft.nodes.has(root) ? `did you mean nodes.${root}.output?` : undefined;
}
