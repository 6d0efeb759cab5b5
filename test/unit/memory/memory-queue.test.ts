// The receiving side of the queue in memory: what the Functions host would do with it.
import { expect, test } from "vitest";
import { MemoryClock } from "../../../src/memory/memory-clock.ts";
import { MemoryQueue } from "../../../src/memory/memory-queue.ts";
import type { ReceivedMessage } from "../../../src/memory/memory-queue.ts";
import { message } from "../../contract/documents.ts";

const LEASE = 600;

function queue(options: { readonly maxDequeueCount?: number } = {}): {
  readonly clock: MemoryClock;
  readonly queue: MemoryQueue;
  readonly one: () => ReceivedMessage;
} {
  const clock = new MemoryClock();
  const made = new MemoryQueue({ clock, ...options });
  return {
    clock,
    queue: made,
    one: () => {
      const [received] = made.receive(1, LEASE);
      if (received === undefined) throw new Error("the queue shows no message");
      return received;
    },
  };
}

test("messages come in the order in which they became visible", async () => {
  const { queue: work, clock } = queue();
  work.put("late", 10);
  work.put("now", 0);
  work.put("soon", 5);
  expect(work.receive(9, LEASE).map(({ text }) => text)).toEqual(["now"]);
  expect(work.nextVisible()).toBe("2026-01-01T00:00:05.000Z");
  await clock.advance(10_000);
  expect(work.receive(9, LEASE).map(({ text }) => text)).toEqual(["soon", "late"]);
});

test("a received message is hidden for its lease and then comes again, counted", async () => {
  const { queue: work, clock, one } = queue();
  await work.send(message(), 0);
  expect(one().dequeue_count).toBe(1);
  expect(work.receive(1, LEASE)).toEqual([]);
  expect(await work.oldest()).toBeUndefined();
  await clock.advance(LEASE * 1000);
  expect(one().dequeue_count).toBe(2);
});

test("a renewal keeps the message hidden", async () => {
  const { queue: work, clock, one } = queue();
  work.put("x");
  const received = one();
  await clock.advance(LEASE * 500);
  expect(work.renew(received, LEASE)).toBe(true);
  await clock.advance(LEASE * 900);
  expect(work.receive(1, LEASE)).toEqual([]);
});

test("a completed message is gone", () => {
  const { queue: work, one } = queue();
  work.put("x");
  const received = one();
  expect(work.complete(received)).toBe(true);
  expect(work.complete(received)).toBe(false);
  expect(work.length).toBe(0);
  expect(work.nextVisible()).toBeUndefined();
});

test("whoever lost the lease can neither complete, renew nor release", async () => {
  const { queue: work, clock, one } = queue();
  work.put("x");
  const first = one();
  await clock.advance(LEASE * 1000);
  expect(work.complete(first)).toBe(false);
  const second = one();
  expect(work.renew(first, LEASE)).toBe(false);
  expect(work.release(first)).toBe("lost");
  expect(work.complete(second)).toBe(true);
});

test("a released message rests before it comes again", async () => {
  const { queue: work, clock, one } = queue();
  work.put("x");
  expect(work.release(one())).toBe("released");
  await clock.advance(29_999);
  expect(work.receive(1, LEASE)).toEqual([]);
  await clock.advance(1);
  expect(one().dequeue_count).toBe(2);
});

test("a message that fails too often is poisoned, its text kept", async () => {
  const { queue: work, clock, one } = queue({ maxDequeueCount: 2 });
  work.put("bad");
  expect(work.release(one())).toBe("released");
  await clock.advance(30_000);
  expect(work.release(one())).toBe("poisoned");
  expect(work.length).toBe(0);
  expect(work.poisoned).toEqual(["bad"]);
  expect(work.takePoisoned()).toBe("bad");
  expect(work.takePoisoned()).toBeUndefined();
});

test("sends and peeks are counted, receiving is the host's own", async () => {
  const { queue: work } = queue();
  await work.send(message(), 0);
  await work.send(message(), 5);
  await work.oldest();
  work.receive(1, LEASE);
  expect(Object.fromEntries(work.requests)).toEqual({ "queue.send": 2, "queue.peek": 1 });
});

test("what another queue held lies there as it lay, and nobody holds it", async () => {
  const { queue: work, clock } = queue();
  work.put("held");
  work.put("late", 700);
  work.receive(1, LEASE);
  const contents = work.contents();
  expect(contents.map(({ text, dequeue_count }) => [text, dequeue_count])).toEqual([
    ["held", 1],
    ["late", 0],
  ]);
  const { queue: other, clock: otherClock, one } = queue();
  other.load(contents);
  expect(other.contents()).toEqual(contents);
  expect(other.receive(9, LEASE)).toEqual([]);
  await clock.advance(0);
  await otherClock.advance(600_000);
  const held = one();
  expect([held.text, held.dequeue_count]).toEqual(["held", 2]);
  expect(other.complete(held)).toBe(true);
  expect(other.length).toBe(1);
});
