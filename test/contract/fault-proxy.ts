// An HTTP proxy on loopback that stands in front of an emulator and lets the next matching requests
// fail in a chosen way, before or after the emulator has done its work. Sees what crosses the wire.
import { once } from "node:events";
import http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";

export interface Fault {
  /** Whether the emulator gets the request, and so commits it. */
  readonly commits: boolean;
  /**
   * cut: the connection is reset. silence: no answer ever. truncated: half an answer.
   * A number is the status of the answer.
   */
  readonly answer: "cut" | "silence" | "truncated" | number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FaultRule {
  /** `POST /dbs/…/docs`, tested against the method and the path. */
  readonly on: RegExp;
  readonly faults: readonly Fault[];
}

export interface LastingRule {
  readonly on: RegExp;
  readonly fault?: Fault;
  readonly change?: (body: Readonly<Record<string, unknown>>) => object;
}

export interface FaultProxy {
  readonly port: number;
  /** Method and path of each request that arrived, in order. */
  readonly seen: string[];
  /** Queues faults for requests that match; each is used once. */
  plan(rule: FaultRule): void;
  /** From now on: requests that match are answered so, or what the answer says is changed. */
  always(rule: LastingRule): void;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const seen: string[] = [];
  const planned: { readonly on: RegExp; readonly faults: Fault[] }[] = [];
  const lasting: LastingRule[] = [];
  const next = (line: string): Fault | undefined =>
    planned.find(({ on, faults }) => faults.length > 0 && on.test(line))?.faults.shift() ??
    lasting.find(({ on, fault }) => fault !== undefined && on.test(line))?.fault;
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    const line = `${request.method ?? ""} ${request.url ?? ""}`;
    seen.push(line);
    const { change } = lasting.find((rule) => rule.change && rule.on.test(line)) ?? {};
    serve({ request, response, fault: next(line), change, target, agent }).catch(() => {
      response.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    seen,
    plan: ({ on, faults }) => planned.push({ on, faults: [...faults] }),
    always: (rule) => lasting.push(rule),
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fault: Fault | undefined;
  readonly change: LastingRule["change"];
  readonly target: string;
  readonly agent: http.Agent;
}

async function serve(exchange: Exchange): Promise<void> {
  const { request, response, fault } = exchange;
  const body = await read(request);
  const answer = fault?.commits === false ? undefined : await forward(exchange, body);
  if (fault?.answer === "cut") {
    request.socket.resetAndDestroy();
    return;
  }
  if (fault?.answer === "silence") return;
  if (typeof fault?.answer === "number") {
    response.writeHead(fault.answer, { "content-type": "application/json", ...fault.headers });
    response.end(JSON.stringify({ message: `injected ${fault.answer}` }));
    return;
  }
  if (answer === undefined) throw new Error("a fault without an answer");
  const half = fault?.answer === "truncated";
  const { "transfer-encoding": _chunked, "content-length": _length, ...headers } = answer.headers;
  response.writeHead(answer.status, headers);
  const told = exchange.change === undefined ? answer.body : changed(answer.body, exchange.change);
  response.end(half ? told.subarray(0, told.length / 2) : told);
}

function changed(body: Buffer, change: NonNullable<LastingRule["change"]>): Buffer {
  const told = JSON.parse(body.toString("utf8")) as Readonly<Record<string, unknown>>;
  return Buffer.from(JSON.stringify(change(told)));
}

async function forward(exchange: Exchange, body: Buffer): Promise<Answer> {
  const { request, target, agent } = exchange;
  const { method, headers } = request;
  const sent = http.request(new URL(request.url ?? "/", target), {
    method: method ?? "GET",
    headers,
    agent,
  });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await read(answer) };
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
