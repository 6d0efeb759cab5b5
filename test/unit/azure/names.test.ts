// The containers as they are created: what is partitioned, indexed and expires.
import { expect, test } from "vitest";
import { CONTAINERS, QUEUE_NAMES } from "../../../src/azure/names.ts";

const byId = new Map(CONTAINERS.map((container) => [container.id, container]));
const indexed = (id: string) =>
  (byId.get(id)?.indexingPolicy?.includedPaths ?? []).map(({ path }) => path);

test("each container has one partition key", () => {
  expect(CONTAINERS.map(({ id, partitionKey }) => [id, partitionKey])).toEqual([
    ["journal", { paths: ["/job_id"] }],
    ["jobs", { paths: ["/job_id"] }],
    ["stats", { paths: ["/id"] }],
    ["definitions", { paths: ["/workflow_id"] }],
  ]);
});

test("items of journal and jobs expire by their own ttl only, the rest never", () => {
  expect(CONTAINERS.map(({ defaultTtl }) => defaultTtl)).toEqual([-1, -1, undefined, undefined]);
  // The service refuses a ttl on a container whose indexing mode is none.
  for (const { indexingPolicy } of CONTAINERS) {
    expect(indexingPolicy?.indexingMode).toBe("consistent");
  }
});

test("indexing is opt-in: off for the journal, what lists use for jobs", () => {
  for (const { indexingPolicy } of CONTAINERS) {
    expect(indexingPolicy?.excludedPaths).toEqual([{ path: "/*" }]);
  }
  expect(indexed("journal")).toEqual([]);
  expect(indexed("definitions")).toEqual([]);
  expect(indexed("jobs")).toContain("/wake_at/?");
  expect(indexed("jobs")).not.toContain("/state/?");
});

test("queue names are legal and the second is what the host derives", () => {
  expect(QUEUE_NAMES[1]).toBe(`${QUEUE_NAMES[0]}-poison`);
  for (const name of QUEUE_NAMES) expect(name).toMatch(/^[a-z0-9](?:-?[a-z0-9]){2,62}$/);
});
