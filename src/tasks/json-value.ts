// The schemas of "any JSON value" and "any list" in params and outputs.
// They do not look inside: the engine renders params as JSON and checks every output itself, and
// walking a value of a megabyte once more per attempt would cost more than most handlers.
import * as z from "zod";
import type { Json } from "../core/json.ts";

export const jsonValue = z.custom<Json>((value) => value !== undefined, {
  error: "expected a value",
});

export const jsonList = z
  .custom<readonly Json[]>((value) => Array.isArray(value), { error: "expected a list" })
  .meta({ type: "array" });
