// What every store must do for an operator: find what has ended, give a job's documents whole, and
// delete by etag alone; run for each of them by stores.test.ts.
import { beforeEach, describe, expect, test } from "vitest";
import { TERMINAL_JOB_STATUSES } from "../../src/core/job.ts";
import type { ArchiveFilter } from "../../src/runtime/job-archive.ts";
import type { JobDocument } from "../../src/runtime/ports.ts";
import type { Adapters } from "./adapters.ts";
import { entry, job } from "./documents.ts";
import type { Open } from "./store-contract.ts";

const BEFORE = "2026-11-22T12:00:00.000Z";
const ALL: ArchiveFilter = { status: TERMINAL_JOB_STATUSES, ended_before: BEFORE };

export function archiveContract(open: Open): void {
  let adapters: Adapters;
  beforeEach(async () => {
    adapters = await open();
  });

  async function ended(members: Partial<JobDocument> = {}): Promise<JobDocument> {
    const document = job({
      status: "completed",
      completed_at: "2026-11-22T11:00:00.000Z",
      ...members,
    });
    await adapters.jobs.create(document);
    return document;
  }

  async function found(filter: ArchiveFilter, limit = 100): Promise<readonly string[]> {
    const rows = await adapters.archive.find(filter, limit);
    return rows.map(({ job_id }) => job_id);
  }

  describe("find", () => {
    test("answers what a row has, of jobs that ended before", async () => {
      const one = await ended();
      await ended({ completed_at: BEFORE });
      await adapters.jobs.create(job({ status: "running" }));
      const [row, ...others] = await adapters.archive.find(ALL, 100);
      expect(others).toEqual([]);
      expect(row).toMatchObject({
        job_id: one.job_id,
        status: "completed",
        workflow_id: one.workflow_id,
        workflow_version: 1,
        created_at: one.created_at,
        completed_at: "2026-11-22T11:00:00.000Z",
      });
    });

    test("holds all that is given, and no more rows than asked for", async () => {
      const ours = { workflow_id: "a", workflow_version: 2, tags: ["x", "y"] };
      const failed = await ended({ ...ours, status: "failed" });
      const completed = await ended(ours);
      await ended({ ...ours, workflow_id: "b" });
      await ended({ ...ours, workflow_version: 1 });
      await ended({ ...ours, tags: ["z"] });
      const filter = { ...ALL, workflow_id: "a", workflow_version: 2, tag: "y" };
      const both = [failed.job_id, completed.job_id].toSorted();
      expect((await found(filter)).toSorted()).toEqual(both);
      expect(await found({ ...filter, status: ["failed"] })).toEqual([failed.job_id]);
      expect(await found({ ...filter, status: ["cancelled"] })).toEqual([]);
      expect(await found(filter, 1)).toHaveLength(1);
    });
  });

  test("a job's journal comes whole, and nothing of another's", async () => {
    const { archive, journal } = adapters;
    const one = await ended();
    const { job_id } = one;
    const entries = ["0", "1", "out:x"].map((id) => entry({ id, job_id, text: "a" }));
    for (const document of [...entries, entry({ id: "0" })]) await journal.create(document);
    const documents = [];
    for await (const { document } of archive.journal(job_id)) documents.push(document);
    expect(documents).toHaveLength(3);
    expect(documents).toEqual(expect.arrayContaining(entries));
    const ids = [];
    for await (const { id } of archive.journalIds(job_id)) ids.push(id);
    expect(ids.toSorted()).toEqual(["0", "1", "out:x"]);
    expect(await archive.entryZero(job_id)).toMatchObject({ document: entries[0] });
    expect(await archive.entryZero("nobody")).toBeUndefined();
    expect(await archive.job(job_id)).toMatchObject({ document: one });
  });

  test("only what still is as it was read is removed; what is gone counts as removed", async () => {
    const { archive, jobs, journal } = adapters;
    const one = await ended();
    const { job_id } = one;
    await journal.create(entry({ id: "0", job_id }));
    const first = (await archive.job(job_id))?.etag ?? "";
    await jobs.replace({ ...one, seq: 1 }, first);
    expect(await archive.removeJob(job_id, first)).toBe("changed");
    const second = (await archive.job(job_id))?.etag ?? "";
    expect(await archive.removeJob(job_id, second)).toBe("removed");
    expect(await archive.removeJob(job_id, second)).toBe("removed");
    expect(await archive.job(job_id)).toBeUndefined();

    const zero = (await archive.entryZero(job_id))?.etag ?? "";
    expect(await archive.removeFromJournal(job_id, "0", '"another"')).toBe("changed");
    expect(await archive.removeFromJournal(job_id, "0", zero)).toBe("removed");
    expect(await journal.read(job_id, "0")).toBeUndefined();
  });
}
