// What must hold in the history of every job that has ended, whatever went wrong on the way: each
// outcome recorded once, attempts numbered without repetition, the terminal event last.
import type { AppClient, JobEvent } from "./app-client.ts";

const OUTCOMES: ReadonlySet<string> = new Set([
  "node_completed",
  "node_failed",
  "node_skipped",
  "node_cancelled",
]);
const TERMINAL: ReadonlySet<string> = new Set(["job_completed", "job_failed", "job_cancelled"]);

/** Everything that is wrong with the job's history; empty where all holds. */
export async function historyProblems(app: AppClient, jobId: string): Promise<readonly string[]> {
  const events = await app.events(jobId);
  const wrong: string[] = [];
  const outcomes = new Set<string>();
  const attempts = new Set<string>();
  for (const [index, event] of events.entries()) {
    const { type, node_id = "", attempt } = event;
    if (OUTCOMES.has(type) && !added(outcomes, node_id)) wrong.push(`${node_id} ended twice`);
    if (type === "node_started" && !added(attempts, `${node_id} ${attempt}`)) {
      wrong.push(`attempt ${attempt} of ${node_id} started twice`);
    }
    const isLast = index === events.length - 1;
    if (TERMINAL.has(type) !== isLast) wrong.push(`${type} at ${index} of ${events.length}`);
  }
  wrong.push(...itemProblems(events));
  const { result_data } = (await app.get(`/jobs/${jobId}/result`)).body;
  const { completed_at, log_head } = result_data["_provenance"] as Record<string, unknown>;
  const last = events.at(-1);
  if (completed_at !== last?.at) wrong.push("completed_at is not the terminal event's time");
  if (log_head !== last?.hash) wrong.push("log_head is not the terminal event's hash");
  return wrong;
}

/** True where `value` was not there yet. */
function added(set: Set<string>, value: string): boolean {
  const { size } = set;
  return set.add(value).size > size;
}

/** Of an expanded fan_out that completed, each item has exactly one outcome. */
function itemProblems(events: readonly JobEvent[]): readonly string[] {
  return events
    .filter(({ type }) => type === "node_expanded")
    .flatMap(({ node_id, count }) => {
      const chunks = events.filter(
        (event) => event.type === "chunk_completed" && event.node_id === node_id,
      );
      const done = chunks.reduce((sum, event) => sum + Number(event["done"]), 0);
      const hasCompleted = events.some(
        (event) => event.type === "node_completed" && event.node_id === node_id,
      );
      const isWhole = !hasCompleted || done === count;
      return isWhole ? [] : [`${node_id}: ${done} of ${String(count)} items`];
    });
}
