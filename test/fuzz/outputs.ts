// Values that handlers give or throw: JSON, almost JSON, and whatever JavaScript can make. Each
// ends as an outcome that can be stored; nothing escapes, nothing hangs, nothing is shared.
import fc from "fast-check";
import { jsonBytes, jsonProblem } from "../../src/core/json.ts";
import { MAX_JSON_VALUES, MAX_OUTPUT_BYTES } from "../../src/core/limits.ts";
import { start } from "../support/raw-attempt.ts";
import type { Run } from "../support/raw-attempt.ts";
import type { Cost, Probe, Target } from "./target.ts";
import { promise, stateless } from "./target.ts";
import { json, text } from "./texts.ts";

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
});

/** Values that do something when they are read. */
const tricky: fc.Arbitrary<unknown> = fc.tuple(json, fc.nat({ max: 11 })).map(([inner, which]) => {
  switch (which) {
    case 0:
      return knot(inner);
    case 1:
      return shared(inner, 50);
    case 2:
      return { toJSON: () => inner };
    case 3:
      return Object.defineProperty({}, "a", { enumerable: true, get: thrower });
    case 4:
      return new Proxy({ inner }, { ownKeys: thrower });
    case 5:
      return new Proxy([inner], { get: thrower });
    case 6:
      return counting();
    case 7:
      return Object.create({ inherited: inner }) as object;
    case 8:
      return [inner, , inner]; // oxlint-disable-line no-sparse-arrays
    case 9:
      return JSON.parse(`{"__proto__": ${JSON.stringify(inner)}}`) as unknown;
    case 10:
      return Object.fromEntries([[THEN, (take: (value: unknown) => void) => take(inner)]]);
    default:
      return Object.assign([inner], { extra: inner });
  }
});

/** What makes an object one that an `await` follows. */
const THEN = ["th", "en"].join("");

function thrower(): never {
  throw new Error("hostile");
}

function knot(inner: unknown): unknown {
  const self: unknown[] = [inner];
  self.push(self, { self });
  return self;
}

/** 2^levels values in as many objects as there are levels. */
function shared(inner: unknown, levels: number): unknown {
  let value = inner;
  for (let level = 0; level < levels; level += 1) value = [value, value];
  return value;
}

/** Another value every time it is read. */
function counting(): object {
  let reads = 0;
  const get = (): unknown => {
    reads += 1;
    return reads > 1 ? new Map() : reads;
  };
  return Object.defineProperty({}, "n", { enumerable: true, get });
}

const large: fc.Arbitrary<unknown> = fc.tuple(json, fc.nat({ max: 4000 })).map(([one, count]) =>
  Array.from({ length: count }, () => one),
);

interface Case {
  readonly value: unknown;
  readonly isThrown: boolean;
  readonly params: unknown;
}

const cases: fc.Arbitrary<Case> = fc.record({
  value: fc.oneof(
    { weight: 4, arbitrary: json as fc.Arbitrary<unknown> },
    { weight: 4, arbitrary: anything },
    { weight: 3, arbitrary: tricky },
    { weight: 1, arbitrary: large },
    { weight: 1, arbitrary: text.map((message) => new Error(message)) },
  ),
  isThrown: fc.boolean(),
  params: fc.constantFrom(null, { a: [1] }, "x"),
});

export async function outputTarget(): Promise<Target> {
  return stateless(cases, check, { bytes: MAX_OUTPUT_BYTES, items: MAX_JSON_VALUES });
}

async function check(
  { value, isThrown, params }: Case,
  { tell, timed }: Probe,
): Promise<Cost> {
  const run: Run = () => {
    if (isThrown) throw value;
    return value;
  };
  const outcome = await timed(() => start(run, { params: params as null }));
  tell(outcome.kind);
  if (outcome.kind === "failed") {
    const { code, message } = outcome.error;
    promise(/^[A-Z][A-Z0-9_]{0,63}$/.test(code), `a code: ${code}`);
    promise(message !== "" && message.isWellFormed(), "a message that can be stored");
    return { bytes: Buffer.byteLength(message) };
  }
  promise(outcome.kind === "completed" && !isThrown, `it ended as ${outcome.kind}`);
  promise(jsonProblem(outcome.output) === undefined, "an output is JSON");
  const copy: unknown = structuredClone(outcome.output);
  promise(JSON.stringify(copy) === JSON.stringify(outcome.output), "an output is plain");
  return { bytes: jsonBytes(outcome.output), items: countOf(outcome.output) };
}

function countOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, one) => sum + countOf(one), 1);
}
