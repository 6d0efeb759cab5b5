// What a build's handlers take and give, as JSON Schema: the rows of GET /handlers.
// `params_schema` describes what an author writes, before defaults and conversions.
import * as z from "zod";
import type { HandlerRegistry } from "./handlers.ts";

export interface HandlerDescription {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly params_schema: Readonly<Record<string, unknown>>;
  readonly output_schema: Readonly<Record<string, unknown>>;
}

/** Sorted by name. What JSON Schema cannot say (a custom check) is described as any value. */
export function describeHandlers(registry: HandlerRegistry): readonly HandlerDescription[] {
  return registry.list().map(({ name, version, description, params, output }) => ({
    name,
    version,
    description,
    params_schema: jsonSchema(params, "input"),
    output_schema: jsonSchema(output, "output"),
  }));
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(schema, { io, unrepresentable: "any" }) };
}
