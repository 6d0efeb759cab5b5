// A bound on jobs that have not ended, of the whole app and of one caller. Their number is counted
// by a query at most every ten seconds and only under load; what this process accepts in between is
// added in memory, so no submission costs a write more. The bound is soft: processes do not see
// each other's submissions between two counts. A count that fails refuses nobody.
import { WorkflowError } from "../core/error.ts";
import { epochMs } from "../core/instant.ts";
import { MAX_REMEMBERED_CALLERS } from "../core/limits.ts";
import type { Engine } from "./engine.ts";
import { errorText } from "./error-text.ts";

/** A count is good for so long. */
export const COUNT_SECONDS = 10;
/** A process that accepted less than this share of the cap since its last count asks no store. */
const UNCOUNTED_SHARE = 0.001;
/** From this share of the cap on every count is renewed when it is old. */
const NEAR_SHARE = 0.9;

export interface OpenJobsOptions {
  readonly engine: Pick<Engine, "jobs" | "clock" | "log">;
  /** Of all callers together; 0 for no cap. */
  readonly max: number;
  /** Of each caller; 0 for no cap. */
  readonly maxPerCaller: number;
}

/** A submission that was let in; `settle` says whether it became a new job. */
export interface Place {
  readonly settle: (isNewJob: boolean) => void;
}

export class OpenJobs {
  readonly #options: OpenJobsOptions;
  readonly #all: OpenCount | undefined;
  /** In order of last use, the longest ago first. */
  readonly #callers = new Map<string, OpenCount>();

  constructor(options: OpenJobsOptions) {
    this.#options = options;
    this.#all = this.#countOf(options.max);
  }

  /** TOO_MANY_JOBS with `retry_after_seconds`. Whoever is let in must settle. */
  async enter(caller: string): Promise<Place> {
    const own = this.#ofCaller(caller);
    const counts = [this.#all, own].filter((count) => count !== undefined);
    for (const count of counts) await count.refresh();
    // Nothing awaits from here on, so no two submissions take the same place.
    for (const count of counts) count.assertRoom();
    for (const count of counts) count.enter();
    return {
      settle: (isNewJob) => {
        for (const count of counts) count.settle(isNewJob);
      },
    };
  }

  #ofCaller(caller: string): OpenCount | undefined {
    const count = this.#callers.get(caller) ?? this.#countOf(this.#options.maxPerCaller, caller);
    if (count === undefined) return undefined;
    this.#callers.delete(caller);
    this.#callers.set(caller, count);
    const [oldest] = this.#callers.keys();
    if (this.#callers.size > MAX_REMEMBERED_CALLERS && oldest !== undefined) {
      this.#callers.delete(oldest);
    }
    return count;
  }

  #countOf(max: number, caller?: string): OpenCount | undefined {
    return max === 0 ? undefined : new OpenCount(this.#options.engine, max, caller);
  }
}

class OpenCount {
  readonly #engine: OpenJobsOptions["engine"];
  readonly #max: number;
  readonly #caller: string | undefined;
  /** What the last count said. */
  #counted = 0;
  /** Let in since then, or still under way when it began. */
  #since = 0;
  #underWay = 0;
  /** The last count failed: whatever this process let in since may have ended. */
  #isBlind = false;
  #triedAtMs: number | undefined;
  #counting: Promise<void> | undefined;

  constructor(engine: OpenJobsOptions["engine"], max: number, caller: string | undefined) {
    this.#engine = engine;
    this.#max = max;
    this.#caller = caller;
  }

  /** Counts anew if that is due; everybody waits for the same query. Never rejects. */
  async refresh(): Promise<void> {
    if (this.#counting === undefined && this.#isDue()) this.#counting = this.#count();
    await this.#counting;
  }

  assertRoom(): void {
    if (this.#isBlind || this.#open < this.#max) return;
    const ageMs = this.#ageMs ?? 0;
    const seconds = Math.max(1, Math.ceil(COUNT_SECONDS - ageMs / 1000));
    const whose = this.#caller === undefined ? "" : " of yours";
    const message = `too many jobs${whose} have not ended: at most ${this.#max} may be open`;
    const facts = { retry_after_seconds: seconds };
    throw new WorkflowError("TOO_MANY_JOBS", message, { facts });
  }

  enter(): void {
    this.#since += 1;
    this.#underWay += 1;
  }

  settle(isNewJob: boolean): void {
    this.#underWay -= 1;
    if (!isNewJob) this.#since = Math.max(0, this.#since - 1);
  }

  get #open(): number {
    return this.#counted + this.#since;
  }

  get #ageMs(): number | undefined {
    if (this.#triedAtMs === undefined) return undefined;
    return Math.max(0, epochMs(this.#engine.clock.now()) - this.#triedAtMs);
  }

  #isDue(): boolean {
    const ageMs = this.#ageMs;
    if (ageMs !== undefined && ageMs < COUNT_SECONDS * 1000) return false;
    const isBusy = this.#since >= Math.floor(this.#max * UNCOUNTED_SHARE);
    return isBusy || this.#open >= this.#max * NEAR_SHARE;
  }

  async #count(): Promise<void> {
    this.#triedAtMs = epochMs(this.#engine.clock.now());
    // Those still under way may or may not be in the answer; they stay counted here.
    const settled = this.#since - this.#underWay;
    try {
      this.#counted = await this.#engine.jobs.countOpen(this.#caller);
      this.#since = Math.max(0, this.#since - settled);
      this.#isBlind = false;
    } catch (error) {
      this.#isBlind = true;
      this.#engine.log.write("warn", "count.failed", { error: errorText(error) });
    } finally {
      this.#counting = undefined;
    }
  }
}
