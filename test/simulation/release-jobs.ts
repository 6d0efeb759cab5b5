// The jobs that a release is recorded with while they are under way: how each is begun, and where
// the process that works on it dies. Every place where a job can stand still is one of them. What
// is recorded never changes; a new place is a new scenario, recorded from the next release on.
import { chain, conditional, fan, parallel, retrying } from "../support/shapes.ts";
import {
  failing,
  largeItems,
  LIST_20,
  oddIsSlow,
  rescued,
  slowTask,
  thirdIsFlaky,
  uneven,
  withLarge,
  withVars,
} from "./release-shapes.ts";
import { cancel, dieAfter, dieOnce, events, has, nothing, silence } from "./release-stage.ts";
import type { Scenario } from "./release-stage.ts";

/** Jobs that are under way when their process dies. */
export const BEGUN: readonly Scenario[] = [
  {
    name: "accepted",
    about: "just accepted: entry 0, its projection, and the start message",
    shape: chain(3),
    play: nothing,
  },
  {
    name: "accepted-unsent",
    about: "accepted while the queue was down: nobody was told",
    shape: chain(2),
    submitting: ({ operation }) => (operation === "queue.send" ? "refused" : undefined),
    play: nothing,
  },
  {
    name: "mid-chain",
    about: "two of five tasks are done, the third is claimed; the projection knows none of it",
    shape: chain(5),
    play: dieOnce(has("node_completed", "t2")),
  },
  {
    name: "parallel-half",
    about: "of six parallel tasks four are done, two run; one task waits for all of them",
    shape: uneven(),
    play: dieAfter(has("node_started", undefined, 6), 5),
  },
  {
    name: "ended-unprojected",
    about: "the terminal entry stands; the projection says running, and nobody is told",
    shape: parallel(6, { handler: "stamp" }),
    play: dieOnce(has("job_completed")),
  },
  {
    name: "retry-waiting",
    about: "the first attempt failed; the second waits for its time",
    shape: retrying(),
    play: dieAfter(has("node_retried", "a"), 1),
  },
  {
    name: "retry-overdue",
    about: "the second attempt's message was lost, and its time has long passed",
    shape: retrying(),
    play: async (stage) => {
      await dieOnce(has("node_retried", "a"))(stage);
      await silence(stage, 900);
    },
  },
  {
    name: "lease-live",
    about: "an attempt runs; its lease stands and was never renewed",
    shape: slowTask(),
    play: dieAfter(has("node_started", "b"), 20),
  },
  {
    name: "lease-renewed",
    about: "an attempt runs for 50 s; its lease was renewed once",
    shape: slowTask(),
    play: dieAfter(has("node_started", "b"), 50),
  },
  {
    name: "lease-expired",
    about: "an attempt ran; nobody has renewed its lease for ten minutes",
    shape: slowTask(),
    play: async (stage) => {
      await dieAfter(has("node_started", "b"), 50)(stage);
      await silence(stage, 600);
    },
  },
  {
    name: "attempt-lost",
    about: "an attempt was lost and the next one is queued",
    shape: slowTask(),
    play: async (stage) => {
      await dieAfter(has("node_started", "b"), 5)(stage);
      await silence(stage, 70);
      const sweeper = stage.world.add(stage.process.kit);
      await stage.world.sweep(sweeper);
      for (let more = 0; more < 5 && !has("node_lost", "b")(stage); more += 1) {
        await silence(stage, 15);
        await stage.world.sweep(sweeper);
      }
      sweeper.die();
    },
  },
  {
    name: "fan-out-claimed",
    about: "a fan_out of 20: chunks claimed, quick items handed in, slow ones still at work",
    shape: fan(oddIsSlow),
    inputs: LIST_20,
    play: dieAfter(has("chunk_completed", "split"), 5),
  },
  {
    name: "fan-out-held-back",
    about: "a fan_out of 20 with max_parallel 6: chunks done, at work, and held back",
    shape: fan({ ...oddIsSlow, max_parallel: 6 }),
    inputs: LIST_20,
    play: dieAfter(has("chunk_completed", "split", 8), 1),
  },
  {
    name: "fan-out-item-retry",
    about: "a fan_out whose third item failed and waits in a chunk of its own",
    shape: fan(thirdIsFlaky),
    inputs: LIST_20,
    play: dieAfter((stage) => events(stage).some((event) => "retry" in event), 2),
  },
  {
    name: "fan-out-unclaimed",
    about: "a fan_out that has just been expanded; its messages were never sent",
    shape: fan(),
    inputs: LIST_20,
    play: dieOnce(has("node_expanded", "split")),
  },
  {
    name: "fan-in-pending",
    about: "all chunks but the last are handed in; the fan_in waits",
    shape: fan(),
    inputs: LIST_20,
    play: dieOnce(has("chunk_completed", "split", 6)),
  },
  {
    name: "fan-out-large-items",
    about: "item outcomes that stand in chunk documents of their own",
    shape: largeItems(),
    inputs: LIST_20,
    play: dieOnce(has("chunk_completed", "split", 2)),
  },
  {
    name: "branch-taken",
    about: "a conditional took its default branch; the task behind it is claimed",
    shape: conditional(),
    play: dieOnce(has("node_completed", "route")),
  },
  {
    name: "rescue-ahead",
    about: "an attempt failed for the last time but one; on_error names another node",
    shape: rescued(),
    play: dieAfter(has("node_retried", "bad"), 1),
  },
  {
    name: "cancelling",
    about: "cancelled while an attempt runs that hears no abort",
    shape: slowTask(),
    play: async (stage) => {
      await stage.world.run(() => has("node_started", "b")(stage));
      // The handler gets two seconds to answer; its process dies before they are over.
      await cancel(stage);
      stage.process.die();
    },
  },
  {
    name: "cancelling-fan-out",
    about: "cancelled while chunks are at work and others have not been claimed",
    shape: fan({ ...oddIsSlow, max_parallel: 6 }),
    inputs: LIST_20,
    play: async (stage) => {
      await stage.world.run(() => has("chunk_completed", "split", 4)(stage));
      await cancel(stage);
      stage.process.die();
    },
  },
  {
    name: "failing-neighbour",
    about: "a node failed for good while its neighbour runs: the job is ending",
    shape: failing(),
    play: dieOnce(has("job_cancelling")),
  },
  {
    name: "large-outputs",
    about: "outputs that stand in objects, one of them read, one not yet",
    shape: withLarge(),
    play: dieOnce(has("node_completed", "c")),
  },
  {
    name: "vars",
    about: "vars pinned at submission, one of them from a setting that is gone later",
    shape: withVars(),
    inputs: { name: "Ada" },
    vars: { region: "north" },
    play: dieOnce(has("node_completed", "a")),
  },
  {
    name: "idempotency-key",
    about: "submitted with an idempotency key; the same request may come again",
    shape: chain(3),
    key: "order-4711",
    play: dieOnce(has("node_completed", "t1")),
  },
  {
    name: "handler-missing",
    about: "a build without the handler said so and put the message back",
    shape: chain(2, { handler: "stamp" }),
    without: ["stamp"],
    play: dieAfter(has("handler_missing"), 5),
  },
  {
    name: "message-poisoned",
    about: "the platform gave up on the message of a queued task twice",
    shape: parallel(2),
    play: async (stage) => {
      await dieOnce(has("node_queued"))(stage);
      const [queued] = events(stage).filter(({ type }) => type === "node_queued");
      const at = stage.world.clock.now();
      const ids = { v: 1, kind: "task", job_id: stage.jobId, node_id: queued?.["node_id"] ?? "" };
      const text = JSON.stringify({ ...ids, attempt: 1, rev: 1, first_sent_at: at, deferrals: 0 });
      const other = stage.world.add(stage.process.kit);
      stage.world.gate.rule = () => undefined;
      const { kit, sessions, engine } = other;
      await kit.processPoison(sessions, engine, text);
      await stage.world.clock.advance(1);
      await kit.processPoison(sessions, engine, text);
      other.die();
    },
  },
  {
    name: "deadline-passed",
    about: "nobody worked on the job until its deadline had passed",
    shape: { ...chain(3), timeout_seconds: 600 },
    play: async (stage) => {
      await dieOnce(has("node_completed", "t1"))(stage);
      await silence(stage, 700);
    },
  },
];
