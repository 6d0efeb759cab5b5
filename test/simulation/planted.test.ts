// The judge is not blind: engines with a defect planted in them are found out, each by what it does
// wrong, and a schedule that finds one is shrunk to what it takes.
import { describe, expect, test } from "vitest";
import { Sessions } from "../../src/runtime/sessions.ts";
import type { Engine } from "../../src/runtime/engine.ts";
import type { JobDocument, JournalDocument } from "../../src/runtime/ports.ts";
import { CURRENT_KIT } from "./kit.ts";
import type { EngineKit } from "./kit.ts";
import type { Mode } from "./plan.ts";
import { randomPlan } from "./random-plan.ts";
import { runPlan } from "./schedule.ts";
import { shrink } from "./shrink.ts";

const SEEDS = 60;

/** What the first of some seeds says about a kit. */
async function verdict(kit: EngineKit, mode: Mode): Promise<string> {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violation } = await runPlan(randomPlan(seed, mode), { kits: [kit] });
    if (violation !== undefined) return violation;
  }
  return "nothing";
}

interface Changes {
  readonly entry?: (document: JournalDocument) => JournalDocument;
  readonly job?: (document: JobDocument) => JobDocument;
}

/** The engine with its writes changed on the way to the store. */
function writing({ entry = same, job = same }: Changes): EngineKit {
  class Changed extends Sessions {
    constructor(engine: Engine) {
      const { journal, jobs } = engine;
      super({
        ...engine,
        journal: { ...journal, create: (document) => journal.create(entry(document)) },
        jobs: { ...jobs, replace: (document, etag) => jobs.replace(job(document), etag) },
      });
    }
  }
  return { ...CURRENT_KIT, name: "planted", Sessions: Changed };
}

function same<T>(document: T): T {
  return document;
}

/** The document with a piece of its text changed. */
function altered<T>(document: T, from: RegExp, to: string): T {
  return JSON.parse(JSON.stringify(document).replace(from, to)) as T;
}

describe("a planted defect is found", () => {
  test("an output that no attempt gave", async () => {
    const kit = writing({ entry: (one) => altered(one, /"t":"n(\d)/, '"t":"m$1') });
    expect(await verdict(kit, "fault_free")).toMatch(/gives what/);
  });

  test("a history whose hashes do not hold", async () => {
    const kit = writing({
      entry: (one) => altered(one, /"params_digest":"\w/, '"params_digest":"!'),
    });
    expect(await verdict(kit, "fault_free")).toMatch(/the hash of node_started does not hold/);
  });

  test("a result that says more than the journal", async () => {
    const entry = (one: JournalDocument): JournalDocument =>
      one["result_data"] === undefined
        ? one
        : { ...one, result_data: { ...(one["result_data"] as object), extra: 1 } };
    expect(await verdict(writing({ entry }), "fault_free")).toMatch(/holds what no node gave/);
  });

  test("provenance of another version", async () => {
    const from = /"workflow_version":1,"job_id"/;
    const kit = writing({ entry: (one) => altered(one, from, '"workflow_version":7,"job_id"') });
    expect(await verdict(kit, "fault_free")).toMatch(/_provenance.workflow_version is 7/);
  });

  test("a wake that comes too late", async () => {
    const job = (one: JobDocument): JobDocument =>
      one.wake_at === undefined ? one : { ...one, wake_at: "2027-01-01T00:00:00.000Z" };
    expect(await verdict(writing({ job }), "all")).toMatch(/needs a wake at/);
  });

  test("a projection that is not the fold of the journal", async () => {
    const kit = writing({ job: (one) => altered(one, /"status":"running"/, '"status":"pending"') });
    expect(await verdict(kit, "all")).toMatch(/the projection (is not the fold|says)/);
  });

  test("a message that is acknowledged unread", async () => {
    const processMessage: EngineKit["processMessage"] = (sessions, engine, given) =>
      JSON.stringify(given.body).includes('"kind":"task"')
        ? Promise.resolve()
        : CURRENT_KIT.processMessage(sessions, engine, given);
    const kit = { ...CURRENT_KIT, processMessage };
    expect(await verdict(kit, "no_rescue")).toMatch(/stands still for no reason/);
    expect(await verdict(kit, "fault_free")).toMatch(/rescues|has not ended in time/);
  });

  test("a sweeper that does nothing", async () => {
    const sweep: EngineKit["sweep"] = async () => ({ jobs: 0, advanced: 0, resent: 0, failed: 0 });
    expect(await verdict({ ...CURRENT_KIT, sweep }, "all")).toMatch(/has not ended in time/);
  });

  test("a throw where nothing of ours may throw", async () => {
    const processMessage: EngineKit["processMessage"] = () => Promise.reject(new Error("planted"));
    const kit = { ...CURRENT_KIT, processMessage };
    expect(await verdict(kit, "fault_free")).toMatch(/a message threw planted/);
  });
});

test("a schedule that fails is shrunk to the faults that it takes", async () => {
  const sweep: EngineKit["sweep"] = async () => ({ jobs: 0, advanced: 0, resent: 0, failed: 0 });
  const options = { kits: [{ ...CURRENT_KIT, sweep }] };
  for (let seed = 1; ; seed += 1) {
    const { plan, violation } = await runPlan(randomPlan(seed, "all"), options);
    if (violation === undefined || Object.keys(plan.faults ?? {}).length < 8) continue;
    const smallest = await shrink(plan, options);
    expect(smallest.violation).toMatch(/has not ended in time/);
    expect(Object.keys(smallest.plan.faults ?? {}).length).toBeLessThanOrEqual(3);
    const again = await runPlan(smallest.plan, options);
    expect(again.violation).toBe(smallest.violation);
    return;
  }
});
