// The reducer as a whole: a job from submission to its end, poison reports, replay.
import { expect, test } from "vitest";
import { advance } from "../../../src/core/advance.ts";
import { applyEntry } from "../../../src/core/apply.ts";
import type { MessageTarget } from "../../../src/core/effect.ts";
import type { JournalEntry } from "../../../src/core/event.ts";
import { later } from "../../../src/core/instant.ts";
import { completed, definition, end, failed, fanIn, fanOut, start } from "../../support/build.ts";
import { numbers, sha256, task } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";

function one(more: Readonly<Record<string, unknown>> = {}): TestEngine {
  const nodes = { s: start("a"), a: task({ next: "z", ...more }), z: end() };
  return new TestEngine(definition(nodes), { can_continue: false });
}

test("a job is pending until its first attempt is claimed", () => {
  const engine = one();
  engine.receiveAt(0);
  expect([engine.job.status, engine.node("a").status]).toEqual(["pending", "queued"]);
  expect(engine.job.started_at).toBeUndefined();
  engine.receiveAt(0);
  expect(engine.job.status).toBe("running");
  expect(engine.of("job_started")).toHaveLength(1);
  engine.finish();
  expect(engine.job.status).toBe("completed");
});

test("a chain runs on: finishing one task and starting the next is one entry", () => {
  const ids = numbers(10).map((index) => `t${index}`);
  const nodes = Object.fromEntries(
    ids.map((id, index) => [id, task({ next: index < 9 ? `t${index + 1}` : [] })]),
  );
  const engine = new TestEngine(definition({ s: start("t0"), ...nodes })).run();
  expect(engine.entries).toHaveLength(1 + 10 + 1);
  expect(engine.queue).toEqual([]);
});

const REPORT = { type: "message_poisoned", text: "{}" } as const;

function poison(engine: TestEngine, message?: MessageTarget): void {
  engine.commit({ ...REPORT, ...(message === undefined ? {} : { message }) });
}

test("three poison reports for one attempt fail it, counted once per re-send", () => {
  const engine = one();
  engine.receiveAt(0);
  const message = { kind: "task", node_id: "a", attempt: 1 } as const;
  for (const count of [1, 2]) {
    poison(engine, message);
    poison(engine, message);
    expect(engine.node("a").poisoned).toEqual({ attempt: 1, count });
    expect(engine.effects).toEqual([
      { type: "send_message", message: { kind: "wake" }, delay_seconds: 0 },
    ]);
    engine.wake();
  }
  poison(engine, message);
  expect(engine.job.error).toMatchObject({ code: "MESSAGE_POISONED", node_id: "a" });
  expect(engine.of("message_poisoned").map(({ attempt }) => attempt)).toEqual([
    1,
    undefined,
    1,
    undefined,
    1,
  ]);
});

test("a started attempt forgets its poison reports", () => {
  const engine = one({ retry: { initial_delay_seconds: 0 } });
  engine.receiveAt(0);
  poison(engine, { kind: "task", node_id: "a", attempt: 1 });
  engine.receiveAt(0);
  expect(engine.node("a").poisoned).toBeUndefined();
  poison(engine, { kind: "task", node_id: "a", attempt: 1 });
  expect(engine.node("a").poisoned).toBeUndefined();
  engine.finish(engine.running[0], failed());
  poison(engine, { kind: "task", node_id: "a", attempt: 2 });
  expect(engine.node("a").poisoned).toEqual({ attempt: 2, count: 1 });
});

test("a poison report that names nothing known is kept in the job's own lane", () => {
  const engine = one();
  engine.receiveAt(0);
  const targets: readonly (MessageTarget | undefined)[] = [
    undefined,
    { kind: "start" },
    { kind: "task", node_id: "a" },
    { kind: "task", node_id: "ghost", attempt: 1 },
    { kind: "chunk", node_id: "a", chunk: 3, attempt: 1 },
    { kind: "task", node_id: "z", attempt: 1 },
  ];
  const { n } = engine.job;
  for (const target of targets) poison(engine, target);
  expect(engine.job.n).toBe(n + targets.length);
  expect(engine.of("message_poisoned").every((event) => event.node_id === undefined)).toBe(true);
  poison(engine, { kind: "task", node_id: "a", attempt: 7 });
  expect(engine.of("message_poisoned").at(-1)).toMatchObject({ node_id: "a" });
  expect(engine.node("a").poisoned).toBeUndefined();
});

test.each([
  [undefined, "failed", "MESSAGE_POISONED"],
  ["continue", "completed", undefined],
] as const)("a poisoned chunk with on_error %s: the job is %s", (on_error, status, code) => {
  const engine = new TestEngine(
    definition({
      s: start("f"),
      f: fanOut({ next: "i", ...(on_error === undefined ? {} : { on_error }) }),
      i: fanIn(),
    }),
    { inputs: { items: [1, 2] } },
  );
  engine.receiveAt(0);
  engine.queue.shift();
  const message = { kind: "chunk", node_id: "f", chunk: 0, attempt: 1 } as const;
  for (const count of [1, 2]) {
    poison(engine, message);
    poison(engine, message);
    expect(engine.node("f").fan?.chunks[0]?.poisoned).toEqual({ attempt: 1, count });
    engine.queue = engine.queue.filter(({ message: { chunk } }) => chunk === 1);
    engine.wake();
  }
  poison(engine, message);
  engine.queue = engine.queue.filter(({ message: { chunk } }) => chunk === 1);
  engine.run();
  expect([engine.job.status, engine.job.error?.code]).toEqual([status, code]);
  if (status === "failed") return;
  expect(engine.results()["i"]).toMatchObject({
    results: [null, { value: 2 }],
    failed: [{ index: 0, code: "MESSAGE_POISONED" }],
  });
});

test("poison text is cut to what is worth keeping", () => {
  const engine = one();
  engine.commit({ type: "message_poisoned", text: "y".repeat(99_999) });
  expect(engine.of("message_poisoned")[0]?.text).toHaveLength(1022);
});

test("a redelivered message is a wake as well", () => {
  const engine = one();
  engine.receiveAt(0);
  engine.receiveAt(0);
  engine.running = [];
  engine.tick(61);
  const message = { kind: "task", node_id: "a", attempt: 1 } as const;
  engine.receive({ message, visible_at: engine.now, resend: false }, true);
  expect(engine.effects).toContainEqual({ type: "suspect_lease", key: "a:1" });
  engine.tick(10);
  engine.receive({ message, visible_at: engine.now, resend: false }, true);
  expect(engine.of("node_lost")).toHaveLength(1);
});

/** Decides the recorded occurrences again, over a fold of its own. */
function replay(engine: TestEngine): readonly string[] {
  const [first] = engine.entries;
  if (first === undefined) return [];
  let job = applyEntry(undefined, first, sha256);
  const entries: JournalEntry[] = [first];
  for (const { occurrence, context } of engine.decided) {
    const decision = advance(job, occurrence, context);
    if (decision.kind !== "decided" || decision.events.length === 0) continue;
    const { job_id, schema, build } = first;
    const { events, result_data } = decision;
    const seq = job.seq + 1;
    const entry: JournalEntry = {
      id: String(seq),
      job_id,
      schema,
      write_id: `w${seq}`,
      seq,
      at: later(context.now, job.at),
      build,
      events,
      ...(result_data === undefined ? {} : { result_data }),
    };
    entries.push(entry);
    job = applyEntry(job, entry, sha256);
  }
  return entries.map((entry) => JSON.stringify(entry));
}

// P6: the engine is a pure function of what is recorded.
test("replaying the recorded occurrences gives byte-identical entries", () => {
  let calls = 0;
  const engine = new TestEngine(
    definition({
      s: start("f", "a"),
      a: task({ params: { big: "{{ join(inputs.words, '') }}" }, next: "j" }),
      f: fanOut({ retry: { max_attempts: 3, initial_delay_seconds: 2 }, next: "i" }),
      i: fanIn({ next: "j" }),
      j: task({ params: { a: "{{ nodes.a.output.big }}", i: "{{ nodes.i.output.count }}" } }),
    }),
    {
      inputs: { items: numbers(40), words: numbers(3).map(() => "w".repeat(5000)) },
      jitter: 0.123,
      handlers: {
        item: ({ params }) => {
          calls += 1;
          return calls % 5 === 0 ? failed() : completed(params);
        },
      },
    },
  ).run();
  expect(engine.job.status).toBe("completed");
  expect(replay(engine)).toEqual(engine.entries.map((entry) => JSON.stringify(entry)));
});
