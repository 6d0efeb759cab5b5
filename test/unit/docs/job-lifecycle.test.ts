// docs/job-lifecycle.md against the statuses and events that are stored.
import { expect, test } from "vitest";
import { EVENT_TYPES } from "../../../src/core/event.ts";
import type { JobState } from "../../../src/core/job.ts";
import { JOB_STATUSES, NODE_STATUSES, PENDING_NODE } from "../../../src/core/job.ts";
import { isTerminalJob, isTerminalNode } from "../../../src/core/job.ts";
import { codeOf, codesOf, readPage, tableOf } from "./page.ts";

const page = readPage("docs/job-lifecycle.md");
const jobRows = tableOf(page, "Statuses of a job");
const nodeRows = tableOf(page, "Statuses of a node");
const first = (rows: readonly (readonly string[])[]) => rows.map(([cell]) => codeOf(cell));

test("the statuses of jobs and nodes are those that are stored, in their order", () => {
  expect(first(jobRows)).toEqual([...JOB_STATUSES]);
  expect(first(nodeRows)).toEqual([...NODE_STATUSES]);
});

test("terminal on the page is terminal in the code", () => {
  const job = (status: string) => isTerminalJob({ status } as JobState);
  for (const [status, , next] of jobRows) {
    expect(next === "terminal", status).toBe(job(codeOf(status)));
  }
  for (const [cell, , next] of nodeRows) {
    const status = NODE_STATUSES.find((one) => one === codeOf(cell)) ?? "pending";
    expect(next === "terminal", cell).toBe(isTerminalNode({ ...PENDING_NODE, status }));
  }
});

test("a status becomes known statuses only, and each but the first can be reached", () => {
  const check = (rows: readonly (readonly string[])[], statuses: readonly string[]) => {
    const reached = rows.flatMap(([, , next]) => codesOf(next));
    for (const status of reached) expect(statuses).toContain(status);
    return new Set(reached);
  };
  const jobs = check(jobRows, JOB_STATUSES);
  const nodes = check(nodeRows, NODE_STATUSES);
  const reserved = ["suspended", "waiting"];
  const unreached = (all: readonly string[], reached: ReadonlySet<string>) =>
    all.slice(1).filter((status) => !reached.has(status) && !reserved.includes(status));
  expect(unreached(JOB_STATUSES, jobs)).toEqual([]);
  // A pending node may become all but waiting, which names skipped.
  expect(unreached(NODE_STATUSES, nodes)).toEqual(["skipped"]);
});

test("the events are those that the journal holds", () => {
  expect(first(tableOf(page, "Events"))).toEqual([...EVENT_TYPES]);
});
