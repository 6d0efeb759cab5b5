// A real HTTP server on 127.0.0.1 for one test file; keeps what it was asked.
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Respond = (response: ServerResponse, request: SeenRequest) => void;

export interface TestServer {
  readonly port: number;
  readonly seen: readonly SeenRequest[];
  /** What the next requests are answered with; clears what was seen. */
  answer(respond: Respond): void;
  close(): Promise<void>;
}

export async function startServer(): Promise<TestServer> {
  const seen: SeenRequest[] = [];
  let respond: Respond = (response) => response.end();
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = "", url = "", headers } = request;
      const one = { method, url, headers, body };
      seen.push(one);
      respond(response, one);
    });
  });
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

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const part of request as AsyncIterable<Buffer>) body += part.toString("utf8");
  return body;
}
