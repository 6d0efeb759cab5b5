// result_data and its provenance, on every ending, and the digest that does not depend on storage.
import { expect, test } from "vitest";
import { digest } from "../../../src/core/canonical.ts";
import type { Json } from "../../../src/core/json.ts";
import { completed, definition, end, failed, fanIn, fanOut } from "../../support/build.ts";
import { numbers, sha256, start, task, text } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";
import type { Handler } from "../../support/engine.ts";

const MEMBERS = [
  "workflow_id",
  "workflow_version",
  "job_id",
  "completed_at",
  "status",
  "workflow_digest",
  "source_digest",
  "inputs_digest",
  "results_digest",
  "engine",
  "log_head",
];

function pair(b: Handler): TestEngine {
  return new TestEngine(
    definition({
      s: start("a"),
      a: task({ next: "b" }),
      b: task({ handler: "b", next: "z" }),
      z: end(),
    }),
    { handlers: { b } },
  );
}

test.each([
  ["completed", (engine: TestEngine) => engine.run()],
  ["failed", (engine: TestEngine) => engine.run()],
  ["cancelled", (engine: TestEngine) => engine],
])("a %s job has its whole provenance and what was completed", (status, go) => {
  const engine = go(pair(() => (status === "failed" ? failed("X", false) : completed(2))));
  if (status === "cancelled") {
    engine.step();
    engine.finish();
    engine.cancel();
    engine.tick(7);
    engine.finish(engine.running[0], failed());
  }
  const { _provenance: provenance, ...results } = engine.results();
  expect(Object.keys(provenance ?? {})).toEqual(MEMBERS);
  const last = engine.entries.at(-1);
  expect(provenance).toMatchObject({
    workflow_id: "test",
    workflow_version: 1,
    job_id: engine.job.job_id,
    completed_at: last?.at,
    status,
    workflow_digest: engine.pinned.digest,
    inputs_digest: digest({}, sha256),
    engine: "holdfast@test",
    log_head: last?.events.at(-1)?.hash,
  });
  expect(engine.job.completed_at).toBe(last?.at);
  expect(Object.keys(results)).toEqual(status === "completed" ? ["a", "b"] : ["a"]);
});

test("an output that has the key _provenance cannot stand in for ours", () => {
  const forged = { _provenance: { job_id: "forged" }, _x: 1 };
  const engine = pair(() => completed(forged)).run();
  expect(engine.results()["b"]).toEqual(forged);
  expect(engine.results()["_provenance"]).toMatchObject({ job_id: engine.job.job_id });
});

test("a redefined version says so in every provenance", () => {
  const nodes = { s: start("z"), z: end() };
  const engine = new TestEngine(definition(nodes), { redefined: true }).run();
  expect(engine.results()["_provenance"]).toMatchObject({ redefined: true });
});

/** The digest over the digests of all outputs, however they are stored. */
function resultsDigest(outputs: Readonly<Record<string, Json>>): string {
  const digests = Object.entries(outputs).map(
    ([id, value]) => [id, digest(value, sha256)] as const,
  );
  return digest(Object.fromEntries(digests), sha256);
}

test.each([
  ["4 KB stands inside", 4096 - 2, true],
  ["more is named by its entry", 4096 - 1, false],
])("a result of %s", (_what, length, isInside) => {
  const engine = pair(() => completed(text(length))).run();
  const whole = { object: "3", digest: digest(text(length), sha256), bytes: length + 2 };
  expect(engine.results()["b"]).toEqual(isInside ? text(length) : whole);
  expect(engine.results()["_provenance"]).toMatchObject({
    results_digest: resultsDigest({ a: {}, b: text(length) }),
  });
});

test("a large result is named by its object, with the same digest", () => {
  const engine = pair(() => completed(text(9000))).run();
  const whole = digest(text(9000), sha256);
  const bytes = 9002;
  expect(engine.results()["b"]).toEqual({ object: `out:${whole}`, digest: whole, bytes });
  expect(engine.of("job_completed")[0]?.results_digest).toBe(
    resultsDigest({ a: {}, b: text(9000) }),
  );
});

test("results stand inside up to 64 KB together, in the order of the definition", () => {
  const ids = numbers(20).map((index) => `t${19 - index}`);
  const nodes = Object.fromEntries(ids.map((id) => [id, task({ handler: "give" })]));
  const engine = new TestEngine(definition({ ...nodes, s: start(...ids) }), {
    handlers: { give: () => completed(text(4000)) },
  }).run();
  const { _provenance, ...results } = engine.results();
  expect(Object.keys(results)).toEqual(ids);
  const inside = ids.filter((id) => typeof results[id] === "string");
  expect(inside).toEqual(ids.slice(0, 16));
  expect(_provenance).toMatchObject({
    results_digest: resultsDigest(Object.fromEntries(ids.map((id) => [id, text(4000)]))),
  });
});

test("only tasks and fan_ins have results", () => {
  const engine = new TestEngine(
    definition({
      s: start("c"),
      c: {
        type: "conditional",
        condition_field: "{{ 1 }}",
        branches: [{ name: "x", default: true, next: "f" }],
      },
      f: fanOut({ next: "i" }),
      i: fanIn({ next: "z" }),
      z: end(),
    }),
    { inputs: { items: [] } },
  ).run();
  expect(Object.keys(engine.results())).toEqual(["i", "_provenance"]);
});
