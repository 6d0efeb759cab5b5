// What an expression reads from its scope, found without evaluating it: the definition checker
// asks whether every path leads to something that exists by then.
import { type Ast, children, type MacroAst, type PathAst } from "./ast.ts";
import type { Expression } from "./parse.ts";

export interface Reference {
  /** `inputs`, `nodes`, `vars`, `job`, `item`, `index`, `value` - or a name nobody knows. */
  readonly root: string;
  /** The literal steps; a computed one ends the path. */
  readonly path: readonly (string | number)[];
  /** Whether it stands in has(...) or in the first argument of default(...). */
  readonly guarded: boolean;
  /** UTF-16 units from the start of the source. */
  readonly offset: number;
}

interface Found extends Reference {
  /** Where a computed first step stands, or the root itself where it is used whole. */
  readonly dynamic: number | undefined;
}

interface Place {
  readonly bound: readonly string[];
  readonly guarded: boolean;
}

/** Every path that is read, in source order; variables of macros are left out. */
export function references(expression: Expression): readonly Reference[] {
  return collect(expression.root, { bound: [], guarded: false }).map(
    ({ root, path, guarded, offset }) => ({ root, path, guarded, offset }),
  );
}

/** The offset where `nodes` is used other than as `nodes.id` or `nodes["id"]`, if it is. */
export function dynamicNodeAccess(expression: Expression): number | undefined {
  const found = collect(expression.root, { bound: [], guarded: false });
  return found.find((one) => one.root === "nodes" && one.dynamic !== undefined)?.dynamic;
}

function collect(ast: Ast, place: Place): readonly Found[] {
  switch (ast.kind) {
    case "name":
      if (place.bound.includes(ast.name)) return [];
      return [{ ...read(ast.name, [], ast.offset), guarded: place.guarded, dynamic: ast.offset }];
    case "path":
      return collectPath(ast, place);
    case "has":
      return collect(ast.path, { ...place, guarded: true });
    case "default":
      return [
        ...collect(ast.operand, { ...place, guarded: true }),
        ...collect(ast.fallback, place),
      ];
    case "macro":
      return collectMacro(ast, place);
    case "literal":
    case "list":
    case "map":
    case "unary":
    case "arithmetic":
    case "logic":
    case "compare":
    case "ternary":
    case "call":
      return children(ast).flatMap((child) => collect(child, place));
  }
}

function collectMacro(ast: MacroAst, place: Place): readonly Found[] {
  const inside = { ...place, bound: [...place.bound, ast.variable] };
  return [...collect(ast.list, place), ...collect(ast.body, inside)];
}

function collectPath(ast: PathAst, place: Place): readonly Found[] {
  const { base, steps } = ast;
  const inner = steps.flatMap((step) => collect(step.key, place));
  if (base.kind !== "name") return [...collect(base, place), ...inner];
  if (place.bound.includes(base.name)) return inner;
  const path: (string | number)[] = [];
  for (const { key } of steps) {
    if (key.kind !== "literal") break;
    if (typeof key.value !== "string" && typeof key.value !== "number") break;
    path.push(key.value);
  }
  const dynamic = typeof path[0] === "string" ? undefined : steps[0]?.offset;
  return [{ ...read(base.name, path, base.offset), guarded: place.guarded, dynamic }, ...inner];
}

function read(
  root: string,
  path: readonly (string | number)[],
  offset: number,
): Pick<Reference, "root" | "path" | "offset"> {
  return { root, path, offset };
}
