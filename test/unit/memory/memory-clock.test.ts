// The clock that moves by command: order, nesting, promises and bounds.
import { expect, test } from "vitest";
import { MemoryClock } from "../../../src/memory/memory-clock.ts";

const START = "2026-01-01T00:00:00.000Z";

test("time stands still until it is moved", async () => {
  const clock = new MemoryClock(START);
  expect(clock.now()).toBe(START);
  await clock.advance(1500);
  expect(clock.now()).toBe("2026-01-01T00:00:01.500Z");
  await clock.advanceTo("2026-01-02T00:00:00.000Z");
  expect(clock.now()).toBe("2026-01-02T00:00:00.000Z");
});

test("callbacks run in order of time, then of asking, each at its own time", async () => {
  const clock = new MemoryClock(START);
  const ran: string[] = [];
  const note = (name: string) => () => ran.push(`${name} ${clock.now().slice(17, 23)}`);
  clock.after(200, note("c"));
  clock.after(100, note("a"));
  clock.after(100, note("b"));
  clock.after(5000, note("never"));
  await clock.advance(1000);
  expect(ran).toEqual(["a 00.100", "b 00.100", "c 00.200"]);
  expect(clock.pending).toBe(1);
  expect(clock.next()).toBe("2026-01-01T00:00:05.000Z");
});

test("a callback taken back never runs", async () => {
  const clock = new MemoryClock(START);
  let ran = false;
  const cancel = clock.after(10, () => (ran = true));
  cancel();
  cancel();
  await clock.advance(100);
  expect(ran).toBe(false);
});

test("what a callback asks for within the span runs in it, promises settled", async () => {
  const clock = new MemoryClock(START);
  const ran: string[] = [];
  clock.after(10, () => {
    void Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => {
        ran.push(clock.now().slice(20, 23));
        clock.after(10, () => ran.push(clock.now().slice(20, 23)));
      });
  });
  await clock.advance(20);
  expect(ran).toEqual(["010", "020"]);
});

test("running until idle jumps from timer to timer and stops at its limit", async () => {
  const clock = new MemoryClock(START);
  let beats = 0;
  const beat = () => {
    beats += 1;
    if (beats < 3) clock.after(60_000, beat);
  };
  clock.after(60_000, beat);
  expect(await clock.runUntilIdle(3_600_000)).toBe(180_000);
  expect(await clock.runUntilIdle(3_600_000)).toBe(0);
  const forever = () => {
    clock.after(1000, forever);
  };
  forever();
  expect(await clock.runUntilIdle(10_000)).toBe(10_000);
  expect(clock.pending).toBe(1);
});

test("a negative delay is none, a fraction is rounded up", async () => {
  const clock = new MemoryClock(START);
  const ran: string[] = [];
  clock.after(-5, () => ran.push(clock.now()));
  clock.after(0.2, () => ran.push(clock.now()));
  await clock.advance(1);
  expect(ran).toEqual([START, "2026-01-01T00:00:00.001Z"]);
});
