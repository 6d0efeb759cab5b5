// Keeps what is large out of the app's start: what is only ever reached by `import("name")` stands
// in a file of its own beside the bundle, which is read and compiled at its first use. Node scans a
// whole file before it runs the first line, and the entry point itself is a fiftieth of ours.
// What is imported together shares a file, so that what it has in common is there once; what is not
// needed together stands apart. One chunk may import another.
import path from "node:path";
import { build } from "esbuild";

const NAMESPACE = "lazy";

/**
 * @typedef {{ readonly file: string, readonly names: readonly string[] }} Chunk `file` stands
 * beside the bundle; `names` are specifiers as they stand in `import()`, paths relative to src/
 */

/**
 * Turns `import("name")` into a look into the chunk that holds it.
 * @param {readonly Chunk[]} chunks
 * @returns {import("esbuild").Plugin}
 */
export function lazyImports(chunks) {
  return {
    name: "lazy-imports",
    setup(bundler) {
      bundler.onResolve({ filter: /./ }, ({ path: name, kind }) => {
        if (chunks.some(({ file }) => name === `./${file}`)) return { path: name, external: true };
        const isLazy = kind === "dynamic-import" && chunkOf(chunks, name) !== undefined;
        return isLazy ? { path: name, namespace: NAMESPACE } : undefined;
      });
      bundler.onLoad({ filter: /./, namespace: NAMESPACE }, ({ path: name }) => {
        const file = JSON.stringify(`./${chunkOf(chunks, name)?.file ?? ""}`);
        const module = `require(${file}).default[${JSON.stringify(name)}]()`;
        return { contents: `module.exports = ${module};` };
      });
    },
  };
}

/**
 * The chunks that `bundle` asks for, and those that they ask for.
 * @param {readonly Chunk[]} chunks
 * @param {import("esbuild").BuildOptions} options those of the bundle; with `outfile`
 * @param {string} bundle the text of the bundle
 * @returns {Promise<readonly import("esbuild").BuildResult[]>}
 */
export async function buildChunks(chunks, options, bundle) {
  const results = [];
  const wanted = askedFor(chunks, bundle);
  for (const chunk of wanted) {
    const result = await build({
      ...options,
      outfile: path.join(path.dirname(options.outfile ?? ""), chunk.file),
      // What is required at its first use needs nobody to wait for it.
      supported: { "dynamic-import": false },
      stdin: {
        contents: entryOf(chunk.names),
        resolveDir: path.join(options.absWorkingDir ?? ".", "src"),
      },
      plugins: [lazyImports(chunks)],
    });
    results.push(result);
    const text = result.outputFiles?.find(({ path: file }) => file.endsWith(chunk.file))?.text;
    wanted.push(...askedFor(chunks, text ?? "").filter((other) => !wanted.includes(other)));
  }
  return results;
}

/**
 * @param {readonly Chunk[]} chunks
 * @param {string} name
 */
function chunkOf(chunks, name) {
  return chunks.find(({ names }) => names.includes(name));
}

/**
 * @param {readonly Chunk[]} chunks
 * @param {string} text
 */
function askedFor(chunks, text) {
  return chunks.filter(({ file }) => text.includes(`require("./${file}")`));
}

/**
 * Modules by their specifiers, each evaluated when it is asked for. One alone is imported: what is
 * required gets a function around each module of its own, which costs a third of its start.
 * @param {readonly string[]} specifiers
 */
function entryOf(specifiers) {
  const names = specifiers.map((name) => JSON.stringify(name));
  if (names.length === 1) {
    return `import * as only from ${names[0]}; export default { ${names[0]}: () => only };`;
  }
  return `export default { ${names.map((name) => `${name}: () => require(${name})`).join(", ")} };`;
}
