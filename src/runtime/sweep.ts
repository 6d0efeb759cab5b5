// The sweeper: finds live jobs whose wake_at has passed, folds each to its journal's end, and acts.
// It goes on, the longest due first, until nothing is due or its time is spent. It may run twice at
// once: everything it does is decided by the reducer and recorded by the same compare-and-swap.
import { secondsBetween } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import { deliver } from "./deliver.ts";
import type { Engine } from "./engine.ts";
import { errorText } from "./error-text.ts";
import type { Sessions } from "./sessions.ts";

const PAGE = 100;
/** The most that one look may ask for. */
const MAX_DUE = 1_000;
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
  const seen = new Set<string>();
  let total = NOTHING;
  while (secondsBetween(began, engine.clock.now()) < MAX_SECONDS) {
    // Jobs that stay due, such as those in line behind a long queue, must not hide later ones.
    const limit = Math.min(seen.size + PAGE, MAX_DUE);
    const due = await engine.jobs.due(engine.clock.now(), limit);
    const fresh = due.filter((id) => !seen.has(id));
    if (fresh.length === 0) break;
    const oldest = await oldestMessage(engine);
    for (const id of fresh) seen.add(id);
    for (let from = 0; from < fresh.length; from += PARALLEL) {
      const group = fresh.slice(from, from + PARALLEL);
      const woken = group.map((id) => wakeJob(sessions, { engine, id, oldest }));
      const results = await Promise.all(woken);
      total = results.reduce(add, total);
    }
  }
  if (total.jobs > 0) engine.log.write("info", "sweep.done", { ...total });
  return total;
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

async function wakeJob(
  sessions: Sessions,
  given: { readonly engine: Engine; readonly id: string; readonly oldest: Instant | undefined },
): Promise<Swept> {
  const { engine, id, oldest } = given;
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
      return { jobs: 1, advanced: changed ? 1 : 0, resent, failed: 0 };
    } finally {
      await sessions.leave(session);
    }
  } catch (error) {
    engine.log.write("warn", "sweep.failed", { job_id: id, error: errorText(error) });
    return { ...NOTHING, jobs: 1, failed: 1 };
  }
}
