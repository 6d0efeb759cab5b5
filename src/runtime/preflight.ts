// What a submission would come to, with nothing created: a new job, the one that its key names
// already, or everything that speaks against it.
import { applyEntry } from "../core/apply.ts";
import { WorkflowError } from "../core/error.ts";
import type { JobState } from "../core/job.ts";
import type { Engine } from "./engine.ts";
import { checkedInputs, findPin, pinnedVars } from "./find-pin.ts";
import type { FoundPin } from "./find-pin.ts";
import { sha256 } from "./hash.ts";
import { readEntry } from "./journal.ts";
import { missingSecrets, secretMissing } from "./secrets.ts";
import { digestOfRequest, idFor } from "./submission.ts";
import type { Caller, Submission, Submitter } from "./submission.ts";
import { assertSameRequest } from "./submit-job.ts";

/** What a submission would do: a new job, or the one that its key names already. */
export type Preflight =
  | ({ readonly would: "create" } & FoundPin)
  | { readonly would: "answer"; readonly job: JobState };

/** As `submitJob` would answer or throw, with nothing created. Same errors. */
export async function preflight(
  submitter: Submitter,
  submission: Submission,
  caller: Caller,
): Promise<Preflight> {
  const { engine, openJobs, versions } = submitter;
  const job = await firstJob(engine, submission, caller);
  if (job !== undefined) return { would: "answer", job };
  const found = await findPin(submitter, submission);
  await versions.check(found.entry);
  (await openJobs?.enter(caller.authenticated_as))?.settle(false);
  return { would: "create", ...found };
}

/** The job that the same request created before. Errors: IDEMPOTENCY_CONFLICT. */
async function firstJob(
  engine: Engine,
  submission: Submission,
  caller: Caller,
): Promise<JobState | undefined> {
  if (caller.idempotency_key === undefined) return undefined;
  const first = await readEntry(engine.journal, idFor(engine, submission, caller), 0);
  if (first === undefined) return undefined;
  assertSameRequest(first, digestOfRequest(submission));
  return applyEntry(undefined, first, sha256);
}

/** Everything that speaks against a submission, where `preflight` tells the first alone. */
export async function objections(
  submitter: Submitter,
  submission: Submission,
  caller: Caller,
): Promise<readonly WorkflowError[]> {
  const { engine, catalog, openJobs, versions } = submitter;
  const found: WorkflowError[] = [];
  const tried = async (check: () => unknown): Promise<void> => {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof WorkflowError) || error.retryable) throw error;
      found.push(error);
    }
  };
  await tried(() => firstJob(engine, submission, caller));
  await tried(async () => (await openJobs?.enter(caller.authenticated_as))?.settle(false));
  await tried(async () => {
    const entry = await catalog.find(submission.workflow_id, submission.version);
    const { definition } = entry;
    await tried(() => checkedInputs(definition, submission.input_params ?? {}));
    await tried(() => pinnedVars(definition, submitter.vars));
    await tried(() => {
      const missing = missingSecrets(engine, definition);
      if (missing.length > 0) throw secretMissing(missing);
    });
    await tried(() => versions.check(entry));
  });
  return found;
}

