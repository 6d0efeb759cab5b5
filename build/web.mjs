// Builds the page: one script, one style sheet, the document that names them, an icon. Everything
// stands in these four files, so the page works without any other host, and its policy can forbid
// all others. Deterministic: the same sources give the same bytes.

import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { writeWhole } from "./whole-file.mjs";

/** Names as they are served, and their sources below src/web. */
export const PAGE_FILES = /** @type {const} */ ({
  "index.html": "page.html",
  "app.js": "main.tsx",
  "app.css": "page.css",
  "favicon.svg": "favicon.svg",
});

/** @type {import("esbuild").BuildOptions} */
const OPTIONS = {
  bundle: true,
  write: false,
  minify: true,
  platform: "browser",
  format: "iife",
  // What the two newest years of browsers have.
  target: ["es2022", "chrome110", "firefox115", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "eof",
  logLevel: "silent",
  charset: "utf8",
};

/**
 * @param {{ root: string, folder: string }} options `folder` is made if missing
 * @returns {Promise<readonly string[]>} the files
 */
export async function writePage({ root, folder }) {
  await mkdir(folder, { recursive: true });
  for (const [name, source] of Object.entries(PAGE_FILES)) {
    const file = path.join(root, "src/web", source);
    const isBuilt = /\.(tsx|css)$/.test(source);
    const content = isBuilt ? await built(root, file) : await readFile(file, "utf8");
    await writeWhole(path.join(folder, name), content);
  }
  return Object.keys(PAGE_FILES);
}

/**
 * @param {string} root
 * @param {string} source
 */
async function built(root, source) {
  const result = await build({ ...OPTIONS, absWorkingDir: root, entryPoints: [source] });
  const [file] = result.outputFiles ?? [];
  if (file === undefined) throw new Error(`${source} gave no output.`);
  return file.text;
}
