// The harness of the chaos proofs, small: a few jobs under faults end as they must. And its checker
// is not blind: what a lost, doubled, rewritten or lying job would leave behind is found and named.
import { afterAll, beforeAll, expect, test } from "vitest";
import { runBatch } from "../chaos/campaign.ts";
import type { Batch, Evidence } from "../chaos/campaign.ts";
import { check } from "../chaos/checker.ts";
import type { ViolationKind } from "../chaos/checker.ts";
import type { Operation, SubmitOperation } from "../chaos/client-log.ts";
import { chaosHome, totalFired } from "../chaos/stack.ts";
import type { ChaosHome } from "../chaos/stack.ts";
import type { Stored } from "../chaos/store-contents.ts";
import { startDataServer } from "../chaos/workflows.ts";
import type { DataServer } from "../chaos/workflows.ts";

const SEED = 7;
const JOBS = 12;

let home: ChaosHome;
let data: DataServer;
let batch: Batch;

beforeAll(async () => {
  [home, data] = await Promise.all([chaosHome(SEED), startDataServer()]);
  batch = await runBatch({
    home,
    baseUrl: data.baseUrl,
    seed: SEED,
    jobs: JOBS,
    processes: 2,
    clients: JOBS,
    pace: { sweepSeconds: 1, hiddenSeconds: 4 },
    faults: 0.05,
    say: () => undefined,
  });
}, 240_000);
afterAll(async () => {
  await Promise.all([home.stop(), data.close()]);
});

test("jobs under faults end as they must, and faults did fire", () => {
  const { verdict } = batch;
  expect(verdict.violations).toEqual([]);
  expect(verdict.accepted).toBe(JOBS);
  expect(verdict.completed).toBeGreaterThan(0);
  expect(totalFired(home)).toBeGreaterThan(0);
});

interface Found {
  readonly operations: Operation[];
  readonly journal: Map<string, Map<string, Stored>>;
  readonly jobs: Map<string, Stored>;
  readonly queues: Record<string, number>;
}

interface SomeJob {
  readonly id: string;
  readonly entries: Map<string, Stored>;
}

/** A completed job of the batch that has a task with an output. */
function someJob({ journal }: Found): SomeJob {
  for (const [id, entries] of journal) {
    const first = (entries.get("0")?.["events"] as Stored[] | undefined)?.[0];
    const last = [...entries.values()].find((one) => "result_data" in one);
    const isEcho = ["echo_test", "ledger", "hello_world"].includes(String(first?.["workflow_id"]));
    const isDone = (last?.["events"] as Stored[] | undefined)?.at(-1)?.["type"] === "job_completed";
    if (isEcho && isDone) return { id, entries };
  }
  throw new Error("the load has no such job");
}

function lastOf(entries: Map<string, Stored>): readonly [string, Stored] {
  const found = [...entries].find(([, one]) => "result_data" in one);
  if (found === undefined) throw new Error("no terminal entry");
  return found;
}

function submitOf({ operations }: Found, jobId: string): SubmitOperation {
  const found = operations.find((one) => one.op === "submit" && one.job_id === jobId);
  if (found?.op !== "submit") throw new Error("nobody submitted it");
  return found;
}

function change(found: Found, submit: SubmitOperation, more: Partial<SubmitOperation>): void {
  found.operations[found.operations.indexOf(submit)] = { ...submit, ...more };
}

/** The evidence, copied, for a test to spoil. */
function copied({ operations, contents }: Evidence): Found {
  return structuredClone({
    operations: [...operations],
    journal: contents.journal as Map<string, Map<string, Stored>>,
    jobs: contents.jobs as Map<string, Stored>,
    queues: { ...contents.queues },
  });
}

const SPOILT: readonly (readonly [string, ViolationKind, (found: Found) => void])[] = [
  [
    "an accepted job that is gone",
    "lost",
    (found) => {
      found.journal.delete(someJob(found).id);
    },
  ],
  [
    "an accepted job without a projection",
    "lost",
    (found) => {
      found.jobs.delete(someJob(found).id);
    },
  ],
  [
    "a job without its end",
    "stuck",
    (found) => {
      const { entries } = someJob(found);
      entries.delete(lastOf(entries)[0]);
    },
  ],
  [
    "two jobs of one key",
    "double",
    (found) => {
      found.journal.set("another", someJob(found).entries);
    },
  ],
  [
    "answers that name two jobs",
    "double",
    (found) => {
      const submit = submitOf(found, someJob(found).id);
      found.operations.push({ ...submit, job_id: "another" });
    },
  ],
  [
    "a node that completed twice",
    "double",
    (found) => {
      const { entries } = someJob(found);
      const events = lastOf(entries)[1]["events"] as Stored[];
      const done = [...entries.values()]
        .flatMap((one) => one["events"] as Stored[])
        .find(({ type }) => type === "node_completed");
      if (done !== undefined) events.splice(-1, 0, done);
    },
  ],
  [
    "a job of a key that was refused",
    "phantom",
    (found) => {
      const submit = submitOf(found, someJob(found).id);
      const { key } = submit;
      const kept = found.operations.filter((one) => one.op !== "submit" || one.key !== key);
      found.operations.splice(0, found.operations.length, ...kept);
      const { job_id: _none, ...refused } = submit;
      found.operations.push({ ...refused, outcome: "failed", status: 422 });
    },
  ],
  [
    "an entry that is missing",
    "history",
    (found) => {
      someJob(found).entries.delete("1");
    },
  ],
  [
    "an output that was rewritten",
    "chain",
    (found) => {
      for (const one of someJob(found).entries.values()) {
        for (const event of (one["events"] ?? []) as { output?: unknown }[]) {
          if (event.output !== undefined) event.output = { message: "rewritten" };
        }
      }
    },
  ],
  [
    "events in another order",
    "chain",
    (found) => {
      const { entries } = someJob(found);
      for (const one of entries.values()) (one["events"] as Stored[] | undefined)?.reverse();
    },
  ],
  [
    "a snapshot that was changed",
    "pin",
    (found) => {
      const snapshot = someJob(found).entries.get("0")?.["workflow_snapshot"];
      Object.assign(snapshot as object, { name: "Another" });
    },
  ],
  [
    "a source that nobody published",
    "pin",
    (found) => {
      Object.assign(someJob(found).entries.get("0") ?? {}, { workflow_source: "version: 9" });
    },
  ],
  [
    "an answer that named another digest",
    "pin",
    (found) => {
      const submit = submitOf(found, someJob(found).id);
      change(found, submit, { workflow_digest: "sha256:0" });
    },
  ],
  [
    "a result that is not the workflow's",
    "result",
    (found) => {
      const submit = submitOf(found, someJob(found).id);
      const input_params = { message: "other", word: "other", name: "other" };
      for (const one of found.operations) {
        if (one.op === "submit" && one.key === submit.key) {
          change(found, one, { input_params });
        }
      }
    },
  ],
  [
    "provenance of another version",
    "provenance",
    (found) => {
      const [, last] = lastOf(someJob(found).entries);
      const { _provenance } = last["result_data"] as { _provenance: object };
      Object.assign(_provenance, { workflow_version: 99 });
    },
  ],
  [
    "results that the digest does not cover",
    "provenance",
    (found) => {
      const [, last] = lastOf(someJob(found).entries);
      Object.assign(last["result_data"] as object, { more: 1 });
    },
  ],
  [
    "a projection that says something else",
    "projection",
    (found) => {
      const { id } = someJob(found);
      Object.assign(found.jobs.get(id)?.["state"] as object, { n: 99 });
    },
  ],
  [
    "an ended job that would be woken",
    "projection",
    (found) => {
      Object.assign(found.jobs.get(someJob(found).id) ?? {}, { wake_at: "2026-01-01" });
    },
  ],
  [
    "a read that went back",
    "read",
    (found) => {
      const read = { op: "read", job_id: someJob(found).id, outcome: "ok" } as const;
      found.operations.push(
        { ...read, seq: 3, job_status: "running", sent_ms: 1, ended_ms: 2 },
        { ...read, seq: 2, job_status: "running", sent_ms: 3, ended_ms: 4 },
      );
    },
  ],
  [
    "a read of an end that did not come",
    "read",
    (found) => {
      const read = { op: "read", job_id: someJob(found).id, outcome: "ok" } as const;
      found.operations.push({ ...read, seq: 1, job_status: "failed", sent_ms: 1, ended_ms: 2 });
    },
  ],
  [
    "an accepted cancel of a job that completed",
    "cancel",
    (found) => {
      const { id } = someJob(found);
      const times = { sent_ms: 1, ended_ms: 2 };
      found.operations.push({ op: "cancel", job_id: id, outcome: "ok", status: 202, ...times });
    },
  ],
  [
    "a message that is left",
    "queue",
    (found) => {
      found.queues["holdfast-work"] = 1;
    },
  ],
];

test.each(SPOILT)("the checker finds %s", async (_what, kind, spoil) => {
  const found = copied(batch.evidence);
  spoil(found);
  const { operations, ...contents } = found;
  const verdict = await check({ operations, contents, baseUrl: data.baseUrl });
  expect(verdict.violations.map((one) => one.kind)).toContain(kind);
});
