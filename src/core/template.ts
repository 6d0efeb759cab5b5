// Templates: any JSON value whose texts may hold {{ expression }} at any depth. Keys never do.
// Parsed once, rendered any number of times; what an expression puts in is never scanned again,
// so no input can bring a template of its own. A text that is exactly one {{ expression }} keeps
// the type of its value; otherwise values are put into the text. {{ secrets.NAME }} stays open: see
// secret.ts.
import { canonical } from "./canonical.ts";
import { bracesEnd } from "./expression/braces.ts";
import { type Budget, compute, ExpressionError, type Scope } from "./expression/evaluate.ts";
import { type Expression, type Parsed, parseExpression } from "./expression/parse.ts";
import { type Reference, references } from "./expression/references.ts";
import { fits } from "./expression/room.ts";
import type { Json, JsonObject } from "./json.ts";
import { MAX_JSON_DEPTH, MAX_RENDERED_BYTES, MAX_TEMPLATE_CHARS } from "./limits.ts";
import { fillSealed, type Sealed, secretMark, secretName, type SecretPlace } from "./secret.ts";

interface Slot {
  readonly expression: Expression;
  /** Where its source begins in the text, in UTF-16 units. */
  readonly offset: number;
  /** The secret it stands for; then the expression is not evaluated. */
  readonly secret?: string;
}

interface ConstantTemplate {
  readonly kind: "constant";
  readonly value: Json;
}

interface SingleTemplate {
  readonly kind: "single";
  readonly slot: Slot;
  readonly pointer: string;
}

interface TextTemplate {
  readonly kind: "text";
  readonly parts: readonly (string | Slot)[];
  readonly pointer: string;
}

interface ListTemplate {
  readonly kind: "list";
  readonly items: readonly Template[];
}

interface MapTemplate {
  readonly kind: "map";
  readonly members: readonly (readonly [key: string, template: Template])[];
}

/** Only what parseTemplate returns; look inside nowhere else. */
export type Template =
  | ConstantTemplate
  | SingleTemplate
  | TextTemplate
  | ListTemplate
  | MapTemplate;

export interface TemplateIssue {
  /** JSON pointer of the text inside the value, "" for the whole. */
  readonly pointer: string;
  readonly message: string;
  /** UTF-16 units from the start of that text. */
  readonly offset: number;
  readonly hint?: string;
}

export type ParsedTemplate =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly issues: readonly TemplateIssue[] };

/** All problems at once. */
export function parseTemplate(value: Json): ParsedTemplate {
  const issues: TemplateIssue[] = [];
  const template = parseValue(value, { pointer: "", levels: MAX_JSON_DEPTH, issues });
  return issues.length === 0 ? { ok: true, template } : { ok: false, issues };
}

/** A text that must be exactly one {{ expression }}, such as `source` and `condition_field`. */
export function parseSingle(text: string): Parsed {
  const end = text.startsWith("{{") ? bracesEnd(text, 2) : undefined;
  if (end !== undefined && end + 2 === text.length) return parseAt(text, 2, end);
  const message = "expected exactly one {{ expression }} and nothing around it";
  return { ok: false, message, offset: 0, hint: singleHint(text, end) };
}

function singleHint(text: string, end: number | undefined): string {
  if (end !== undefined) return "leave out what stands behind the }}, spaces included";
  if (text.includes("{{")) return "begin with {{ and end with }}";
  return `write {{ ${text.trim()} }}`;
}

interface Visit {
  readonly pointer: string;
  readonly levels: number;
  readonly issues: TemplateIssue[];
}

function parseValue(value: Json, visit: Visit): Template {
  if (typeof value === "string") return parseText(value, visit);
  if (typeof value !== "object" || value === null) return { kind: "constant", value };
  if (visit.levels === 0) {
    const message = `nested deeper than ${MAX_JSON_DEPTH} levels`;
    visit.issues.push({ pointer: visit.pointer, message, offset: 0 });
    return { kind: "constant", value: null };
  }
  return isList(value) ? parseList(value, visit) : parseMap(value, visit);
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

function parseList(list: readonly Json[], visit: Visit): Template {
  const items = list.map((item, index) => parseValue(item, below(visit, String(index))));
  const isConstant = items.every((item) => item.kind === "constant");
  return isConstant ? { kind: "constant", value: list } : { kind: "list", items };
}

function parseMap(map: JsonObject, visit: Visit): Template {
  const members = Object.entries(map).map(([key, member]): [string, Template] => {
    const inside = below(visit, key);
    if (key.includes("{{")) {
      const message = "a key cannot hold {{ }}";
      const hint = "keys are fixed; put the expression into the value";
      visit.issues.push({ pointer: inside.pointer, message, offset: key.indexOf("{{"), hint });
    }
    return [key, parseValue(member, inside)];
  });
  const isConstant = members.every(([, member]) => member.kind === "constant");
  return isConstant ? { kind: "constant", value: map } : { kind: "map", members };
}

function below(visit: Visit, key: string): Visit {
  const step = key.replaceAll("~", "~0").replaceAll("/", "~1");
  return { ...visit, pointer: `${visit.pointer}/${step}`, levels: visit.levels - 1 };
}

function parseText(text: string, visit: Visit): Template {
  const { pointer, issues } = visit;
  let begin = text.indexOf("{{");
  if (begin === -1) return { kind: "constant", value: text };
  if (text.length > MAX_TEMPLATE_CHARS) {
    const message = `a text with {{ }} has at most ${MAX_TEMPLATE_CHARS} characters`;
    issues.push({ pointer, message: `${message}, got ${text.length}`, offset: 0 });
    return { kind: "constant", value: null };
  }
  const parts: (string | Slot)[] = [];
  let from = 0;
  while (begin !== -1) {
    const end = bracesEnd(text, begin + 2);
    if (end === undefined) {
      issues.push({ pointer, ...unclosed(begin) });
      break;
    }
    if (begin > from) parts.push(text.slice(from, begin));
    const parsed = parseAt(text, begin + 2, end);
    if (parsed.ok) parts.push(slotOf(parsed.expression, begin + 2, visit));
    else issues.push({ pointer, ...problemOf(parsed) });
    from = end + 2;
    begin = text.indexOf("{{", from);
  }
  if (from < text.length) parts.push(text.slice(from));
  const [first] = parts;
  const isSingle = parts.length === 1 && typeof first === "object";
  return isSingle ? { kind: "single", slot: first, pointer } : { kind: "text", parts, pointer };
}

/** Parses the source between two offsets; problems are told where they stand in the whole text. */
function parseAt(text: string, begin: number, end: number): Parsed {
  const parsed = parseExpression(text.slice(begin, end));
  return parsed.ok ? parsed : { ...parsed, offset: parsed.offset + begin };
}

/** A secret that an expression works on would be a value of the job; so it stands by itself. */
function slotOf(expression: Expression, offset: number, { pointer, issues }: Visit): Slot {
  const secret = secretName(expression.source);
  if (secret !== undefined) return { expression, offset, secret };
  for (const read of references(expression)) {
    if (read.root !== "secrets") continue;
    const message = "a secret stands alone in its braces, as {{ secrets.NAME }}";
    const hint = 'text goes around the braces: "Bearer {{ secrets.NAME }}"';
    issues.push({ pointer, message, offset: offset + read.offset, hint });
  }
  return { expression, offset };
}

function problemOf(parsed: Extract<Parsed, { ok: false }>): Omit<TemplateIssue, "pointer"> {
  const { message, offset, hint } = parsed;
  return { message, offset, ...(hint === undefined ? {} : { hint }) };
}

function unclosed(begin: number): Omit<TemplateIssue, "pointer"> {
  const hint = 'close it with }}, and each quote in it; a literal {{ is written {{ "{{" }}';
  return { message: "{{ is not closed", offset: begin, hint };
}

interface Render {
  readonly scope: Scope;
  readonly budget: Budget;
  /** Characters that texts may still take; a text of n characters has at least n bytes. */
  readonly room: { chars: number };
}

/** Secrets become their marks. Errors as in `sealTemplate`. */
export function renderTemplate(template: Template, scope: Scope, budget: Budget): Json {
  return sealTemplate(template, scope, budget).value;
}

export interface SealedParams {
  /** With the marks of its secrets. */
  readonly value: Json;
  /** The same with its secrets open. */
  readonly sealed: Sealed;
}

/** Throws ExpressionError: a failing expression, or more than MAX_RENDERED_BYTES of JSON. */
export function sealTemplate(template: Template, scope: Scope, budget: Budget): SealedParams {
  const sealed = seal(template, { scope, budget, room: { chars: MAX_RENDERED_BYTES } });
  const value = fillSealed(sealed, secretMark);
  if (fits(value, { bytes: MAX_RENDERED_BYTES }, MAX_JSON_DEPTH)) return { value, sealed };
  throw tooLarge("the rendered value");
}

function seal(template: Template, context: Render): Sealed {
  switch (template.kind) {
    case "constant":
      return { kind: "value", value: template.value };
    case "single": {
      const { secret } = template.slot;
      if (secret !== undefined) return { kind: "secret", name: secret };
      return { kind: "value", value: valueOf(template.slot, template.pointer, context) };
    }
    case "text":
      return { kind: "text", parts: textParts(template, context) };
    case "list":
      return { kind: "list", items: template.items.map((item) => seal(item, context)) };
    case "map":
      return {
        kind: "map",
        members: template.members.map(([key, member]) => [key, seal(member, context)]),
      };
  }
}

function textParts(
  { parts, pointer }: TextTemplate,
  context: Render,
): readonly (string | SecretPlace)[] {
  return parts.map((part) => {
    if (typeof part !== "string" && part.secret !== undefined) return { secret: part.secret };
    const piece =
      typeof part === "string" ? part : asText(valueOf(part, pointer, context), pointer, context);
    context.room.chars -= piece.length;
    if (context.room.chars < 0) throw tooLarge(`the text at "${pointer}"`);
    return piece;
  });
}

/** Null becomes nothing; lists and maps become canonical JSON. */
function asText(value: Json, pointer: string, context: Render): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  if (typeof value !== "object") return String(value);
  // Measured first: a value that shares its parts may be far larger as JSON than in memory.
  if (fits(value, { bytes: context.room.chars }, MAX_JSON_DEPTH)) return canonical(value);
  throw tooLarge(`the text at "${pointer}"`);
}

function valueOf({ expression }: Slot, pointer: string, { scope, budget }: Render): Json {
  try {
    return compute(expression, scope, budget);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new ExpressionError(error.reason, `${error.message} in the template at "${pointer}"`);
  }
}

function tooLarge(what: string): ExpressionError {
  const limits = `${MAX_RENDERED_BYTES} bytes of JSON or ${MAX_JSON_DEPTH} levels`;
  return new ExpressionError("size", `${what} takes more than ${limits}`);
}

/** All references of all expressions; offsets count from the start of the text at `pointer`. */
export function templateReferences(
  template: Template,
): readonly (Reference & { readonly pointer: string })[] {
  switch (template.kind) {
    case "constant":
      return [];
    case "single":
      return slotReferences(template.slot, template.pointer);
    case "text":
      return template.parts.flatMap((part) =>
        typeof part === "string" ? [] : slotReferences(part, template.pointer),
      );
    case "list":
      return template.items.flatMap(templateReferences);
    case "map":
      return template.members.flatMap(([, member]) => templateReferences(member));
  }
}

function slotReferences(
  { expression, offset }: Slot,
  pointer: string,
): readonly (Reference & { readonly pointer: string })[] {
  return references(expression).map((reference) => ({
    ...reference,
    offset: reference.offset + offset,
    pointer,
  }));
}
