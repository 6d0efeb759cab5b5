// What a destination of telemetry must offer: an exporter of OpenTelemetry for each signal.
// azure-monitor.ts and otlp.ts make them, open-telemetry.ts feeds them.
import type { LogRecordExporter } from "@opentelemetry/sdk-logs";
import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { SpanExporter } from "@opentelemetry/sdk-trace-base";

export interface Exporters {
  readonly traces: SpanExporter;
  readonly metrics: PushMetricExporter;
  readonly logs: LogRecordExporter;
}
