// A clock that stands still until a test moves it. Callbacks run in due order, those of the same
// instant in the order they were asked for, each with `now()` at its own due time.
import { addSeconds } from "../../src/core/instant.ts";
import type { Instant } from "../../src/core/instant.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import { inTurn } from "../../src/runtime/turn.ts";

export interface ManualClock extends Clock {
  /** Moves on by `ms` and runs what came due, also what those callbacks asked for in that time. */
  advance(ms: number): void;
  /** Callbacks that still wait. */
  pending(): number;
}

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

export function manualClock(start: Instant = "2026-01-01T00:00:00.000Z"): ManualClock {
  let elapsed = 0;
  const timers = new Set<Timer>();
  const next = (until: number): Timer | undefined => {
    const due = [...timers].filter((timer) => timer.due <= until);
    return due.toSorted((a, b) => a.due - b.due)[0];
  };
  return {
    now: () => addSeconds(start, elapsed / 1000),
    after: (ms, callback) => {
      const timer: Timer = { due: elapsed + Math.max(0, ms), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (ms) => {
      const until = elapsed + ms;
      for (let timer = next(until); timer !== undefined; timer = next(until)) {
        timers.delete(timer);
        elapsed = timer.due;
        timer.callback();
      }
      elapsed = until;
    },
    pending: () => timers.size,
  };
}

/** As `manualClock`, but whoever waits for no more than the next turn gets it. */
export function turningClock(): ManualClock {
  const clock = manualClock();
  const after: Clock["after"] = (ms, callback) =>
    ms > 0 ? clock.after(ms, callback) : inTurn(callback);
  return { ...clock, after };
}
