// Writes a file whole or not at all: whoever reads while a build runs finds the old or the new one.

import { rename, rm, writeFile } from "node:fs/promises";
import process from "node:process";

/**
 * @param {string} target
 * @param {string | Uint8Array} content
 */
export async function writeWhole(target, content) {
  const draft = `${target}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
  try {
    await writeFile(draft, content);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
