// The package that is sent to Azure: the app's bundle with what it serves, host.json, the shipped
// workflows and a package.json that installs nothing, as a folder and as a zip. Two builds of the
// same sources give the same bytes: entries are sorted, and no entry has a time of its own.
// The zip is packed in plain JavaScript: the zlib of each version of Node packs differently.
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { zipSync } from "fflate";
import { bundle } from "./bundle.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** The oldest that a zip can name; in the zip's own local time, so on any machine the same. */
const NO_TIME = new Date(1980, 0, 1);
const MODE_FILE = 0o100644;
const UNIX = 3;

/**
 * @param {string} folder is emptied and filled
 * @param {string} zipFile
 * @returns {Promise<import("./package.mjs").MadePackage>}
 */
export async function makePackage(folder, zipFile) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const source = path.join(ROOT, "src/main.ts");
  const identity = await bundle({ source, target: path.join(folder, "main.cjs"), kind: "app" });
  // They would tell where it was built, and the worker does not read them.
  for (const file of await readdir(folder)) {
    if (file.endsWith(".map")) await rm(path.join(folder, file));
  }
  await put(folder, "host.json", await readFile(path.join(ROOT, "host.json")));
  await put(folder, "package.json", Buffer.from(await manifest()));
  await put(folder, "LICENSE", await readFile(path.join(ROOT, "LICENSE")));
  for (const file of await shippedWorkflows()) {
    await put(folder, `workflows/${file}`, await readFile(path.join(ROOT, "workflows", file)));
  }
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .map((file) => file.replaceAll("\\", "/"))
    .sort();
  /** @type {Record<string, [Uint8Array, import("fflate").ZipOptions]>} */
  const entries = {};
  let bytes = 0;
  for (const file of files) {
    const content = await readFile(path.join(folder, file));
    bytes += content.length;
    entries[file] = [content, { mtime: NO_TIME, os: UNIX, attrs: MODE_FILE * 65_536, level: 9 }];
  }
  const zip = zipSync(entries);
  await mkdir(path.dirname(zipFile), { recursive: true });
  await writeFile(zipFile, zip);
  return { identity, files, bytes, zipBytes: zip.length };
}

/**
 * @param {string} folder
 * @param {string} file
 * @param {Uint8Array} content
 */
async function put(folder, file, content) {
  await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
  await writeFile(path.join(folder, file), content);
}

/** What the host reads of it, and whoever looks into the package. */
async function manifest() {
  const { name, version, description, license, engines } = JSON.parse(
    await readFile(path.join(ROOT, "package.json"), "utf8"),
  );
  const told = { name, version, description, license, private: true, main: "main.cjs", engines };
  return `${JSON.stringify(told, null, 2)}\n`;
}

/** Definitions alone: results and data beside them are for tests. */
async function shippedWorkflows() {
  const files = await readdir(path.join(ROOT, "workflows"));
  return files.filter((file) => file.endsWith(".yaml")).sort();
}

const started = process.argv[1];
if (started !== undefined && path.resolve(started) === fileURLToPath(import.meta.url)) {
  const folder = path.join(ROOT, "dist/package");
  const made = await makePackage(folder, path.join(ROOT, "dist/holdfast.zip"));
  const kilobytes = (/** @type {number} */ bytes) => `${Math.ceil(bytes / 1024)} KB`;
  const size = `${made.files.length} files, ${kilobytes(made.bytes)}`;
  console.log(`dist/package  ${made.identity}  ${size}`);
  console.log(`dist/holdfast.zip  ${kilobytes(made.zipBytes)}`);
}
