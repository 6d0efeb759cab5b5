// Whether tasks name the params that their handlers take. A name that is unknown or missing would
// fail every attempt, so it is told when the file is read. Values are not looked at: most of them
// are templates, which have a value only in a job.
import type { NodeDefinition } from "./definition.ts";
import type { Finding } from "./draft.ts";
import { didYouMean } from "./nearest.ts";
import { pointerOf } from "./schema-issues.ts";
import { cutName, listNames } from "./text.ts";

/** The params of a handler, as far as names say whether they fit. */
export interface ParamNames {
  /** Absent where it takes others as well. */
  readonly known?: readonly string[];
  readonly required: readonly string[];
}

/** The handlers of a build by name; a handler with no names takes anything. */
export type KnownHandlers = ReadonlyMap<string, ParamNames | undefined>;

export function checkParams(
  handlers: KnownHandlers,
  id: string,
  node: NodeDefinition,
): readonly Finding[] {
  if (node.type !== "task" && node.type !== "fan_out") return [];
  const { handler, params } = node.type === "task" ? node : node.task;
  const names = handlers.get(handler);
  if (names === undefined) return [];
  const path = node.type === "task" ? ["params"] : ["task", "params"];
  const finding = (name: string, says: string, more: Pick<Finding, "hint"> = {}): Finding => {
    const message = `node "${id}": ${path.join(".")}: handler "${cutName(handler)}" ${says}`;
    return { pointer: pointerOf(["nodes", id, ...path, name]), at: "key", message, ...more };
  };
  const given = Object.keys(params);
  const { known = given, required } = names;
  const missing = required.filter((name) => !given.includes(name));
  const unknown = given.filter((name) => !known.includes(name));
  return [
    ...missing.map((name) => finding(name, `needs "${cutName(name)}"`)),
    ...unknown.map((name) => {
      const takes = known.length === 0 ? "none" : listNames(known);
      const hint = () => didYouMean(name, known).hint;
      return finding(name, `takes no "${cutName(name)}", it takes ${takes}`, { hint });
    }),
  ];
}
