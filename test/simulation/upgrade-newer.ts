// What a build does with documents and messages of a later one: nothing but put the message back.
// Each case takes a recorded job, makes one document of it newer, and lets a build be pressed by
// messages, sweeps, a cancel, poison reports and a deadline that passes.
import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "../../src/core/json.ts";
import { isTerminalJob } from "../../src/core/job.ts";
import type { JobDocument, JournalDocument } from "../../src/runtime/ports.ts";
import { must } from "../support/invariants.ts";
import { TODAYS_KIT } from "./release-load.ts";
import type { RecordedJob, ReleaseKit } from "./release-load.ts";
import { checkEnds, checkProjection, entriesOf, historyOf } from "./upgrade.ts";
import { mustEqual, worldOf } from "./upgrade.ts";

type Entry = JournalDocument & { readonly events: readonly JsonObject[] };

export interface NewerCase {
  readonly name: string;
  /** Nothing follows a terminal entry, of whatever build. */
  readonly isNext?: true;
  readonly change: (recorded: RecordedJob) => RecordedJob;
}

/** The recorded job with its first entry changed. */
function withPinned(recorded: RecordedJob, change: (entry: Entry) => object): RecordedJob {
  const journal = recorded.journal.map((one) =>
    one.id === "0" ? ({ ...one, ...change(one as Entry) } as JournalDocument) : one,
  );
  return { ...recorded, journal };
}

/** The recorded job with one more entry, which no projection knows of. */
function withNext(recorded: RecordedJob, entry: object): RecordedJob {
  const entries = entriesOf(recorded.journal as unknown as readonly JsonObject[]);
  const last = entries.at(-1) as unknown as Entry;
  const next = { ...last, id: String(entries.length), write_id: "later", ...entry };
  return { ...recorded, journal: [...recorded.journal, next as JournalDocument] };
}

function withJob(recorded: RecordedJob, change: (job: JobDocument) => object): RecordedJob {
  const { job } = recorded;
  if (job === undefined) throw new Error(`${recorded.name} has no projection`);
  return { ...recorded, job: { ...job, ...change(job) } };
}

/** Entry 0 says that a later build made the job. */
function withPin(recorded: RecordedJob, member: string): RecordedJob {
  const pinned = withPinned(recorded, ({ events }) => ({
    events: events.map((event) => ({ ...event, [member]: Number(event[member]) + 1 })),
  }));
  return withJob(pinned, ({ state }) => {
    const own = state as JsonObject;
    return member in own ? { state: { ...own, [member]: Number(own[member]) + 1 } } : {};
  });
}

export const NEWER: readonly NewerCase[] = [
  {
    name: "the projection's schema",
    change: (recorded) => withJob(recorded, ({ schema }) => ({ schema: schema + 99 })),
  },
  {
    name: "entry 0's schema, with a definition that only the later build reads",
    change: (recorded) =>
      withPinned(recorded, ({ schema, workflow_snapshot }) => ({
        schema: schema + 99,
        workflow_snapshot: { ...(workflow_snapshot as JsonObject), of_a_later_format: true },
      })),
  },
  {
    name: "the next entry's schema",
    isNext: true,
    change: (recorded) => withNext(recorded, { schema: 99 }),
  },
  {
    name: "an event in the next entry",
    isNext: true,
    change: (recorded) =>
      withNext(recorded, { events: [{ type: "node_dreamt", node_id: "a", hash: "later" }] }),
  },
];

/** What the rules of a later build are told by, where its documents have the same shape. */
export const NEWER_RULES: readonly NewerCase[] = ["decisions_version", "expressions", "format"].map(
  (member) => ({ name: member, change: (recorded) => withPin(recorded, member) }),
);

/**
 * Throws where the build writes to the changed job, ends it, or accepts anything for it; and where
 * a build that understands the job does not end it rightly after that.
 */
export async function checkLeavesAlone(
  kit: ReleaseKit,
  recorded: RecordedJob,
  { change, isNext }: Pick<NewerCase, "change" | "isNext">,
): Promise<void> {
  const history = historyOf(TODAYS_KIT, recorded.journal as unknown as readonly JsonObject[]);
  const last = history.states.at(-1);
  if (isNext && last !== undefined && isTerminalJob(last)) return;
  const world = await worldOf(change(recorded));
  const { job_id } = recorded;
  const before = world.contents(job_id);
  const { sessions, engine } = world.add(kit);
  const request = { job_id, requested_by: "ada" };
  const refusal = await kit.cancelJob(sessions, engine, request).then(
    () => "accepted",
    ({ code }: { readonly code: string }) => code,
  );
  must(refusal === "SCHEMA_TOO_NEW", `a cancel is refused, not ${refusal}`);
  for (const { text } of before.queue) await kit.processPoison(sessions, engine, text);
  await world.run(() => world.hasEnded(job_id), 1200).catch(() => undefined);
  const { queue, journal } = world.contents(job_id);
  const known = new Set(recorded.journal.map(({ id }) => id));
  const hints = journal.filter(({ id }) => isHint(id) && !known.has(id));
  const left = { queue, journal: [...recorded.journal, ...hints] };
  await checkEnds(TODAYS_KIT, { ...recorded, ...left, recorded_at: world.clock.now() });
  // Past the deadline of any recorded job.
  await world.clock.advance(8 * 24 * 3600 * 1000);
  await world.run(() => world.hasEnded(job_id), 300).catch(() => undefined);
  const written = before.journal.filter(({ id }) => !isHint(id));
  const after = world.contents(job_id);
  const kept = after.journal.filter(({ id }) => !isHint(id));
  mustEqual(kept, written, "the journal is as it was");
  for (const job of after.jobs) {
    // It may say what all builds understand, up to the entry that only the later one does.
    if (!isDeepStrictEqual(job, before.jobs[0])) checkProjection(TODAYS_KIT, job, history);
  }
  must(world.errors.length === 0, `no defect: ${String(world.errors[0])}`);
}

/**
 * What may come all the same: the text of a poisoned message, and the claim of a chunk whose
 * message was sent before the later entry; it costs one lost attempt, for the next one is later.
 */
function isHint(id: string): boolean {
  return id.startsWith("poison:") || id.startsWith("claim:");
}

/** What a message says, without what it says of its own travel. */
function facts(text: string): string {
  const { deferrals: _travel, ...rest } = JSON.parse(text) as JsonObject;
  return JSON.stringify(rest);
}

/** A message of a later build: put back with everything it says, however often it comes. */
export async function checkPutsBack(kit: ReleaseKit, recorded: RecordedJob): Promise<void> {
  const { name, job_id, recorded_at } = recorded;
  const newer = {
    v: kit.MESSAGE_SCHEMA + 1,
    kind: "dream",
    job_id,
    node_id: "a",
    rev: 0,
    first_sent_at: recorded_at,
    deferrals: 0,
    depth: { of: ["sleep"] },
  };
  const world = await worldOf({ ...recorded, name, queue: [] });
  const before = world.contents(job_id);
  world.add(kit);
  world.isSweeping = false;
  world.queue.put(JSON.stringify(newer));
  await world.run(() => world.logs.length >= 3, 600).catch(() => undefined);
  const [queued] = world.queue.contents();
  must(queued !== undefined, "the message is there");
  mustEqual(JSON.parse(facts(queued.text)), JSON.parse(facts(JSON.stringify(newer))), "whole");
  mustEqual(world.contents(job_id).journal, before.journal, "nothing was written");
}
