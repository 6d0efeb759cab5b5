// What one build of the engine consists of, as far as tests run it: the runtime's functions and the
// parts of the core that read a history. build/record-release.mjs bundles this very list, with
// the sources of the release that it records, so that old and new builds have the same names.
export { Sessions } from "../../src/runtime/sessions.ts";
export { SnapshotCache } from "../../src/runtime/snapshots.ts";
export {
  defineHandler,
  HandlerRegistry,
  RetryableError,
  TerminalError,
} from "../../src/runtime/handlers.ts";
export { processMessage } from "../../src/runtime/process-message.ts";
export { processPoison } from "../../src/runtime/process-poison.ts";
export { sweep } from "../../src/runtime/sweep.ts";
export { cancelJob } from "../../src/runtime/cancel-job.ts";
export { submitJob } from "../../src/runtime/submit-job.ts";
export { VersionRegistry } from "../../src/runtime/version-registry.ts";
export { DEFAULT_TIMING } from "../../src/runtime/engine.ts";
export { hashBytes, sha256 } from "../../src/runtime/hash.ts";
export { parseProjection } from "../../src/runtime/projection.ts";
export { readJob } from "../../src/runtime/read-job.ts";
export { provenanceView, resultView } from "../support/views.ts";
export { advance } from "../../src/core/advance.ts";
export { applyEntry } from "../../src/core/apply.ts";
export { pinnedWorkflow } from "../../src/core/create-job.ts";
export { definitionDigest, definitionSchema } from "../../src/core/definition.ts";
export { WorkflowError } from "../../src/core/error.ts";
export { DECISIONS_VERSION, DOCUMENT_SCHEMA, parseEntry } from "../../src/core/event.ts";
export { compileWorkflow } from "../../src/core/graph.ts";
export { MESSAGE_SCHEMA } from "../../src/core/message.ts";
export { storedEntry, storedState, withBuilds } from "../../src/core/stored.ts";
export { wakeAt } from "../../src/core/watch.ts";
