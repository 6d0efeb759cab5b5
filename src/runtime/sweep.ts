// The sweeper: finds live jobs whose wake_at has passed, folds each to its journal's end, and acts.
// It goes on, the longest due first, until nothing is due or its time is spent. It may run twice at
// once: everything it does is decided by the reducer and recorded by the same compare-and-swap.
import { secondsBetween } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import { deliver } from "./deliver.ts";
import type { Engine } from "./engine.ts";
import { errorText } from "./error-text.ts";
import { MAX_DUE } from "./job-list.ts";
import { jobAttributes } from "./log-transition.ts";
import type { DueJob } from "./ports.ts";
import type { Sessions } from "./sessions.ts";
import { traced } from "./telemetry.ts";
import type { OpenSpan, SpanStart, Telemetry } from "./telemetry.ts";

const PAGE = 100;
/** Jobs worked on side by side: they are all I/O. */
const PARALLEL = 8;
/** The timer fires every 60 s; two sweeps should rarely meet. */
const MAX_SECONDS = 40;

export interface Swept {
  readonly jobs: number;
  /** Jobs that the sweep moved forward. */
  readonly advanced: number;
  /** Messages sent again because the first seems lost. Zero without faults. */
  readonly resent: number;
  readonly failed: number;
}

const NOTHING: Swept = { jobs: 0, advanced: 0, resent: 0, failed: 0 };

/** One run of the sweeper. Rejects only where not even the due jobs can be listed. */
export async function sweep(sessions: Sessions, engine: Engine): Promise<Swept> {
  const began = engine.clock.now();
  const isInTime = (): boolean => secondsBetween(began, engine.clock.now()) < MAX_SECONDS;
  const pages = duePages(engine, sessions.sweptTo);
  sessions.sweptTo = undefined;
  let total = NOTHING;
  for await (const page of pages) {
    const oldest = await oldestMessage(engine);
    for (let from = 0; from < page.length; from += PARALLEL) {
      const group = page.slice(from, from + PARALLEL);
      // Whoever comes after the last one in time comes first the next time.
      if (!isInTime()) sessions.sweptTo ??= group[0]?.wake_at;
      if (sessions.sweptTo !== undefined) break;
      const woken = group.map(({ job_id: id }) => wakeJob(sessions, { engine, id, oldest }));
      const results = await Promise.all(woken);
      total = results.reduce(add, total);
    }
    if (sessions.sweptTo !== undefined) break;
  }
  if (total.jobs > 0) engine.log.write("info", "sweep.done", { ...total });
  return total;
}

/**
 * Everything due, each job once, from a place on and then from the beginning. Jobs that stay due,
 * such as those in line behind a long queue, hide none that come later.
 */
async function* duePages(
  engine: Engine,
  start: Instant | undefined,
): AsyncGenerator<readonly DueJob[]> {
  const seen = new Set<string>();
  let isWhole = start === undefined;
  let from = start;
  let ties = 0;
  for (;;) {
    const limit = Math.min(PAGE + ties, MAX_DUE);
    const due = await engine.jobs.due(engine.clock.now(), limit, from);
    const fresh = due.filter(({ job_id }) => !seen.has(job_id));
    for (const { job_id } of fresh) seen.add(job_id);
    if (fresh.length > 0) yield fresh;
    const last = due.at(-1)?.wake_at;
    if (fresh.length === 0 && (due.length < limit || last === from)) {
      if (isWhole) return;
      isWhole = true;
      from = undefined;
      ties = 0;
      continue;
    }
    from = last;
    ties = due.filter(({ wake_at }) => wake_at === last).length;
  }
}

function add(one: Swept, other: Swept): Swept {
  return {
    jobs: one.jobs + other.jobs,
    advanced: one.advanced + other.advanced,
    resent: one.resent + other.resent,
    failed: one.failed + other.failed,
  };
}

async function oldestMessage(engine: Engine): Promise<Instant | undefined> {
  try {
    return await engine.queue.oldest();
  } catch {
    // Without a look at the queue everything due counts as lost: sending twice is harmless.
    return undefined;
  }
}

interface Due {
  readonly engine: Engine;
  readonly id: string;
  readonly oldest: Instant | undefined;
}

function wakeJob(sessions: Sessions, given: Due): Promise<Swept> {
  const start = (telemetry: Telemetry): SpanStart => {
    const { id: job_id } = given;
    const parent = telemetry.job(job_id);
    return { sort: "sweep", name: "sweep job", parent, attributes: { job_id } };
  };
  return traced(given.engine.telemetry, start, (span) => wakeNow(sessions, given, span));
}

async function wakeNow(
  sessions: Sessions,
  { engine, id, oldest }: Due,
  span: OpenSpan | undefined,
): Promise<Swept> {
  try {
    const entered = await sessions.enter(id, 0);
    if (entered.kind !== "session") return { ...NOTHING, jobs: 1 };
    const { session } = entered;
    try {
      await session.freshen();
      const options = {
        canContinue: false,
        ...(oldest === undefined ? {} : { oldestMessageAt: oldest }),
      };
      const { effects, changed } = await session.commit({ type: "wake_due" }, options);
      const { resent } = await deliver(session, effects);
      span?.set({ ...jobAttributes(session.job), resent });
      return { jobs: 1, advanced: changed ? 1 : 0, resent, failed: 0 };
    } finally {
      await sessions.leave(session);
    }
  } catch (error) {
    engine.log.write("warn", "sweep.failed", { job_id: id, error: errorText(error) });
    span?.fail(errorText(error));
    return { ...NOTHING, jobs: 1, failed: 1 };
  }
}
