// Application Insights as a destination: its exporter, and the attributes by which that fills the
// columns that the portal shows (operation name, dependency type, sample rate).
import type { EndedSpan } from "../runtime/telemetry.ts";
import { credentialOf } from "./credential.ts";
import type { Exporters } from "./telemetry-exporters.ts";
import type { TelemetrySettings } from "./telemetry-settings.ts";

/** Names that the exporter looks for; it takes them off what it sends. */
const OPERATION_NAME = "ai.operation.name";
const SAMPLE_RATE = "_MS.sampleRate";

export async function azureMonitorExporters(
  settings: NonNullable<TelemetrySettings["azureMonitor"]>,
): Promise<Exporters> {
  const { AzureMonitorLogExporter, AzureMonitorMetricExporter, AzureMonitorTraceExporter } =
    await import("@azure/monitor-opentelemetry-exporter");
  const { connectionString, identity } = settings;
  const options = {
    connectionString,
    // What cannot be sent is lost: the disk of an instance is no place to keep it.
    disableOfflineStorage: true,
    ...(identity === undefined ? {} : { credential: await credentialOf(identity) }),
  };
  return {
    traces: new AzureMonitorTraceExporter(options),
    metrics: new AzureMonitorMetricExporter(options),
    logs: new AzureMonitorLogExporter(options),
  };
}

/** `ratio`: so much of all jobs is traced, which the portal's counts make up for. */
export function forAzureMonitor(span: EndedSpan, ratio: number): EndedSpan {
  const { attributes, sort, name } = span;
  const { workflow_id } = attributes;
  const rate = ratio < 1 ? { [SAMPLE_RATE]: ratio * 100 } : {};
  return { ...span, attributes: { ...attributes, ...rate, ...ownColumns(sort) } };

  function ownColumns(of: EndedSpan["sort"]): EndedSpan["attributes"] {
    switch (of) {
      case "process":
      case "poison":
        // A consumer's row is named after its operation.
        return { [OPERATION_NAME]: name };
      case "store":
        return { "db.system": "Azure DocumentDB", "db.name": attributes["db.namespace"] };
      case "job":
      case "submit":
      case "attempt":
      case "chunk":
      case "item":
      case "sweep":
      case "cancel":
      case "queue":
        return workflow_id === undefined ? {} : { [OPERATION_NAME]: `job ${String(workflow_id)}` };
    }
  }
}
