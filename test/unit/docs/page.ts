// Reading the documents as the tests need them: sections, tables, links, examples. A table that is
// not there throws, so that no test passes by having looked at nothing.
import { readFileSync } from "node:fs";

export interface Page {
  readonly path: string;
  readonly text: string;
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(path, "utf8") };
}

/** The lines below a heading, up to the next heading of any level. */
export function sectionOf(page: Page, heading: string): string {
  const lines = page.text.split("\n");
  const from = lines.findIndex((line) => /^#+ /.test(line) && titleOf(line) === heading);
  if (from === -1) throw new Error(`${page.path}: no heading "${heading}"`);
  const rest = lines.slice(from + 1);
  const to = rest.findIndex((line) => /^#+ /.test(line));
  return rest.slice(0, to === -1 ? rest.length : to).join("\n");
}

/** The rows of the first table below a heading, cells trimmed; without its head. */
export function tableOf(page: Page, heading: string): readonly (readonly string[])[] {
  const lines = sectionOf(page, heading).split("\n");
  const from = lines.findIndex((line) => line.startsWith("|"));
  const length = lines.slice(from).findIndex((line) => !line.startsWith("|"));
  const table = from === -1 ? [] : lines.slice(from, length === -1 ? undefined : from + length);
  const rows = table.slice(2).map(cellsOf);
  if (rows.length === 0) throw new Error(`${page.path}: no table under "${heading}"`);
  return rows;
}

function cellsOf(line: string): readonly string[] {
  return line
    .replace(/^\||\|\s*$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/** The text inside the backticks of a cell; the cell itself where it has none. */
export function codeOf(cell: string | undefined): string {
  return /^`([^`]*)`$/.exec(cell ?? "")?.[1] ?? cell ?? "";
}

/** Every text in backticks. */
export function codesOf(text: string | undefined): readonly string[] {
  return [...(text ?? "").matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");
}

export function headingsOf(page: Page): readonly string[] {
  return withoutFences(page.text)
    .split("\n")
    .filter((line) => /^#+ /.test(line))
    .map(titleOf);
}

/** The anchor that a heading gets on the code hosts in use. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

export function linksOf(page: Page): readonly string[] {
  const links = withoutFences(page.text).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links].map((match) => match[1] ?? "");
}

export function withoutFences(text: string): string {
  return text.replace(/^```.*?^```$/gms, "");
}

function titleOf(line: string): string {
  return line.replace(/^#+ /, "").trim();
}
