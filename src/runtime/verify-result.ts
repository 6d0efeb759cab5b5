// Whether a result that is about to be shown is the one that the job ended with: the terminal event
// is hashed and names the digest of all outputs; the provenance repeats facts that the state knows.
// What fails is an error, SNAPSHOT_TAMPERED: better no result than a wrong one.
import { digest } from "../core/canonical.ts";
import type { JournalEntry } from "../core/event.ts";
import type { JobState } from "../core/job.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { PROVENANCE_KEY } from "../core/provenance.ts";
import { sha256 } from "./hash.ts";
import { tampered } from "./verify-entry.ts";

/** A value of the result, and the digest of the output it is. */
export interface ShownValue {
  readonly value: Json;
  readonly digest: string;
  /** Whether `value` only names the output. */
  readonly isReference?: true;
}

const STAMPED = [
  "workflow_id",
  "workflow_version",
  "job_id",
  "status",
  "completed_at",
  "workflow_digest",
  "source_digest",
  "inputs_digest",
] as const;

export function shownValue(value: Json): ShownValue {
  return { value, digest: digest(value, sha256) };
}

/** Throws SNAPSHOT_TAMPERED unless the digests of all values are what the last event says. */
export function checkResult(
  job: JobState,
  entry: JournalEntry,
  values: ReadonlyMap<string, ShownValue>,
): void {
  const digests: Record<string, Json> = {};
  for (const [id, shown] of values) if (id !== PROVENANCE_KEY) digests[id] = shown.digest;
  const last = entry.events.at(-1);
  const expected = last !== undefined && "results_digest" in last ? last.results_digest : "none";
  const found = digest(digests, sha256);
  if (found !== expected) {
    throw tampered(job.job_id, `its results: expected ${expected}, found ${found}`);
  }
  const stamp = entry.result_data?.[PROVENANCE_KEY] as JsonObject | undefined;
  const facts = job as unknown as JsonObject;
  const wrong =
    stamp?.["results_digest"] === expected
      ? STAMPED.find((name) => stamp[name] !== facts[name])
      : "results_digest";
  if (wrong !== undefined) throw tampered(job.job_id, `its provenance has another ${wrong}`);
}
