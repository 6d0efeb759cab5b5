// Whether the workflow's list of secrets is what its tasks use, and whether a secret stands where
// nothing is rendered. Where templates read secrets, check-references.ts looks.
import type { Draft, Finding } from "./draft.ts";
import type { Json } from "./json.ts";
import { didYouMean } from "./nearest.ts";
import { pointerOf } from "./schema-issues.ts";
import { cutName } from "./text.ts";

/** The message and hint for a name that is not on the list. */
export function unknownSecret(
  { secrets }: Draft,
  name: string,
): Required<Pick<Finding, "message" | "hint">> | undefined {
  const known = secrets.filter((one) => typeof one === "string");
  if (known.includes(name)) return undefined;
  const message = `secrets.${name}: expected a name on the workflow's list, found no "${name}"`;
  const added = () => `add it: secrets: [${[...known, name].join(", ")}]`;
  const hint = () => didYouMean(name, known).hint ?? added();
  return { message, hint };
}

/** A name that no task uses would still be asked of every app that runs the workflow. */
export function unusedSecrets(
  { secrets }: Draft,
  used: ReadonlySet<string>,
): readonly Finding[] {
  return secrets.flatMap((name, index): readonly Finding[] => {
    if (typeof name !== "string" || used.has(name)) return [];
    const message = `workflow: secrets: no task uses "${cutName(name)}"`;
    const hint = "leave it out of the list";
    return [{ pointer: pointerOf(["secrets", index]), at: "value", message, hint }];
  });
}

/** Vars and defaults are values as they stand: a secret in one would be sent as its own name. */
export function plainSecrets({ definition }: Draft): readonly Finding[] {
  const { vars, inputs } = definition;
  return [
    ...Object.entries(vars).flatMap(([name, value]) => textsIn(value, ["vars", name])),
    ...Object.entries(inputs).flatMap(([name, input]) =>
      textsIn(input.default ?? null, ["inputs", name, "default"]),
    ),
  ];
}

const SECRET_TEXT = /\{\{\s*secrets\b/;

function textsIn(value: Json, path: readonly string[]): readonly Finding[] {
  if (typeof value === "string") {
    const offset = value.search(SECRET_TEXT);
    if (offset === -1) return [];
    const message = `${path.slice(0, 2).join(".")}: this text is not rendered`;
    const hint = "a secret stands only in the params of tasks";
    return [{ pointer: pointerOf(path), at: offset, message, hint }];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => textsIn(member, [...path, key]));
}
