// Jobs whose definition has `secrets`, as a build that knows them begins them. They are made anew
// for each test: what they are about is that a release before secrets does not touch them.
import { task, workflow } from "../support/shapes.ts";
import { LIST_20 } from "./release-shapes.ts";
import { dieAfter, dieOnce, has, nothing, silence } from "./release-stage.ts";
import type { Scenario } from "./release-stage.ts";

const withToken = { params: { header: "Bearer {{ secrets.TOKEN }}" } };

function calls(): unknown {
  const nodes = {
    start: { type: "start", next: "a" },
    a: task("b", withToken),
    b: task("c", { ...withToken, handler: "slow" }),
    c: task("end", withToken),
    end: { type: "end" },
  };
  return workflow("calls", nodes, { secrets: ["TOKEN"] });
}

function callEach(): unknown {
  const nodes = {
    start: { type: "start", next: "split" },
    split: {
      type: "fan_out",
      source: "{{ inputs.list }}",
      task: { handler: "odd_is_slow", ...withToken },
      next: "join",
    },
    join: { type: "fan_in", next: "end" },
    end: { type: "end" },
  };
  const inputs = { list: { type: "array", required: true } };
  return workflow("call-each", nodes, { secrets: ["TOKEN"], inputs });
}

export const WITH_SECRETS: readonly Scenario[] = [
  { name: "secrets-accepted", about: "just accepted", shape: calls(), play: nothing },
  {
    name: "secrets-mid-chain",
    about: "one task is done, the next is claimed; the projection knows nothing of it",
    shape: calls(),
    play: dieOnce(has("node_completed", "a")),
  },
  {
    name: "secrets-lease-expired",
    about: "nobody has renewed the lease of the attempt for ten minutes",
    shape: calls(),
    play: async (stage) => {
      await dieAfter(has("node_started", "b"), 50)(stage);
      await silence(stage, 600);
    },
  },
  {
    name: "secrets-fan-out",
    about: "chunks at work, some handed in",
    shape: callEach(),
    inputs: LIST_20,
    play: dieAfter(has("chunk_completed", "split"), 5),
  },
];
