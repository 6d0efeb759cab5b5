// An OpenTelemetry collector as a destination: OTLP over HTTP, in protobuf, the one form that the
// Functions host and every collector speak.
import type { Exporters } from "./telemetry-exporters.ts";
import type { TelemetrySettings } from "./telemetry-settings.ts";

export async function otlpExporters(
  { endpoint, headers }: NonNullable<TelemetrySettings["otlp"]>,
): Promise<Exporters> {
  const [traces, metrics, logs] = await Promise.all([
    import("@opentelemetry/exporter-trace-otlp-proto"),
    import("@opentelemetry/exporter-metrics-otlp-proto"),
    import("@opentelemetry/exporter-logs-otlp-proto"),
  ]);
  const to = (signal: string) => ({ url: `${endpoint}/v1/${signal}`, headers: { ...headers } });
  return {
    traces: new traces.OTLPTraceExporter(to("traces")),
    metrics: new metrics.OTLPMetricExporter(to("metrics")),
    logs: new logs.OTLPLogExporter(to("logs")),
  };
}
