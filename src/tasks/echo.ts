// `echo`: gives back what it got, and fails only when `steps` is no number of steps.
// For trying out a workflow's wiring.
import * as z from "zod";
import { defineHandler } from "../runtime/handlers.ts";
import { jsonValue } from "./json-value.ts";

export const echo = defineHandler({
  name: "echo",
  version: "1",
  description: "Gives its params back, with `echoed: true`; writes one log line per step.",
  params: z
    .object({
      message: jsonValue.exactOptional().describe("What to say; any JSON value."),
      steps: z.int().min(0).max(1000).default(0).describe("How many log lines to write."),
    })
    .catchall(jsonValue),
  output: z
    .object({ steps: z.int(), echoed: z.literal(true) })
    .catchall(jsonValue)
    .describe("All params, `steps` with its default, and `echoed`."),
  run: ({ params, log }) => {
    for (let step = 1; step <= params.steps; step += 1) {
      log(`step ${step} of ${params.steps}`);
    }
    return { ...params, echoed: true as const };
  },
});
