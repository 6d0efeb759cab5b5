// The state that a stored projection stands for. One that lacks its state, for it was too large for
// a document, or that holds one which cannot be read, sends the reader to the journal.
import { WorkflowError } from "../core/error.ts";
import type { Engine } from "./engine.ts";
import { errorText } from "./error-text.ts";
import { foldFromStart } from "./journal.ts";
import type { JobDocument } from "./ports.ts";
import { assertKnownShape, parseProjection, watchOf } from "./projection.ts";
import type { Projected } from "./projection.ts";

/** Errors: the store's, SCHEMA_TOO_NEW, DOCUMENT_INVALID where there is no entry 0 either. */
export async function projectedOf(
  { journal, log }: Pick<Engine, "journal" | "log">,
  document: JobDocument,
): Promise<Projected> {
  const { job_id, state } = document;
  let broken: WorkflowError | undefined;
  if (state !== undefined) {
    try {
      return parseProjection(document);
    } catch (error) {
      if (!(error instanceof WorkflowError) || error.code !== "DOCUMENT_INVALID") throw error;
      broken = error;
    }
  }
  const job = await foldFromStart(journal, job_id, document.seq);
  const missing = new WorkflowError("DOCUMENT_INVALID", `job ${job_id}: entry 0 is not there`);
  if (job === undefined) throw broken ?? missing;
  if (broken !== undefined) {
    log.write("error", "projection.failed", { job_id, error: errorText(broken) });
  }
  assertKnownShape(document, job);
  return { job, watch: watchOf(document) };
}
