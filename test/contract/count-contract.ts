// What every store's count of open jobs must be; run for each of them by stores.test.ts.
import { expect, test } from "vitest";
import type { JobDocument } from "../../src/runtime/ports.ts";
import { job } from "./documents.ts";
import type { Open } from "./store-contract.ts";

export function countContract(open: Open): void {
  test("open jobs are those with a wake_at, of everybody or of one caller", async () => {
    const { jobs } = await open();
    const wake_at = "2026-11-22T10:00:00.000Z";
    expect(await jobs.countOpen()).toBe(0);
    const mine = job({ wake_at, authenticated_as: 'principal:"x' });
    for (const document of [job(), job({ wake_at, authenticated_as: "key" }), mine]) {
      await jobs.create(document);
    }
    expect(await jobs.countOpen()).toBe(2);
    expect(await jobs.countOpen('principal:"x')).toBe(1);
    expect(await jobs.countOpen("nobody")).toBe(0);
    const { wake_at: _over, ...ended } = mine;
    const etag = (await jobs.read(mine.job_id))?.etag ?? "";
    await jobs.replace(ended as JobDocument, etag);
    expect(await jobs.countOpen()).toBe(1);
  });
}
