// `hello_world`: the smallest handler with a typed param.
// The one to copy when writing a first handler.
import * as z from "zod";
import { defineHandler } from "../runtime/handlers.ts";

export const helloWorld = defineHandler({
  name: "hello_world",
  version: "1",
  description: "Greets.",
  params: z.strictObject({
    name: z.string().min(1).max(256).default("World").describe("Whom to greet."),
  }),
  output: z.strictObject({ greeting: z.string() }),
  run: ({ params }) => ({ greeting: `Hello, ${params.name}!` }),
});
