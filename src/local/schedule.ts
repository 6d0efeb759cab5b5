// Timer schedules of the Functions host: NCRONTAB with six fields (or five, then second 0) in local
// time, or a TimeSpan that is counted from the end of the run before. A date must fit both the day
// of month and the day of week, as in NCrontab.

import { Cron } from "croner";
import { instantOf, type Instant } from "../core/instant.ts";
import { StartupProblem } from "./startup-problem.ts";
import { parseTimeSpan } from "./time-span.ts";

export interface Occurrence {
  readonly epochMs: number;
  readonly at: Instant;
}

export interface Schedule {
  readonly adjustsForDst: boolean;
  /** Always a minute or more between two runs; below, the host keeps no status. */
  readonly isMonitored: boolean;
  /** The first occurrence after `epochMs`; undefined if there is none. */
  after(epochMs: number): Occurrence | undefined;
}

const MINUTE_MS = 60_000;
// Names, numbers and the four operators; what other cron dialects add is refused.
const NCRONTAB = /^(?:[\d*,/-]|[a-z]{3,9})+(?: +(?:[\d*,/-]|[a-z]{3,9})+){4,5}$/i;

export function parseSchedule(text: string): Schedule {
  const spanMs = parseTimeSpan(text);
  if (spanMs !== undefined && spanMs > 0) {
    return {
      adjustsForDst: false,
      isMonitored: spanMs >= MINUTE_MS,
      after: (epochMs) => occurrence(epochMs + spanMs),
    };
  }
  const cron = parseCron(text);
  const after = (epochMs: number): Occurrence | undefined => {
    const next = cron.nextRun(instantOf(epochMs));
    return next === null ? undefined : occurrence(next.getTime());
  };
  return { adjustsForDst: true, isMonitored: isSlow(after), after };
}

function parseCron(text: string): Cron {
  const trimmed = text.trim();
  const problem = new StartupProblem(
    "A timer's schedule is none: expects six NCRONTAB fields or a duration like 00:05:00.",
  );
  if (!NCRONTAB.test(trimmed)) {
    throw problem;
  }
  try {
    return new Cron(trimmed, {
      paused: true,
      mode: "5-or-6-parts",
      domAndDow: true,
      sloppyRanges: true,
    });
  } catch {
    throw problem;
  }
}

/** Looks at the next five occurrences, as the host does. */
function isSlow(after: (epochMs: number) => Occurrence | undefined): boolean {
  let last = after(performance.timeOrigin + performance.now());
  for (let round = 0; round < 5 && last !== undefined; round += 1) {
    const next = after(last.epochMs);
    if (next !== undefined && next.epochMs - last.epochMs < MINUTE_MS) {
      return false;
    }
    last = next;
  }
  return true;
}

function occurrence(epochMs: number): Occurrence {
  return { epochMs, at: instantOf(epochMs) };
}
