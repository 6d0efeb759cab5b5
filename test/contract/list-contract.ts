// What every implementation's list of jobs must do: filters, both orders, paging, what a row shows.
// Run for each of them by stores.test.ts.
import { beforeEach, expect, test } from "vitest";
import type { JobDocument, JobFilter } from "../../src/runtime/ports.ts";
import type { Adapters } from "./adapters.ts";
import { job } from "./documents.ts";
import { codeOf } from "./store-contract.ts";
import type { Open } from "./store-contract.ts";

export function listContract(open: Open): void {
  let adapters: Adapters;
  const at = (second: number) => `2026-11-22T10:00:${String(second).padStart(2, "0")}.000Z`;
  const ids = (rows: readonly { readonly [member: string]: unknown }[]) =>
    rows.map((row) => row["job_id"]);
  beforeEach(async () => {
    adapters = await open();
  });

  async function create(members: Partial<JobDocument>): Promise<string> {
    const document = job(members);
    await adapters.jobs.create(document);
    return document.job_id;
  }

  test("a list is newest first, by job id where times are equal", async () => {
    await create({ job_id: "b", created_at: at(2) });
    await create({ job_id: "a", created_at: at(1) });
    await create({ job_id: "c", created_at: at(2) });
    await create({ job_id: "d", created_at: at(3) });
    const { documents, continuation } = await adapters.jobs.list({ limit: 10 });
    expect(ids(documents)).toEqual(["d", "c", "b", "a"]);
    expect(continuation).toBeUndefined();
  });

  test.each([
    ["status", { status: "failed" }, { status: ["failed"] }],
    ["statuses", { status: "failed" }, { status: ["cancelled", "failed"] }],
    ["workflow_id", { workflow_id: "other" }, { workflow_id: "other" }],
    ["workflow_version", { workflow_version: 7 }, { workflow_version: 7 }],
    ["workflow_digest", { workflow_digest: "sha256:7" }, { workflow_digest: "sha256:7" }],
    ["correlation_id", { correlation_id: 'it\'s "q"' }, { correlation_id: 'it\'s "q"' }],
    ["idempotency_key", { idempotency_key: "k 1" }, { idempotency_key: "k 1" }],
    ["submitted_by", { submitted_by: "ann" }, { submitted_by: "ann" }],
    ["authenticated_as", { authenticated_as: "a:x" }, { authenticated_as: "a:x" }],
    ["tag", { tags: ["x", 'it\'s "q"'] }, { tag: 'it\'s "q"' }],
    ["time", {}, { created_from: at(2), created_before: at(4) }],
  ] as const)("a list is filtered by %s", async (_what, members, wanted) => {
    await create({ created_at: at(1) });
    await create({ created_at: at(4) });
    const older = await create({ created_at: at(2), ...members } as Partial<JobDocument>);
    const newer = await create({ created_at: at(3), ...members } as Partial<JobDocument>);
    const filter: JobFilter = { limit: 10, ...wanted };
    expect(ids((await adapters.jobs.list(filter)).documents)).toEqual([newer, older]);
    const one = { ...filter, limit: 1 };
    const first = await adapters.jobs.list(one);
    expect(ids(first.documents)).toEqual([newer]);
    const second = await adapters.jobs.list({ ...one, continuation: first.continuation ?? "" });
    expect(ids(second.documents)).toEqual([older]);
    expect(second.continuation).toBeUndefined();
    const upwards: JobFilter = { ...filter, sort: "created_at" };
    expect(ids((await adapters.jobs.list(upwards)).documents)).toEqual([older, newer]);
    const lowest = await adapters.jobs.list({ ...upwards, limit: 1 });
    const rest = { ...upwards, continuation: lowest.continuation ?? "" };
    expect(ids((await adapters.jobs.list(rest)).documents)).toEqual([newer]);
  });

  test("a continuation belongs to its filter and order; the limit may change", async () => {
    for (const second of [1, 2, 3]) await create({ created_at: at(second), status: "failed" });
    const filter: JobFilter = { limit: 1, status: ["failed"] };
    const { continuation = "" } = await adapters.jobs.list(filter);
    const others: readonly JobFilter[] = [
      { limit: 1, continuation },
      { ...filter, status: ["completed"], continuation },
      { ...filter, sort: "created_at", continuation },
      { ...filter, authenticated_as: "key", continuation },
      { ...filter, continuation: "e30" },
    ];
    for (const other of others) {
      await expect(adapters.jobs.list(other)).rejects.toMatchObject({ code: "BAD_REQUEST" });
    }
    const same = { ...filter, sort: "-created_at", limit: 5, continuation } as const;
    expect((await adapters.jobs.list(same)).documents).toHaveLength(2);
  });

  test("filters narrow together", async () => {
    await create({ status: "failed", workflow_id: "a" });
    const wanted = await create({ status: "failed", workflow_id: "b", authenticated_as: "key" });
    await create({ status: "completed", workflow_id: "b" });
    const filter = { status: ["failed"], workflow_id: "b", authenticated_as: "key", limit: 10 };
    expect(ids((await adapters.jobs.list(filter)).documents)).toEqual([wanted]);
  });

  test("pages join to the whole list while newer jobs are added and old ones change", async () => {
    for (let second = 0; second < 7; second += 1) {
      await create({ job_id: `job-${second}`, created_at: at(Math.floor(second / 2)) });
    }
    const seen: unknown[] = [];
    let continuation: string | undefined;
    do {
      const page = await adapters.jobs.list({
        limit: 2,
        ...(continuation === undefined ? {} : { continuation }),
      });
      seen.push(...ids(page.documents));
      continuation = page.continuation;
      await create({ created_at: at(50) });
    } while (continuation !== undefined);
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((second) => `job-${second}`));
  });

  test("a full last page has no continuation, an empty list neither", async () => {
    expect(await adapters.jobs.list({ limit: 2 })).toEqual({ documents: [] });
    await create({});
    await create({});
    expect((await adapters.jobs.list({ limit: 2 })).continuation).toBeUndefined();
  });

  test("a row shows what lists show, never the state", async () => {
    const shown = {
      correlation_id: "c",
      idempotency_key: "k",
      submitted_by: "ann",
      authenticated_as: "key",
      tags: ["a"],
      started_at: at(1),
      completed_at: at(2),
      deadline_at: at(3),
      wake_at: at(4),
      error: { code: "TIMED_OUT", message: "m" },
      summary: { nodes: 3 },
    };
    const document = job(shown);
    await adapters.jobs.create({ ...document, state: { nodes: {} }, leases: {}, ttl: 60 });
    const { documents } = await adapters.jobs.list({ limit: 1 });
    expect(documents).toEqual([document]);
  });

  test.each([0, -1, 201, 1.5, Number.NaN])("a limit of %d is refused", async (limit) => {
    expect(await codeOf(() => adapters.jobs.list({ limit }))).toBe("BAD_REQUEST");
    expect(await codeOf(() => adapters.jobs.due(at(0), limit * 1000))).toBe("BAD_REQUEST");
  });

  test.each(["", "x", "e30", "WyJhIiwiYiJd", "👍"])(
    "the continuation %j of no list is refused",
    async (continuation) => {
      expect(await codeOf(() => adapters.jobs.list({ limit: 1, continuation }))).toBe(
        "BAD_REQUEST",
      );
    },
  );
}
