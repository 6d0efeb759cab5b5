// The jobs that a release is recorded with after it ended them itself: whole histories to replay.
import type { JsonObject } from "../../src/core/json.ts";
import { chain, conditional, fan, parallel, retrying } from "../support/shapes.ts";
import {
  failing,
  largeItems,
  LIST_20,
  oddIsSlow,
  rescued,
  slowTask,
  thirdIsFlaky,
  withLarge,
  withVars,
} from "./release-shapes.ts";
import { cancel, dieAfter, end, has, silence } from "./release-stage.ts";
import type { Scenario } from "./release-stage.ts";

/** Jobs that the release itself ended. */
export const FINISHED: readonly Scenario[] = [
  { name: "completed-chain", about: "a chain of tasks", shape: chain(4), play: end },
  {
    name: "completed-parallel",
    about: "parallel tasks, several outcomes in one entry",
    shape: parallel(6, { handler: "stamp" }),
    play: end,
  },
  {
    name: "completed-branch",
    about: "one branch taken, one skipped",
    shape: conditional(),
    play: end,
  },
  { name: "completed-retries", about: "an attempt that came good", shape: retrying(), play: end },
  { name: "completed-rescue", about: "on_error to a node and on", shape: rescued(), play: end },
  {
    name: "completed-fan-out",
    about: "20 items, a retried one among them, and a fan_in",
    shape: fan(thirdIsFlaky),
    inputs: LIST_20,
    play: end,
  },
  {
    name: "completed-large",
    about: "items in documents of their own",
    shape: largeItems(),
    inputs: LIST_20,
    play: end,
  },
  { name: "completed-large-output", about: "large outputs", shape: withLarge(), play: end },
  {
    name: "completed-vars",
    about: "vars and inputs",
    shape: withVars(),
    vars: { limit: "9" },
    play: end,
  },
  { name: "failed-node", about: "a node failed beside a running one", shape: failing(), play: end },
  {
    name: "failed-item",
    about: "an item failed for good: the fan_out, and the job",
    shape: fan({ task: { handler: "fail", params: {} } }),
    inputs: LIST_20,
    play: end,
  },
  {
    name: "failed-time-out",
    about: "every attempt timed out",
    shape: slowTask({ timeout_seconds: 10, retry: { max_attempts: 2 } }),
    play: end,
  },
  {
    name: "failed-deadline",
    about: "the deadline passed while an attempt was running",
    shape: { ...(slowTask() as JsonObject), timeout_seconds: 30 },
    play: end,
  },
  {
    name: "cancelled",
    about: "cancelled while an attempt was running",
    shape: slowTask(),
    play: async (stage) => {
      await stage.world.run(() => has("node_started", "b")(stage));
      await cancel(stage);
      await end(stage);
    },
  },
  {
    name: "completed-chunk-lost",
    about: "a process died with chunks at work; the next one got new attempts",
    shape: fan(oddIsSlow),
    inputs: LIST_20,
    play: async (stage) => {
      await dieAfter(has("chunk_completed", "split"), 5)(stage);
      await end({ ...stage, process: stage.world.add(stage.process.kit) });
    },
  },
  {
    name: "completed-late-finisher",
    about: "an attempt outlived its lease and ended beside its successor",
    shape: slowTask(),
    play: async (stage) => {
      const { world, process } = stage;
      await world.run(() => has("node_started", "b")(stage));
      const sweeper = world.add(process.kit);
      for (let ms = 65_000; !has("node_lost", "b")(stage); ms = 12_000) {
        // Only the sweeper can write: the worker does not renew, but its outcome will come.
        world.gate.rule = ({ operation }) => (operation === "jobs.replace" ? "refused" : undefined);
        await world.clock.advance(ms);
        world.gate.rule = () => undefined;
        await world.sweep(sweeper);
      }
      sweeper.die();
      await end(stage);
    },
  },
  {
    name: "failed-worker-lost",
    about: "every process that ran the attempt died",
    shape: slowTask(),
    play: async (stage) => {
      let { process } = stage;
      for (let n = 1; n <= 3; n += 1) {
        await dieAfter(has("node_started", "b", n), 5)({ ...stage, process });
        await silence(stage, 120);
        process = stage.world.add(process.kit);
      }
      await end({ ...stage, process });
    },
  },
];
