// `flaky_echo`: fails a given number of times, then gives its message back. It keeps no state:
// the attempt's number tells it where it is, so it behaves the same in every process.
import * as z from "zod";
import { MAX_ATTEMPTS } from "../core/limits.ts";
import { RetryableError, defineHandler } from "../runtime/handlers.ts";
import { jsonValue } from "./json-value.ts";

export const flakyEcho = defineHandler({
  name: "flaky_echo",
  version: "1",
  description: "Fails its first attempts, then gives its message back.",
  params: z.strictObject({
    fail_times: z.int().min(0).max(MAX_ATTEMPTS).describe("How many attempts fail."),
    message: jsonValue.describe("What to give back; any JSON value."),
  }),
  output: z.strictObject({ message: jsonValue, attempt: z.int() }),
  run: ({ params, attempt }) => {
    if (attempt <= params.fail_times) {
      throw new RetryableError(`attempt ${attempt} of ${params.fail_times} that fail on purpose`);
    }
    return { message: params.message, attempt };
  },
});
