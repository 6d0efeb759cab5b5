// What may stand behind `npm start --`. Nothing else is let pass: a mistyped `--keep` that went
// unnoticed would lose what it was to keep.
import path from "node:path";
import { parseArgs } from "node:util";
import type { Environment } from "./host-json.ts";
import { StartupProblem } from "./startup-problem.ts";

export interface StartOptions {
  readonly help: boolean;
  /** The stores alone, without a host. */
  readonly stores: boolean;
  /** The folder that keeps what the stores hold, as a whole path. */
  readonly keep: string | undefined;
}

export const START_USAGE = [
  "Runs Holdfast on this machine, until Ctrl-C.",
  "",
  "  npm start                 stores in memory: jobs are gone when it stops",
  "  npm start -- --keep DIR   documents and queues are kept in DIR for the next start",
  "",
  "Settings are environment variables: docs/operations.md.",
].join("\n");

const OPTIONS = {
  help: { type: "boolean", short: "h", default: false },
  stores: { type: "boolean", default: false },
  keep: { type: "string" },
} as const;

/** Throws StartupProblem for anything that is not one of the three. */
export function startOptions(args: readonly string[], env: Environment): StartOptions {
  // Without the "--" npm takes the option for its own, and leaves only this trace of it.
  if (env["npm_config_keep"]) throw refused("--keep came before the two dashes");
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options: OPTIONS }));
  } catch (error) {
    const [first = ""] = error instanceof Error ? error.message.split(/\.\s/u) : [];
    throw refused(first);
  }
  const { help, stores, keep } = values;
  if (keep === "") throw refused("--keep needs a folder");
  return { help, stores, keep: keep === undefined ? undefined : path.resolve(keep) };
}

function refused(problem: string): StartupProblem {
  return new StartupProblem(`${problem}. Expected: npm start, or npm start -- --keep DIR`);
}
