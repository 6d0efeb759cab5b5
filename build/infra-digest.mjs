// Names the state of infra/ and of the parameters that tests look at: what was compiled from
// another state is stale.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

/**
 * @param {string} root the project's folder
 * @returns {string} hexadecimal
 */
export function infraDigest(root) {
  const hash = createHash("sha256");
  const folders = ["infra", "test/fixtures/infra"];
  const files = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(?:bicep|bicepparam|kql|workbook\.json)$/.test(file))
      .map((file) => path.posix.join(folder, file.replaceAll("\\", "/"))),
  );
  for (const file of files.sort((a, b) => (a < b ? -1 : 1))) {
    const text = readFileSync(path.join(root, file), "utf8").replaceAll("\r\n", "\n");
    hash.update(`${file}\0${text.length}\0${text}`);
  }
  return hash.digest("hex");
}
