// What one build of the engine consists of, as far as a process of the simulated world calls it.
// Processes are made from a kit, so a recorded older build can run beside today's: its bundle
// exports the same names, and its own error classes, for `instanceof` knows its own build only.
import { WorkflowError } from "../../src/core/error.ts";
import { cancelJob } from "../../src/runtime/cancel-job.ts";
import { DEFAULT_TIMING } from "../../src/runtime/engine.ts";
import { HandlerRegistry, RetryableError, TerminalError } from "../../src/runtime/handlers.ts";
import { processMessage } from "../../src/runtime/process-message.ts";
import { processPoison } from "../../src/runtime/process-poison.ts";
import { readJob } from "../../src/runtime/read-job.ts";
import { resultView } from "../support/views.ts";
import { Sessions } from "../../src/runtime/sessions.ts";
import { SnapshotCache } from "../../src/runtime/snapshots.ts";
import { submitJob } from "../../src/runtime/submit-job.ts";
import { sweep } from "../../src/runtime/sweep.ts";
import { VersionRegistry } from "../../src/runtime/version-registry.ts";

export interface EngineKit {
  /** For people: which build this is. */
  readonly name: string;
  readonly Sessions: typeof Sessions;
  readonly SnapshotCache: typeof SnapshotCache;
  readonly HandlerRegistry: typeof HandlerRegistry;
  readonly VersionRegistry: typeof VersionRegistry;
  readonly DEFAULT_TIMING: typeof DEFAULT_TIMING;
  readonly processMessage: typeof processMessage;
  readonly processPoison: typeof processPoison;
  readonly sweep: typeof sweep;
  readonly cancelJob: typeof cancelJob;
  readonly submitJob: typeof submitJob;
  readonly readJob: typeof readJob;
  readonly resultView: typeof resultView;
  /** What the ports of this build's processes throw. */
  readonly WorkflowError: typeof WorkflowError;
  /** What handlers of this build throw. */
  readonly RetryableError: typeof RetryableError;
  readonly TerminalError: typeof TerminalError;
}

export const CURRENT_KIT: EngineKit = {
  name: "current",
  Sessions,
  SnapshotCache,
  HandlerRegistry,
  VersionRegistry,
  DEFAULT_TIMING,
  processMessage,
  processPoison,
  sweep,
  cancelJob,
  submitJob,
  readJob,
  resultView,
  WorkflowError,
  RetryableError,
  TerminalError,
};
