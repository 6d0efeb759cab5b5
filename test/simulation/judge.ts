// Looks at everything that happens in a world: each write as it takes effect, each call of a
// handler, each message that got lost. Says no at the first thing that must not be.
import { addSeconds } from "../../src/core/instant.ts";
import type { Instant } from "../../src/core/instant.ts";
import type { Message } from "../../src/core/message.ts";
import { isTerminalJob } from "../../src/core/job.ts";
import type { JobState } from "../../src/core/job.ts";
import { graceSeconds } from "../../src/core/watch.ts";
import { DEFAULT_TIMING } from "../../src/runtime/engine.ts";
import type { JobDocument, JournalDocument, LogFields } from "../../src/runtime/ports.ts";
import { Losses } from "./losses.ts";
import { Trial } from "./trial.ts";
import { instantAt } from "./sim-store.ts";
import type { Witness } from "./sim-store.ts";
import type { Execution, Stage } from "./stage.ts";

export class Judge implements Witness {
  readonly trials = new Map<string, Trial>();
  readonly losses = new Losses();
  /** Jobs that somebody asked to cancel, whether that was heard or not, and when they first did. */
  readonly cancelled = new Map<string, number>();
  /** When less of a job was last read than is stored. */
  readonly staleReads = new Map<string, number>();
  readonly #world: Stage;

  constructor(world: Stage) {
    this.#world = world;
  }

  journal(document: JournalDocument): void {
    this.#judged(() => {
      const { id, job_id } = document;
      const trial = this.trials.get(job_id);
      if (id === "0") this.trials.set(job_id, new Trial(this.#world, document));
      else if (/^\d/.test(id)) {
        if (trial === undefined) throw new Error(`entry ${id} of ${job_id} before entry 0`);
        trial.entry(document);
      } else if (id.startsWith("claim:")) trial?.claimed(id);
    });
  }

  job(document: JobDocument): void {
    this.#judged(() => {
      const trial = this.trials.get(document.job_id);
      if (trial === undefined) throw new Error(`${document.job_id} is projected before entry 0`);
      trial.projection(document);
    });
  }

  ran(execution: Execution): void {
    this.#judged(() => this.trials.get(execution.jobId)?.ran(execution));
  }

  sent(message: Message, fault: string | undefined): void {
    this.losses.sent(message);
    if (fault === "dropped") this.losses.lost(message, "dropped");
  }

  lostMessage(text: string, why: string): void {
    try {
      this.losses.lost(JSON.parse(text) as Message, why);
    } catch {
      // Nobody's message.
    }
  }

  logged(name: string, fields: LogFields): void {
    this.losses.logged(name, fields);
    const trial = this.trials.get(String(fields["job_id"]));
    if (name !== "projection.failed" || trial === undefined) return;
    if (hasSilentWorker(trial.state, instantAt(this.#world.time.now))) {
      this.losses.add(trial.jobId, "suspicion refused");
    }
  }

  /** What a call may reject with: the queue refused to take the message back, nothing else. */
  rejected(what: string, error: unknown): void {
    const { code, retryable } = error as { readonly code?: unknown; readonly retryable?: unknown };
    const isExcused = what === "a sweep" ? retryable === true : code === "QUEUE_UNAVAILABLE";
    if (!isExcused) this.#world.fail(`${what} threw ${textOf(error)}`);
  }

  /** Jobs that were accepted: entry 0 and projection stand. */
  get accepted(): readonly Trial[] {
    return [...this.trials.values()].filter(({ acceptedAt }) => acceptedAt !== undefined);
  }

  /** Whether every accepted job has ended, and its projection says so. */
  get isOver(): boolean {
    for (const trial of this.trials.values()) {
      if (trial.acceptedAt !== undefined && !trial.isOver) return false;
    }
    return true;
  }

  /** Complains about jobs that should have ended by now. */
  watchTime(): void {
    const { now } = this.#world.time;
    for (const trial of this.trials.values()) {
      if (trial.acceptedAt === undefined || trial.isOver || now <= trial.dueAt()) continue;
      const { status, seq } = trial.state;
      const unsaid = "its projection does not say that it ended";
      const late = isTerminalJob(trial.state) ? unsaid : status;
      this.#world.fail(`job ${trial.jobId} has not ended in time: ${late}, entry ${seq}`);
    }
  }

  #judged(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#world.fail(textOf(error));
    }
  }
}

export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Where our own code failed the place helps; a broken rule says what it means.
  return error instanceof TypeError ? (error.stack ?? error.message) : error.message;
}

/** Some worker began so long ago that whoever takes a message for a second time suspects it. */
function hasSilentWorker({ nodes }: JobState, now: Instant): boolean {
  const { lease_seconds } = DEFAULT_TIMING;
  return Object.values(nodes).some(({ status, started_at }) => {
    if (status !== "running" || started_at === undefined) return false;
    return now >= addSeconds(started_at, lease_seconds - graceSeconds(DEFAULT_TIMING));
  });
}
