// Every request of some scenarios broken in four ways, and some pairs of faults; the prover does
// all of them.
import { expect, test } from "vitest";
import { crashPoints, faultPairs } from "./campaign.ts";

const FAULTS = ["crash_before", "crash_after", "ambiguous", "throttled"];

test("each request of a shipped workflow may fail in four ways", async () => {
  const result = await crashPoints({ workflows: ["diamond", "hello_world"] });
  expect(result.violations).toEqual([]);
  // Two cases each: one run without a fault, then four for each of its requests.
  expect(result.runs).toBeGreaterThan(4 + 4 * 30);
  for (const fault of FAULTS) expect(result.fired[fault]).toBeGreaterThan(30);
});

test("each request around a cancel, a lost message and a lost worker may fail", async () => {
  const result = await crashPoints({ workflows: ["cancel", "worker"], part: 1, parts: 8 });
  expect(result.violations).toEqual([]);
  expect(result.sites["journal.create entry @cancel"]).toBeGreaterThan(0);
  expect(result.sites["journal.read claim @sweep"]).toBeGreaterThan(0);
});

test("two faults in one run violate nothing", async () => {
  const result = await faultPairs({ part: 0, parts: 1, sample: 20 });
  expect(result.violations).toEqual([]);
  expect(result.runs).toBeGreaterThan(20);
});
