// The values of secrets in this process: from settings into the call of a handler and nowhere
// else. A job gets those on its workflow's list only. What its handlers give back is masked: a
// value, and its common spellings, become `***` in outputs, errors and log lines.
// What cannot be known as the value is not found: a part of it, a hash, another encoding.
import type { WorkflowDefinition } from "../core/definition.ts";
import { WorkflowError } from "../core/error.ts";
import { fits } from "../core/expression/room.ts";
import type { FailureReason } from "../core/job.ts";
import type { Json } from "../core/json.ts";
import { MAX_JSON_DEPTH, MAX_RENDERED_BYTES } from "../core/limits.ts";
import { fillSealed } from "../core/secret.ts";
import type { Sealed } from "../core/secret.ts";
import { plural } from "../core/text.ts";
import { maskText, maskValue, spellingsOf } from "./mask.ts";

const MAX_TEXT_CHARS = 64 * 1024;

export class Secrets {
  readonly #values: ReadonlyMap<string, string>;
  readonly #spellings = new Map<string, readonly string[]>();

  /** Name to value, as the settings HOLDFAST_SECRET_* give them. */
  constructor(values: Readonly<Record<string, string>>) {
    this.#values = new Map(Object.entries(values));
  }

  /** The names among these that have no value here. */
  missing(names: readonly string[]): readonly string[] {
    return names.filter((name) => !this.#values.has(name));
  }

  /** What the jobs of a workflow with this list may use and must not show. */
  of(names: readonly string[]): JobSecrets {
    const known = names.filter((name) => this.#values.has(name));
    return new JobSecrets(
      new Map(known.map((name) => [name, this.#values.get(name) ?? ""])),
      known.flatMap((name) => this.#spelled(name)),
    );
  }

  #spelled(name: string): readonly string[] {
    const known = this.#spellings.get(name);
    if (known !== undefined) return known;
    const spellings = spellingsOf(this.#values.get(name) ?? "");
    this.#spellings.set(name, spellings);
    return spellings;
  }
}

export class JobSecrets {
  readonly #values: ReadonlyMap<string, string>;
  readonly #spellings: readonly string[];

  constructor(values: ReadonlyMap<string, string>, spellings: readonly string[]) {
    this.#values = values;
    this.#spellings = spellings;
  }

  /** The params for one call of a handler; where there are none, how the attempt ends. */
  open(sealed: Sealed): Opened {
    const missing = new Set<string>();
    const params = fillSealed(sealed, (name) => {
      const value = this.#values.get(name);
      if (value === undefined) missing.add(name);
      return value ?? "";
    });
    if (missing.size > 0) {
      const { code, message } = secretMissing([...missing]);
      // A setting may come back, or this process be the last that lacks it: `retry` decides.
      return { kind: "failed", error: { code, message }, retryable: true };
    }
    if (sealed.kind === "value" || fits(params, { bytes: MAX_RENDERED_BYTES }, MAX_JSON_DEPTH)) {
      return { kind: "params", params };
    }
    const message = `params: with their secrets more than ${MAX_RENDERED_BYTES} bytes of JSON`;
    return { kind: "failed", error: { code: "LIMIT_EXCEEDED", message }, retryable: false };
  }

  /** For log lines and error messages, of which far less is kept. */
  readonly text = (text: string): string => maskText(text, this.#spellings, MAX_TEXT_CHARS);

  /** The same value with its texts masked, keys too, at every depth; numbers stay. */
  value(value: Json): Json {
    if (this.#spellings.length === 0) return value;
    // Most values hold none. In JSON a text stands with its quotes and controls escaped.
    const json = JSON.stringify(value);
    const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
    const present = this.#spellings.filter((one) => json.includes(inJson(one)));
    return present.length === 0 ? value : maskValue(value, present);
  }
}

export type Opened =
  | { readonly kind: "params"; readonly params: Json }
  | { readonly kind: "failed"; readonly error: FailureReason; readonly retryable: boolean };

/** The secrets of a definition that have no value in this process. */
export function missingSecrets(
  { secrets }: { readonly secrets?: Secrets },
  { secrets: names = [] }: WorkflowDefinition,
): readonly string[] {
  return secrets === undefined ? names : secrets.missing(names);
}

/** Says names, never more. */
export function secretMissing(names: readonly string[]): WorkflowError {
  const settings = names.map((name) => `HOLDFAST_SECRET_${name}`).join(", ");
  const message = `this app has no value for ${plural(names.length, "secret")}: set ${settings}`;
  return new WorkflowError("SECRET_MISSING", message);
}

/** Of a workflow without secrets. */
export const NO_SECRETS = new JobSecrets(new Map(), []);
