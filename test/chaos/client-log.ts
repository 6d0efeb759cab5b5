// What the clients of a chaos run saw, and nothing else: each operation with its times and whether
// it succeeded, failed for certain, or nobody knows. This and the stores are all the checker reads.
import type { JsonObject } from "../../src/core/json.ts";

/** ok: 2xx. failed: refused, nothing was done. unknown: no answer, or one that leaves it open. */
export type Outcome = "ok" | "failed" | "unknown";

interface Timed {
  /** Milliseconds since 1970, by the clock of this machine. */
  readonly sent_ms: number;
  readonly ended_ms: number;
  readonly outcome: Outcome;
  /** The HTTP status, where there was an answer. */
  readonly status?: number;
  readonly code?: string;
}

export interface SubmitOperation extends Timed {
  readonly op: "submit";
  readonly key: string;
  readonly workflow_id: string;
  readonly input_params: JsonObject;
  /** Of an answer that was ok. */
  readonly job_id?: string;
  readonly workflow_version?: number;
  readonly workflow_digest?: string;
}

export interface ReadOperation extends Timed {
  readonly op: "read";
  readonly job_id: string;
  readonly seq?: number;
  readonly job_status?: string;
}

export interface CancelOperation extends Timed {
  readonly op: "cancel";
  readonly job_id: string;
}

/** A definition was put into the folder of workflows, whole. */
export interface PublishOperation {
  readonly op: "publish";
  readonly workflow_id: string;
  readonly version: number;
  readonly source: string;
  readonly sent_ms: number;
}

export type Operation = SubmitOperation | ReadOperation | CancelOperation | PublishOperation;

export interface ClientLog {
  readonly operations: Operation[];
}

/** The outcome that a status stands for; undefined is an answer that never came. */
export function outcomeOf(status: number | undefined): Outcome {
  if (status === undefined || status >= 500 || status === 408) return "unknown";
  return status < 300 ? "ok" : "failed";
}

export function submitsByKey(
  operations: readonly Operation[],
): ReadonlyMap<string, readonly SubmitOperation[]> {
  const found = new Map<string, SubmitOperation[]>();
  for (const operation of operations) {
    if (operation.op !== "submit") continue;
    const same = found.get(operation.key) ?? [];
    same.push(operation);
    found.set(operation.key, same);
  }
  return found;
}
