// The parts of a session's commit: what waits, what was decided for all that waits together, and
// how a fault in the journal comes before it.
import type { Effect, NewObject, Occurrence } from "../core/effect.ts";
import { WorkflowError } from "../core/error.ts";
import type { JournalEvent } from "../core/event.ts";
import type { Instant } from "../core/instant.ts";
import type { JobState } from "../core/job.ts";
import type { JsonObject } from "../core/json.ts";
import type { CommitOptions, Committed } from "./commit.ts";

/** An occurrence, and how much the invocation behind it may do. */
export interface Asked {
  readonly occurrence: Occurrence;
  readonly options: CommitOptions;
}

export interface Waiting extends Asked {
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: unknown) => void;
}

/** What one occurrence led to. */
export interface Told {
  readonly effects: readonly Effect[];
  readonly changed: boolean;
}

export interface Batch {
  readonly job: JobState;
  readonly now: Instant;
  readonly events: readonly JournalEvent[];
  readonly objects: readonly NewObject[];
  readonly each: readonly Told[];
  readonly result?: JsonObject;
}

export const NOTHING: Told = { effects: [], changed: false };

/** The ending comes first, so that nothing that waits is decided on a state that lies. */
export function behindFault(
  batch: readonly Waiting[],
  fault: WorkflowError | undefined,
): readonly Asked[] {
  if (fault === undefined) return batch;
  const { code, message } = fault;
  const occurrence = { type: "snapshot_refused", error: { code, message } } as const;
  return [{ occurrence, options: { canContinue: false } }, ...batch];
}

/** What the ending led to goes to the first that waited: somebody has to deliver it. */
export function withoutFault(each: readonly Told[], fault: WorkflowError | undefined) {
  const [ending, first, ...rest] = each;
  if (fault === undefined || ending === undefined || first === undefined) return each;
  const effects = [...ending.effects, ...first.effects];
  return [{ effects, changed: ending.changed || first.changed }, ...rest];
}

export function isTampered(error: unknown): error is WorkflowError {
  return error instanceof WorkflowError && error.code === "SNAPSHOT_TAMPERED";
}
