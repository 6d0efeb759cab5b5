// The OpenAPI document as a page to read: no script, one style sheet of the same origin. Every text
// goes through `escaped`, though all of them are our own.
import { EXAMPLE_PARAMS } from "./operation.ts";
import type { Example, Operation } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";

const GROUPS = ["Jobs", "Workflows", "App"] as const;

interface Described {
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: object }>> };
  readonly responses: Readonly<Record<string, Response>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

interface Response {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

/** `document` is what `openApiDocument` made. */
export function documentPage(document: object): string {
  const { paths, info } = document as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
    readonly info: { readonly version: string; readonly description: string };
  };
  const parts = GROUPS.map((group) => {
    const mine = OPERATIONS.filter((one) => one.group === group);
    const shown = mine.map((one) => section(one, paths[`/api/v1${one.path}`]?.[one.method]));
    return `<h2>${group}</h2>\n${shown.join("\n")}`;
  });
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    "<title>Holdfast API</title>",
    '<link rel="stylesheet" href="docs.css"></head><body>',
    `<header><h1>Holdfast API</h1><p>Version ${escaped(info.version)} · `,
    '<a href="openapi.json">openapi.json</a></p></header>',
    `<nav aria-label="Operations"><ul>${OPERATIONS.map(entry).join("")}</ul></nav>`,
    `<main><p>${text(info.description)}</p>`,
    ...parts,
    "</main></body></html>",
    "",
  ].join("\n");
}

function entry({ name, method, path }: Operation): string {
  return `<li><a href="#${name}"><b>${method.toUpperCase()}</b> ${escaped(path)}</a></li>`;
}

function section(operation: Operation, described: Described | undefined): string {
  const { name, method, path, summary, auth, examples } = operation;
  if (described === undefined) throw new Error(`${name} is not in the document`);
  const bodies = Object.entries(described.requestBody?.content ?? {});
  const title = `<b>${method.toUpperCase()}</b> <code>/api/v1${escaped(path)}</code>`;
  return [
    `<section id="${name}" aria-labelledby="${name}-title">`,
    `<h3 id="${name}-title">${title}</h3>`,
    `<p>${escaped(summary)}. ${AUTH[auth]}</p>`,
    parameters(described.parameters),
    ...bodies.map(([type, { schema }]) => details(`Body: ${type}`, pretty(schema))),
    responses(described.responses),
    ...examples.map((one) => details(`Example: ${one.summary}`, request(operation, one))),
    "</section>",
  ].join("\n");
}

const AUTH: Readonly<Record<Operation["auth"], string>> = {
  function: "Needs a function key.",
  admin: "Needs the master key.",
  anonymous: "Open to everybody.",
};

function parameters(given: readonly Parameter[]): string {
  if (given.length === 0) return "";
  const rows = given.map(({ name, in: place, description = "", schema }) => {
    const { type = "", ...rest } = schema;
    const bounds = Object.entries(rest).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
    const kind = [String(type), ...bounds].filter((one) => one !== "").join(", ");
    const cells = [`<code>${escaped(name)}</code>`, place, escaped(kind), text(description)];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  return table(["Parameter", "In", "Type", "Meaning"], rows);
}

function responses(given: Described["responses"]): string {
  const rows = Object.entries(given).map(
    ([status, { description }]) => `<tr><td>${status}</td><td>${text(description)}</td></tr>`,
  );
  const bodies = Object.entries(given).flatMap(([status, { content = {} }]) =>
    Object.entries(content)
      .filter(([type]) => type === "application/json")
      .map(([, { schema }]) => details(`Body of ${status}`, pretty(schema))),
  );
  return [table(["Status", "Answer"], rows), ...bodies].join("\n");
}

function table(heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map((one) => `<th scope="col">${one}</th>`).join("");
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function details(summary: string, code: string): string {
  return `<details><summary>${escaped(summary)}</summary><pre>${escaped(code)}</pre></details>`;
}

function pretty(value: object): string {
  return JSON.stringify(value, null, 2);
}

/** An example as a command to try. */
function request({ method, path, auth, body: sent }: Operation, example: Example): string {
  const params = { ...EXAMPLE_PARAMS, ...example.params };
  const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) => params[name] ?? "");
  const search = new URLSearchParams(example.query).toString();
  const headers = Object.entries(example.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  if (auth !== "anonymous") headers.unshift("x-functions-key: $KEY");
  const { body } = example;
  if (body !== undefined && sent !== undefined) headers.push(`content-type: ${sent.type}`);
  const data = typeof body === "object" ? JSON.stringify(body) : body;
  return [
    `curl -i${method === "post" && data === undefined ? " -X POST" : ""}`,
    ...headers.map((header) => `-H "${header}"`),
    ...(data === undefined ? [] : [`--data-binary '${data}'`]),
    `"$ENDPOINT/api/v1${filled}${search === "" ? "" : `?${search}`}"`,
  ].join(" \\\n  ");
}

/** Text with `code` in it. */
function text(given: string): string {
  return escaped(given).replaceAll(/`([^`]*)`/g, "<code>$1</code>");
}

function escaped(given: string): string {
  return given
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
