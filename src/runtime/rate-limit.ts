// A bound on how often one caller may ask, as a token bucket per caller: a burst at once, then a
// steady rate. It is kept in the memory of this process: n processes allow n times as much, and a
// restart fills every bucket. A brake against floods, not a quota.
import { WorkflowError } from "../core/error.ts";
import { epochMs } from "../core/instant.ts";
import { MAX_REMEMBERED_CALLERS } from "../core/limits.ts";
import type { Clock } from "./ports.ts";

export interface RateLimitOptions {
  readonly clock: Pick<Clock, "now">;
  /** Of one caller; 0 for no bound. */
  readonly perMinute: number;
  /** So many may come at once. */
  readonly burst: number;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

export class RateLimit {
  readonly #options: RateLimitOptions;
  /** In order of last use, the longest ago first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Callers that are remembered; never above MAX_REMEMBERED_CALLERS. */
  get size(): number {
    return this.#buckets.size;
  }

  /** RATE_LIMITED with `retry_after_seconds` where the caller has no token left. */
  take(caller: string): void {
    const { perMinute } = this.#options;
    if (perMinute === 0) return;
    const perMs = perMinute / 60_000;
    const atMs = epochMs(this.#options.clock.now());
    const tokens = this.#tokens(caller, { atMs, perMs });
    const isAllowed = tokens >= 1;
    this.#keep(caller, { tokens: isAllowed ? tokens - 1 : tokens, atMs });
    if (isAllowed) return;
    const seconds = Math.max(1, Math.ceil((1 - tokens) / perMs / 1000));
    const message = `too many requests: ${perMinute} a minute; try again in ${seconds} s`;
    const facts = { retry_after_seconds: seconds };
    throw new WorkflowError("RATE_LIMITED", message, { facts });
  }

  /** For `more` of the same that came in one request: the caller goes into debt for them. */
  charge(caller: string, more: number): void {
    const { perMinute } = this.#options;
    if (perMinute === 0) return;
    const atMs = epochMs(this.#options.clock.now());
    const tokens = this.#tokens(caller, { atMs, perMs: perMinute / 60_000 });
    this.#keep(caller, { tokens: tokens - more, atMs });
  }

  #tokens(caller: string, now: { readonly atMs: number; readonly perMs: number }): number {
    const { burst } = this.#options;
    const bucket = this.#buckets.get(caller);
    if (bucket === undefined) return burst;
    // A clock that was set back must not take tokens away.
    const elapsedMs = Math.max(0, now.atMs - bucket.atMs);
    return Math.min(burst, bucket.tokens + elapsedMs * now.perMs);
  }

  /** Whoever asked longest ago is forgotten first: that bucket has filled up the most. */
  #keep(caller: string, bucket: Bucket): void {
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size <= MAX_REMEMBERED_CALLERS) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
