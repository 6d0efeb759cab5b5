// One node of a job, whole: its state, its output wherever that is stored, its attempts and events.
// Costs a read of the job's whole history.
import { WorkflowError } from "../core/error.ts";
import type { JobState } from "../core/job.ts";
import type { JsonObject } from "../core/json.ts";
import { attemptsOf, logsOf, nodeIdOf, shownEvent, wholeHistory } from "./history-views.ts";
import { nodeRow, pinFacts, workflowOf } from "./job-views.ts";
import { wholeOutput } from "./large-outputs.ts";
import type { Reader } from "./read-job.ts";

/** `GET /jobs/{id}/nodes/{node}`. Errors: NODE_NOT_FOUND, SNAPSHOT_TAMPERED, the store's. */
export async function nodeView(
  engine: Reader,
  job: JobState,
  nodeId: string,
): Promise<JsonObject> {
  const workflow = await workflowOf(engine, job);
  const isKnown = workflow === undefined || workflow.order.includes(nodeId);
  if (!isKnown || (workflow === undefined && !Object.hasOwn(job.nodes, nodeId))) {
    const message = `job ${job.job_id}: no node "${nodeId}" in its snapshot`;
    throw new WorkflowError("NODE_NOT_FOUND", message);
  }
  const entries = await wholeHistory(engine, job);
  const mine = entries.flatMap((entry) =>
    entry.events
      .filter((event) => nodeIdOf(event).includes(nodeId))
      .map((event) => ({ entry, event })),
  );
  const logs = mine.flatMap(({ event }) => logsOf(event));
  return {
    ...pinFacts(job),
    ...nodeRow(nodeId, { job, workflow }),
    ...(await wholeOutput(engine.journal, job, nodeId)),
    attempts: attemptsOf(mine),
    log: [...(logs.at(-1) ?? [])],
    events: mine.map(({ entry, event }) => shownEvent(entry, event)),
  };
}
