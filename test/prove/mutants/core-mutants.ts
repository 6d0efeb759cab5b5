// Mutants of the pure core: its fences, bounds, edges, due times and endings.
import { mutant } from "./mutant.ts";
import type { Mutant } from "./mutant.ts";

const ATTEMPT = "src/core/attempt.ts";
const FAN_OUT = "src/core/fan-out.ts";
const WAKE = "src/core/wake.ts";
const READY = "src/core/ready.ts";
const ADVANCE = "src/core/advance.ts";
const ENDING = "src/core/ending.ts";
const APPLY = "src/core/apply.ts";

export const CORE_MUTANTS: readonly Mutant[] = [
  mutant("node-fence", "the outcome of any attempt at a node counts", {
    file: ATTEMPT,
    from: 'if (state.status !== "running" || state.attempt !== attempt) {',
    to: 'if (state.status !== "running") {',
  }),
  mutant("chunk-fence", "the outcome of any attempt at a chunk counts", {
    file: FAN_OUT,
    from: 'return chunk?.status === "queued" && chunk.attempt === at.attempt ? chunk : undefined;',
    to: 'return chunk?.status === "queued" ? chunk : undefined;',
  }),
  {
    name: "late-chunk",
    defect: "a chunk starts although its job has begun to end, and is not told to stop",
    changes: [
      {
        file: FAN_OUT,
        from: `  if (transition.job.status !== "running") {
    transition.emit({ type: "chunk_cancelled", node_id: at.node_id, chunks: [at.chunk] });`,
        to: `  if (transition.job.status === "pending") {
    transition.emit({ type: "chunk_cancelled", node_id: at.node_id, chunks: [at.chunk] });`,
      },
      {
        file: "src/core/watch.ts",
        from: 'if (job.status !== "running" || node.status !== "running") return false;',
        to: 'if (job.status === "pending" || node.status !== "running") return false;',
      },
    ],
  },
  mutant("item-twice", "an item's outcome counts as often as it is handed in", {
    file: FAN_OUT,
    from: "if (!mine.delete(index)) continue;",
    to: "mine.delete(index);",
    survives:
      "No worker hands an item in twice: one attempt has one worker, and what it knows to be " +
      "recorded it drops. The line guards a rule of the core, and unit tests of the core hold it.",
  }),
  mutant("lost-nodes-uncounted", "a node may lose its worker for ever", {
    file: ATTEMPT,
    from: "if (lost >= MAX_LOST_ATTEMPTS) {",
    to: "if (lost >= 1_000_000) {",
  }),
  mutant("lost-chunks-uncounted", "a chunk may lose its worker for ever", {
    file: FAN_OUT,
    from: "if (state.lost + 1 < MAX_LOST_ATTEMPTS) {",
    to: "if (state.lost + 1 < 1_000_000) {",
  }),
  mutant("failures-uncounted", "a node that fails is tried again for ever", {
    file: APPLY,
    from: "const failures = event.attempt - node.lost;",
    to: "const failures = 0;",
  }),
  mutant("retry-at-once", "a retry does not wait for its time", {
    file: ATTEMPT,
    from: "const early = delayUntil(transition, state.not_before);",
    to: "const early = 0;",
  }),
  mutant("join-at-first", "a join fires at the first branch that arrives", {
    file: READY,
    from: 'if (states.includes("open")) return "wait";',
    to: 'if (states.includes("live")) return "ready";',
  }),
  mutant("join-by-counter", "a join counts arrivals, and a skipped branch never arrives", {
    file: READY,
    from: 'return states.includes("live") ? "ready" : "skip";',
    to: 'return states.every((state) => state === "live") ? "ready" : "wait";',
  }),
  mutant("every-branch", "a conditional takes all of its branches", {
    file: READY,
    from: "return edge.branch === source.branch;",
    to: "return true;",
  }),
  mutant("no-second-message", "a queued node whose message was lost gets no other", {
    file: WAKE,
    from: 'transition.send({ kind: "task", node_id: nodeId, attempt }, 0, key);',
    to: "",
  }),
  mutant("no-second-chunk-message", "a chunk whose message was lost gets no other", {
    file: WAKE,
    from: 'transition.send({ kind: "chunk", ...at }, 0, key);',
    to: "",
  }),
  mutant("no-lease-judged", "a worker that died is waited for, for ever", {
    file: WAKE,
    from: 'if (verdict === "lost") loseAttempt(transition, nodeId);',
    to: "",
  }),
  mutant("lease-unread", "every wake takes a running attempt for lost", {
    file: WAKE,
    from: 'if (verdict === "lost") loseAttempt(transition, nodeId);',
    to: 'if (verdict !== "") loseAttempt(transition, nodeId);',
  }),
  mutant("chunk-lease-unread", "every wake takes a claimed chunk for lost", {
    file: WAKE,
    from: 'if (judgeLease(transition, key, sign) === "stands") {',
    to: "if (!isDue(transition, sign)) {",
  }),
  mutant("no-suspicion", "a lease that ended is lost, whether or not anybody could renew it", {
    file: WAKE,
    from: 'if (suspected !== undefined && suspected >= sign) return "lost";',
    to: 'if (sign !== undefined) return "lost";',
  }),
  mutant("redelivery-unnoticed", "a message that comes again sends nothing again", {
    file: ADVANCE,
    from: 'if (redelivered || message.kind === "wake") wake(transition);',
    to: 'if (message.kind === "wake") wake(transition);',
  }),
  mutant("terminal-reopens", "what comes after the end is decided all the same", {
    file: ADVANCE,
    from: "if (!isTerminalJob(transition.job) && !isLeft) {",
    to: "if (!isLeft) {",
  }),
  mutant("poison-decides", "one message that was given up fails its node", {
    file: ADVANCE,
    from: "if (target === undefined || reports === undefined || reports < MAX_POISONED) return;",
    to: "if (target === undefined || reports === undefined || reports < 1) return;",
  }),
  mutant("poison-counts-twice", "copies of one poisoned message count as several", {
    file: ADVANCE,
    from: "return before <= resends ? before + 1 : undefined;",
    to: "return before + 1;",
  }),
  mutant("no-deadline", "a job outlives its deadline", {
    file: ENDING,
    from: "if (deadline_at > transition.at) return;",
    to: 'if (deadline_at > "") return;',
  }),
  mutant("end-without-waiting", "a job ends while its attempts still run", {
    file: ENDING,
    from:
      "if (ids.some((id) => isRunningAttempt(transition, id) || " +
      "hasChunksAtWork(transition, id))) return;",
    to: "",
  }),
  mutant("ending-starts-work", "a job that has begun to end counts as open", {
    file: ENDING,
    from: 'return status === "running" || status === "pending";',
    to: 'return status === "running" || status === "pending" || status === "cancelling";',
  }),
];
