// Sends telemetry through OpenTelemetry: to Application Insights, to a collector (OTLP over HTTP),
// or to both. The packages are loaded by the first call here, which only a configured app makes.
// Spans come here ended, with ids of our own, so no tracer, context manager or instrumentation of
// OpenTelemetry is used: nothing is patched, and nothing is traced twice.
import type * as Api from "@opentelemetry/api";
import type { LogRecordProcessor } from "@opentelemetry/sdk-logs";
import type { MetricReader } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { Resource } from "@opentelemetry/resources";
import { METRICS, SPANS } from "../runtime/telemetry-names.ts";
import type { MetricName, SpanKind } from "../runtime/telemetry-names.ts";
import type { Attributes, EndedSpan, LogRecord, TelemetrySink } from "../runtime/telemetry.ts";
import { azureMonitorExporters, forAzureMonitor } from "./azure-monitor.ts";
import { otlpExporters } from "./otlp.ts";
import type { Exporters } from "./telemetry-exporters.ts";
import type { TelemetrySettings } from "./telemetry-settings.ts";

export interface OpenTelemetryOptions {
  readonly settings: TelemetrySettings;
  /** `holdfast@<version>+<hash>`. */
  readonly build: string;
  readonly traceRatio: number;
  /** How often metrics are sent; spans and log lines at the latest so often. */
  readonly seconds: number;
  /** Told what OpenTelemetry says of failures of its own. */
  readonly onProblem: (text: string) => void;
}

/** Where to, and its own look at a span. */
interface Destination extends Exporters {
  readonly adapted: (span: EndedSpan) => EndedSpan;
}

/** Bursts of a fan_out; what does not fit is dropped, oldest kept. About 1 KB each. */
const MAX_QUEUED = 8_192;
const SEND_TIMEOUT_MS = 10_000;
const SCOPE = { name: "holdfast" };
const SEVERITY = { info: 9, warn: 13, error: 17 } as const;

export async function openTelemetrySink(options: OpenTelemetryOptions): Promise<TelemetrySink> {
  const api = await import("@opentelemetry/api");
  const { resourceFromAttributes } = await import("@opentelemetry/resources");
  const { DiagLogLevel, diag } = api;
  const problem = (text: string): void => options.onProblem(messageIn(text));
  const quiet = (): void => undefined;
  const logger = { error: problem, warn: problem, info: quiet, debug: quiet, verbose: quiet };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const resource = resourceFromAttributes(resourceOf(options));
  const destinations = await destinationsOf(options);
  const traces = await traceOutput(destinations, { api, resource, options });
  const metrics = await metricOutput(destinations, { resource, options });
  const logs = await logOutput(destinations, { api, resource, options });
  return {
    span: traces.span,
    measure: metrics.measure,
    log: logs.log,
    async flush() {
      await Promise.allSettled([traces.flush(), metrics.flush(), logs.flush()]);
    },
  };
}

/** OpenTelemetry tells of an error as JSON, stack included. */
function messageIn(text: string): string {
  try {
    const told: unknown = JSON.parse(text);
    if (typeof told !== "object" || told === null) return text;
    const message: unknown = Reflect.get(told, "message");
    return typeof message === "string" ? message : text;
  } catch {
    return text;
  }
}

function resourceOf({ settings, build }: OpenTelemetryOptions): Api.Attributes {
  const { service, instance } = settings;
  return {
    "service.name": service,
    "service.version": build.slice(build.indexOf("@") + 1),
    "cloud.provider": "azure",
    "cloud.platform": "azure_functions",
    ...(instance === undefined ? {} : { "service.instance.id": instance }),
  };
}

async function destinationsOf(options: OpenTelemetryOptions): Promise<readonly Destination[]> {
  const { azureMonitor, otlp } = options.settings;
  const found: Destination[] = [];
  if (azureMonitor !== undefined) {
    const adapted = (span: EndedSpan): EndedSpan => forAzureMonitor(span, options.traceRatio);
    found.push({ ...(await azureMonitorExporters(azureMonitor)), adapted });
  }
  if (otlp !== undefined) found.push({ ...(await otlpExporters(otlp)), adapted: (span) => span });
  return found;
}

interface Common {
  readonly resource: Resource;
  readonly options: OpenTelemetryOptions;
}

async function traceOutput(
  destinations: readonly Destination[],
  { api, resource, options }: Common & { readonly api: typeof Api },
): Promise<{ span: TelemetrySink["span"]; flush: () => Promise<unknown> }> {
  const { BatchSpanProcessor } = await import("@opentelemetry/sdk-trace-base");
  const outputs = destinations.map(({ traces, adapted }) => ({
    adapted,
    processor: new BatchSpanProcessor(traces, batching(options)) as SpanProcessor,
  }));
  return {
    span(ended) {
      for (const { adapted, processor } of outputs) {
        processor.onEnd(readable(adapted(ended), { api, resource }));
      }
    },
    flush: () => Promise.allSettled(outputs.map(({ processor }) => processor.forceFlush())),
  };
}

function batching({ seconds }: OpenTelemetryOptions) {
  return {
    maxQueueSize: MAX_QUEUED,
    scheduledDelayMillis: Math.min(seconds, 5) * 1000,
    exportTimeoutMillis: SEND_TIMEOUT_MS,
  };
}

function readable(
  span: EndedSpan,
  { api, resource }: { readonly api: typeof Api; readonly resource: Resource },
): ReadableSpan {
  const { context, parent, links, attributes, error } = span;
  const { SpanStatusCode } = api;
  return {
    name: span.name,
    kind: kindOf(SPANS[span.sort].kind, api),
    spanContext: () => contextOf(context),
    ...(parent === undefined ? {} : { parentSpanContext: contextOf(parent) }),
    startTime: hrTime(span.started_at_ms),
    endTime: hrTime(span.ended_at_ms),
    duration: hrTime(Math.max(0, span.ended_at_ms - span.started_at_ms)),
    status:
      error === undefined
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, message: error },
    attributes: { span: span.sort, ...defined(attributes) },
    links: links.map((link) => ({ context: contextOf(link) })),
    events: [],
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function kindOf(kind: SpanKind, { SpanKind: kinds }: typeof Api): Api.SpanKind {
  switch (kind) {
    case "server":
      return kinds.SERVER;
    case "consumer":
      return kinds.CONSUMER;
    case "producer":
      return kinds.PRODUCER;
    case "client":
      return kinds.CLIENT;
    case "internal":
      return kinds.INTERNAL;
  }
}

function contextOf({ trace_id, span_id, sampled }: EndedSpan["context"]): Api.SpanContext {
  return { traceId: trace_id, spanId: span_id, traceFlags: sampled ? 1 : 0 };
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): Api.HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

function defined(attributes: Attributes): Api.Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

async function metricOutput(
  destinations: readonly Destination[],
  { resource, options }: Common,
): Promise<{ measure: TelemetrySink["measure"]; flush: () => Promise<unknown> }> {
  const { MeterProvider, PeriodicExportingMetricReader } = await import(
    "@opentelemetry/sdk-metrics"
  );
  const readers: readonly MetricReader[] = destinations.map(
    ({ metrics: exporter }) =>
      new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: options.seconds * 1000,
        exportTimeoutMillis: Math.min(SEND_TIMEOUT_MS, options.seconds * 1000),
      }),
  );
  const provider = new MeterProvider({ resource, readers: [...readers] });
  const instruments = instrumentsOf(provider.getMeter(SCOPE.name));
  return {
    measure(name, value, attributes) {
      instruments[name](value, defined(attributes));
    },
    flush: () => provider.forceFlush(),
  };
}

type Instruments = Readonly<Record<MetricName, (value: number, facts: Api.Attributes) => void>>;

function instrumentsOf(meter: Api.Meter): Instruments {
  const made = Object.entries(METRICS).map(([name, metric]) => {
    const { type, unit, meaning: description } = metric;
    const about = { unit, description };
    switch (type) {
      case "counter": {
        const counter = meter.createCounter(name, about);
        return [name, (value: number, facts: Api.Attributes) => counter.add(value, facts)];
      }
      case "histogram": {
        const histogram = meter.createHistogram(name, about);
        return [name, (value: number, facts: Api.Attributes) => histogram.record(value, facts)];
      }
      case "gauge": {
        const gauge = meter.createGauge(name, about);
        return [name, (value: number, facts: Api.Attributes) => gauge.record(value, facts)];
      }
    }
  });
  return Object.fromEntries(made) as Instruments;
}

async function logOutput(
  destinations: readonly Destination[],
  { api, resource, options }: Common & { readonly api: typeof Api },
): Promise<{ log: TelemetrySink["log"]; flush: () => Promise<unknown> }> {
  const { BatchLogRecordProcessor, LoggerProvider } = await import("@opentelemetry/sdk-logs");
  const processors: readonly LogRecordProcessor[] = destinations.map(
    ({ logs }) => new BatchLogRecordProcessor(logs, batching(options)),
  );
  const provider = new LoggerProvider({ resource, processors: [...processors] });
  const logger = provider.getLogger(SCOPE.name);
  return {
    log(record: LogRecord) {
      const { level, name, fields, at_ms, context } = record;
      const around = api.ROOT_CONTEXT;
      logger.emit({
        timestamp: at_ms,
        severityNumber: SEVERITY[level],
        severityText: level.toUpperCase(),
        eventName: name,
        body: name,
        attributes: { event: name, ...defined(fields) },
        context: context ? api.trace.setSpanContext(around, contextOf(context)) : around,
      });
    },
    flush: () => provider.forceFlush(),
  };
}
