// An HTTP proxy on loopback in front of an emulator that spoils a share of the requests, seeded:
// each in one of several ways, before or after the emulator has done its work. It counts what it
// did, because a run in which nothing was spoilt proves nothing.
import { once } from "node:events";
import http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pause } from "./pace.ts";
import type { Seeded } from "./seeded.ts";

/** 429 and 449 after the work never come from Azure; they are injected all the same. */
export const FAULT_KINDS = [
  "cut before",
  "cut after",
  "truncated after",
  "delay before",
  "delay after",
  "408 before",
  "408 after",
  "429 before",
  "429 after",
  "449 before",
  "449 after",
  "500 before",
  "500 after",
  "503 before",
  "503 after",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface ChaosProxy {
  readonly url: string;
  /** How many requests arrived. */
  readonly requests: number;
  readonly fired: ReadonlyMap<FaultKind, number>;
  /** The share of requests that is spoilt from now on, in [0, 1]. */
  spoil(share: number): void;
  /** Spoils the next requests that match in this way, whatever the share. */
  plan(on: RegExp, kinds: readonly FaultKind[]): void;
  /** Called with method and path of each request. */
  watch(seen: (line: string) => void): void;
  stop(): Promise<void>;
}

const LONGEST_DELAY_MS = 1_500;
const LONGEST_RETRY_AFTER_MS = 200;
const KEEP_ALIVE_MS = 120_000;

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fault: FaultKind | undefined;
  readonly target: string;
  readonly agent: http.Agent;
  readonly random: Seeded;
}

export async function startChaosProxy(target: string, random: Seeded): Promise<ChaosProxy> {
  const fired = new Map<FaultKind, number>();
  const planned: { readonly on: RegExp; readonly kinds: FaultKind[] }[] = [];
  const watchers: ((line: string) => void)[] = [];
  let share = 0;
  let requests = 0;
  const next = (line: string): FaultKind | undefined => {
    const given = planned.find(({ on, kinds }) => kinds.length > 0 && on.test(line));
    if (given !== undefined) return given.kinds.shift();
    return random.chance(share) ? random.pick(FAULT_KINDS) : undefined;
  };
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    requests += 1;
    const line = `${request.method ?? ""} ${request.url ?? ""}`;
    for (const watcher of watchers) watcher(line);
    const fault = next(line);
    if (fault !== undefined) fired.set(fault, (fired.get(fault) ?? 0) + 1);
    serve({ request, response, fault, target, agent, random }).catch(() => {
      response.destroy();
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    get requests() {
      return requests;
    },
    fired,
    spoil: (given) => {
      share = given;
    },
    plan: (on, kinds) => planned.push({ on, kinds: [...kinds] }),
    watch: (seen) => watchers.push(seen),
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

async function serve(exchange: Exchange): Promise<void> {
  const { request, response, fault, random } = exchange;
  const body = await read(request);
  const delayMs = random.between(50, LONGEST_DELAY_MS);
  if (fault === "delay before") await pause(delayMs);
  const isRefused = fault?.endsWith("before") === true && fault !== "delay before";
  const answer = isRefused ? undefined : await forward(exchange, body);
  if (fault === "delay after") await pause(delayMs);
  const status = Number.parseInt(fault ?? "", 10);
  if (fault?.startsWith("cut") === true) request.socket.resetAndDestroy();
  else if (Number.isInteger(status)) refuse(response, status, random);
  else if (answer !== undefined) pass(response, answer, fault === "truncated after");
}

function refuse(response: ServerResponse, status: number, random: Seeded): void {
  const wait = String(random.between(1, LONGEST_RETRY_AFTER_MS));
  const headers = {
    "content-type": "application/json",
    ...(status === 429 ? { "x-ms-retry-after-ms": wait } : {}),
  };
  response.writeHead(status, headers);
  response.end(JSON.stringify({ message: `injected ${status}` }));
}

/** Half an answer: the length is announced, then the connection ends. */
function pass(response: ServerResponse, answer: Answer, isHalf: boolean): void {
  const { "transfer-encoding": _chunked, ...headers } = answer.headers;
  const { body, status } = answer;
  const hasBody = body.length > 0;
  const length = hasBody ? { "content-length": String(body.length) } : {};
  response.writeHead(status, { ...headers, ...length });
  if (!isHalf) response.end(body);
  else if (hasBody) response.write(body.subarray(0, body.length / 2), () => response.destroy());
  else response.destroy();
}

async function forward(exchange: Exchange, body: Buffer): Promise<Answer> {
  const { request, target, agent } = exchange;
  const { method = "GET", headers } = request;
  const sent = http.request(new URL(request.url ?? "/", target), { method, headers, agent });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await read(answer) };
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
