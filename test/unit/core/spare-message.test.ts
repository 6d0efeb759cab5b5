// The spare message of an attempt after a lost one: what took a worker may take the next message.
import { expect, test } from "vitest";
import { secondsBetween } from "../../../src/core/instant.ts";
import { aborted, definition, end, fanIn, fanOut, start, task } from "../../support/build.ts";
import { TestEngine, TIMING } from "../../support/engine.ts";

const GRACE_SECONDS = TIMING.lease_seconds / 6;

/** The first attempt at `a` is lost, and the next one has its messages. */
function lostOnce(): TestEngine {
  const engine = new TestEngine(
    definition({ s: start("a"), a: task({ next: "z" }), z: end() }),
  );
  engine.step();
  engine.finish(engine.running[0], aborted);
  return engine;
}

test("the attempt after a lost one gets two messages, a time of grace apart", () => {
  const message = { kind: "task", node_id: "a", attempt: 2 };
  expect(lostOnce().effects).toEqual([
    { type: "send_message", message, delay_seconds: 0 },
    { type: "send_message", message, delay_seconds: GRACE_SECONDS },
  ]);
});

test("where the first message is lost too, the spare one begins the attempt", () => {
  const engine = lostOnce();
  engine.queue.shift();
  engine.receiveAt(0);
  expect(engine.node("a")).toMatchObject({ status: "running", attempt: 2 });
});

test("where the first message was received, the spare one means nothing", () => {
  const engine = lostOnce();
  engine.receiveAt(0);
  expect(engine.receiveAt(0)).toEqual([]);
  expect(engine.effects).toEqual([]);
  expect(engine.node("a")).toMatchObject({ status: "running", attempt: 2 });
});

test("a lost chunk gets a spare message as well", () => {
  const nodes = { s: start("f"), f: fanOut({ next: "i" }), i: fanIn() };
  const engine = new TestEngine(definition(nodes), { inputs: { items: [1] } });
  engine.receiveAt(0);
  engine.receiveAt(0);
  engine.running = [];
  engine.wake();
  const sent = engine.queue.filter(({ message }) => message.kind === "chunk");
  const message = { kind: "chunk", node_id: "f", chunk: 0, attempt: 2 };
  expect(sent.map((queued) => queued.message)).toEqual([message, message]);
  const [first, spare] = sent.map(({ visible_at }) => visible_at);
  expect(secondsBetween(first ?? "", spare ?? "")).toBe(GRACE_SECONDS);
});
