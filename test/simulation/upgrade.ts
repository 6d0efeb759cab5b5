// What an upgrade must not change: a job that a release began ends as that release would have ended
// it, and a history that it wrote is read, folded, hashed and decided again to the same bytes.
// Each check throws with what differs; vitest is not imported, for the prover runs these as well.
import { canonical } from "../../src/core/canonical.ts";
import { attemptKey } from "../../src/core/effect.ts";
import type { Watch } from "../../src/core/effect.ts";
import { isCreationEntry } from "../../src/core/event.ts";
import type { CreationEntry, JournalEntry } from "../../src/core/event.ts";
import type { Workflow } from "../../src/core/graph.ts";
import { addSeconds } from "../../src/core/instant.ts";
import { isTerminalJob } from "../../src/core/job.ts";
import type { JobState } from "../../src/core/job.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { PROVENANCE_KEY } from "../../src/core/provenance.ts";
import type { JobDocument } from "../../src/runtime/ports.ts";
import { checkAttempts, checkHashes, checkStep, must } from "../support/invariants.ts";
import { Dice, Draws, STREAM } from "./dice.ts";
import { endOf, historyDigest } from "./release-history.ts";
import { TODAYS_KIT } from "./release-load.ts";
import type { RecordedDecision, RecordedJob, ReleaseKit } from "./release-load.ts";
import { ReleaseWorld } from "./release-world.ts";

/** A value as the store has it, in one form. */
export function bytesOf(value: unknown): string {
  return canonical(JSON.parse(JSON.stringify(value)) as Json);
}

export function mustEqual(found: unknown, expected: unknown, fact: string): void {
  // Mostly even the order of the members is the same.
  if (JSON.stringify(found) === JSON.stringify(expected)) return;
  const [one, other] = [bytesOf(found), bytesOf(expected)];
  must(one === other, `${fact}: expected ${other.slice(0, 600)}, found ${one.slice(0, 600)}`);
}

/** The entries among a job's documents, as they are stored, in order. */
export function entriesOf(journal: readonly JsonObject[]): readonly JsonObject[] {
  return journal
    .filter(({ id }) => typeof id === "string" && /^\d+$/.test(id))
    .sort((a, b) => Number(a["id"]) - Number(b["id"]));
}

/** Whether its release had nothing more to do with it. */
export function isEnded({ job }: RecordedJob): boolean {
  return job !== undefined && job.wake_at === undefined;
}

interface History {
  readonly stored: readonly JsonObject[];
  readonly entries: readonly JournalEntry[];
  readonly creation: CreationEntry;
  readonly workflow: Workflow;
  /** The state after each entry. */
  readonly states: readonly JobState[];
}

export function historyOf(kit: ReleaseKit, journal: readonly JsonObject[]): History {
  const stored = entriesOf(journal);
  const entries = stored.map((document) => kit.parseEntry(document));
  const [creation] = entries;
  must(creation !== undefined && isCreationEntry(creation), "entry 0 holds the pin");
  const states: JobState[] = [];
  for (const entry of entries) states.push(kit.applyEntry(states.at(-1), entry, kit.sha256));
  return { stored, entries, creation, workflow: kit.pinnedWorkflow(creation, kit.sha256), states };
}

/** Everything that holds for a history by itself: its digests, hashes, steps and stored bytes. */
export function checkHistory(kit: ReleaseKit, journal: readonly JsonObject[]): History {
  const history = historyOf(kit, journal);
  const { stored, entries, workflow, states } = history;
  checkPin(kit, history);
  checkHashes(entries, workflow);
  checkAttempts(entries);
  for (const [seq, state] of states.entries()) {
    const [before, entry] = [states[seq - 1], entries[seq]];
    if (before !== undefined && entry !== undefined) checkStep(before, state, entry);
  }
  const builds = kit.withBuilds(entries);
  for (const [seq, entry] of builds.entries()) {
    const again = kit.storedEntry(entry, builds[seq - 1]?.build);
    mustEqual(again, stored[seq], `entry ${seq} is stored again as it was`);
  }
  const last = states.at(-1);
  if (last !== undefined && isTerminalJob(last)) checkStamp(history, last);
  return history;
}

/** I1: the digests of the pin are those of what is pinned. */
function checkPin(kit: ReleaseKit, { creation, workflow }: History): void {
  const [event] = creation.events;
  must(event?.type === "job_created", "the first event creates the job");
  const { workflow_snapshot, workflow_source, inputs, vars } = creation;
  const digest = (value: unknown): string => `sha256:${kit.sha256(bytesOf(value))}`;
  mustEqual(event.workflow_digest, digest(workflow_snapshot), "the digest is the snapshot's");
  mustEqual(event.source_digest, `sha256:${kit.sha256(workflow_source)}`, "the source's digest");
  mustEqual(event.inputs_digest, digest(inputs), "the digest of the inputs");
  mustEqual(event.vars_digest, digest(vars), "the digest of the vars");
  const parsed = kit.definitionSchema.parse(workflow_snapshot);
  const again = kit.definitionDigest(parsed, kit.sha256);
  mustEqual(again, event.workflow_digest, "no default has come into the snapshot");
  mustEqual(workflow.digest, event.workflow_digest, "what runs is what is pinned");
  const fromSource = kit.definitionSchema.parse(JSON.parse(workflow_source));
  const live = kit.definitionDigest(fromSource, kit.sha256);
  mustEqual(live, event.workflow_digest, "an unchanged file has an unchanged digest");
}

/** I8: the provenance of an ended job names its pin and its end. */
function checkStamp({ creation, entries }: History, job: JobState): void {
  const stamp = entries.at(-1)?.result_data?.[PROVENANCE_KEY] as JsonObject | undefined;
  must(stamp !== undefined, "an ended job has provenance");
  const expected = {
    workflow_id: creation.workflow_id,
    workflow_version: creation.workflow_version,
    workflow_digest: creation.workflow_digest,
    source_digest: job.source_digest,
    inputs_digest: job.inputs_digest,
    job_id: creation.job_id,
    completed_at: job.completed_at,
    status: job.status,
    log_head: job.head,
  };
  for (const [name, value] of Object.entries(expected)) {
    mustEqual(stamp[name], value, `the provenance's ${name}`);
  }
  const last = entries.at(-1)?.events.at(-1);
  mustEqual(stamp["log_head"], last?.hash, "log_head is the last event's hash");
  const isEnd = last !== undefined && "results_digest" in last;
  must(isEnd && stamp["results_digest"] === last.results_digest, "the digest of the results");
}

/** Another build reads the same pin and the same states out of the journal. */
export function checkReadBy(
  kit: ReleaseKit,
  journal: readonly JsonObject[],
  history: History,
): void {
  const theirs = historyOf(kit, journal);
  mustEqual(theirs.workflow.definition, history.workflow.definition, "both read the same pin");
  const [one, other] = [theirs, history].map(({ states }) => known(states.at(-1)));
  mustEqual(one, other, "both fold to the same state");
}

/**
 * What every release has in its states. 0.1.0 does not take `expires_at` over from entry 0, and
 * nothing is decided by it: a state that has passed through its hands lacks it.
 */
function known(state: object | undefined): object {
  const { expires_at: _later, ...facts } = (state ?? {}) as { readonly expires_at?: string };
  return facts;
}

/** A stored projection is what the fold gives at its entry. */
export function checkProjection(kit: ReleaseKit, document: JobDocument, history: History): void {
  const { job } = kit.parseProjection(document);
  const folded = history.states[document.seq];
  must(folded !== undefined, "a projection is not ahead of its journal");
  const expected = known(kit.storedState(folded));
  mustEqual(known(kit.storedState(job)), expected, "the projection is the fold");
  mustEqual(known(document["state"] as object), expected, "it is stored again as it was");
}

/** What a release wrote is the same under this kit: bytes, hashes, states and decisions. */
export function checkRecorded(kit: ReleaseKit, recorded: RecordedJob): number {
  const history = checkHistory(kit, recorded.journal as unknown as readonly JsonObject[]);
  if (recorded.job !== undefined) checkProjection(kit, recorded.job, history);
  return checkDecisions(kit, recorded, history);
}

/** Each recorded call of the reducer gives the same history; how many there were. */
function checkDecisions(kit: ReleaseKit, recorded: RecordedJob, history: History): number {
  const documents = new Map(recorded.journal.map((one) => [one.id, one as unknown as JsonObject]));
  const left: JobState[] = [];
  for (const [index, decision] of recorded.decisions.entries()) {
    const { after, seq, occurrence } = decision;
    const job = after === undefined ? history.states[seq] : left[after];
    must(job !== undefined, `decision ${index} has a state before it`);
    const decided = decideAgain(kit, { recorded, history, documents, decision, job });
    left[index] = decided.job;
    const same = historyDigest(kit, decided) === decision.digest;
    const types = decided.events.map(({ type }) => type).join(", ");
    must(same, `decision ${index} on ${occurrence.type} at entry ${seq}: now ${types}`);
  }
  return recorded.decisions.length;
}

function decideAgain(
  kit: ReleaseKit,
  given: {
    readonly recorded: RecordedJob;
    readonly history: History;
    readonly documents: ReadonlyMap<string, JsonObject>;
    readonly decision: RecordedDecision;
    readonly job: JobState;
  },
) {
  const { recorded, history, documents, decision, job } = given;
  const loaded = new Map(
    Object.entries(decision.loaded).map(([id, value]) => {
      return [id, value === true ? (documents.get(id) ?? null) : value] as const;
    }),
  );
  const context = {
    ...decision.context,
    watch: asJudgedThen(recorded.release, decision, job),
    workflow: history.workflow,
    sha256: kit.sha256,
    hashBytes: kit.hashBytes,
    handlers: new Map(Object.entries(recorded.handlers)),
    timing: kit.DEFAULT_TIMING,
    loaded,
  };
  // A reducer that looks at more than the recorded one did gets it, as the shell would load it.
  for (let round = 0; round < 10; round += 1) {
    const decided = kit.advance(job, decision.occurrence, context);
    if (decided.kind === "decided") return decided;
    for (const id of decided.needs) loaded.set(id, documents.get(id) ?? null);
  }
  throw new Error("the decision never stops loading");
}

/** Releases that took a worker for lost as soon as its lease had passed. */
const JUDGED_AT_ONCE: ReadonlySet<string> = new Set(["0.1.0"]);

/**
 * Later builds suspect a worker for a sixth of its lease first, and keep in the watch that they
 * did. To them, what an early release judged is what was suspected for as long as that takes.
 */
function asJudgedThen(release: string, { context }: RecordedDecision, job: JobState): Watch {
  const { watch, now } = context;
  if (!JUDGED_AT_ONCE.has(release)) return watch;
  const keys = Object.entries(job.nodes).flatMap(([id, { attempt, fan }]) =>
    fan === undefined
      ? [attemptKey(id, attempt)]
      : fan.chunks.map((chunk, number) => attemptKey(id, chunk.attempt, number)),
  );
  const suspected = addSeconds(now, -TODAYS_KIT.DEFAULT_TIMING.lease_seconds / 6);
  return { ...watch, suspects: Object.fromEntries(keys.map((key) => [key, suspected])) };
}

/** A world that holds what was recorded, and nobody in it yet. */
export async function worldOf(
  recorded: RecordedJob,
  options: ConstructorParameters<typeof ReleaseWorld>[0] = {},
): Promise<ReleaseWorld> {
  const { journal, job, queue, recorded_at, name } = recorded;
  const world = new ReleaseWorld({
    start: recorded_at,
    seed: `${name} goes on`,
    ...options,
  });
  await world.load({ journal, queue, jobs: job === undefined ? [] : [job] });
  return world;
}

/** Lets this kit end a begun job; it must end as the release that began it ended it. */
export async function checkEnds(kit: ReleaseKit, recorded: RecordedJob): Promise<ReleaseWorld> {
  const world = await worldOf(recorded);
  const process = world.add(kit);
  if (recorded.resubmit !== undefined) {
    const { submission, key } = recorded.resubmit;
    const { job, created } = await world.submit(process, submission, { key });
    must(!created && job.job_id === recorded.job_id, "the same request finds the job it made");
  }
  await world.run(() => world.hasEnded(recorded.job_id), 7200);
  mustEqual(endOf(kit, world.entries(recorded.job_id)), recorded.ends, "the job ends as it would");
  checkWorld(kit, world, recorded.job_id);
  const before = entriesOf(recorded.journal as unknown as readonly JsonObject[]);
  mustEqual(
    world.entries(recorded.job_id).slice(0, before.length),
    before,
    "what the release wrote stands as it was",
  );
  return world;
}

/** A job that has ended in this world: its history holds, and its projection agrees. */
export function checkWorld(kit: ReleaseKit, world: ReleaseWorld, jobId: string): History {
  const { journal, jobs } = world.contents(jobId);
  const history = checkHistory(kit, journal as unknown as readonly JsonObject[]);
  const [projection] = jobs;
  must(projection !== undefined, "a job has a projection");
  must(projection.seq === history.states.length - 1, "an ended job is projected to its end");
  must(projection.wake_at === undefined, "an ended job is not woken");
  checkProjection(kit, projection, history);
  // Neither store nor queue: only then may a message be handed back to the host.
  const defects = world.errors.filter(
    (error) => (error as { readonly code?: unknown }).code !== "QUEUE_UNAVAILABLE",
  );
  must(defects.length === 0, `no defect: ${String(defects[0])}`);
  return history;
}

/**
 * Processes of several builds share the job, each message by chance; it ends as it would have, and
 * all that can be expected to read it do.
 */
export async function checkTogether(
  kits: readonly ReleaseKit[],
  recorded: RecordedJob,
  { seed, readers = kits }: { readonly seed: number; readonly readers?: readonly ReleaseKit[] },
): Promise<void> {
  const draws = new Draws(new Dice(seed), STREAM.process);
  const world = await worldOf(recorded, { pick: (alive) => draws.pick(alive) });
  world.gate.latencyMs = () => draws.below(20);
  for (const kit of kits) world.add(kit);
  await world.run(() => world.hasEnded(recorded.job_id), 7200);
  world.gate.latencyMs = () => 0;
  await world.clock.advance(10_000);
  const history = checkWorld(TODAYS_KIT, world, recorded.job_id);
  for (const kit of readers) checkReadBy(kit, world.entries(recorded.job_id), history);
  const { status, nodes, error_code } = endOf(TODAYS_KIT, world.entries(recorded.job_id));
  const { ends } = recorded;
  const found = { status, nodes, error_code: error_code ?? null };
  const expected = { status: ends.status, nodes: ends.nodes, error_code: ends.error_code ?? null };
  mustEqual(found, expected, `seed ${seed}: it ends as it would`);
}
