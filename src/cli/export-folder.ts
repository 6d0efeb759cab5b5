// Exports on disk. A file is written beside its place, flushed and renamed, so that a name never
// stands for half an export. It holds inputs and outputs in the clear: its owner's alone.
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { ExportFolder } from "../runtime/job-archive.ts";

const OWNER_ONLY = 0o600;

export function exportFolder(folder: string): ExportFolder {
  return {
    async write(name, lines) {
      await mkdir(folder, { recursive: true });
      const part = path.join(folder, `${name}.part`);
      try {
        await writeLines(part, lines);
        await rename(part, path.join(folder, name));
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
    read: (name) => linesOf(path.join(folder, name)),
  };
}

async function writeLines(file: string, lines: AsyncIterable<string>): Promise<void> {
  const handle = await open(file, "w", OWNER_ONLY);
  try {
    for await (const line of lines) await handle.write(`${line}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function linesOf(file: string): Promise<AsyncIterable<string> | undefined> {
  try {
    await (await open(file, "r")).close();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return lines(createReadStream(file, "utf8"));
}

/** Not by node:readline: it takes U+2028, which may stand in a text, for the end of a line. */
async function* lines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}
