// Writes the document of the HTTP API beside the bundle, for machines and for people. It is made by
// the sources that the app parses requests with, so neither can say what the other does not.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const SOURCES = `
  export { openApiDocument } from "./src/api/openapi.ts";
  export { documentPage } from "./src/api/page.ts";
`;

/**
 * @param {{ root: string, version: string, folder: string }} options `folder` is made if missing
 * @returns {Promise<readonly string[]>} the files
 */
export async function writeApiDocument({ root, version, folder }) {
  await mkdir(folder, { recursive: true });
  const { openApiDocument, documentPage } = await loaded(root, folder);
  const document = openApiDocument(version);
  const files = {
    "openapi.json": `${JSON.stringify(document)}\n`,
    "docs.html": documentPage(document),
    "docs.css": await readFile(path.join(root, "src/api/page.css"), "utf8"),
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(folder, name), text);
  }
  return Object.keys(files);
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {Promise<typeof import("../src/api/openapi.ts") & typeof import("../src/api/page.ts")>}
 */
async function loaded(root, folder) {
  const target = path.join(folder, `document-${process.pid}-${Date.now()}.mjs`);
  await build({
    stdin: { contents: SOURCES, resolveDir: root, loader: "ts" },
    outfile: target,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "silent",
  });
  try {
    return await import(pathToFileURL(target).href);
  } finally {
    await rm(target, { force: true });
  }
}
