// The trace of a job, in the terms of W3C Trace Context. The ids follow from the job's id, so that
// every process that touches a job names the same trace and the same parents, also one that never
// saw its message and also after a crash. Nothing here decides anything about a job.
import type { Sha256 } from "./canonical.ts";

export interface SpanContext {
  /** 32 hexadecimal digits, not all zero. */
  readonly trace_id: string;
  /** 16 hexadecimal digits, not all zero. */
  readonly span_id: string;
  /** Whether the spans of this trace are kept. */
  readonly sampled: boolean;
}

/** Later versions may say more behind the flags; `ff` is no version. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const SPAN_ID_CHARS = 16;
/** Of the end of a job id, which is random whatever its version; exact in a double. */
const RATIO_CHARS = 12;

/** What a `traceparent` says; undefined for none and for one that is not well formed. */
export function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const [, trace_id, span_id, flags] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  if (trace_id === undefined || span_id === undefined || flags === undefined) return undefined;
  return { trace_id, span_id, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparentOf({ trace_id, span_id, sampled }: SpanContext): string {
  return `00-${trace_id}-${span_id}-${sampled ? "01" : "00"}`;
}

/** A job's trace id is its own id, without the dashes. */
export function traceIdOf(jobId: string): string {
  return jobId.replaceAll("-", "").toLowerCase();
}

/** The root span of a job. `ratio`: the share of jobs whose trace is kept, from 0 to 1. */
export function jobSpan(jobId: string, ratio: number, sha256: Sha256): SpanContext {
  const trace_id = traceIdOf(jobId);
  const share = Number.parseInt(trace_id.slice(-RATIO_CHARS), 16) / 16 ** RATIO_CHARS;
  return { trace_id, span_id: spanIdOf("job", jobId, sha256), sampled: share < ratio };
}

/** The span of one attempt; `key` as in `attemptKey`. */
export function attemptSpanId(jobId: string, key: string, sha256: Sha256): string {
  return spanIdOf("attempt", `${jobId}/${key}`, sha256);
}

function spanIdOf(what: string, name: string, sha256: Sha256): string {
  return sha256(`holdfast:${what}:${name}`).slice(0, SPAN_ID_CHARS);
}
