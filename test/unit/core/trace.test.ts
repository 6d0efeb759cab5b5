// The trace of a job: W3C traceparent in and out, ids that follow from the job's, a share of jobs.
import { describe, expect, test } from "vitest";
import {
  attemptSpanId,
  jobSpan,
  spanContextOf,
  traceIdOf,
  traceparentOf,
} from "../../../src/core/trace.ts";
import { sha256 } from "../../../src/runtime/hash.ts";

const JOB = "01a202b2-0d8f-7c31-9d3f-5a1b2c3d4e5f";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("traceparent", () => {
  test("is read and written as W3C Trace Context says", () => {
    const sampled = { trace_id: TRACE, span_id: SPAN, sampled: true };
    expect(spanContextOf(`00-${TRACE}-${SPAN}-01`)).toEqual(sampled);
    expect(spanContextOf(`00-${TRACE}-${SPAN}-00`)).toEqual({ ...sampled, sampled: false });
    expect(traceparentOf(sampled)).toBe(`00-${TRACE}-${SPAN}-01`);
    expect(traceparentOf({ ...sampled, sampled: false })).toBe(`00-${TRACE}-${SPAN}-00`);
  });

  test("flags other than sampled are ignored, and what a later version adds", () => {
    expect(spanContextOf(`00-${TRACE}-${SPAN}-03`)?.sampled).toBe(true);
    expect(spanContextOf(`00-${TRACE}-${SPAN}-02`)?.sampled).toBe(false);
    expect(spanContextOf(`cc-${TRACE}-${SPAN}-01-what-comes`)?.trace_id).toBe(TRACE);
  });

  test.each([
    undefined,
    "",
    "nonsense",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-0x`,
  ])("what is not well formed is none: %s", (given) => {
    expect(spanContextOf(given)).toBeUndefined();
  });
});

test("the trace of a job is its id without dashes", () => {
  expect(traceIdOf(JOB)).toBe("01a202b20d8f7c319d3f5a1b2c3d4e5f");
  expect(jobSpan(JOB, 1, sha256).trace_id).toBe(traceIdOf(JOB));
  expect(jobSpan(JOB.toUpperCase(), 1, sha256).trace_id).toBe(traceIdOf(JOB));
});

test("spans that several processes must name have ids that follow from the job's", () => {
  const root = jobSpan(JOB, 1, sha256);
  expect(spanContextOf(traceparentOf(root))).toEqual(root);
  expect(jobSpan(JOB, 1, sha256)).toEqual(root);
  const attempts = ["a:1", "a:2", "b:1"].map((key) => attemptSpanId(JOB, key, sha256));
  const ids = [root.span_id, ...attempts];
  expect(new Set(ids).size).toBe(4);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/);
});

test("a share of jobs is traced, the same ones in every process", () => {
  const jobs = Array.from({ length: 2000 }, (_, n) => {
    const end = sha256(`job ${n}`).slice(0, 12);
    return `01a202b2-0d8f-7c31-9d3f-${end}`;
  });
  const traced = (ratio: number) => jobs.filter((id) => jobSpan(id, ratio, sha256).sampled);
  expect(traced(1)).toHaveLength(2000);
  expect(traced(0)).toHaveLength(0);
  const tenth = traced(0.1);
  expect(tenth.length).toBeGreaterThan(140);
  expect(tenth.length).toBeLessThan(260);
  const half = new Set(traced(0.5));
  expect(tenth.every((id) => half.has(id))).toBe(true);
});
