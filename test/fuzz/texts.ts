// Texts that break things: characters, words and values that several kinds of fuzzing share.
import fc from "fast-check";
import type { Json } from "../../src/core/json.ts";

/** Names that reach prototypes, that the language or the host keeps for itself, and plain ones. */
export const NAMES = [
  "a", "b", "inputs", "nodes", "vars", "job", "item", "index", "value", "secrets", "output",
  "status",
  "__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "length", "then", "toJSON",
  "id", "$secret", "_provenance", "", " ", "0", "-1", "é", "😀", "a.b", "a/b", "a~b", "{{", "}}",
] as const;

/** A short text: usually printable, now and then anything at all. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom("{{ 1 + 1 }}", "{{ inputs.a }}", "\u0000", "\ud800") },
);

export const number: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: -10, max: 100 }),
  fc.constantFrom(0, -0, 1.5, 1e21, 2 ** 53, -(2 ** 53), 1e300, 5e-324, 0.1),
);

/** What looks as if it had a length, until that is compared with a number. */
const unmeasurable = fc.constantFrom<Json>(
  { length: { toString: null, valueOf: null } },
  { length: [{ toString: 0 }], size: {} },
);

/** Any JSON, with keys that should never be there among the others. */
export const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(fc.constantFrom(null, true, false), number, text, unmeasurable),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(text, tie("value")), { maxLength: 4 }).map(own),
  ),
})).value;

/** As a parser makes it: `__proto__` is a member like any other. */
export function own(members: readonly (readonly [string, Json])[]): Json {
  return Object.fromEntries(members);
}

/** The same text over and over, up to a size. */
export function filled(piece: string, size: number): string {
  return piece.repeat(Math.max(1, Math.floor(size / piece.length)));
}
