// One HTTP exchange over a connection of its own to addresses that were checked before.
// No redirect is followed, no proxy used, no connection shared; the body is counted as it comes.
// Errors: TerminalError HTTP_FAILED for what will not change, RetryableError for the network's.
import { request as httpRequest } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { RetryableError, TerminalError } from "../runtime/handlers.ts";
import { errorCode, hostOf } from "./http-address.ts";
import type { HttpAddress } from "./http-address.ts";

export interface ExchangeRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  /** At least one. */
  readonly addresses: readonly HttpAddress[];
  readonly maxBytes: number;
  /** Whether a body is wanted with this status; otherwise the connection is cut. */
  readonly wanted: (status: number) => boolean;
  readonly signal: AbortSignal;
}

export interface ExchangeAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: IncomingMessage["headers"];
  /** Empty for a status that was not wanted. */
  readonly body: Buffer;
}

export async function exchange(request: ExchangeRequest): Promise<ExchangeAnswer> {
  try {
    const response = await send(request);
    const status = response.statusCode ?? 0;
    const { headers } = response;
    if (request.wanted(status)) return { status, headers, body: await read(response, request) };
    response.destroy();
    return { status, headers, body: Buffer.alloc(0) };
  } catch (error) {
    request.signal.throwIfAborted();
    if (error instanceof TerminalError || error instanceof RetryableError) throw error;
    const message = `${request.method} ${hostOf(request.url)}: ${errorCode(error)}`;
    throw new RetryableError(message, "HTTP_FAILED");
  }
}

function send(request: ExchangeRequest): Promise<IncomingMessage> {
  const { url, method, headers, body, addresses, signal } = request;
  const options: RequestOptions = {
    method,
    headers: { ...headers },
    agent: false,
    lookup: answering(addresses),
    signal,
  };
  return new Promise((resolve, reject) => {
    const sent =
      url.protocol === "https:"
        ? httpsRequest(url, options, resolve)
        : httpRequest(url, options, resolve);
    // Stays for the connection's whole life: a cut after the answer must not be uncaught.
    sent.on("error", reject);
    // An upgrade nobody asked for ends without an error; after an answer this says nothing.
    const silent = Object.assign(new Error("closed without an answer"), { code: "ECONNRESET" });
    sent.on("close", () => reject(silent));
    // In one piece, so that its length is announced; a POST without a body announces 0.
    sent.end(body);
  });
}

/** A resolver that knows one answer: what was checked. */
function answering(addresses: readonly HttpAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    queueMicrotask(() => {
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first?.address ?? "", first?.family);
    });
  };
}

async function read(response: IncomingMessage, request: ExchangeRequest): Promise<Buffer> {
  const { maxBytes, url } = request;
  const host = hostOf(url);
  const encoding = response.headers["content-encoding"] ?? "identity";
  const announced = Number(response.headers["content-length"] ?? 0);
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    if (encoding.toLowerCase() !== "identity") {
      throw new TerminalError(`${host} sent a compressed body unasked`, "HTTP_FAILED");
    }
    if (request.method !== "HEAD" && announced > maxBytes) throw tooLarge(host, maxBytes);
    for await (const part of response as AsyncIterable<Buffer>) {
      bytes += part.byteLength;
      if (bytes > maxBytes) throw tooLarge(host, maxBytes);
      parts.push(part);
    }
  } finally {
    response.destroy();
  }
  return Buffer.concat(parts);
}

function tooLarge(host: string, maxBytes: number): TerminalError {
  return new TerminalError(`the body of ${host} is larger than ${maxBytes} bytes`, "HTTP_FAILED");
}
