// Every shipped workflow, run with the inputs of every case beside it, gives exactly that result.
import { afterAll, expect, test } from "vitest";
import { startDataServer } from "./data-server.ts";
import { runCase } from "./run-case.ts";
import { casesOf, shippedWorkflows } from "./shipped.ts";

const data = await startDataServer();
afterAll(() => data.server.close());

for (const workflow of await shippedWorkflows()) {
  for (const one of casesOf(workflow.file)) {
    test(`${workflow.file}: ${one.case}`, async () => {
      data.restart();
      const { found, runtime } = await runCase(workflow, one, data.baseUrl);
      expect(found).toEqual(one);
      expect(runtime.errors).toEqual([]);
      expect(runtime.sweeps.every(({ resent, advanced }) => resent + advanced === 0)).toBe(true);
    });
  }
}
