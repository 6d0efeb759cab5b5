// Where outputs go, and that what a transition stores can be read while it is being made.
import { expect, test } from "vitest";
import { advance } from "../../../src/core/advance.ts";
import type { Decision } from "../../../src/core/effect.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { MAX_INLINE_ENTRY_BYTES, MAX_INLINE_OUTPUT_BYTES } from "../../../src/core/limits.ts";
import { MAX_INLINE_STATE_BYTES } from "../../../src/core/limits.ts";
import { pendingDocuments } from "../../../src/core/transition.ts";
import { completed, definition, numbers, start, task, text } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";

/** The task a gives a text of so many bytes, quotes included; b reads its size at once. */
function giving(bytes: number): TestEngine {
  return new TestEngine(
    definition({
      s: start("a"),
      a: task({ handler: "give", next: "b" }),
      b: task({ params: { size: "{{ size(nodes.a.output) }}" } }),
    }),
    { handlers: { give: () => completed(text(bytes - 2)) } },
  );
}

test("an output up to the inline limit stands in its event, a larger one in an object", () => {
  const small = giving(MAX_INLINE_OUTPUT_BYTES).run();
  expect(small.node("a").output).toMatchObject({ entry: 2 });
  const large = giving(MAX_INLINE_OUTPUT_BYTES + 1).run();
  const { output } = large.node("a");
  expect(output).toMatchObject({ bytes: MAX_INLINE_OUTPUT_BYTES + 1 });
  expect(large.of("node_completed")[1]).toMatchObject({ stored: output });
  expect(large.of("node_completed")[1]).not.toHaveProperty("output");
  const id = output !== undefined && "object" in output ? output.object : "";
  expect(id).toMatch(/^out:sha256:[0-9a-f]{64}$/);
  expect(large.documents.get(id)).toEqual({ value: text(MAX_INLINE_OUTPUT_BYTES - 1) });
});

test("a node started by the same entry reads an output that is not in the store yet", () => {
  const bytes = MAX_INLINE_OUTPUT_BYTES + 1;
  const engine = giving(bytes).run();
  expect(engine.job.status).toBe("completed");
  expect(engine.results()).toMatchObject({ b: { size: bytes - 2 } });
  const third = engine.decided[1];
  expect([...(third?.context.loaded.keys() ?? [])]).toEqual([]);
});

test("past the state's budget an output is named by its entry, and still read at once", () => {
  const ids = numbers(40).map((index) => `t${index}`);
  const nodes = ids.map((id, index) => [
    id,
    task({
      handler: "give",
      next: ids.slice(index + 1, index + 2),
      params: index === 0 ? {} : { last: `{{ size(nodes.t${index - 1}.output) }}` },
    }),
  ]);
  const engine = new TestEngine(definition({ s: start("t0"), ...Object.fromEntries(nodes) }), {
    handlers: { give: () => completed(text(8000)) },
  }).run();
  expect(engine.job.status).toBe("completed");
  expect(engine.job.inline_bytes).toBeLessThanOrEqual(MAX_INLINE_STATE_BYTES);
  expect(engine.node("t31").output).toMatchObject({ entry: 33 });
  expect(engine.node("t39").output).toMatchObject({ object: "41", bytes: 8002 });
  expect(engine.of("node_completed").filter((event) => event.output === undefined)).toHaveLength(1);
});

test("outputs that wait for one entry share its room", () => {
  const engine = giving(5000);
  engine.step();
  const outcome = completed(text(4998));
  const ended = { type: "attempt_ended", node_id: "a", attempt: 1, outcome } as const;
  const room = { entry_bytes: MAX_INLINE_ENTRY_BYTES - 5000 };
  const fits = advance(engine.job, ended, engine.context(room));
  expect(fits).toMatchObject({ objects: [], entry_bytes: MAX_INLINE_ENTRY_BYTES });
  const full = { entry_bytes: MAX_INLINE_ENTRY_BYTES - 4999 };
  const moved = advance(engine.job, ended, engine.context(full));
  expect(moved.kind === "decided" && moved.objects).toHaveLength(1);
  expect(moved).toMatchObject({ entry_bytes: MAX_INLINE_ENTRY_BYTES - 4999 });
});

function decided(decision: Decision): Extract<Decision, { kind: "decided" }> {
  if (decision.kind !== "decided") throw new Error(`needs ${decision.needs.join(", ")}`);
  return decision;
}

test("occurrences of one entry read what earlier ones of it left pending", () => {
  const big = text(9000);
  const engine = new TestEngine(
    definition({
      s: start("a", "b"),
      a: task({ next: "j" }),
      b: task({ next: "j" }),
      j: task({ params: { a: "{{ size(nodes.a.output) }}", b: "{{ size(nodes.b.output) }}" } }),
    }),
  );
  engine.step();
  engine.step();
  expect(engine.running).toHaveLength(2);
  const ended = (node_id: string) =>
    ({ type: "attempt_ended", node_id, attempt: 1, outcome: completed(big) }) as const;
  const loaded = new Map<string, JsonObject | null>();
  const first = decided(advance(engine.job, ended("a"), engine.context({ loaded })));
  for (const [id, document] of pendingDocuments(loaded, first)) loaded.set(id, document);
  const second = decided(advance(first.job, ended("b"), engine.context({ loaded })));
  expect(second.effects).toMatchObject([{ type: "run_task", params: { a: 9000, b: 9000 } }]);
  const pending = pendingDocuments(loaded, second).get(String(engine.job.seq + 1));
  expect(pending?.["events"]).toHaveLength(first.events.length + second.events.length);
});

test("equal large values are one object, and an entry is never before the one it follows", () => {
  const engine = new TestEngine(
    definition({ s: start("f"), f: { ...FAN, source: "{{ [1, 2] }}" } }),
    { handlers: { item: () => completed(text(9000)) } },
  );
  engine.step();
  engine.now = "2025-12-31T00:00:00.000Z";
  engine.run();
  expect([...engine.documents.keys()].filter((id) => id.startsWith("out:"))).toHaveLength(1);
  const times = engine.entries.map(({ at }) => at);
  expect(times).toEqual([...times].sort());
});

const FAN = { type: "fan_out", task: { handler: "item" } };

test("a stored output that is not at hand is asked for by its object", () => {
  const engine = giving(20_000);
  engine.step();
  engine.finish();
  engine.queue = [];
  engine.running = [];
  engine.wake();
  const message = { kind: "task", node_id: "b", attempt: 2 } as const;
  const asked = advance(
    engine.job,
    { type: "message_received", message, redelivered: false },
    engine.context(),
  );
  expect(asked).toEqual({ kind: "needs", needs: [expect.stringMatching(/^out:/)] });
});
