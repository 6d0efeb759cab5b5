// What infra/ would make, as the compiler predicts it: test/fixtures/infra, written by
// `npm run infra`. Read as plain JSON: a template has no types that a test could trust.
import { readFileSync } from "node:fs";
import path from "node:path";

export interface Predicted {
  readonly type: string;
  readonly id?: string;
  readonly name?: string;
  readonly apiVersion: string;
  readonly scope?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly properties: Properties;
  readonly [member: string]: unknown;
}

/** Members are asked for by name; a test says what it expects of them. */
export interface Properties {
  readonly [name: string]: unknown;
}

export interface Snapshot {
  readonly text: string;
  readonly resources: readonly Predicted[];
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Of one type, with or without its provider: `queues`, `Microsoft.Web/sites`. */
  of(type: string): readonly Predicted[];
  /** The only one of its type. */
  one(type: string): Predicted;
}

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/infra");

export function snapshot(name: "default" | "full"): Snapshot {
  const text = readFileSync(path.join(FOLDER, `${name}.snapshot.json`), "utf8");
  const { predictedResources: resources, outputs } = JSON.parse(text) as {
    predictedResources: readonly Predicted[];
    outputs: Record<string, unknown>;
  };
  const of = (type: string): readonly Predicted[] =>
    resources.filter((one) => one.type === type || one.type.endsWith(`/${type}`));
  return {
    text,
    resources,
    outputs,
    of,
    one(type) {
      const [found, ...more] = of(type);
      if (found === undefined || more.length > 0) throw new Error(`${type}: not exactly one`);
      return found;
    },
  };
}

/** A member at a path of names and indices. */
export function at(value: unknown, ...names: readonly (string | number)[]): unknown {
  return names.reduce<unknown>(
    (found, name) =>
      typeof found === "object" && found !== null ? Reflect.get(found, name) : undefined,
    value,
  );
}
