// Traces and metrics, without a vendor: spans with their parents, values of metrics, and where they
// go. Switched off, the engine has none of this and nothing here is called. What happens in a span
// belongs to it through the asynchronous context, so ports need no parameter for it.
// Telemetry never changes what happens: it rejects nothing, and a sink must not throw.
import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { epochMs } from "../core/instant.ts";
import type { Instant } from "../core/instant.ts";
import { attemptSpanId, jobSpan, spanContextOf, traceparentOf } from "../core/trace.ts";
import type { SpanContext } from "../core/trace.ts";
import { errorText } from "./error-text.ts";
import { sha256 } from "./hash.ts";
import type { Clock, Log, LogFields } from "./ports.ts";
import type { MetricAttributes, MetricName, SpanSort } from "./telemetry-names.ts";

/** Ids, counts and codes; never payloads, never secrets. */
export type Attributes = LogFields;

export interface EndedSpan {
  readonly sort: SpanSort;
  readonly name: string;
  readonly context: SpanContext;
  readonly parent?: SpanContext;
  /** Other traces that this one touched: the host's invocation. */
  readonly links: readonly SpanContext[];
  readonly started_at_ms: number;
  readonly ended_at_ms: number;
  readonly attributes: Attributes;
  /** Absent where all went well. */
  readonly error?: string;
}

export interface LogRecord {
  readonly level: Parameters<Log["write"]>[0];
  readonly name: string;
  readonly fields: LogFields;
  readonly at_ms: number;
  /** The span that it belongs to. */
  readonly context?: SpanContext;
}

/** Where telemetry goes. Never throws; what it cannot deliver is lost. */
export interface TelemetrySink {
  span(span: EndedSpan): void;
  measure(metric: MetricName, value: number, attributes: Attributes): void;
  log(record: LogRecord): void;
  /** Resolves when everything told so far was sent, or given up. Never rejects. */
  flush(): Promise<void>;
}

export interface SpanStart {
  readonly sort: SpanSort;
  readonly name: string;
  /** Absent: whatever is active. */
  readonly parent?: SpanContext;
  /** Absent: a new one. */
  readonly span_id?: string;
  readonly attributes?: Attributes;
}

/** A span that is open: what is found out on the way. */
export interface OpenSpan {
  readonly context: SpanContext;
  readonly traceparent: string;
  set(attributes: Attributes): void;
  /** Marks the span as failed, though nothing was thrown. */
  fail(error: string): void;
}

export interface TelemetryOptions {
  readonly sink: TelemetrySink;
  readonly clock: Pick<Clock, "now">;
  /** The share of jobs whose trace is kept, from 0 to 1. Metrics and logs know no share. */
  readonly traceRatio: number;
}

const SPAN_ID_BYTES = 8;
/** What a span says of its job holds for the spans beneath it. */
const INHERITED = [
  "job_id",
  "workflow_id",
  "workflow_version",
  "workflow_digest",
  "node_id",
  "chunk",
  "attempt",
] as const;

interface Active {
  readonly context: SpanContext;
  /** Of the span, as far as they are known by now. */
  attributes: Attributes;
}

export class Telemetry {
  readonly #options: TelemetryOptions;
  readonly #active = new AsyncLocalStorage<Active | undefined>();

  constructor(options: TelemetryOptions) {
    this.#options = options;
  }

  /** The span that this code is a part of. */
  get active(): SpanContext | undefined {
    return this.#active.getStore()?.context;
  }

  /**
   * The parent that a job's document or message names; the job's root span where it names none, or
   * one of another trace.
   */
  job(jobId: string, traceparent?: string): SpanContext {
    const root = jobSpan(jobId, this.#options.traceRatio, sha256);
    const told = spanContextOf(traceparent);
    return told?.trace_id === root.trace_id ? told : root;
  }

  /** Does `work` as a part of somebody else's span, such as the host's invocation. */
  under<T>(traceparent: string | undefined, work: () => T): T {
    const context = spanContextOf(traceparent);
    return this.#active.run(context && { context, attributes: {} }, work);
  }

  /** Does `work` in a span of its own, which ends when the work does. */
  async span<T>(start: SpanStart, work: (span: OpenSpan) => Promise<T>): Promise<T> {
    const around = this.active;
    const parent = start.parent ?? around;
    const context = childOf(parent, start.span_id);
    const links = around === undefined || around.trace_id === parent?.trace_id ? [] : [around];
    const startedAtMs = this.#nowMs();
    const active: Active = { context, attributes: this.#attributesOf(start) };
    let error: string | undefined;
    const open: OpenSpan = {
      context,
      traceparent: traceparentOf(context),
      set(more) {
        active.attributes = { ...active.attributes, ...more };
      },
      fail(why) {
        error = why;
      },
    };
    try {
      return await this.#active.run(active, () => work(open));
    } catch (thrown) {
      error ??= errorText(thrown);
      throw thrown;
    } finally {
      this.#tell({
        sort: start.sort,
        name: start.name,
        context,
        ...(parent === undefined ? {} : { parent }),
        links,
        started_at_ms: startedAtMs,
        ended_at_ms: this.#nowMs(),
        attributes: active.attributes,
        ...(error === undefined ? {} : { error }),
      });
    }
  }

  /** A span that is over already; `ms`: how long it took. Its parent is whatever is active. */
  past(start: SpanStart, ms: number, error?: string): void {
    const parent = start.parent ?? this.active;
    const endedAtMs = this.#nowMs();
    this.#tell({
      sort: start.sort,
      name: start.name,
      context: childOf(parent, start.span_id),
      ...(parent === undefined ? {} : { parent }),
      links: [],
      started_at_ms: endedAtMs - ms,
      ended_at_ms: endedAtMs,
      attributes: this.#attributesOf(start),
      ...(error === undefined ? {} : { error }),
    });
  }

  /** The root span of a job that has ended. */
  ended(
    root: SpanContext,
    given: {
      readonly name: string;
      readonly from: Instant;
      readonly to: Instant;
      readonly attributes: Attributes;
      readonly error?: string;
    },
  ): void {
    const { name, attributes, error } = given;
    this.#tell({
      sort: "job",
      name,
      context: root,
      links: [],
      started_at_ms: epochMs(given.from),
      ended_at_ms: epochMs(given.to),
      attributes,
      ...(error === undefined ? {} : { error }),
    });
  }

  measure<Name extends MetricName>(
    metric: Name,
    value: number,
    attributes: MetricAttributes<Name>,
  ): void {
    this.#options.sink.measure(metric, value, attributes);
  }

  /** A line of the log: beside the span it was written in, or the job that it names. */
  log(level: LogRecord["level"], name: string, fields: LogFields): void {
    const { job_id } = fields;
    const context = this.active ?? (typeof job_id === "string" ? this.job(job_id) : undefined);
    const where = context === undefined ? {} : { context };
    this.#options.sink.log({ level, name, fields, at_ms: this.#nowMs(), ...where });
  }

  flush(): Promise<void> {
    return this.#options.sink.flush();
  }

  #attributesOf({ attributes = {} }: SpanStart): Attributes {
    const around = this.#active.getStore()?.attributes ?? {};
    const inherited = INHERITED.map((name) => [name, around[name]] as const);
    return { ...Object.fromEntries(inherited), ...attributes };
  }

  #tell(span: EndedSpan): void {
    if (span.context.sampled) this.#options.sink.span(span);
  }

  #nowMs(): number {
    return epochMs(this.#options.clock.now());
  }
}

/** Does `work` in a span, where there is telemetry at all. */
export function traced<T>(
  telemetry: Telemetry | undefined,
  start: (telemetry: Telemetry) => SpanStart,
  work: (span?: OpenSpan) => Promise<T>,
): Promise<T> {
  return telemetry === undefined ? work() : telemetry.span(start(telemetry), work);
}

/** The id of the span of an attempt; `key` as in `attemptKey`. */
export function spanIdOfAttempt(jobId: string, key: string): string {
  return attemptSpanId(jobId, key, sha256);
}

function childOf(parent: SpanContext | undefined, spanId = newSpanId()): SpanContext {
  return parent === undefined
    ? { trace_id: randomBytes(16).toString("hex"), span_id: spanId, sampled: true }
    : { ...parent, span_id: spanId };
}

function newSpanId(): string {
  return randomBytes(SPAN_ID_BYTES).toString("hex");
}
