// docs/how-to.md: every workflow is one that the app takes, and those that need nothing but
// themselves run to the result that stands above them.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseDefinition } from "../../../src/core/parse.ts";
import { MemoryClock } from "../../../src/memory/memory-clock.ts";
import { builtinHandlers } from "../../../src/tasks/builtin.ts";
import { HandlerRegistry } from "../../../src/runtime/handlers.ts";
import { TestRuntime } from "../../support/runtime.ts";

const page = readFileSync("docs/how-to.md", "utf8");
const handlers = builtinHandlers({ http: { allow: [] }, clock: new MemoryClock() });
const { known } = new HandlerRegistry(handlers);

interface Case {
  readonly inputs: object;
  readonly result: object;
}

function definitionOf(source: string) {
  const parsed = parseDefinition(source, { file: "how-to.md", handlers: known });
  expect(parsed.ok ? [] : parsed.issues).toEqual([]);
  if (!parsed.ok) throw new Error("not a definition");
  return parsed.definition;
}

test("every workflow of the page is valid", () => {
  const sources = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = ""]) => text);
  expect(sources.length).toBeGreaterThan(3);
  for (const source of sources) definitionOf(source);
});

const CASES = [...page.matchAll(/<!-- runs: (.*) -->\n```yaml\n([^]*?)```/g)].map(
  ([, given = "", source = ""]) => [definitionOf(source).workflow_id, given, source] as const,
);

describe("a workflow of the page runs to the result that stands above it", () => {
  test.each(CASES)("%s", async (workflow_id, given, source) => {
    const { inputs, result } = JSON.parse(given) as Case;
    const runtime = new TestRuntime({ handlers });
    runtime.catalog.put(definitionOf(source));
    const submission = { workflow_id, input_params: inputs as never };
    const { job } = await runtime.submit(submission);
    expect(await runtime.runToEnd(job.job_id)).toBe("completed");
    expect(runtime.entries(job.job_id).at(-1)?.["result_data"]).toMatchObject(result);
  });

  test("there are some", () => {
    expect(CASES.length).toBeGreaterThan(2);
  });
});
