// Reads the project's files and parses the TypeScript among them, for the rules in this folder.
// A walk of the disk and not of git's index: a new file is held to the rules before it is added.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parseAst } from "vitest/node";

export interface AstNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path from the project's root for a relative specifier, else undefined. */
  readonly target: string | undefined;
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface Source {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Undefined for files that are not TypeScript or JavaScript. */
  readonly ast: AstNode | undefined;
  readonly imports: readonly Import[];
}

export const ROOT: string = process.cwd();

const SKIPPED = new Set(["node_modules", "dist", "coverage", ".git", ".holdfast"]);
const BINARY = /\.(png|gif|jpe?g|ico|woff2?|gz|zip)$/;
const PARSED = /\.(ts|tsx|mts|js|mjs)$/;

export function sourcesOf(files: Readonly<Record<string, string>>): Source[] {
  return Object.entries(files).map(([path, text]) => {
    const ast = PARSED.test(path) ? parse(path, text) : undefined;
    return { path, text, ast, imports: ast === undefined ? [] : importsOf(path, text, ast) };
  });
}

function parse(path: string, text: string): AstNode {
  const lang = /\.d\.m?ts$/.test(path) ? "dts" : path.endsWith(".tsx") ? "tsx" : "ts";
  try {
    return parseAst(text, { lang }) as unknown as AstNode;
  } catch (error) {
    throw new Error(`${path} cannot be parsed`, { cause: error });
  }
}

export function readProject(): Source[] {
  const files: Record<string, string> = {};
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (SKIPPED.has(entry.name) || BINARY.test(path) || path.endsWith(".log")) continue;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile()) files[path] = readFileSync(join(ROOT, path), "utf8");
    }
  };
  visit("");
  return sourcesOf(files);
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Visits every node with its parent, parents first. */
export function walk(
  node: AstNode,
  visit: (node: AstNode, parent: AstNode | undefined) => void,
  parent?: AstNode,
): void {
  visit(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (isNode(child)) walk(child, visit, node);
    }
  }
}

export function isNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

/** The text of a string literal, or undefined for anything else. */
export function literalText(node: unknown): string | undefined {
  if (!isNode(node) || node.type !== "Literal") return undefined;
  return typeof node["value"] === "string" ? node["value"] : undefined;
}

function importsOf(path: string, text: string, ast: AstNode): Import[] {
  const found: Import[] = [];
  walk(ast, (node) => {
    const specifier = literalText(node["source"]);
    if (specifier === undefined) return;
    found.push({
      specifier,
      target: specifier.startsWith(".") ? normalize(join(dirname(path), specifier)) : undefined,
      typeOnly: node.type === "TSImportType" || isTypeOnly(node),
      line: lineAt(text, node.start),
    });
  });
  return found;
}

function isTypeOnly(node: AstNode): boolean {
  if (node["importKind"] === "type" || node["exportKind"] === "type") return true;
  const specifiers = node["specifiers"];
  if (!Array.isArray(specifiers) || specifiers.length === 0) return false;
  return specifiers.every((one: AstNode) => (one["importKind"] ?? one["exportKind"]) === "type");
}
