// The attempts at one job that this process has claimed and whose outcomes are not recorded yet.
// They outlive a session that failed to commit: the next one renews their leases and aborts them.
import type { JobState } from "../core/job.ts";
import { isWanted } from "../core/watch.ts";

export interface LocalAttempt {
  readonly node_id: string;
  readonly chunk?: number;
  readonly attempt: number;
  readonly abort: AbortController;
}

/** With the entry that was the last when it was claimed. */
interface Registered extends LocalAttempt {
  readonly seq: number;
}

export class LocalAttempts {
  readonly #attempts = new Set<Registered>();
  /** Sessions of the job that share it, spent ones and a live one; the registry counts them. */
  sessions = 0;

  get all(): readonly LocalAttempt[] {
    return [...this.#attempts];
  }

  /** Aborts at once what `job`, in which it was claimed, does not want; answers its release. */
  add(attempt: LocalAttempt, job: JobState): () => void {
    const registered: Registered = { ...attempt, seq: job.seq };
    this.#attempts.add(registered);
    if (!isWanted(job, attempt)) attempt.abort.abort();
    return () => this.#attempts.delete(registered);
  }

  /** The process is going away. */
  abortAll(): void {
    for (const { abort } of this.#attempts) abort.abort();
  }

  /** A spent session may be behind the one in which an attempt was claimed: it has no say then. */
  abortUnwanted(job: JobState): void {
    for (const attempt of this.#attempts) {
      if (job.seq >= attempt.seq && !isWanted(job, attempt)) attempt.abort.abort();
    }
  }
}
