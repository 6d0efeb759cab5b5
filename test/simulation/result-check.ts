// The result of an ended job: every output that the journal recorded and nothing else, and a
// provenance that names the pinned definition, the job, and the end of its history.
import { digest } from "../../src/core/canonical.ts";
import type { JournalEntry } from "../../src/core/event.ts";
import { isJsonObject } from "../../src/core/json.ts";
import type { Json } from "../../src/core/json.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { isSame } from "./same.ts";
import { must } from "./must.ts";
import type { Case } from "./stage.ts";

const PROVENANCE = "_provenance";

export function checkResult(trial: Case, entry: JournalEntry): void {
  const { result_data: result = {} } = entry;
  const expected = trial.model.results();
  for (const [id, output] of expected) {
    must(isOutput(result[id], output), `result_data.${id} is not what the journal records`);
  }
  const members = Object.keys(result).filter((id) => id !== PROVENANCE);
  must(members.length === expected.size, "result_data holds what no node gave");
  const said = result[PROVENANCE];
  must(isJsonObject(said), "result_data has no provenance");
  const { state } = trial;
  for (const [member, value] of Object.entries({
    workflow_id: state.workflow_id,
    workflow_version: trial.known.entry.definition.version,
    workflow_digest: trial.known.entry.workflow_digest,
    job_id: trial.jobId,
    completed_at: entry.at,
    status: state.status,
    log_head: entry.events.at(-1)?.hash,
  })) {
    must(said[member] === value, `_provenance.${member} is ${JSON.stringify(said[member])}`);
  }
}

/** Inside, or named by its digest where it is large. */
function isOutput(found: Json | undefined, output: Json): boolean {
  if (isSame(found, output)) return true;
  if (!isJsonObject(found) || typeof found["object"] !== "string") return false;
  return found["digest"] === digest(output, sha256);
}
