// Delays before a retry, to the second, and the bounds of their jitter.
import fc from "fast-check";
import { expect, test } from "vitest";
import { retrySchema } from "../../../src/core/definition.ts";
import type { RetryPolicy } from "../../../src/core/definition.ts";
import { maxAttempts, retryDelay } from "../../../src/core/retry.ts";

const policy = (more: Partial<RetryPolicy> = {}): RetryPolicy => retrySchema.parse(more);

test("no policy is one try; a policy without numbers is three, 5 s apart", () => {
  expect(maxAttempts(undefined)).toBe(1);
  expect(maxAttempts(policy())).toBe(3);
  expect([1, 2].map((retry) => retryDelay(policy(), retry, 0.5))).toEqual([5, 5]);
});

test.each([
  ["fixed", [10, 10, 10, 10]],
  ["linear", [10, 20, 30, 40]],
  ["exponential", [10, 20, 40, 80]],
] as const)("%s: %j", (backoff, expected) => {
  const given = policy({ backoff, initial_delay_seconds: 10, jitter: 0 });
  expect([1, 2, 3, 4].map((retry) => retryDelay(given, retry, 0.9))).toEqual(expected);
});

test("jitter moves a delay by at most its share, and never above max_delay_seconds", () => {
  fc.assert(
    fc.property(
      fc.record({
        backoff: fc.constantFrom("fixed", "linear", "exponential"),
        initial_delay_seconds: fc.integer({ min: 0, max: 86_400 }),
        max_delay_seconds: fc.integer({ min: 0, max: 86_400 }),
        jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (given, retry, fraction) => {
        const full = policy(given);
        const middle = retryDelay({ ...full, jitter: 0 }, retry, fraction);
        const delay = retryDelay(full, retry, fraction);
        expect(delay).toBeGreaterThanOrEqual(middle * (1 - full.jitter) - 1e-6);
        expect(delay).toBeLessThanOrEqual(middle * (1 + full.jitter) + 1e-6);
        expect(delay).toBeLessThanOrEqual(full.max_delay_seconds);
        expect(delay).toBeGreaterThanOrEqual(0);
      },
    ),
  );
});
