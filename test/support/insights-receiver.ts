// The ingestion endpoint of Application Insights for tests: takes envelopes as its exporter sends
// them (a JSON list or one envelope a line, packed or not) and keeps them. The exporter insists on
// TLS, so whoever sends here must trust TEST_CERTIFICATE.
import { gunzipSync } from "node:zlib";
import { startServer } from "./http-server.ts";

export interface Envelope {
  readonly name: string;
  readonly time: string;
  readonly iKey?: string;
  readonly instrumentationKey?: string;
  readonly sampleRate?: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly data: {
    readonly baseType: string;
    readonly baseData: {
      readonly name?: string;
      readonly id?: string;
      readonly message?: string;
      readonly success?: boolean;
      readonly type?: string;
      readonly duration?: string;
      readonly properties?: Readonly<Record<string, string>>;
      readonly metrics?: readonly { readonly name: string; readonly value: number }[];
    };
  };
}

export interface InsightsReceiver {
  /** To be set as APPLICATIONINSIGHTS_CONNECTION_STRING. */
  readonly connectionString: string;
  readonly envelopes: readonly Envelope[];
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

const KEY = "00000000-0000-0000-0000-000000000001";

export async function insightsReceiver(): Promise<InsightsReceiver> {
  const envelopes: Envelope[] = [];
  const urls: string[] = [];
  const server = await startServer({ tls: true });
  server.answer((response, request) => {
    urls.push(request.url);
    const isPacked = request.headers["content-encoding"] === "gzip";
    const taken = envelopesIn((isPacked ? gunzipSync(request.bytes) : request.bytes).toString());
    envelopes.push(...taken);
    const count = { itemsReceived: taken.length, itemsAccepted: taken.length, errors: [] };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(count));
  });
  const url = `https://127.0.0.1:${server.port}/`;
  const connectionString = `InstrumentationKey=${KEY};IngestionEndpoint=${url}`;
  return { connectionString, envelopes, urls, stop: () => server.close() };
}

function envelopesIn(text: string): readonly Envelope[] {
  if (text.startsWith("[")) return JSON.parse(text) as readonly Envelope[];
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as Envelope);
}
