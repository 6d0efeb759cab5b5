// The results of a job and the provenance that goes with them, for every ending.
// Small values stand inside; others are named by object, digest and size and filled in when read.
// `results_digest` covers the digests of the outputs, so it is the same for both forms.
import { digest } from "./canonical.ts";
import type { Sha256 } from "./canonical.ts";
import type { StoredObject } from "./event.ts";
import type { StoredValue } from "./job.ts";
import { invariant } from "./error.ts";
import { jsonBytes } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";
import { MAX_INLINE_RESULTS_BYTES, MAX_INLINE_RESULT_BYTES } from "./limits.ts";
import type { Transition } from "./transition.ts";

/** Node ids never start with an underscore, so no output can stand here. */
export const PROVENANCE_KEY = "_provenance";

export interface Results {
  readonly results: JsonObject;
  readonly results_digest: string;
}

/** Output of every completed task and fan_in, by node id, in the order of the definition. */
export function resultsOf(transition: Transition): Results {
  const { sha256, workflow } = transition.context;
  const inside: Record<string, Json> = {};
  const digests: Record<string, Json> = {};
  let room = MAX_INLINE_RESULTS_BYTES;
  // Only tasks and fan_ins have outputs. A refused snapshot names no nodes, the state still does.
  const ids = [...Object.keys(workflow.definition.nodes), ...Object.keys(transition.job.nodes)];
  for (const id of new Set(ids)) {
    const { output } = transition.node(id);
    if (output === undefined) continue;
    const whole = described(output, sha256);
    digests[id] = whole.digest;
    const isSmall = whole.bytes <= Math.min(MAX_INLINE_RESULT_BYTES, room);
    if ("value" in output && isSmall) {
      room -= whole.bytes;
      inside[id] = output.value;
    } else {
      inside[id] = { ...whole };
    }
  }
  return { results: inside, results_digest: digest(digests, sha256) };
}

function described(output: StoredValue, sha256: Sha256): StoredObject {
  if (!("value" in output)) return output;
  const { value, entry } = output;
  return { object: String(entry), digest: digest(value, sha256), bytes: jsonBytes(value) };
}

/** `result_data` of a job that has just got its terminal event. */
export function stampedResult(
  transition: Transition,
  inside: JsonObject,
  resultsDigest: string,
): JsonObject {
  const { job, context } = transition;
  invariant(job.completed_at !== undefined, "a stamped job is terminal");
  return {
    ...inside,
    [PROVENANCE_KEY]: {
      workflow_id: job.workflow_id,
      workflow_version: job.workflow_version,
      job_id: job.job_id,
      completed_at: job.completed_at,
      status: job.status,
      workflow_digest: job.workflow_digest,
      source_digest: job.source_digest,
      inputs_digest: job.inputs_digest,
      results_digest: resultsDigest,
      engine: context.build,
      log_head: job.head,
      ...(job.redefined === undefined ? {} : { redefined: job.redefined }),
    },
  };
}
