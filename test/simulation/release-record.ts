// Records jobs of a release: plays every scenario with its engine, stops where the scenario says,
// and writes down what stores and queue hold, what the reducer was asked, and how that engine ends
// the job from there. The engine is the traced bundle that build/record-release.mjs makes.
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { advance } from "../../src/core/advance.ts";
import type { AdvanceContext, Decision } from "../../src/core/effect.ts";
import type { JobState } from "../../src/core/job.ts";
import type { JournalDocument } from "../../src/runtime/ports.ts";
import type { Submission } from "../../src/runtime/submission.ts";
import { FINISHED } from "./release-ended.ts";
import { BEGUN } from "./release-jobs.ts";
import type { Scenario } from "./release-stage.ts";
import { loadKit } from "./release-load.ts";
import { endOf, historyDigest } from "./release-history.ts";
import type { JobEnd, RecordedDecision, RecordedJob, ReleaseKit } from "./release-load.ts";
import { ReleaseWorld } from "./release-world.ts";

interface Call {
  readonly job: JobState;
  readonly occurrence: Parameters<typeof advance>[1];
  readonly context: AdvanceContext;
  readonly decision: Decision;
}

declare global {
  var holdfastTrace: (call: Call) => void;
}

/** The names of the jobs that were written. */
export async function recordAll(given: {
  readonly engine: string;
  readonly target: string;
  readonly release: string;
}): Promise<readonly string[]> {
  const kit = await loadKit(given.engine, given.release);
  const names: string[] = [];
  for (const scenario of [...BEGUN, ...FINISHED]) {
    const job = await record(kit, scenario);
    const file = path.join(given.target, `${scenario.name}.json`);
    writeFileSync(file, lines(job));
    names.push(scenario.name);
  }
  return names;
}

/** A line for each member, and for each element of a list: what differs can be read. */
function lines(job: RecordedJob): string {
  const members = Object.entries(job).map(([name, value]: [string, unknown]) => {
    const listed = (list: readonly unknown[]): string =>
      `[\n${list.map((one) => `  ${JSON.stringify(one)}`).join(",\n")}\n ]`;
    const isList = Array.isArray(value) && value.length > 0;
    return ` "${name}": ${isList ? listed(value) : JSON.stringify(value)}`;
  });
  return `{\n${members.join(",\n")}\n}\n`;
}

export async function record(kit: ReleaseKit, scenario: Scenario): Promise<RecordedJob> {
  const { name, about, shape, inputs, key, vars } = scenario;
  const calls: Call[] = [];
  globalThis.holdfastTrace = (call) => void calls.push(call);
  const world = new ReleaseWorld({ seed: name });
  const process = world.add(kit, scenario.without);
  const { workflow_id } = shape as { readonly workflow_id: string };
  world.definitions.set(workflow_id, shape);
  world.gate.rule = scenario.submitting ?? (() => undefined);
  const submission: Submission = {
    workflow_id,
    correlation_id: `upgrade ${name}`,
    tags: ["recorded"],
    ...(inputs === undefined ? {} : { input_params: inputs }),
  };
  const settings = { ...(key === undefined ? {} : { key }), ...(vars ? { vars } : {}) };
  const { job } = await world.submit(process, submission, settings);
  world.gate.rule = () => undefined;
  await scenario.play({ world, process, jobId: job.job_id });
  const contents = world.contents(job.job_id);
  const recorded_at = world.clock.now();
  const decisions = decisionsOf(kit, calls, contents.journal);
  const [projection] = contents.jobs;
  const resubmit = key === undefined ? {} : { resubmit: { key, submission } };
  return {
    name,
    about,
    release: kit.name,
    job_id: job.job_id,
    recorded_at,
    ...resubmit,
    handlers: Object.fromEntries(process.engine.handlers.versions),
    ends: await endedBy(kit, { name, recorded_at, jobId: job.job_id, contents }),
    queue: contents.queue,
    ...(projection === undefined ? {} : { job: projection }),
    journal: contents.journal,
    decisions,
  };
}

function decisionsOf(
  kit: ReleaseKit,
  calls: readonly Call[],
  journal: readonly JournalDocument[],
): readonly RecordedDecision[] {
  const stored = new Map(journal.map((document) => [document.id, JSON.stringify(document)]));
  const numbers = new Map<JobState, number>();
  const decisions: RecordedDecision[] = [];
  for (const { job, occurrence, context, decision } of calls) {
    if (decision.kind === "needs") continue;
    const after = numbers.get(job);
    // A decision without events may give back the very state it was given.
    if (decision.job !== job) numbers.set(decision.job, decisions.length);
    const { now, jitter, build, can_continue, watch, entry_bytes, oldest_message_at } = context;
    const loaded = [...context.loaded].map(([id, document]) => {
      const isStored = JSON.stringify(document) === stored.get(id);
      return [id, isStored ? (true as const) : document] as const;
    });
    decisions.push({
      ...(after === undefined ? {} : { after }),
      seq: job.seq,
      occurrence,
      context: {
        now,
        jitter,
        build,
        can_continue,
        watch,
        entry_bytes,
        ...(oldest_message_at === undefined ? {} : { oldest_message_at }),
      },
      loaded: Object.fromEntries(loaded),
      digest: historyDigest(kit, decision),
    });
  }
  return decisions;
}

/** Loads what was recorded into a world of its own and lets one process of the kit end it. */
async function endedBy(
  kit: ReleaseKit,
  given: {
    readonly name: string;
    readonly recorded_at: string;
    readonly jobId: string;
    readonly contents: ReturnType<ReleaseWorld["contents"]>;
  },
): Promise<JobEnd> {
  globalThis.holdfastTrace = () => undefined;
  const world = new ReleaseWorld({ start: given.recorded_at, seed: `${given.name} goes on` });
  await world.load(given.contents);
  world.add(kit);
  await world.run(() => world.hasEnded(given.jobId), 7200);
  return endOf(kit, world.entries(given.jobId));
}
