// Templates: any JSON whose texts hold expressions, well-formed or broken. Parsing lists all
// problems and never throws; rendering gives JSON within its bounds or a typed error, twice the
// same; and what an input holds is never read as a template.
import fc from "fast-check";
import { ExpressionError } from "../../src/core/expression/evaluate.ts";
import type { Json } from "../../src/core/json.ts";
import { jsonBytes, jsonProblem } from "../../src/core/json.ts";
import {
  MAX_EVALUATION_STEPS,
  MAX_JSON_VALUES,
  MAX_RENDERED_BYTES,
} from "../../src/core/limits.ts";
import { parseSingle, parseTemplate, renderTemplate } from "../../src/core/template.ts";
import { templateReferences } from "../../src/core/template.ts";
import type { Template } from "../../src/core/template.ts";
import type { Cost, Probe, Target } from "./target.ts";
import { promise, stateless } from "./target.ts";
import { filled, json, own, text } from "./texts.ts";

const EXPRESSIONS = [
  "inputs.evil", "inputs.data", "inputs.list", "inputs.none", "default(inputs.none, inputs.evil)",
  "1",
  "'}}'", "\"{{\"", "{'a': {'b': 1}}", "inputs.list.map(x, inputs.data)",
  "inputs.list + inputs.list",
  "string(1.5)", "null", "inputs.evil + inputs.evil", "inputs.evil.split('')", "1 / 0",
  "nodes.a.output",
  "", "a b", "'open", "inputs.big", "[inputs.big, inputs.big]",
];

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...EXPRESSIONS).map((source) => `{{ ${source} }}`) },
  { weight: 2, arbitrary: text },
  { weight: 1, arbitrary: fc.constantFrom("{{", "}}", "{", "}", "'", '"', "{{{{", "}}}}", "{{}}") },
);
const templated = fc.oneof(
  { weight: 6, arbitrary: fc.array(piece, { maxLength: 5 }).map((all) => all.join("")) },
  {
    weight: 1,
    arbitrary: fc.tuple(piece, fc.nat({ max: 17_000 })).map(([p, n]) => filled(p || " ", n)),
  },
);

const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { weight: 4, arbitrary: templated as fc.Arbitrary<Json> },
    { weight: 1, arbitrary: json },
    { weight: 2, arbitrary: fc.array(tie("value"), { maxLength: 4 }) as fc.Arbitrary<Json> },
    {
      weight: 2,
      arbitrary: fc
        .array(fc.tuple(fc.oneof(text, templated), tie("value")), { maxLength: 4 })
        .map(own),
    },
  ),
}));

interface Case {
  readonly value: Json;
  readonly data: Json;
}

/** What a caller could send to be read as a template. */
const EVIL = "{{ inputs.secret }}{{ '";
const BIG = "x".repeat(40_000);

export async function templateTarget(): Promise<Target> {
  // What is in scope was checked when it came in.
  const data = json.filter((one) => jsonProblem(one) === undefined);
  const cases = fc.record({ value, data });
  return stateless<Case>(cases, check, {
    steps: MAX_EVALUATION_STEPS,
    bytes: MAX_RENDERED_BYTES,
    items: MAX_JSON_VALUES,
  });
}

function check({ value: given, data }: Case, { tell, timed }: Probe): Cost {
  const parsed = timed(() => parseTemplate(given));
  if (typeof given === "string") parseSingle(given);
  if (!parsed.ok) {
    tell("refused");
    promise(parsed.issues.length > 0, "a refusal says why");
    for (const { pointer, message, offset } of parsed.issues) {
      promise(pointer === "" || pointer.startsWith("/"), "a JSON pointer");
      promise(message !== "" && offset >= 0, "a message and an offset");
    }
    return {};
  }
  for (const { root } of templateReferences(parsed.template)) promise(root !== "", "a root");
  const { template } = parsed;
  const first = timed(() => rendered(template, data));
  const second = rendered(template, data);
  promise(JSON.stringify(first) === JSON.stringify(second), "rendering is repeatable");
  tell(first.kind);
  checkEvil(given, first);
  return first.cost;
}

type Rendered =
  | { readonly kind: "value"; readonly value: Json; readonly cost: Cost }
  | { readonly kind: "error"; readonly reason: string; readonly cost: Cost };

function rendered(template: Template, data: Json): Rendered {
  const budget = { steps: MAX_EVALUATION_STEPS };
  const steps = (): number => MAX_EVALUATION_STEPS - budget.steps;
  const scope = { inputs: { evil: EVIL, secret: "SECRET", data, list: [1, 2, 3], big: BIG } };
  try {
    const result = renderTemplate(template, scope, budget);
    const bytes = jsonBytes(result);
    promise(bytes <= MAX_RENDERED_BYTES, "a value within its size");
    return { kind: "value", value: result, cost: { steps: steps(), bytes } };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    promise(budget.steps >= 0, "steps are never overdrawn");
    return { kind: "error", reason: error.reason, cost: { steps: steps() } };
  }
}

/** No template here names the secret, so it comes out only if an input was read as one. */
function checkEvil(given: Json, result: Rendered): void {
  if (result.kind !== "value" || JSON.stringify(given).includes("secret")) return;
  promise(!JSON.stringify(result.value).includes("SECRET"), "an input was read as a template");
  if (given === "{{ inputs.evil }}") promise(result.value === EVIL, "an input comes out as it is");
  if (jsonProblem(given) !== undefined) return;
  if (!JSON.stringify(given).includes("{{")) {
    promise(JSON.stringify(result.value) === JSON.stringify(given), "a constant is itself");
  }
}
