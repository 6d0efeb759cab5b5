// Expressions in two spellings, ours and CEL's, and two CEL libraries to compare with. This page
// is the one list of how the language differs from CEL; what differs is spelled so that it does
// not, or is not compared:
// - numbers: one type of JSON numbers; in CEL's spelling each is a double (`1.0`), `size` and
//   `int` are turned into doubles, and `%` works on integers made of both sides;
// - `/` by zero, and any result beyond 2^53 - 1, is an error here, where CEL goes on with infinity
//   or rounds;
// - `has(a.b.c)` is false here where `a.b` is missing; in CEL that is an error;
// - texts are ordered by code point here; both libraries order them by UTF-16 unit;
// - `default`, `split`, `join`, `lower`, `upper`, `text[0]` and macros over maps are not in CEL,
//   or differ; `string` of numbers differs; none of them is spelled;
// - cel-js demands one type for all values of a list or map and of both branches of `? :`; where
//   the two libraries disagree nothing is compared.
import { isCelError, isCelList, isCelMap, run } from "@bufbuild/cel";
import { Environment } from "@marcbachmann/cel-js";
import fc from "fast-check";

export interface Spelled {
  readonly ours: string;
  readonly cel: string;
  /** Holds arithmetic, which may leave the numbers we allow. */
  readonly counts: boolean;
  /** Holds `has`. */
  readonly asks: boolean;
  /** Holds a character above U+FFFF. */
  readonly astral: boolean;
}

const PLAIN = { counts: false, asks: false, astral: false };

function same(text: string): Spelled {
  return { ours: text, cel: text, ...PLAIN };
}

/** Parts put into both spellings; `~` stands for a part. */
function spell(
  ours: string,
  parts: readonly Spelled[],
  more: { readonly cel?: string; readonly counts?: true; readonly asks?: true } = {},
): Spelled {
  const fill = (form: string, side: "ours" | "cel"): string => {
    let next = 0;
    return form.replace(/~/g, () => {
      const part = parts[next];
      next += 1;
      return part?.[side] ?? "";
    });
  };
  return {
    ours: fill(ours, "ours"),
    cel: fill(more.cel ?? ours, "cel"),
    counts: more.counts ?? parts.some(({ counts }) => counts),
    asks: more.asks ?? parts.some(({ asks }) => asks),
    astral: parts.some(({ astral }) => astral),
  };
}

const integer = fc.integer({ min: 0, max: 20 }).map((n) => ({ ...same(`${n}`), cel: `${n}.0` }));
const fraction = fc.constantFrom("0.5", "1.25", "1e3", "2.5e-1").map(same);
const word = fc
  .constantFrom("a", "b", "ab", "", "é", "b c", "true", "12")
  .map((one) => same(`'${one}'`));
const emoji = fc.constant({ ...same("'😀'"), astral: true });

type Kinds = Readonly<
  Record<"number" | "truth" | "text" | "list" | "map" | "any", fc.Arbitrary<Spelled>>
>;

const of = (form: string, ...parts: readonly fc.Arbitrary<Spelled>[]): fc.Arbitrary<Spelled> =>
  fc.tuple(...parts).map((all) => spell(form, all));

const counted = (form: string, ...parts: readonly fc.Arbitrary<Spelled>[]) =>
  fc.tuple(...parts).map((all) => spell(form, all, { counts: true }));

const setting = { depthSize: "small", withCrossShrink: true } as const;
const compare = fc.constantFrom("==", "!=", "<", "<=", ">", ">=");

function numbers({ number: n, truth: t, text: s, list: l, map: m }: Kinds): fc.Arbitrary<Spelled> {
  return fc.oneof(
    setting,
    integer,
    fraction,
    fc.constantFrom("inputs.n", "inputs.f", "inputs.m.a", "inputs.l[1]", "inputs.zero").map(same),
    fc.constantFrom("inputs.l[7]", "inputs.m.none", "inputs.n.a", "x").map(same),
    fc.constantFrom("+", "-", "*", "/").chain((operator) => counted(`(~ ${operator} ~)`, n, n)),
    fc.tuple(integer, integer).map((both) =>
      spell("(~ % ~)", both, { cel: "double(int(~) % int(~))", counts: true }),
    ),
    counted("(-~)", n),
    n.map((one) => spell("int(~)", [one], { cel: "double(int(~))", counts: true })),
    of("double(~)", fc.constantFrom("'1.5'", "'12'", "'-3'").map(same)),
    fc.oneof(s, l, m).map((of) => spell("size(~)", [of], { cel: "double(size(~))" })),
    of("(~ ? ~ : ~)", t, n, n),
  );
}

function truths(parts: Kinds): fc.Arbitrary<Spelled> {
  const { number: n, truth: t, text: s, list: l, map: m, any } = parts;
  return fc.oneof(
    setting,
    fc.constantFrom("true", "false", "inputs.t", "x").map(same),
    fc.tuple(compare, n, n).map(([operator, ...both]) => spell(`(~ ${operator} ~)`, both)),
    fc.tuple(compare, s, s).map(([operator, ...both]) => spell(`(~ ${operator} ~)`, both)),
    fc.tuple(fc.constantFrom("==", "!="), any, any).map(([operator, ...both]) =>
      spell(`(~ ${operator} ~)`, both),
    ),
    fc.tuple(fc.constantFrom("&&", "||"), t, t).map(([operator, ...both]) =>
      spell(`(~ ${operator} ~)`, both),
    ),
    fc.tuple(fc.constantFrom("&&", "||"), any, t).map(([operator, ...both]) =>
      spell(`(~ ${operator} ~)`, both),
    ),
    of("(!~)", t),
    of("(~ in ~)", n, l),
    of("(~ in ~)", s, m),
    fc
      .tuple(fc.constantFrom("startsWith", "endsWith", "contains"), s, s)
      .map(([name, ...both]) => spell(`~.${name}(~)`, both)),
    fc
      .tuple(fc.constantFrom("exists", "all"), l, t)
      .map(([name, ...both]) => spell(`~.${name}(x, ~)`, both)),
    fc
      .constantFrom("inputs.m.a", "inputs.m.none", "inputs.deep.b.c", "inputs.none.a")
      .map((path) => ({ ...same(`has(${path})`), asks: true })),
    of("(~ ? ~ : ~)", t, t, t),
  );
}

function texts({ truth: t, text: s }: Kinds): fc.Arbitrary<Spelled> {
  return fc.oneof(
    setting,
    word,
    emoji,
    fc.constantFrom("inputs.s", "inputs.deep.b.c", 'inputs["s"]').map(same),
    of("(~ + ~)", s, s),
    of("string(~)", t),
    of("string(~)", s),
    of("(~ ? ~ : ~)", t, s, s),
  );
}

function lists({ number: n, truth: t, list: l }: Kinds): fc.Arbitrary<Spelled> {
  return fc.oneof(
    setting,
    fc.constantFrom("inputs.l", "[]", "inputs.empty").map(same),
    of("[~]", n),
    of("[~, ~, ~]", n, n, n),
    of("(~ + ~)", l, l),
    of("~.map(x, ~)", l, n),
    of("~.filter(x, ~)", l, t),
  );
}

function maps({ number: n }: Kinds): fc.Arbitrary<Spelled> {
  return fc.oneof(
    setting,
    fc.constantFrom("inputs.m", "{}", "inputs.deep").map(same),
    of("{'a': ~}", n),
    of("{'a': ~, 'b': ~}", n, n),
  );
}

const kinds: Kinds = fc.letrec((tie) => {
  const part = (name: keyof Kinds) => tie(name) as fc.Arbitrary<Spelled>;
  const parts: Kinds = {
    number: part("number"),
    truth: part("truth"),
    text: part("text"),
    list: part("list"),
    map: part("map"),
    any: part("any"),
  };
  const { number, truth, text, list, map } = parts;
  return {
    number: numbers(parts),
    truth: truths(parts),
    text: texts(parts),
    list: lists(parts),
    map: maps(parts),
    any: fc.oneof(setting, number, truth, text, list, map, fc.constant(same("null"))),
  };
});

/** Well-typed for the most part, so that most of them have a value. */
export const spelled: fc.Arbitrary<Spelled> = fc.oneof(
  { weight: 3, arbitrary: kinds.number },
  { weight: 5, arbitrary: kinds.truth },
  { weight: 2, arbitrary: kinds.text },
  { weight: 2, arbitrary: kinds.list },
  { weight: 1, arbitrary: kinds.map },
);

/** What the spelled expressions read; `x` only inside macros. */
export const SCOPE = {
  inputs: {
    n: 3, f: 1.5, zero: 0, s: "ab", t: true, l: [1, 2, 3], empty: [], m: { a: 1, b: 2 },
    deep: { b: { c: "c" } },
  },
} as const;

export type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

const environment = new Environment({ unlistedVariablesAreDyn: true });

export function byCelJs(source: string): Outcome {
  try {
    return { ok: true, value: plain(environment.evaluate(source, { ...SCOPE })) };
  } catch {
    return { ok: false };
  }
}

export function byBufbuild(source: string): Outcome {
  try {
    const value: unknown = run(source, { ...SCOPE } as never);
    return isCelError(value) ? { ok: false } : { ok: true, value: plain(value) };
  } catch {
    return { ok: false };
  }
}

/** A library's value as JSON has it; integers as numbers. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (isCelList(value) || Array.isArray(value)) return [...value].map(plain);
  if (isCelMap(value)) {
    return Object.fromEntries([...value.entries()].map(([key, one]) => [key, plain(one)]));
  }
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, one]) => [String(key), plain(one)]));
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}
