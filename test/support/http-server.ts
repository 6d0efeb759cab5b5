// A real HTTP server on 127.0.0.1 for one test file; keeps what it was asked.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** As UTF-8. */
  readonly body: string;
  readonly bytes: Buffer;
}

export type Respond = (response: ServerResponse, request: SeenRequest) => void;

export interface TestServer {
  readonly port: number;
  readonly seen: readonly SeenRequest[];
  /** What the next requests are answered with; clears what was seen. */
  answer(respond: Respond): void;
  close(): Promise<void>;
}

const TLS = path.resolve(import.meta.dirname, "../fixtures/tls");
/** A process that is to trust a server with TLS is given this as NODE_EXTRA_CA_CERTS. */
export const TEST_CERTIFICATE = path.join(TLS, "certificate.pem");

export async function startServer({ tls = false } = {}): Promise<TestServer> {
  const seen: SeenRequest[] = [];
  let respond: Respond = (response) => response.end();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    void bodyOf(request).then((bytes) => {
      const { method = "", url = "", headers } = request;
      const one = { method, url, headers, bytes, body: bytes.toString("utf8") };
      seen.push(one);
      respond(response, one);
    });
  };
  const server = tls
    ? createTlsServer(
        { cert: readFileSync(TEST_CERTIFICATE), key: readFileSync(path.join(TLS, "key.pem")) },
        handle,
      )
    : createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    answer: (next) => {
      seen.length = 0;
      respond = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}
