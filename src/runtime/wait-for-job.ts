// Holding a request until its job moves. Somebody else's process writes the journal, so the next
// entry is looked for by its number: a point read of one request unit, which says "not there" as
// exactly as it says "there". How long and how many wait at once has a bound.
import { isTerminalJob } from "../core/job.ts";
import type { JobState } from "../core/job.ts";
import { addSeconds, secondsBetween } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import { foldToEnd, readEntry } from "./journal.ts";
import type { Reader } from "./read-job.ts";

/** Looks come at these distances, the last one again and again: most jobs move soon or late. */
const STEPS_MS = [100, 200, 300, 400, 500, 1_000] as const;
const LAST_STEP_MS = STEPS_MS.at(-1) ?? 1_000;

export class JobWait {
  readonly #engine: Reader;
  /** So many are held at once; those above are answered as the job stands. */
  readonly #most: number;
  #waiting = 0;

  constructor(engine: Reader, most: number) {
    this.#engine = engine;
    this.#most = most;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** The job once `isAwaited` holds, once it has ended, or as it stands after `seconds`. */
  async until(
    job: JobState,
    isAwaited: (job: JobState) => boolean,
    seconds: number,
  ): Promise<JobState> {
    const isDone = (one: JobState): boolean => isTerminalJob(one) || isAwaited(one);
    if (seconds === 0 || isDone(job) || this.#waiting >= this.#most) return job;
    this.#waiting += 1;
    try {
      return await this.#look(job, isDone, addSeconds(this.#engine.clock.now(), seconds));
    } finally {
      this.#waiting -= 1;
    }
  }

  async #look(
    first: JobState,
    isDone: (job: JobState) => boolean,
    until: Instant,
  ): Promise<JobState> {
    const { clock, journal } = this.#engine;
    let job = first;
    for (let step = 0; ; step += 1) {
      // By the clock, not by the pauses: a slow store holds nobody for longer than was asked.
      const leftMs = secondsBetween(clock.now(), until) * 1000;
      if (leftMs <= 0) break;
      await this.#pause(Math.min(STEPS_MS[step] ?? LAST_STEP_MS, leftMs));
      if ((await readEntry(journal, job.job_id, job.seq + 1)) === undefined) continue;
      job = await foldToEnd(journal, job);
      if (isDone(job)) break;
    }
    return job;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#engine.clock.after(ms, resolve);
    });
  }
}
