// A program of an operator, built and run in a process of its own against the stores of an app.
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { bundle } from "../../build/bundle.mjs";
import { ROOT } from "./app-fixture.ts";
import type { StartedApp } from "./app-fixture.ts";

const run = promisify(execFile);

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface OperatorProgram {
  run(
    app: Pick<StartedApp, "env">,
    args: readonly string[],
    more?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  remove(): Promise<void>;
}

/** `name` is that of its source in src/cli, without its ending. */
export async function operatorProgram(name: string): Promise<OperatorProgram> {
  // In the project, where the tool finds its packages.
  const folder = path.join(ROOT, ".holdfast", `${name}-${process.pid}`);
  const target = path.join(folder, `${name}.mjs`);
  await bundle({ source: path.join(ROOT, `src/cli/${name}.ts`), target, kind: "tool" });
  return {
    async run(app, args, more = {}) {
      const env = { PATH: process.env["PATH"] ?? "", AZURE_FUNCTIONS_ENVIRONMENT: "Development" };
      const options = { env: { ...env, ...app.env, ...more } };
      try {
        const { stdout, stderr } = await run(process.execPath, [target, ...args], options);
        return { code: 0, out: stdout, err: stderr };
      } catch (error) {
        const failed = error as { code: number; stdout: string; stderr: string };
        return { code: failed.code, out: failed.stdout, err: failed.stderr };
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
