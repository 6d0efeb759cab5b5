// YAML to a checked definition. Every problem is found in one pass over the file: syntax, schema,
// graph, handlers, inputs, expressions; each with file, line, column and where possible a hint.
// Whoever holds a WorkflowDefinition from here need not check it again.
import { checkGraph } from "./check-graph.ts";
import type { KnownHandlers } from "./check-params.ts";
import { checkInputs } from "./check-inputs.ts";
import { checkReferences } from "./check-references.ts";
import { plainSecrets } from "./check-secrets.ts";
import { WORKFLOW_ID, type WorkflowDefinition } from "./definition.ts";
import { readDraft, type Finding } from "./draft.ts";
import type { Issue } from "./error.ts";
import { firstIssues } from "./issues.ts";
import { isJsonObject, type Json } from "./json.ts";
import { schemaFindings } from "./schema-issues.ts";
import { readYaml, type YamlSource } from "./yaml-source.ts";

export type ParseResult =
  | { readonly ok: true; readonly definition: WorkflowDefinition }
  | {
      readonly ok: false;
      /** In the order of the file. */
      readonly issues: readonly Issue[];
      /** What the file says it is, as far as that can be read. */
      readonly workflow_id?: string;
      readonly version?: number;
    };

export interface ParseOptions {
  /** The name shown in issues. */
  readonly file: string;
  /** The handlers that this build has. */
  readonly handlers: KnownHandlers;
}

/** Never throws, whatever the text. */
export function parseDefinition(source: string, options: ParseOptions): ParseResult {
  const yaml = readYaml(source);
  const { definition, findings } = check(yaml, options.handlers);
  const found: readonly Found[] = [...yaml.issues, ...placed(yaml, findings)].sort(byPlace);
  if (found.length === 0 && definition !== undefined) return { ok: true, definition };
  const { file } = options;
  const issues = firstIssues(found, issueOf).map((issue) => ({ ...issue, file }));
  return { ok: false, issues, ...identityOf(yaml.value) };
}

interface Checked {
  readonly definition?: WorkflowDefinition;
  readonly findings: readonly Finding[];
}

function check(yaml: YamlSource, handlers: KnownHandlers): Checked {
  const { value } = yaml;
  if (!isJsonObject(value)) {
    // What stands there instead was reported, unless the file is empty or no map.
    const message = "expected a workflow: a map with workflow_id, version and nodes";
    const findings: Finding[] = [{ pointer: "", at: "value", message }];
    return { findings: yaml.issues.length === 0 ? findings : [] };
  }
  const { draft, issues } = readDraft(value);
  const refused = issues.flatMap((issue) => schemaFindings(issue, value));
  const graph = checkGraph(draft, handlers);
  const isSound = draft.complete && graph.length === 0;
  const rest = [
    ...checkInputs(draft),
    ...checkReferences(draft, isSound),
    ...plainSecrets(draft),
  ];
  return { definition: draft.definition, findings: [...refused, ...graph, ...rest] };
}

/** An issue whose hint may still be a question. */
type Found = Omit<Issue, "hint"> & Pick<Finding, "hint">;

function issueOf({ hint, ...rest }: Found): Issue {
  const text = typeof hint === "function" ? hint() : hint;
  return text === undefined ? rest : { ...rest, hint: text };
}

/** What concerns a value that the reader refused is a consequence, not a second mistake. */
function placed(yaml: YamlSource, findings: readonly Finding[]): readonly Found[] {
  return findings
    .filter(({ pointer }) => !yaml.refused.has(pointer))
    .map(({ pointer, at, message, hint }) => ({
      ...yaml.place(pointer, at),
      pointer,
      message,
      ...(hint === undefined ? {} : { hint }),
    }));
}

function byPlace(a: Found, b: Found): number {
  return Number(a.line) - Number(b.line) || Number(a.column) - Number(b.column);
}

function identityOf(value: Json | undefined): { workflow_id?: string; version?: number } {
  if (!isJsonObject(value)) return {};
  const { workflow_id: id, version } = value;
  return {
    ...(typeof id === "string" && WORKFLOW_ID.test(id) ? { workflow_id: id } : {}),
    ...(typeof version === "number" && Number.isInteger(version) && version > 0 ? { version } : {}),
  };
}
