// `transform`: builds an object from expressions over its input.
// All mistakes are reported together, each with its field.
import * as z from "zod";
import type { Json } from "../core/json.ts";
import { TerminalError, defineHandler } from "../runtime/handlers.ts";
import { expressionOver, tryEvaluate } from "./expression.ts";
import { jsonValue } from "./json-value.ts";

const MAX_FIELDS = 100;

export const transform = defineHandler({
  name: "transform",
  version: "1",
  description: "Evaluates expressions over `input` and gives an object of their values.",
  params: z.strictObject({
    input: jsonValue.default(null).describe("What the expressions see as `input`."),
    output: z
      .record(z.string().min(1).max(64), expressionOver("input"))
      .refine((fields) => Object.keys(fields).length <= MAX_FIELDS, {
        error: `expected at most ${MAX_FIELDS} fields`,
      })
      .describe("Field name to expression, written without {{ }}."),
  }),
  output: z.record(z.string(), jsonValue),
  run: async ({ params, signal }) => {
    const failures: string[] = [];
    const fields: [string, Json][] = [];
    for (const [name, parsed] of Object.entries(params.output)) {
      const result = await tryEvaluate(parsed, { input: params.input }, signal);
      if (result.ok) fields.push([name, result.value]);
      else failures.push(`field "${name}": ${result.message}`);
    }
    if (failures.length > 0) throw new TerminalError(failures.join("; "), "EXPRESSION_FAILED");
    return Object.fromEntries(fields);
  },
});
