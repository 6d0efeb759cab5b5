// Templates: any JSON value whose strings may hold {{ expression }} at any depth.
import type { Json } from "./json.ts";
import type { Parsed } from "./expression/parse.ts";
import type { Reference } from "./expression/references.ts";
import { type Budget, ExpressionError, type Scope } from "./expression/evaluate.ts";

export interface Template {
  readonly kind: string;
}

export interface TemplateIssue {
  readonly pointer: string;
  readonly message: string;
  readonly offset: number;
  readonly hint?: string;
}

export type ParsedTemplate =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly issues: readonly TemplateIssue[] };

export function parseTemplate(_value: Json): ParsedTemplate {
  return { ok: false, issues: [] };
}

export function parseSingle(_text: string): Parsed {
  return { ok: false, message: "not ready", offset: 0 };
}

export function renderTemplate(template: Template, _scope: Scope, _budget: Budget): Json {
  throw new ExpressionError("type", template.kind);
}

export function templateReferences(
  _template: Template,
): readonly (Reference & { readonly pointer: string })[] {
  return [];
}
