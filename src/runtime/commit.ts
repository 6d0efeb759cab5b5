// What goes into a session's commit and what comes out of it. A commit whose write got no answer
// has an error of its own, with what is needed to find out whether it stands.
import type { Effect } from "../core/effect.ts";
import { WorkflowError } from "../core/error.ts";
import type { Instant } from "../core/instant.ts";
import type { JobState } from "../core/job.ts";

export interface CommitOptions {
  /** Whether the invocation may go on with a task itself. */
  readonly canContinue: boolean;
  /** The longest task that the invocation has time for; absent: any. */
  readonly continueSeconds?: number;
  /** When the message at the queue's head was sent; only the sweeper knows. */
  readonly oldestMessageAt?: Instant;
}

export interface Committed {
  readonly job: JobState;
  readonly effects: readonly Effect[];
  /** Whether this occurrence added events to the journal. */
  readonly changed: boolean;
}

/** A commit whose write got no answer: it stands if entry `seq` carries `write_id`. */
export class UnansweredCommit extends WorkflowError {
  readonly seq: number;
  readonly write_id: string;
  readonly committed: Committed;
  /** To be called by whoever finds that it stands: logs it, once for all that waited for it. */
  readonly found: () => void;

  constructor(
    cause: WorkflowError,
    entry: { readonly seq: number; readonly write_id: string; readonly found: () => void },
    committed: Committed,
  ) {
    super(cause.code, cause.message, { retryable: true, cause });
    this.seq = entry.seq;
    this.write_id = entry.write_id;
    this.found = entry.found;
    this.committed = committed;
  }
}
