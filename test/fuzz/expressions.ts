// Expressions: made of the grammar, of words in any order, of any characters. Parsing and
// evaluating never throw anything but a typed error, stay within the steps, read own properties
// only, and give JSON. Those that CEL can say as well mean the same as in two CEL libraries,
// wherever these agree.
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { canonical } from "../../src/core/canonical.ts";
import { compute, evaluate, ExpressionError } from "../../src/core/expression/evaluate.ts";
import type { Expression } from "../../src/core/expression/parse.ts";
import { parseCondition, parseExpression } from "../../src/core/expression/parse.ts";
import { dynamicNodeAccess, references } from "../../src/core/expression/references.ts";
import type { Json } from "../../src/core/json.ts";
import { jsonProblem, utf8Bytes } from "../../src/core/json.ts";
import {
  MAX_EVALUATION_STEPS,
  MAX_EXPRESSION_NODES,
  MAX_RENDERED_BYTES,
} from "../../src/core/limits.ts";
import { measure } from "../../src/core/expression/ast.ts";
import { byBufbuild, byCelJs, SCOPE, spelled } from "./cel.ts";
import type { Outcome, Spelled } from "./cel.ts";
import type { Cost, Probe, Target } from "./target.ts";
import { promise, stateless } from "./target.ts";
import { filled, json } from "./texts.ts";

const WORDS =
  "a b a.b a[0] a['b'] l l.map(x, l.filter(x, l.exists(x, l.all(x, x ) ( [ ] { } , : ? " +
  ". 'k' \"t\" " +
  "0 1 2.5 1e308 - true false null + * / % == != < <= > >= in && || ! size( has( default( join( " +
  "split( lower( upper( int( double( string( contains( {{ }} " +
  "__proto__ a.constructor a['prototype'] \\ '";
const word = fc.constantFrom(...WORDS.split(" "));
const words = fc.array(word, { maxLength: 16 }).map((all) => all.join(" "));

/** Grows without being well-typed: macros in macros over all that there is. */
const { grown } = fc.letrec<{ grown: string }>((tie) => {
  const one = tie("grown");
  const two = fc.tuple(one, one);
  return {
    grown: fc.oneof(
      { depthSize: "medium", withCrossShrink: true },
      fc.constantFrom(..."a l m t big x 0 -2.5 'k' true null [] {}".split(" ")),
      two.chain(([left, right]) =>
        fc
          .constantFrom("+", "-", "*", "/", "%", "==", "!=", "<", ">=", "in", "&&", "||")
          .map((operator) => `(${left} ${operator} ${right})`),
      ),
      two.chain(([list, body]) =>
        fc.constantFrom("map", "filter", "exists", "all").map((m) => `${list}.${m}(x, ${body})`),
      ),
      two.map(([left, right]) => `${left}[${right}]`),
      two.map(([left, right]) => `default(${left}, ${right})`),
      two.map(([left, right]) => `{string(${left}): ${right}, 'p': ${left}}`),
      two.map(([left, right]) => `${left}.split(${right})`),
      two.map(([left, right]) => `join(${left}, ${right})`),
      two.map(([left, right]) => `(${left} ? ${right} : ${left})`),
      one.chain((value) =>
        fc
          .constantFrom("size", "string", "int", "double", "lower", "upper")
          .map((name) => `${name}(${value})`),
      ),
      one.map((value) => `has(${value}.k)`),
      one.map((value) => `(!${value})`),
    ),
  };
});

interface Free {
  readonly source: string;
  readonly data: Json;
}

type Case = Free | Spelled;

const free: fc.Arbitrary<Free> = fc.record({
  source: fc.oneof(
    { weight: 3, arbitrary: grown },
    { weight: 2, arbitrary: words },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
    { weight: 1, arbitrary: fc.tuple(word, fc.nat({ max: 1100 })).map(([w, n]) => filled(w, n)) },
  ),
  data: json.filter((one) => jsonProblem(one) === undefined),
});

const BOUNDS = {
  steps: MAX_EVALUATION_STEPS,
  bytes: MAX_RENDERED_BYTES,
  items: MAX_EXPRESSION_NODES,
};

export async function expressionTarget(): Promise<Target> {
  return stateless<Case>(fc.oneof<fc.Arbitrary<Case>[]>(free, spelled), (one, probe) => {
    return "source" in one ? checkFree(one, probe) : checkSpelled(one, probe);
  }, BOUNDS);
}

const BIG = Array.from({ length: 3_000 }, (_, index) => index);

function checkFree({ source, data }: Free, probe: Probe): Cost {
  const condition = probe.timed(() => parseCondition(source));
  const parsed = probe.timed(() => parseExpression(source));
  if (!parsed.ok) {
    probe.tell("refused");
    promise(parsed.offset >= 0 && parsed.offset <= source.length, "an offset inside the text");
    promise(parsed.message !== "", "a refusal says why");
    if (condition.ok) evaluated(condition.expression, { value: data }, probe);
    return { bytes: utf8Bytes(source) };
  }
  const reads = references(parsed.expression);
  promise(reads.every(({ offset }) => offset < source.length), "references lie in the text");
  dynamicNodeAccess(parsed.expression);
  const scope = { a: data, l: [3, "k", [1]], m: { k: data, p: null }, t: "k😀", big: BIG };
  const before = canonical(data);
  const cost = evaluated(parsed.expression, scope, probe);
  promise(canonical(data) === before, "evaluating changes nothing");
  return cost;
}

function evaluated(
  expression: Expression,
  scope: Readonly<Record<string, Json>>,
  { tell, timed }: Probe,
): Cost {
  const items = measure(expression.root).nodes;
  const budget = { steps: MAX_EVALUATION_STEPS };
  try {
    const value = timed(() => evaluate(expression, scope, budget));
    const bytes = utf8Bytes(JSON.stringify(value));
    promise(bytes <= MAX_RENDERED_BYTES, "a value within its size");
    tell("value");
    return { steps: MAX_EVALUATION_STEPS - budget.steps, bytes, items };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    promise(budget.steps >= 0, "steps are never overdrawn");
    tell(`error ${error.reason}`);
    return { steps: MAX_EVALUATION_STEPS - budget.steps, items };
  }
}

function checkSpelled(one: Spelled, { tell, timed }: Probe): Cost {
  if (one.ours.length > 1024) return {};
  const parsed = parseExpression(one.ours);
  if (!parsed.ok) {
    // Nested deeper, or of more parts, than we allow.
    promise(/nested|parts/.test(parsed.message), `refused: ${parsed.message}`);
    return {};
  }
  const budget = { steps: MAX_EVALUATION_STEPS };
  const { expression } = parsed;
  const ours = timed(() => outcomeOf(expression, budget));
  const [first, second] = [byCelJs(one.cel), byBufbuild(one.cel)];
  tell(compared(one, ours, [first, second]));
  const items = measure(parsed.expression.root).nodes;
  return { steps: MAX_EVALUATION_STEPS - budget.steps, items };
}

type Ours = Outcome & { readonly reason?: string };

function outcomeOf(expression: Expression, budget: { steps: number }): Ours {
  try {
    const scope = SCOPE as unknown as Readonly<Record<string, Json>>;
    return { ok: true, value: compute(expression, scope, budget) };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { ok: false, reason: error.reason };
  }
}

/** Says what the comparison came to; throws where both libraries say one thing and we another. */
function compared(
  one: Spelled,
  ours: Ours,
  [first, second]: readonly [Outcome, Outcome],
): string {
  if (first.ok !== second.ok) return "CEL libraries differ";
  if (first.ok && second.ok && !isEqual(first.value, second.value)) return "CEL libraries differ";
  if (ours.ok === first.ok && (!ours.ok || !first.ok || isEqual(ours.value, first.value))) {
    return ours.ok ? "equal value" : "equal error";
  }
  const isNumber = !ours.ok && ours.reason === "number" && one.counts;
  if (isNumber) return "documented: numbers out of bounds";
  if (one.asks) return "documented: has";
  if (one.astral) return "documented: order above U+FFFF";
  const [mine, theirs] = [ours, first].map((of) => (of.ok ? JSON.stringify(of.value) : "an error"));
  const both = `both CEL libraries give ${theirs}`;
  throw new Error(`${one.ours}: ours gives ${mine}, ${both} (${one.cel})`);
}

/** There is one zero. */
function isEqual(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(normal(left), normal(right));
}

function normal(value: unknown): unknown {
  if (typeof value === "number") return value === 0 ? 0 : value;
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, normal(one)]));
}

