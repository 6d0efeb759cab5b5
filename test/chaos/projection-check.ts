// Whether the projection of an ended job says what its journal folds to. The fold is the engine's
// own, over the documents as they were read: the question is whether both were stored alike.
import { storedState } from "../../src/core/stored.ts";
import { foldFromStart } from "../../src/runtime/journal.ts";
import type { JobDocument, JournalDocument, JournalStore } from "../../src/runtime/ports.ts";
import { parseProjection } from "../../src/runtime/projection.ts";
import { canonicalText } from "./hash-chain.ts";
import type { Documents } from "./job-history.ts";
import type { Stored } from "./store-contents.ts";

/** What is wrong; undefined where both agree. */
export async function projectionProblem(
  jobId: string,
  documents: Documents,
  projection: Stored,
): Promise<string | undefined> {
  const journal: Pick<JournalStore, "read"> = {
    read: (_jobId, id) => Promise.resolve(documents.get(id) as JournalDocument | undefined),
  };
  try {
    const folded = await foldFromStart(journal as JournalStore, jobId);
    const { job } = parseProjection(projection as JobDocument);
    if (folded === undefined) return "the journal has no beginning";
    if (projection["wake_at"] !== undefined) return "the job has ended and would be woken";
    const members = ["status", "seq", "completed_at", "workflow_digest"] as const;
    const other = members.find((name) => projection[name] !== folded[name]);
    if (other !== undefined) return `${other} is ${String(projection[other])} in the projection`;
    const isSame = plain(storedState(job)) === plain(storedState(folded));
    return isSame ? undefined : "the projection's state is not the fold of the journal";
  } catch (error) {
    return `cannot be folded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function plain(state: object): string {
  return canonicalText(JSON.parse(JSON.stringify(state)));
}
