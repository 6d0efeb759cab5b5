// What every part of the runtime shares: the ports, the handlers, the build and the timings.
// Put together once, in composition.ts or a test, and passed along; nothing here is global.
import type { Timing } from "../core/effect.ts";
import { DEFAULT_RETENTION } from "../core/retention.ts";
import type { Retention } from "../core/retention.ts";
import type { HandlerRegistry } from "./handlers.ts";
import type { Clock, JobStore, JournalStore, Log, Randomness, WorkQueue } from "./ports.ts";
import type { Secrets } from "./secrets.ts";
import type { SnapshotCache } from "./snapshots.ts";
import type { Telemetry } from "./telemetry.ts";

export interface EngineTiming extends Timing {
  /** A running attempt renews its lease so often; one write per process and job. */
  readonly renew_seconds: number;
  /** The projection of a moving job is refreshed at most so often. */
  readonly refresh_seconds: number;
  /** A chunk hands in what it has so often. */
  readonly hand_in_seconds: number;
  /** How long a cancelled handler may take to answer. */
  readonly abort_grace_seconds: number;
  /** An invocation yields to the queue after this share of the host's functionTimeout. */
  readonly yield_seconds: number;
  /** How long a job that has ended is kept. */
  readonly retention_seconds: Retention;
}

/** As in production; tests and the local host shorten them by settings. */
export const DEFAULT_TIMING: EngineTiming = {
  lease_seconds: 60,
  renew_seconds: 40,
  resend_seconds: 60,
  refresh_seconds: 2,
  hand_in_seconds: 1,
  abort_grace_seconds: 2,
  yield_seconds: 240,
  retention_seconds: DEFAULT_RETENTION,
};

/**
 * host.json functionTimeout is 600 s, and passing it restarts the process with everything in it:
 * an invocation begins no task that may outlast this, and holds on to no outcome beyond it.
 */
export const MAX_INVOCATION_SECONDS = 570;
/** An invocation yields to the queue after so many transitions of one job. */
export const MAX_TRANSITIONS_PER_INVOCATION = 200;

export interface Engine {
  readonly journal: JournalStore;
  readonly jobs: JobStore;
  readonly queue: WorkQueue;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: Log;
  readonly handlers: HandlerRegistry;
  /** Absent: no secret has a value. */
  readonly secrets?: Secrets;
  readonly snapshots: SnapshotCache;
  /** Absent: nobody wants traces or metrics, and none are made. */
  readonly telemetry?: Telemetry;
  /** `holdfast@<version>+<hash>`. */
  readonly build: string;
  readonly timing: EngineTiming;
}
