// Rules about package.json and its lock: versions are exact, and the lock holds what every platform
// needs. npm ci refuses a lock that lacks another platform's optional package, or installs without.
import type { Finding, Problem, Rule } from "./rule.ts";
import { z } from "zod";

const Package = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});
const Lock = z.object({ packages: z.record(z.string(), Package) });

/** Whether a package in `folder` finds `name` there or in a folder above, as Node looks it up. */
function isLocked(
  packages: Readonly<Record<string, unknown>>,
  folder: string,
  name: string,
): boolean {
  const here = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
  if (here in packages) return true;
  if (folder === "") return false;
  return isLocked(packages, folder.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, ""), name);
}

const complete: Rule = {
  name: "the lock file is complete for every platform",
  check: (project): Finding => {
    const file = project.find(({ path }) => path === "package-lock.json");
    const { packages } = Lock.parse(JSON.parse(file?.text ?? '{"packages":{}}'));
    const problems: Problem[] = Object.entries(packages).flatMap(([folder, one]) =>
      Object.keys(one.optionalDependencies)
        .filter((name) => !isLocked(packages, folder, name))
        .map((name) => ({
          path: "package-lock.json",
          line: 1,
          message: `${folder} may need ${name}, which is not locked`,
        })),
    );
    return { examined: Object.keys(packages).length, problems };
  },
  bad: [
    {
      "package-lock.json":
        '{ "packages": { "node_modules/a": { "optionalDependencies": { "@b/c": "1" } } } }',
    },
  ],
  good: [
    {
      "package-lock.json": `{ "packages": {
        "node_modules/a": { "optionalDependencies": { "@b/c": "1" } },
        "node_modules/@b/c": {}
      } }`,
    },
  ],
};

const exact: Rule = {
  name: "package versions are exact",
  check: (project): Finding => {
    const file = project.find(({ path }) => path === "package.json");
    const { dependencies, devDependencies } = Package.parse(JSON.parse(file?.text ?? "{}"));
    const all = Object.entries({ ...dependencies, ...devDependencies });
    const loose = all.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
    const problems = loose.map(([name, version]) => ({
      path: "package.json",
      line: 1,
      message: `${name} is ${version}`,
    }));
    return { examined: all.length, problems };
  },
  bad: [
    { "package.json": '{ "dependencies": { "a": "^1.0.0" } }' },
    { "package.json": '{ "devDependencies": { "a": "*" } }' },
  ],
  good: [{ "package.json": '{ "dependencies": { "a": "1.0.0" } }' }],
};

export const LOCK_RULES: readonly Rule[] = [complete, exact];
