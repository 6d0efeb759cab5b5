// The token buckets: a burst, then a steady rate, for each caller alone, in a bounded memory.
import { expect, test } from "vitest";
import { WorkflowError } from "../../../src/core/error.ts";
import { MAX_REMEMBERED_CALLERS } from "../../../src/core/limits.ts";
import { MemoryClock } from "../../../src/memory/memory-clock.ts";
import { RateLimit } from "../../../src/runtime/rate-limit.ts";

function limited(perMinute: number, burst = perMinute) {
  const clock = new MemoryClock();
  const limit = new RateLimit({ clock, perMinute, burst });
  /** 0 where the caller was let in, else the seconds to wait. */
  const take = (caller = "a"): number => {
    try {
      limit.take(caller);
      return 0;
    } catch (error) {
      if (!(error instanceof WorkflowError) || error.code !== "RATE_LIMITED") throw error;
      return Number(error.facts["retry_after_seconds"]);
    }
  };
  return { clock, limit, take };
}

test("a burst is let in, the next must wait until there is a token", async () => {
  const { clock, take } = limited(6, 3);
  expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 10]);
  await clock.advance(4_000);
  expect(take()).toBe(6);
  await clock.advance(5_999);
  expect(take()).toBe(1);
  await clock.advance(1);
  expect([take(), take()]).toEqual([0, 10]);
});

test("waiting as long as was said is always enough", async () => {
  for (const perMinute of [1, 7, 59, 61, 1_000, 999_999_999]) {
    const { clock, take } = limited(perMinute, 1);
    expect(take()).toBe(0);
    const seconds = take();
    expect(seconds).toBeGreaterThanOrEqual(1);
    await clock.advance(seconds * 1000);
    expect([perMinute, take()]).toEqual([perMinute, 0]);
  }
});

test("a bucket never holds more than the burst", async () => {
  const { clock, take } = limited(60, 2);
  await clock.advance(3_600_000);
  expect([take(), take(), take()]).toEqual([0, 0, 1]);
});

test("callers have a bucket each", () => {
  const { take } = limited(60, 1);
  expect([take("a"), take("b"), take("a"), take("b")]).toEqual([0, 0, 1, 1]);
});

test("0 is no bound and remembers nobody", () => {
  const { limit, take } = limited(0);
  for (let index = 0; index < 100; index += 1) expect(take(String(index))).toBe(0);
  expect(limit.size).toBe(0);
});

test("many callers do not grow the memory, and whoever floods is not forgotten", () => {
  const { limit, take } = limited(60, 1);
  expect([take("flood"), take("flood")]).toEqual([0, 1]);
  for (let index = 0; index < MAX_REMEMBERED_CALLERS * 2; index += 1) {
    expect(take(`caller ${index}`)).toBe(0);
    if (index % 1_000 === 0) expect(take("flood")).toBe(1);
  }
  expect(limit.size).toBe(MAX_REMEMBERED_CALLERS);
});

test("a clock that is set back takes nothing from anybody", async () => {
  let now = "2026-01-01T01:00:00.000Z";
  const limit = new RateLimit({ clock: { now: () => now }, perMinute: 60, burst: 2 });
  limit.take("a");
  now = "2026-01-01T00:00:00.000Z";
  limit.take("a");
  expect(() => limit.take("a")).toThrow("too many requests");
  now = "2026-01-01T00:00:01.000Z";
  limit.take("a");
});
