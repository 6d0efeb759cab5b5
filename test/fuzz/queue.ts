// Queue messages: forged, cut off, of the wrong types, of other versions, with huge numbers, about
// jobs of others. None throws, none changes a job that has ended or whose attempt is running, and
// whatever they did, every job ends as if they had not been sent.
import { inspect } from "node:util";
import fc from "fast-check";
import { canonical } from "../../src/core/canonical.ts";
import { messageSchema } from "../../src/core/message.ts";
import type { Json } from "../../src/core/json.ts";
import { safeParse } from "../../src/core/safe-parse.ts";
import { defineHandler } from "../../src/runtime/handlers.ts";
import { processMessage } from "../../src/runtime/process-message.ts";
import { z } from "zod";
import { TestRuntime } from "../support/runtime.ts";
import { chain, echo, task, workflow } from "../support/shapes.ts";
import type { Cost, Probe, Target } from "./target.ts";
import { json, own, text } from "./texts.ts";

interface Case {
  readonly body: Json;
  readonly dequeueCount: number;
}

/** Stand for the jobs of a batch: one that has ended, one at work, one not begun. */
const JOBS = ["$ended", "$running", "$waiting"] as const;

const whole = fc.oneof(
  fc.integer({ min: -2, max: 4 }),
  fc.constantFrom(1e15, 2 ** 53, -1, 1.5, 1e300, 0),
);
const or = (usual: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 10, arbitrary: usual }, { weight: 1, arbitrary: json });

const message = fc.record(
  {
    v: or(fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: whole })),
    kind: or(fc.constantFrom("start", "task", "chunk", "wake", "poison", "stop")),
    job_id: or(fc.oneof(fc.constantFrom(...JOBS), fc.uuid(), text)),
    node_id: or(fc.constantFrom("t1", "t2", "hold", "start", "end", "nobody", "__proto__")),
    chunk: or(whole),
    attempt: or(whole),
    rev: or(whole),
    first_sent_at: or(
      fc.constantFrom(
        "2026-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "",
      ),
    ),
    deferrals: or(whole),
    traceparent: or(text),
  },
  { requiredKeys: ["v", "kind", "job_id", "rev", "first_sent_at", "deferrals"] },
) as fc.Arbitrary<Json>;

/** Of the right shape all through: these get past the door. */
const sound = fc.record(
  {
    v: fc.constant(1),
    kind: fc.constantFrom("start", "task", "chunk", "wake"),
    job_id: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...JOBS) },
      { weight: 1, arbitrary: fc.uuid() },
    ),
    node_id: fc.constantFrom("t1", "t2", "hold", "start", "end", "nobody"),
    chunk: fc.constantFrom(0, 1, 2 ** 53 - 1),
    attempt: fc.constantFrom(1, 2, 3, 2 ** 53 - 1),
    rev: fc.constantFrom(0, 1, 2, 3, 100, 2 ** 53 - 1),
    first_sent_at: fc.constantFrom(
      "2026-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    ),
    deferrals: fc.constantFrom(0, 1, 1000, 2 ** 53 - 1),
    traceparent: fc.constantFrom("", "00-0-0-0"),
    extra: json,
  },
  { requiredKeys: ["v", "kind", "job_id", "rev", "first_sent_at", "deferrals"] },
) as fc.Arbitrary<Json>;

/** Of a later build: only what putting it back needs is known. */
const newer = fc
  .tuple(sound, fc.constantFrom(2, 3, 2 ** 53 - 1), json)
  .map(([body, v, more]) => own([...Object.entries(body as object), ["v", v], ["new", more]]));

const cases: fc.Arbitrary<Case> = fc.record({
  body: fc.oneof(
    { weight: 10, arbitrary: sound },
    { weight: 2, arbitrary: newer },
    { weight: 6, arbitrary: message },
    { weight: 2, arbitrary: json },
    { weight: 1, arbitrary: fc.array(fc.tuple(text, json), { maxLength: 6 }).map(own) },
  ),
  dequeueCount: fc.constantFrom(1, 1, 2, 5, 1000),
});

export async function queueTarget(): Promise<Target> {
  const batch = await begun();
  const check = async ({ body, dequeueCount }: Case, { tell, timed }: Probe): Promise<Cost> => {
    const text_ = JSON.stringify(body).replace(/"\$(ended|running|waiting)"/g, (_, name: string) =>
      JSON.stringify(batch.ids[name as keyof Batch["ids"]]),
    );
    const { runtime } = batch;
    const { sessions, engine } = runtime.first;
    const before = runtime.queue.length;
    const given = { body: JSON.parse(text_) as unknown, delivery: { dequeueCount } };
    const work = timed(() => processMessage(sessions, engine, given));
    await settledWith(runtime, work);
    tell(safeParse(messageSchema, given.body).success ? "a message" : "no message");
    if (runtime.queue.length > before) tell("put something into the queue");
    unchanged(batch);
    return { bytes: text_.length };
  };
  return {
    cases,
    check: check as Target["check"],
    bounds: { bytes: 64 * 1024 },
    isStateful: true,
    end: () => ended(batch),
  };
}

interface Batch {
  readonly runtime: TestRuntime;
  readonly ids: { readonly ended: string; readonly running: string; readonly waiting: string };
  /** The journals of the jobs that nothing may change. */
  readonly journals: ReadonlyMap<string, string>;
  readonly release: () => void;
}

/** One job has ended, one runs a task that waits, one has its first message in the queue. */
async function begun(): Promise<Batch> {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const hold = defineHandler({
    name: "hold",
    version: "1",
    params: z.unknown(),
    output: z.json(),
    run: async () => {
      await held;
      return { held: true };
    },
  });
  const runtime = new TestRuntime({ handlers: [echo, hold] });
  runtime.catalog.put(chain(2));
  runtime.catalog.put(
    workflow("held", {
      start: { type: "start", next: "hold" },
      hold: task("end", { handler: "hold", timeout_seconds: 500 }),
      end: { type: "end" },
    }),
  );
  const first = await runtime.submit({ workflow_id: "chain" });
  await runtime.runToEnd(first.job.job_id);
  const second = await runtime.submit({ workflow_id: "held" });
  await runtime.run(() => runtime.status(second.job.job_id) === "running", 30);
  const third = await runtime.submit({ workflow_id: "chain" });
  const ids = {
    ended: first.job.job_id,
    running: second.job.job_id,
    waiting: third.job.job_id,
  };
  const journals = new Map([ids.ended, ids.running].map((id) => [id, journalOf(runtime, id)]));
  return { runtime, ids, journals, release };
}

function journalOf(runtime: TestRuntime, id: string): string {
  return runtime.store
    .journalOf(id)
    .map((document) => canonical(document as Json))
    .sort()
    .join("\n");
}

function unchanged({ runtime, journals }: Batch): void {
  for (const [id, journal] of journals) {
    if (journalOf(runtime, id) !== journal) throw new Error(`the journal of ${id} was changed`);
  }
}

/** Lets what was begun go on without time passing; a handler that waits is left waiting. */
async function settledWith(runtime: TestRuntime, work: Promise<void>): Promise<void> {
  let failure: unknown;
  let isDone = false;
  work.then(
    () => {
      isDone = true;
    },
    (error: unknown) => {
      failure = error;
      isDone = true;
    },
  );
  for (let turn = 0; turn < 20 && !isDone; turn += 1) await runtime.clock.advance(0);
  if (failure !== undefined) throw new Error(`processing threw: ${inspect(failure)}`);
}

async function ended({ runtime, ids, release }: Batch): Promise<readonly string[]> {
  release();
  const all = Object.values(ids);
  await runtime.run(() => all.every((id) => ENDED.has(runtime.status(id))), 7200);
  const problems = runtime.errors.map((error) => `a message was refused: ${String(error)}`);
  for (const id of all) {
    if (runtime.status(id) !== "completed") problems.push(`${id} ended as ${runtime.status(id)}`);
  }
  const jobs = runtime.store.allJobs().length;
  if (jobs !== all.length) problems.push(`${jobs} jobs are stored, ${all.length} were submitted`);
  return problems;
}

const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);
