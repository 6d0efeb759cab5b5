// Route templates as ASP.NET matches them for the Functions host: literals without case,
// parameters with constraints, optional ones, defaults, catch-all, and several parameters in one
// segment. A template either matches a path, with its values, or it does not; nothing is ranked.

import { routeConstraint, type Constraint } from "./route-constraint.ts";
import { StartupProblem } from "./startup-problem.ts";

interface Parameter {
  readonly name: string;
  readonly constraints: readonly Constraint[];
  readonly optional: boolean;
  readonly fallback: string | undefined;
  readonly catchAll: boolean;
}

type Part = { readonly literal: string } | { readonly parameter: Parameter };

type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "parameter"; readonly parameter: Parameter }
  | { readonly kind: "mixed"; readonly form: RegExp; readonly parameters: readonly Parameter[] };

export interface RouteTemplate {
  readonly text: string;
  readonly segments: readonly Segment[];
}

export type RouteValues = Readonly<Record<string, string>>;

export function parseRoute(text: string): RouteTemplate {
  const segments = splitOutside(text, "/").map((segment) => parseSegment(segment, text));
  const names = segments.flatMap(parametersOf).map(({ name }) => name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new StartupProblem(`Route "${text}": parameter "${twice}" appears twice.`);
  }
  const early = segments.slice(0, -1).flatMap(parametersOf);
  if (early.some(({ catchAll }) => catchAll)) {
    throw new StartupProblem(`Route "${text}": a catch-all parameter must come last.`);
  }
  return { text, segments };
}

/** The values, or undefined. `path` is the raw path; one trailing slash is ignored. */
export function matchRoute(template: RouteTemplate, path: string): RouteValues | undefined {
  const given = path.replace(/^\//, "").replace(/\/$/, "");
  const parts = given === "" ? [] : given.split("/").map(decode);
  const found: [Parameter, string][] = [];
  for (const [index, segment] of template.segments.entries()) {
    if (segment.kind === "parameter" && segment.parameter.catchAll) {
      const rest = parts.slice(index).join("/");
      found.push([segment.parameter, rest === "" ? (segment.parameter.fallback ?? "") : rest]);
      return checked(found);
    }
    const taken = takeSegment(segment, parts[index]);
    if (taken === undefined) {
      return undefined;
    }
    found.push(...taken);
  }
  return parts.length > template.segments.length ? undefined : checked(found);
}

function takeSegment(
  segment: Segment,
  part: string | undefined,
): readonly [Parameter, string][] | undefined {
  if (part === undefined) {
    if (segment.kind !== "parameter") {
      return undefined;
    }
    const { parameter } = segment;
    if (parameter.fallback !== undefined) {
      return [[parameter, parameter.fallback]];
    }
    return parameter.optional ? [] : undefined;
  }
  if (part === "") {
    return undefined;
  }
  switch (segment.kind) {
    case "literal":
      return segment.text.toLowerCase() === part.toLowerCase() ? [] : undefined;
    case "parameter":
      return [[segment.parameter, part]];
    case "mixed": {
      const groups = segment.form.exec(part);
      return groups === null
        ? undefined
        : segment.parameters.map((parameter, index) => [parameter, groups[index + 1] ?? ""]);
    }
  }
}

function checked(found: readonly (readonly [Parameter, string])[]): RouteValues | undefined {
  const fits = found.every(([{ constraints }, value]) =>
    constraints.every((holds) => holds(value)),
  );
  return fits ? Object.fromEntries(found.map(([{ name }, value]) => [name, value])) : undefined;
}

/** As the web server decodes a path: everything but an encoded slash; broken escapes stay. */
function decode(part: string): string {
  return part
    .split(/(%2f)/i)
    .map((piece) => {
      try {
        return /^%2f$/i.test(piece) ? piece : decodeURIComponent(piece);
      } catch {
        return piece;
      }
    })
    .join("");
}

function parametersOf(segment: Segment): readonly Parameter[] {
  switch (segment.kind) {
    case "literal":
      return [];
    case "parameter":
      return [segment.parameter];
    case "mixed":
      return segment.parameters;
  }
}

function parseSegment(text: string, route: string): Segment {
  const parts = partsOf(text, route);
  const [only, second] = parts;
  if (only === undefined) {
    throw new StartupProblem(`Route "${route}" has an empty segment.`);
  }
  if (second === undefined) {
    return "literal" in only
      ? { kind: "literal", text: only.literal }
      : { kind: "parameter", parameter: only.parameter };
  }
  const parameters = parts.flatMap((part) => ("parameter" in part ? [part.parameter] : []));
  if (parameters.some(({ optional, catchAll }) => optional || catchAll)) {
    throw new StartupProblem(
      `Route "${route}": the local host has no optional parameter inside a segment ("${text}").`,
    );
  }
  // Greedy from the left is what the host's search for the last literal comes to.
  const form = parts.map((part) => ("literal" in part ? escape(part.literal) : "(.+)")).join("");
  return { kind: "mixed", form: new RegExp(`^${form}$`, "i"), parameters };
}

function escape(literal: string): string {
  return literal.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}

/** Splits a segment into literals and parameters; `{{` and `}}` stand for braces. */
function partsOf(segment: string, route: string): readonly Part[] {
  const parts: Part[] = [];
  let literal = "";
  let index = 0;
  while (index < segment.length) {
    const two = segment.slice(index, index + 2);
    if (two === "{{" || two === "}}") {
      literal += two.charAt(0);
      index += 2;
    } else if (segment.charAt(index) === "{") {
      const end = closingBrace(segment, index, route);
      if (literal !== "") {
        parts.push({ literal });
      }
      literal = "";
      parts.push({ parameter: parseParameter(segment.slice(index + 1, end), route) });
      index = end + 1;
    } else {
      literal += segment.charAt(index);
      index += 1;
    }
  }
  return literal === "" ? parts : [...parts, { literal }];
}

function closingBrace(text: string, open: number, route: string): number {
  for (let index = open + 1; index < text.length; index += 1) {
    if (text.slice(index, index + 2) === "}}" || text.slice(index, index + 2) === "{{") {
      index += 1;
    } else if (text.charAt(index) === "}") {
      return index;
    }
  }
  throw new StartupProblem(`Route "${route}": a brace is not closed.`);
}

/** Splits at `mark` outside of braces. */
function splitOutside(text: string, mark: string): readonly string[] {
  const pieces: string[] = [];
  let depth = 0;
  let piece = "";
  for (const character of text) {
    depth += character === "{" ? 1 : 0;
    depth -= character === "}" ? 1 : 0;
    if (character === mark && depth === 0) {
      pieces.push(piece);
      piece = "";
    } else {
      piece += character;
    }
  }
  return [...pieces, piece];
}

const NAME = /^(?<stars>\*{0,2})(?<name>[^*:=?{}/]+)(?<rest>.*)$/s;
// An argument list ends at the parenthesis after which a constraint, a default or the end follows.
const CONSTRAINT = /^:(?<name>[^:=(?]+)(?:\((?<args>.*?)\)(?=[:=?]|$))?/s;

function parseParameter(text: string, route: string): Parameter {
  const groups = NAME.exec(text.replaceAll("{{", "{").replaceAll("}}", "}"))?.groups;
  if (groups === undefined) {
    throw new StartupProblem(`Route "${route}": "{${text}}" is no parameter.`);
  }
  let rest = groups["rest"] ?? "";
  const constraints: Constraint[] = [];
  for (;;) {
    const found = CONSTRAINT.exec(rest);
    if (found === null) {
      break;
    }
    constraints.push(routeConstraint(found.groups?.["name"] ?? "", found.groups?.["args"]));
    rest = rest.slice(found[0].length);
  }
  const optional = rest.endsWith("?");
  const fallback = rest.startsWith("=") ? rest.slice(1) : undefined;
  if (rest !== "" && rest !== "?" && fallback === undefined) {
    throw new StartupProblem(`Route "${route}": "{${text}}" is no parameter.`);
  }
  const catchAll = groups["stars"] !== "";
  return { name: groups["name"] ?? "", constraints, optional, fallback, catchAll };
}
