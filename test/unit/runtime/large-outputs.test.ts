// Large outputs as they are shown: one answer of `/result` holds so much and asks for so much at a
// time; what is beyond it is named, and read from its node alone.
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/core/json.ts";
import { MAX_READ_AHEAD_BYTES, MAX_RESULT_BYTES } from "../../../src/core/limits.ts";
import type { JournalStore } from "../../../src/runtime/ports.ts";
import { nodeView, resultView } from "../../support/views.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { large, parallel } from "../../support/shapes.ts";

const BYTES = 1_000_000;

async function ended(width: number, bytes: number): Promise<[TestRuntime, string]> {
  const runtime = new TestRuntime({ handlers: [large] });
  runtime.catalog.put(parallel(width, { handler: "large", params: { bytes } }));
  const { job } = await runtime.submit({ workflow_id: "parallel" });
  expect(await runtime.runToEnd(job.job_id)).toBe("completed");
  return [runtime, job.job_id];
}

/** Counts the bytes of outputs that were asked for and have not come yet. */
class CountingJournal implements JournalStore {
  readonly #inner: JournalStore;
  readonly #sizes: ReadonlyMap<string, number>;
  #now = 0;
  most = 0;
  total = 0;

  constructor(runtime: TestRuntime, jobId: string) {
    this.#inner = runtime.store.journal;
    const sizes = runtime.store.journalOf(jobId).map(({ id, value }) => {
      const bytes = value === undefined ? 0 : JSON.stringify(value).length;
      return [id as string, bytes] as const;
    });
    this.#sizes = new Map(sizes);
  }

  create(document: Parameters<JournalStore["create"]>[0]): Promise<"created" | "exists"> {
    return this.#inner.create(document);
  }

  async read(jobId: string, id: string): ReturnType<JournalStore["read"]> {
    const bytes = this.#sizes.get(id) ?? 0;
    this.#now += bytes;
    this.total += bytes;
    this.most = Math.max(this.most, this.#now);
    const found = await this.#inner.read(jobId, id);
    this.#now -= bytes;
    return found;
  }
}

describe("the result of a job with more than one answer holds", () => {
  test("is filled in up to its bound; the other nodes are named, and read alone", async () => {
    const [runtime, job_id] = await ended(10, BYTES);
    const journal = new CountingJournal(runtime, job_id);
    const engine = { ...runtime.first.engine, journal };
    const view = await resultView(engine, { job_id });
    expect(view["references"]).toEqual(["p9", "p10"]);
    const data = view["result_data"] as JsonObject;
    expect(data["p8"]).toBe("x".repeat(BYTES));
    const reference = { object: expect.stringMatching(/^out:/), bytes: BYTES + 2 };
    expect(data["p9"]).toMatchObject(reference);
    expect(journal.total).toBe(8 * (BYTES + 2));
    expect(journal.total).toBeLessThanOrEqual(MAX_RESULT_BYTES);
    expect(journal.most).toBe(4 * (BYTES + 2));
    expect(journal.most).toBeLessThanOrEqual(MAX_READ_AHEAD_BYTES);
    const node = await nodeView(engine, { job_id }, "p9");
    expect(node["output"]).toBe("x".repeat(BYTES));
  });

  test("names no node where everything fits", async () => {
    const [runtime, job_id] = await ended(3, 20_000);
    const view = await resultView(runtime.first.engine, { job_id });
    expect(view["references"]).toBeUndefined();
    expect((view["result_data"] as JsonObject)["p3"]).toBe("x".repeat(20_000));
  });
});

describe("the output of one node", () => {
  test.each([
    ["another value", { value: "y" }, "SNAPSHOT_TAMPERED"],
    ["nothing", undefined, { object: expect.any(String), bytes: 20_002 }],
  ])("whose document holds %s is not made up", async (_what, changed, expected) => {
    const [runtime, job_id] = await ended(1, 20_000);
    const { engine } = runtime.first;
    const journal: JournalStore = {
      create: (document) => engine.journal.create(document),
      read: async (id, wanted) => {
        const found = await engine.journal.read(id, wanted);
        if (found === undefined || !wanted.startsWith("out:")) return found;
        return changed === undefined ? undefined : { ...found, ...changed };
      },
    };
    const shown = await nodeView({ ...engine, journal }, { job_id }, "p1").then(
      (view) => view["output"],
      (error: { readonly code?: string }) => error.code,
    );
    if (typeof expected === "string") expect(shown).toBe(expected);
    else expect(shown).toMatchObject(expected);
  });
});
