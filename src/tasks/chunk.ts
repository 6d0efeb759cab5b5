// `chunk`: cuts a list into lists of at most `size`, in order; the way to a fan_out over batches.
// Gives no more chunks than a fan_out takes.
import * as z from "zod";
import { MAX_ITEMS } from "../core/limits.ts";
import { TerminalError, defineHandler } from "../runtime/handlers.ts";
import { jsonList } from "./json-value.ts";

export const chunk = defineHandler({
  name: "chunk",
  version: "1",
  description: "Cuts a list into lists of at most `size` items, in order.",
  params: z.strictObject({
    items: jsonList.describe("The list; an empty one gives no chunks."),
    size: z.int().min(1).describe("Items per chunk; the last one may have fewer."),
  }),
  output: z.strictObject({
    chunks: z.array(jsonList),
    count: z.int().describe("How many chunks."),
  }),
  run: ({ params: { items, size } }) => {
    const count = Math.ceil(items.length / size);
    if (count > MAX_ITEMS) {
      throw new TerminalError(
        `${items.length} items in chunks of ${size} are ${count} chunks, more than a fan_out ` +
          `takes (${MAX_ITEMS}); raise size`,
        "LIMIT_EXCEEDED",
      );
    }
    const chunks = Array.from({ length: count }, (_, index) =>
      items.slice(index * size, (index + 1) * size),
    );
    return { chunks, count };
  },
});
