// Random workflows under random schedules: whatever is lost, doubled, late or cancelled, the
// invariants hold after every entry and the job ends; without faults it ends as interpreted.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ItemOutcome } from "../../../src/core/effect.ts";
import { isTerminalJob } from "../../../src/core/job.ts";
import { isWanted } from "../../../src/core/watch.ts";
import { aborted, completed, definition, numbers } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";
import type { Work } from "../../support/engine.ts";
import { build, interpret, play, randomNodes } from "../../support/random-workflow.ts";
import type { RandomNode } from "../../support/random-workflow.ts";

/** These take seconds; a busy machine may take several times as long. */
const PATIENCE_MS = 60_000;

const ITEMS = numbers(41).map((count) => numbers(count));

function engineFor(
  random: readonly RandomNode[],
  more: { readonly timeout_seconds?: number; readonly jitter: number },
): TestEngine {
  const built = build(random);
  const { timeout_seconds, jitter } = more;
  const time = timeout_seconds === undefined ? {} : { timeout_seconds };
  return new TestEngine(definition(built.nodes, time), {
    inputs: { items: ITEMS },
    jitter,
    refold: false,
    handlers: { scripted: (call) => play(built, call), fine: () => completed("fine") },
  });
}

interface Move {
  readonly action: string;
  readonly pick: number;
}

const moves = (actions: readonly string[], maxLength: number) =>
  fc.array(fc.record({ action: fc.constantFrom(...actions), pick: fc.nat(1000) }), { maxLength });

const at = <T>(list: readonly T[], pick: number): T | undefined => list[pick % list.length];

/** Hands in the outcomes of some items; the chunk's work goes on. */
function handInSome(engine: TestEngine, work: Work, pick: number): void {
  if (work.type !== "run_items") return;
  const { node_id, chunk, attempt } = work;
  const outcomes: ItemOutcome[] = work.items
    .filter((_, position) => (position + pick) % 2 === 0)
    .map((item) => ({ index: item.index, outcome: engine.callItem(work, item) }));
  engine.commit({ type: "items_ended", node_id, chunk, attempt, part: pick, outcomes });
}

function move(engine: TestEngine, { action, pick }: Move): void {
  const queued = at(engine.queue, pick);
  const work = at(engine.running, pick);
  if (action === "receive" && queued !== undefined) {
    engine.receiveAt(pick % engine.queue.length);
  } else if (action === "finish" && work !== undefined) {
    engine.finish(work, isWanted(engine.job, work) ? undefined : aborted);
  } else if (action === "some" && work !== undefined) handInSome(engine, work, pick);
  else if (action === "double" && queued !== undefined) engine.receive(queued);
  else if (action === "redeliver" && queued !== undefined) engine.receive(queued, true);
  else if (action === "drop" && queued !== undefined) {
    engine.queue = engine.queue.filter((one) => one !== queued);
  } else if (action === "crash" && work !== undefined) {
    engine.running = engine.running.filter((one) => one !== work);
  } else if (action === "late" && work !== undefined) {
    engine.tick(200);
    engine.commit({ type: "wake_due" });
  } else if (action === "abort" && work !== undefined) engine.finish(work, aborted);
  else if (action === "wake") engine.commit({ type: "wake_due" });
  else if (action === "tick") engine.tick(pick % 90);
  else if (action === "yield") {
    engine.options = { ...engine.options, can_continue: pick % 2 === 0 };
  } else if (action === "poison" && queued !== undefined) {
    engine.queue = engine.queue.filter((one) => one !== queued);
    engine.commit({ type: "message_poisoned", message: queued.message, text: "{}" });
  } else if (action === "cancel") engine.cancel();
}

const HONEST = ["receive", "receive", "finish", "finish", "some", "yield"];
const HOSTILE = [
  ...HONEST,
  "double",
  "redeliver",
  "drop",
  "drop",
  "crash",
  "crash",
  "late",
  "abort",
  "wake",
  "tick",
  "poison",
];

test("without faults every order of events ends as the interpreter says", () => {
  let compared = 0;
  fc.assert(
    fc.property(randomNodes, moves(HONEST, 80), fc.double({ min: 0, max: 0.99 }), (...given) => {
      const [random, schedule, jitter] = given;
      const engine = engineFor(random, { jitter: Number.isNaN(jitter) ? 0 : jitter });
      for (const one of schedule) if (!isTerminalJob(engine.job)) move(engine, one);
      engine.run();
      const expected = interpret(random);
      if (expected === undefined) {
        expect(engine.job.status).toBe("failed");
        return;
      }
      compared += 1;
      expect(engine.statuses()).toEqual(Object.fromEntries(expected));
      expect(engine.job.status).toBe("completed");
    }),
    { numRuns: 60 },
  );
  expect(compared).toBeGreaterThan(5);
}, PATIENCE_MS);

function attemptsAreBounded(engine: TestEngine, random: readonly RandomNode[]): void {
  for (const [index, one] of random.entries()) {
    const { attempt, lost, fan } = engine.node(`n${index}`);
    expect(lost).toBeLessThanOrEqual(3);
    expect(attempt).toBeLessThanOrEqual(one.max_attempts + 3);
    for (const chunk of fan?.chunks ?? []) {
      expect(chunk.failures).toBeLessThan(one.max_attempts);
      expect(chunk.lost).toBeLessThanOrEqual(2);
    }
    const started = engine.of("node_started").filter(({ node_id }) => node_id === `n${index}`);
    expect(started.map((event) => event.attempt)).toEqual(numbers(attempt).map((n) => n + 1));
  }
}

test("whatever is lost, doubled, late or poisoned, the job ends and its history holds", () => {
  const endings = new Set<string>();
  fc.assert(
    fc.property(randomNodes, moves(HOSTILE, 120), (random, schedule) => {
      const engine = engineFor(random, { jitter: 0.5 });
      for (const one of schedule) if (!isTerminalJob(engine.job)) move(engine, one);
      engine.run();
      attemptsAreBounded(engine, random);
      endings.add(engine.job.status);
    }),
    { numRuns: 60 },
  );
  expect([...endings].sort()).toEqual(["completed", "failed"]);
}, PATIENCE_MS);

test("a cancel at any moment ends the job, and nothing starts after it", () => {
  fc.assert(
    fc.property(randomNodes, moves(HOSTILE, 40), moves(HOSTILE, 40), (random, before, after) => {
      const engine = engineFor(random, { jitter: 0.5 });
      for (const one of before) if (!isTerminalJob(engine.job)) move(engine, one);
      const wasOver = isTerminalJob(engine.job) || engine.job.status === "cancelling";
      engine.cancel();
      const started = engine.of("node_started").length;
      for (const one of after) if (!isTerminalJob(engine.job)) move(engine, one);
      engine.run();
      if (wasOver) return;
      expect(engine.job.status).toBe("cancelled");
      expect(engine.of("node_started")).toHaveLength(started);
      expect(engine.of("job_cancelling")).toHaveLength(1);
    }),
    { numRuns: 40 },
  );
}, PATIENCE_MS);

test("a job whose workers are all gone ends within four minutes of its deadline", () => {
  fc.assert(
    fc.property(randomNodes, moves(HOSTILE, 60), fc.integer({ min: 1, max: 300 }), (...given) => {
      const [random, schedule, timeout_seconds] = given;
      const engine = engineFor(random, { timeout_seconds, jitter: 0.5 });
      for (const one of schedule) {
        if (isTerminalJob(engine.job) || engine.now >= engine.job.deadline_at) break;
        move(engine, one);
      }
      if (isTerminalJob(engine.job)) return;
      const from = engine.now > engine.job.deadline_at ? engine.now : engine.job.deadline_at;
      engine.running = [];
      for (let wakes = 0; !isTerminalJob(engine.job); wakes += 1) {
        expect(wakes).toBeLessThan(500);
        engine.queue = [];
        engine.running = [];
        engine.wake();
      }
      expect(Date.parse(engine.job.at) - Date.parse(from)).toBeLessThanOrEqual(240_000);
    }),
    { numRuns: 40 },
  );
}, PATIENCE_MS);
