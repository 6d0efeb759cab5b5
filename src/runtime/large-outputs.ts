// Outputs that stand in documents of their own, read back to be shown. How many bytes one answer
// holds, and how many are asked for at a time, has a bound: a job may have hundreds of outputs.
// What is beyond it stands as the reference it is stored as, to be asked for alone.
import { nodeState } from "../core/job.ts";
import type { JobState, StoredValue } from "../core/job.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { MAX_READ_AHEAD_BYTES, MAX_RESULT_BYTES } from "../core/limits.ts";
import { PROVENANCE_KEY } from "../core/provenance.ts";
import { storedValue } from "../core/scope.ts";
import { READ_AHEAD } from "./journal.ts";
import type { JournalStore } from "./ports.ts";
import { tampered } from "./verify-entry.ts";
import { shownValue } from "./verify-result.ts";
import type { ShownValue } from "./verify-result.ts";

type Reference = Extract<StoredValue, { readonly object: string }>;

interface Wanted {
  readonly nodeId: string;
  readonly output: Reference;
}

/** The values of `result_data` by node, large ones in the order of the definition. */
export async function filledIn(
  journal: JournalStore,
  job: JobState,
  data: JsonObject,
): Promise<ReadonlyMap<string, ShownValue>> {
  const values = new Map<string, ShownValue>();
  const wanted: Wanted[] = [];
  let room = MAX_RESULT_BYTES;
  for (const [nodeId, value] of Object.entries(data)) {
    const { output } = nodeState(job, nodeId);
    if (nodeId === PROVENANCE_KEY || !isReference(value) || output === undefined) {
      values.set(nodeId, shownValue(value));
    } else if ("value" in output) {
      values.set(nodeId, shownValue(output.value));
    } else if (output.bytes > room) {
      values.set(nodeId, reference(output));
    } else {
      room -= output.bytes;
      wanted.push({ nodeId, output });
    }
  }
  for (const batch of batches(wanted)) {
    const read = await Promise.all(batch.map((one) => loaded(journal, job, one)));
    for (const [index, { nodeId }] of batch.entries()) {
      values.set(nodeId, read[index] as ShownValue);
    }
  }
  return values;
}

function isReference(value: Json): boolean {
  return isJsonObject(value) && typeof value["object"] === "string" && "digest" in value;
}

function reference(output: Reference): ShownValue {
  return { value: { ...output }, digest: output.digest, isReference: true };
}

function batches(wanted: readonly Wanted[]): readonly (readonly Wanted[])[] {
  const all: Wanted[][] = [];
  let bytes = 0;
  for (const one of wanted) {
    const last = all.at(-1);
    bytes += one.output.bytes;
    if (last !== undefined && last.length < READ_AHEAD && bytes <= MAX_READ_AHEAD_BYTES) {
      last.push(one);
    } else {
      all.push([one]);
      bytes = one.output.bytes;
    }
  }
  return all;
}

async function loaded(
  journal: JournalStore,
  job: JobState,
  { nodeId, output }: Wanted,
): Promise<ShownValue> {
  const document = await journal.read(job.job_id, output.object);
  const documents = new Map([[output.object, (document ?? null) as unknown as JsonObject | null]]);
  const found = storedValue(documents, output, nodeId);
  // A document that is gone leaves what names it.
  return found.kind === "value" ? shownValue(found.value) : reference(output);
}

/**
 * The output of one node, read where the state only names it; nothing where it does not. Errors:
 * SNAPSHOT_TAMPERED where the document holds another value, the store's.
 */
export async function wholeOutput(
  journal: JournalStore,
  job: JobState,
  nodeId: string,
): Promise<{ readonly output?: Json }> {
  const { output } = nodeState(job, nodeId);
  if (output === undefined || "value" in output) return {};
  const { value, digest } = await loaded(journal, job, { nodeId, output });
  if (digest === output.digest) return { output: value };
  const problem = `output of ${nodeId}: expected ${output.digest}, found ${digest}`;
  throw tampered(job.job_id, problem);
}
