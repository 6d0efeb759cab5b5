// Keeps large packages out of the app's start: what is only ever reached by `import("name")` stands
// in the one bundled file as text, and is compiled at its first use. Node reads every function of a
// file before it runs the first line, and the Azure SDKs are two thirds of ours.
// The packages of a group share one text, so that what they have in common is there once; a group
// is compiled as a whole, so packages that are never needed together stand apart.
import { build } from "esbuild";

const NAMESPACE = "lazy";
const TEXT = "holdfast-lazy-text";

/**
 * @param {readonly (readonly string[])[]} groups names of packages
 * @param {import("esbuild").BuildOptions} options those of the bundle around
 * @returns {{ plugin: import("esbuild").Plugin, inputs: string[] }} `inputs`, relative to the
 * working directory, is filled by the build
 */
export function lazyPackages(groups, options) {
  /** @type {string[]} */
  const inputs = [];
  /** @type {import("esbuild").Plugin} */
  const plugin = {
    name: "lazy-packages",
    setup(bundler) {
      const lazy = { namespace: NAMESPACE };
      bundler.onResolve({ filter: /^[@a-z]/ }, ({ path, kind }) =>
        kind === "dynamic-import" && groups.flat().includes(path) ? { path, ...lazy } : undefined,
      );
      bundler.onResolve({ filter: new RegExp(`^${TEXT}-`) }, ({ path }) => ({ path, ...lazy }));
      bundler.onLoad({ filter: /./, ...lazy }, async ({ path }) => {
        if (!path.startsWith(`${TEXT}-`)) {
          const text = `${TEXT}-${groups.findIndex((packages) => packages.includes(path))}`;
          return { contents: `module.exports = require("${text}")(${JSON.stringify(path)});` };
        }
        const packages = groups[Number(path.slice(TEXT.length + 1))] ?? [];
        const { text, files } = await bundled(packages, options);
        inputs.push(...files);
        return { contents: loader(text, path) };
      });
    },
  };
  return { plugin, inputs };
}

/**
 * @param {readonly string[]} packages
 * @param {import("esbuild").BuildOptions} options
 */
async function bundled(packages, options) {
  const cases = packages.map((name) => JSON.stringify(name));
  const contents = cases.map((name) => `exports[${name}] = () => require(${name});`).join("\n");
  const result = await build({
    ...options,
    sourcemap: false,
    // A text that is compiled by itself has nobody to resolve an import() for it.
    supported: { "dynamic-import": false },
    stdin: { contents, resolveDir: options.absWorkingDir ?? "." },
  });
  const [file] = result.outputFiles ?? [];
  if (file === undefined) throw new Error("The lazy packages gave no output.");
  const files = Object.keys(result.metafile?.inputs ?? {}).filter((name) => name !== "<stdin>");
  return { text: file.text, files };
}

/**
 * A module that is a function from a package's name to its exports.
 * @param {string} text
 * @param {string} name
 */
function loader(text, name) {
  return `
    let packages;
    module.exports = (name) => {
      if (packages === undefined) {
        const { compileFunction } = require("node:vm");
        const lazy = { exports: {} };
        const parameters = ["exports", "require", "module", "__filename", "__dirname"];
        const filename = __filename + "#${name}";
        const run = compileFunction(${JSON.stringify(text)}, parameters, { filename });
        run(lazy.exports, require, lazy, __filename, __dirname);
        packages = lazy.exports;
      }
      return packages[name]();
    };
  `;
}
