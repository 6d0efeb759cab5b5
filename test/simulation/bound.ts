// By when a job must have ended once faults have stopped: what may have been lost is sent again
// after its gap, found by a sweep, run, and the rest goes on without faults. And whatever happens,
// four minutes after its deadline.
import { MAX_LOST_ATTEMPTS, MAX_RESEND_GAP_SECONDS } from "../../src/core/limits.ts";
import type { NodeDefinition } from "../../src/core/definition.ts";
import type { Case } from "./stage.ts";

const SWEEP_SECONDS = 60;
const LEASE_SECONDS = 60;
/** An attempt that began in the chaos: the longest time-out of a scripted node. */
const LAST_ATTEMPT_SECONDS = 300;
/** The longest call that a calm world makes, the way there and the pauses of commits. */
const CALL_SECONDS = 8;
const AFTER_DEADLINE_SECONDS = 240;
/** Polling, latencies, retries of a conflict. */
const SLACK_SECONDS = 60;

export function boundOf(trial: Case): number {
  const { plan } = trial.world;
  // Who stands still when the calm begins has its faults behind it only when it goes on.
  const woke = trial.world.processes.map(({ pausedUntil }) => pausedUntil);
  const from = Math.max(plan.calm_at, trial.acceptedAt ?? 0, ...woke);
  // Due times were stored by clocks that were wrong, and are read by others.
  const skew = 2 * Math.max(0, ...plan.processes.map((one) => Math.abs(one.skew)), jumpOf(trial));
  const found = MAX_RESEND_GAP_SECONDS + 2 * SWEEP_SECONDS + LEASE_SECONDS + LAST_ATTEMPT_SECONDS;
  const rest = from + skew + (found + workOf(trial) + SLACK_SECONDS) * 1000;
  const last = Math.max(trial.deadlineMs, from) + skew + AFTER_DEADLINE_SECONDS * 1000;
  return Math.min(rest, last + SLACK_SECONDS * 1000);
}

function jumpOf({ world }: Case): number {
  const jumps = world.plan.happenings.map((one) => (one.type === "jump" ? Math.abs(one.ms) : 0));
  return Math.max(0, ...jumps);
}

const works = new Map<string, number>();

/** Seconds that the nodes themselves may take, one after the other. */
function workOf(trial: Case): number {
  const { workflow_digest, definition } = trial.known.entry;
  const items = listLength(trial);
  const key = `${workflow_digest} ${items}`;
  const known = works.get(key);
  if (known !== undefined) return known;
  const nodes = Object.values(definition.nodes);
  const sum = nodes.reduce((seconds, node) => seconds + nodeSeconds(node, items), 0);
  works.set(key, sum);
  return sum;
}

function listLength({ model }: Case): number {
  const items = model.inputs["items"];
  return Math.max(5, Array.isArray(items) ? items.length : 0);
}

function nodeSeconds(node: NodeDefinition, items: number): number {
  if (node.type !== "task" && node.type !== "fan_out") return 0;
  const params = node.type === "task" ? node.params : node.task.params;
  const script = Array.isArray(params["script"]) ? params["script"] : [];
  const tries = node.retry?.max_attempts ?? 1;
  const delay = node.retry === undefined ? 0 : retryDelay(node.retry, tries);
  const one = script.includes("hang") ? node.timeout_seconds : CALL_SECONDS;
  const killed = script.includes("kill")
    ? MAX_LOST_ATTEMPTS * (LEASE_SECONDS + 2 * SWEEP_SECONDS)
    : 0;
  // A chunk of items works side by side; max_parallel may put chunks one after the other.
  const turns = node.type === "fan_out" ? Math.ceil(items / (node.max_parallel ?? items)) + 1 : 1;
  return (tries * (one + delay) + killed) * turns;
}

function retryDelay(
  { initial_delay_seconds, max_delay_seconds, backoff }: NonNullable<
    Extract<NodeDefinition, { type: "task" }>["retry"]
  >,
  tries: number,
): number {
  const last = backoff === "exponential" ? 2 ** tries : tries;
  return Math.min(initial_delay_seconds * last, max_delay_seconds);
}
