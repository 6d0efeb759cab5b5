// The one wrapper around every request to Cosmos DB: retries, bounded in tries and in time, and
// the settling of writes whose answer was lost. Nothing beside it retries, so each try is counted.
// A create is tried again until the service says 201 or 409; after a lost answer a 409 is read, and
// our `write_id` in the document means that it was ours. A replace likewise, with 412.
import { WorkflowError } from "../core/error.ts";
import { failureOf, storeError } from "./cosmos-failure.ts";
import type { Failure } from "./cosmos-failure.ts";
import { systemRandomness } from "./system.ts";

/** How the wrapper waits; a test gives its own. */
export interface Pace {
  nowMs(): number;
  wait(ms: number): Promise<void>;
  /** In [0, 1). */
  fraction(): number;
}

export const systemPace: Pace = {
  nowMs: () => performance.now(),
  wait: (ms) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms);
    }),
  fraction: () => systemRandomness.fraction(),
};

/** Enough for a burst of 429 with the service's usual hint of a few hundred milliseconds. */
const MAX_TRIES = 8;
/** No try begins later than this, but a lost answer is always asked for once more. */
const MAX_TOTAL_MS = 8_000;
const FIRST_DELAY_MS = 40;
const MAX_DELAY_MS = 1_500;

/**
 * Calls `request` until it answers or throws something that another try cannot change.
 * `what` opens the message of the error: "create in journal".
 */
export async function retrying<T>(
  what: string,
  request: () => Promise<T>,
  pace: Pace,
): Promise<T> {
  const startedMs = pace.nowMs();
  for (let tries = 1; ; tries += 1) {
    try {
      return await request();
    } catch (error) {
      // Ours is a verdict already; another try cannot change it.
      if (error instanceof WorkflowError) throw error;
      const failure = failureOf(error);
      const elapsedMs = pace.nowMs() - startedMs;
      const delayMs = mayTryAgain(failure) ? delayBefore(tries, failure, pace) : undefined;
      const late = delayMs === undefined || elapsedMs + delayMs > MAX_TOTAL_MS;
      const settles = failure.verdict === "ambiguous" && tries === 1;
      if (delayMs === undefined || tries >= MAX_TRIES || (late && !settles)) {
        throw storeError(what, error);
      }
      await pace.wait(delayMs);
    }
  }
}

export interface SettledCreate {
  readonly what: string;
  readonly writeId: string;
  create(): Promise<void>;
  /** The `write_id` of what stands there; undefined while nothing is seen. */
  readWriteId(): Promise<string | undefined>;
}

/** "exists" means that the document there is somebody else's. */
export async function createSettled(
  request: SettledCreate,
  pace: Pace,
): Promise<"created" | "exists"> {
  let answerLost = false;
  return retrying(
    request.what,
    async () => {
      try {
        await request.create();
        return "created";
      } catch (error) {
        const { verdict } = failureOf(error);
        if (verdict === "ambiguous") answerLost = true;
        if (verdict !== "exists") throw error;
        if (!answerLost) return "exists";
        const writeId = await request.readWriteId();
        if (writeId === undefined) throw new Error("409, but no document is seen yet");
        return writeId === request.writeId ? "created" : "exists";
      }
    },
    pace,
  );
}

export interface SettledReplace {
  readonly what: string;
  readonly writeId: string;
  /** Answers the new etag. */
  replace(): Promise<string>;
  read(): Promise<{ readonly writeId: string; readonly etag: string } | undefined>;
}

/** "conflict" means that the document changed, or is gone: read it before the next try. */
export async function replaceSettled(
  request: SettledReplace,
  pace: Pace,
): Promise<{ readonly etag: string } | "conflict"> {
  let answerLost = false;
  return retrying(
    request.what,
    async () => {
      try {
        return { etag: await request.replace() };
      } catch (error) {
        const { verdict } = failureOf(error);
        if (verdict === "ambiguous") answerLost = true;
        if (verdict === "missing") return "conflict";
        if (verdict !== "conflict") throw error;
        if (!answerLost) return "conflict";
        const stands = await request.read();
        return stands?.writeId === request.writeId ? { etag: stands.etag } : "conflict";
      }
    },
    pace,
  );
}

function mayTryAgain(failure: Failure): boolean {
  return failure.verdict === "throttled" || failure.verdict === "ambiguous";
}

/** Doubles, with jitter, and never below what the service asked for. */
function delayBefore(tries: number, failure: Failure, pace: Pace): number {
  const ownMs = Math.min(FIRST_DELAY_MS * 2 ** (tries - 1), MAX_DELAY_MS);
  const jitteredMs = ownMs * (0.5 + pace.fraction() / 2);
  return failure.retryAfterMs === undefined
    ? jitteredMs
    : failure.retryAfterMs + jitteredMs * pace.fraction();
}
