// A collector for tests: takes OTLP over HTTP in protobuf and keeps spans, metrics and log records.
// Field numbers are those of opentelemetry-proto 1.x (trace, metrics, logs, common).
import type { IncomingHttpHeaders } from "node:http";
import { gunzipSync } from "node:zlib";
import { startServer } from "./http-server.ts";
import { Reader } from "./protobuf-reader.ts";

export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SeenSpan {
  readonly name: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_id: string;
  /** As in the protocol: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly start_ms: number;
  readonly end_ms: number;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly attributes: Attributes;
  readonly links: readonly { readonly trace_id: string; readonly span_id: string }[];
}

export interface SeenPoint {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Attributes;
  readonly value: number;
  /** Of a histogram. */
  readonly count?: number;
}

export interface SeenLog {
  readonly body: string;
  readonly severity: number;
  readonly trace_id: string;
  readonly span_id: string;
  readonly attributes: Attributes;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly SeenSpan[];
  /** Every report of every metric. */
  readonly points: readonly SeenPoint[];
  readonly logs: readonly SeenLog[];
  readonly resources: readonly Attributes[];
  /** Headers of each request. */
  readonly headers: readonly IncomingHttpHeaders[];
  stop(): Promise<void>;
}

export async function otlpReceiver(): Promise<OtlpReceiver> {
  const spans: SeenSpan[] = [];
  const points: SeenPoint[] = [];
  const logs: SeenLog[] = [];
  const resources: Attributes[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = await startServer();
  server.answer((response, request) => {
    headers.push(request.headers);
    const isPacked = request.headers["content-encoding"] === "gzip";
    const bytes = isPacked ? gunzipSync(request.bytes) : request.bytes;
    // Every export request is a list of resources, each with a list of scopes.
    for (const resource of new Reader(bytes).messages(1)) {
      const about = resource.message(1);
      if (about !== undefined) resources.push(attributesOf(about.messages(1)));
      for (const scope of resource.messages(2)) {
        if (request.url === "/v1/traces") spans.push(...scope.messages(2).map(spanOf));
        if (request.url === "/v1/metrics") points.push(...scope.messages(2).flatMap(pointsOf));
        if (request.url === "/v1/logs") logs.push(...scope.messages(2).map(logOf));
      }
    }
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { url, spans, points, logs, resources, headers, stop: () => server.close() };
}

function spanOf(span: Reader): SeenSpan {
  return {
    trace_id: span.hex(1),
    span_id: span.hex(2),
    parent_id: span.hex(4),
    name: span.text(5),
    kind: span.int(6),
    start_ms: Number(span.int64(7) / 1000n) / 1000,
    end_ms: Number(span.int64(8) / 1000n) / 1000,
    attributes: attributesOf(span.messages(9)),
    links: span.messages(13).map((link) => ({ trace_id: link.hex(1), span_id: link.hex(2) })),
    status: span.message(15)?.int(3) ?? 0,
  };
}

const GAUGE = 5;
const SUM = 7;
const HISTOGRAM = 9;

function pointsOf(metric: Reader): readonly SeenPoint[] {
  const about = { name: metric.text(1), unit: metric.text(3) };
  const numbers = [GAUGE, SUM].flatMap((field) => metric.message(field)?.messages(1) ?? []);
  const histograms = metric.message(HISTOGRAM)?.messages(1) ?? [];
  return [
    ...numbers.map((point) => ({
      ...about,
      attributes: attributesOf(point.messages(7)),
      value: point.has(4) ? point.double(4) : point.int(6),
    })),
    ...histograms.map((point) => ({
      ...about,
      attributes: attributesOf(point.messages(9)),
      count: point.int(4),
      value: point.double(5),
    })),
  ];
}

function logOf(record: Reader): SeenLog {
  return {
    severity: record.int(2),
    body: record.message(5)?.text(1) ?? "",
    attributes: attributesOf(record.messages(6)),
    trace_id: record.hex(9),
    span_id: record.hex(10),
  };
}

function attributesOf(pairs: readonly Reader[]): Attributes {
  return Object.fromEntries(
    pairs.map((pair) => {
      const value = pair.message(2);
      return [pair.text(1), value === undefined ? "" : valueOf(value)];
    }),
  );
}

function valueOf(value: Reader): string | number | boolean {
  if (value.has(2)) return value.int(2) === 1;
  if (value.has(3)) return value.int(3);
  return value.has(4) ? value.double(4) : value.text(1);
}
