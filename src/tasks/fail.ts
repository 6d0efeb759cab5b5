// `fail`: always fails, the way its params say.
// For trying out `retry` and `on_error`.
import * as z from "zod";
import { RetryableError, TerminalError, defineHandler } from "../runtime/handlers.ts";

export const fail = defineHandler({
  name: "fail",
  version: "1",
  description: "Fails on purpose, at every attempt.",
  params: z.strictObject({
    message: z.string().max(1000).default("failed on purpose").describe("The error's text."),
    code: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]{0,63}$/, { error: "expected a code of A-Z, 0-9, _" })
      .default("HANDLER_FAILED")
      .describe("The error's code."),
    retryable: z.boolean().default(false).describe("Whether the retry policy applies."),
  }),
  output: z.never(),
  run: ({ params }) => {
    const { message, code, retryable } = params;
    throw retryable ? new RetryableError(message, code) : new TerminalError(message, code);
  },
});
