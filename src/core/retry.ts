// Delays before a retry, and how many tries there are. Pure arithmetic; the jitter arrives as an
// argument, so that the same occurrence gives the same delay when it is decided anew.
import type { RetryPolicy } from "./definition.ts";

/** Tries in all: one without a policy. */
export function maxAttempts(policy: RetryPolicy | undefined): number {
  return policy?.max_attempts ?? 1;
}

/**
 * Seconds before retry number `retry` (from 1): fixed d, linear d·k, exponential d·2^(k−1), at
 * most max_delay_seconds, moved by at most the policy's share of itself. `jitter` is in [0, 1).
 */
export function retryDelay(policy: RetryPolicy, retry: number, jitter: number): number {
  const capped = Math.min(growth(policy, retry), policy.max_delay_seconds);
  const moved = capped * (1 + policy.jitter * (2 * jitter - 1));
  return Math.min(moved, policy.max_delay_seconds);
}

function growth(policy: RetryPolicy, retry: number): number {
  const first = policy.initial_delay_seconds;
  switch (policy.backoff) {
    case "fixed":
      return first;
    case "linear":
      return first * retry;
    case "exponential":
      return first * 2 ** (retry - 1);
  }
}
