// Log lines of a fan_out's items: kept with each item's outcome, shown with the node.
import { expect, test } from "vitest";
import * as z from "zod";
import { defineHandler, TerminalError } from "../../../src/runtime/handlers.ts";
import { nodeView } from "../../support/views.ts";
import { TestRuntime } from "../../support/runtime.ts";

const talker = defineHandler({
  name: "talker",
  version: "1",
  params: z.strictObject({ n: z.int() }),
  output: z.json(),
  run: ({ params, log }) => {
    if (params.n > 0) log(`item ${params.n}`);
    if (params.n === 3) throw new TerminalError("three");
    return params.n;
  },
});

interface Shown {
  readonly log: readonly string[];
  readonly events: readonly { readonly type: string; readonly items?: readonly object[] }[];
}

test("each item's log travels with its outcome, and silence costs nothing", async () => {
  const runtime = new TestRuntime({ handlers: [talker] });
  runtime.catalog.put({
    workflow_id: "w",
    version: 1,
    nodes: {
      start: { type: "start", next: "each" },
      each: {
        type: "fan_out",
        source: "{{ [0, 1, 2, 3] }}",
        task: { handler: "talker", params: { n: "{{ item }}" } },
        on_error: "continue",
        next: "all",
      },
      all: { type: "fan_in", next: "end" },
      end: { type: "end" },
    },
  });
  const { job } = await runtime.submit({ workflow_id: "w" });
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  const view = (await nodeView(runtime.first.engine, job, "each")) as unknown as Shown;
  const items = view.events.flatMap(({ items: own }) => own ?? []);
  expect(items).toHaveLength(4);
  expect(items).toEqual(
    expect.arrayContaining([
      { index: 0, output: 0 },
      { index: 1, output: 1, log: ["item 1"] },
      { index: 2, output: 2, log: ["item 2"] },
      { index: 3, error: { code: "HANDLER_FAILED", message: "three" }, log: ["item 3"] },
    ]),
  );
  expect(view.log).toEqual([expect.stringMatching(/^item [123]$/)]);
});
