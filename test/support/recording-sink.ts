// A telemetry sink that keeps what it is told.
import type { EndedSpan, LogRecord, TelemetrySink } from "../../src/runtime/telemetry.ts";

export interface Value {
  readonly metric: string;
  readonly value: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export class RecordingSink implements TelemetrySink {
  readonly spans: EndedSpan[] = [];
  readonly values: Value[] = [];
  readonly logs: LogRecord[] = [];
  flushes = 0;

  span(span: EndedSpan): void {
    this.spans.push(span);
  }

  measure(metric: string, value: number, attributes: Value["attributes"]): void {
    this.values.push({ metric, value, attributes });
  }

  log(record: LogRecord): void {
    this.logs.push(record);
  }

  async flush(): Promise<void> {
    this.flushes += 1;
  }

  of(sort: EndedSpan["sort"]): readonly EndedSpan[] {
    return this.spans.filter((span) => span.sort === sort);
  }

  total(metric: string): number {
    const values = this.values.filter((one) => one.metric === metric);
    return values.reduce((sum, { value }) => sum + value, 0);
  }

  parentOf(span: EndedSpan): EndedSpan | undefined {
    return this.spans.find(({ context }) => context.span_id === span.parent?.span_id);
  }
}
